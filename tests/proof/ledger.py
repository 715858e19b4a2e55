"""
What a run has said, and through which eyes it is judged: the phones, the server's list of what it released, the
database's records. A lane of tests/crash is one `Subject`, an account of tests/chaos another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from recado.emulator.whatsapp.phone import Phone
from recado.jid import JID

from .records import Records
from .wiretap import Wiretap


@dataclass(slots=True)
class Ledger:
    """What a run has said, by message id: the token in each text, and who said it or is to see it."""

    came: dict[str, str] = field(default_factory=dict)
    by: dict[str, str] = field(default_factory=dict)
    queued: dict[str, str] = field(default_factory=dict)
    to: dict[str, Phone] = field(default_factory=dict)
    spoiled: set[str] = field(default_factory=set)
    """Messages, both ways, whose first ciphertext was damaged on the way."""
    history: set[str] = field(default_factory=set)
    """Of what came: what was said before the device was linked, and the phone told it of."""


class Subject(Protocol):
    """One account that is judged."""

    @property
    def ledger(self) -> Ledger: ...

    @property
    def records(self) -> Records: ...

    @property
    def wiretap(self) -> Wiretap: ...

    @property
    def owner(self) -> Phone:
        """The phone the device is linked to."""
        ...

    @property
    def device(self) -> JID:
        """The linked device, by number."""
        ...

    def released(self) -> Mapping[str, int]:
        """What the server gave to the device: message ids, each with the place of its first release."""
        ...
