"""
The steps of linking an account. `client.pair()` is an async iterator of these values; `Paired` is the last one and
means "logged in and usable": the restart the server demands after the scan happens inside.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from recado.jid import JID


@dataclass(frozen=True, slots=True)
class ShowQR:
    """Draw `text` as a QR code for the phone to scan; it is good until `expires_at`. A secret: never log it."""

    text: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"ShowQR(expires_at={self.expires_at.isoformat()})"


@dataclass(frozen=True, slots=True)
class ShowCode:
    """Have the person type `code` (ABCD-EFGH) on the phone before `expires_at`."""

    code: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"ShowCode(expires_at={self.expires_at.isoformat()})"


@dataclass(frozen=True, slots=True)
class NeedsPasskey:
    """
    The account demands a passkey: sign `options` (WebAuthn, JSON) in a browser at `url`, WhatsApp's own page, and give
    the answer to `client.sign_passkey` before `expires_at` (docs/howto/passkey.md).
    """

    url: str
    options: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class AnotherNumber:
    """
    Another account answered than the one expected, and waits: `client.settle_number(keep=…)` before `expires_at`. Until
    then nothing of it is kept, and the phone shows that it is linking.
    """

    account: JID
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Paired:
    """Linked, logged in and usable as `account`; `lid` is its other address."""

    account: JID
    lid: JID | None = field(default=None, compare=False)


PairingStep = ShowQR | ShowCode | NeedsPasskey | AnotherNumber | Paired
