"""
Orders about the own profile and whom it deals with.

    <iq xmlns="status" type="set"><status>[text]</status></iq>
    <iq xmlns="w:mex" type="get"><query query_id="9152604461510864">{"variables":{"input":{"text":…}}}</query></iq>
    <iq xmlns="privacy" type="set"><privacy><category name="…" value="…"/></privacy></iq>
    <iq xmlns="blocklist" type="set"><item action="block|unblock" jid="LID" pn_jid?/></iq>  →  <list dhash?><item/>…
    <iq xmlns="disappearing_mode" type="set"><disappearing_mode duration="…"/></iq>

Reading them is in account.py (blocklist, privacy) and usync.py (about, timer).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from recado.errors import QueryError, UsageError
from recado.jid import JID
from recado.protocol.node import Node
from recado.protocol.queries.query import ask, raise_for_error, tell

PRIVACY_VALUES: dict[str, frozenset[str]] = {
    "last": frozenset({"all", "contacts", "contact_blacklist", "none"}),
    "online": frozenset({"all", "match_last_seen"}),
    "profile": frozenset({"all", "contacts", "contact_blacklist", "none"}),
    "status": frozenset({"all", "contacts", "contact_blacklist", "none"}),
    "readreceipts": frozenset({"all", "none"}),
    "groupadd": frozenset({"all", "contacts", "contact_blacklist"}),
    "calladd": frozenset({"all", "known"}),
    "messages": frozenset({"all", "contacts"}),
    "defense": frozenset({"on_standard", "off"}),
    "stickers": frozenset({"contacts", "contact_allowlist", "none"}),
}
"""The privacy settings by name, and what each may be."""

ABOUT_QUERY = "9152604461510864"

TIMERS = (0, 86_400, 604_800, 7_776_000)
"""The seconds a default timer may have: none, a day, a week, ninety days."""


@dataclass(frozen=True, slots=True)
class SetAbout:
    """Say something else about the account's person."""

    about: str = field(repr=False)

    def build(self) -> Node:
        """The order."""
        return tell("status", Node("status", None, self.about.encode()))

    def parse(self, answer: Node) -> None:
        """Nothing: done."""
        raise_for_error(answer)


@dataclass(frozen=True, slots=True)
class SetAboutByGraph:
    """The same as SetAbout, by the newer road."""

    about: str = field(repr=False)

    def build(self) -> Node:
        """The order."""
        said = {"variables": {"input": {"text": self.about, "ephemeral_duration_sec": 0}}}
        return ask("w:mex", Node("query", {"query_id": ABOUT_QUERY}, json.dumps(said, separators=(",", ":")).encode()))

    def parse(self, answer: Node) -> None:
        """Nothing: done. Raises QueryError."""
        raise_for_error(answer)
        result = answer.child("result")
        if result is not None and b'"errors"' in result.blob:
            raise QueryError(400, "refused")


@dataclass(frozen=True, slots=True)
class SetPrivacy:
    """Give one privacy setting another value."""

    setting: str
    value: str

    def __post_init__(self) -> None:
        if self.value not in PRIVACY_VALUES.get(self.setting, ()):
            raise UsageError("there is no such privacy setting, or it cannot be that")

    def build(self) -> Node:
        """The order."""
        return tell("privacy", Node("privacy", None, [Node("category", {"name": self.setting, "value": self.value})]))

    def parse(self, answer: Node) -> None:
        """Nothing: done."""
        raise_for_error(answer)


@dataclass(frozen=True, slots=True)
class ChangeBlock:
    """Block a person, or no longer; the server wants the LID, and the number too when it is to block."""

    jid: JID
    phone: JID | None
    is_blocked: bool

    def build(self) -> Node:
        """The order."""
        attrs = {"action": "block" if self.is_blocked else "unblock", "jid": str(self.jid.bare)}
        if self.is_blocked and self.phone is not None:
            attrs["pn_jid"] = str(self.phone.bare)
        return tell("blocklist", Node("item", attrs))

    def parse(self, answer: Node) -> None:
        """Nothing: done."""
        raise_for_error(answer)


@dataclass(frozen=True, slots=True)
class SetDefaultTimer:
    """Have new chats begin with that timer, in seconds; 0 for none."""

    seconds: int

    def __post_init__(self) -> None:
        if self.seconds not in TIMERS:
            raise UsageError("a timer is none, a day, a week or ninety days")

    def build(self) -> Node:
        """The order."""
        return tell("disappearing_mode", Node("disappearing_mode", {"duration": str(self.seconds)}))

    def parse(self, answer: Node) -> None:
        """Nothing: done."""
        raise_for_error(answer)
