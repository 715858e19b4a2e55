"""
Whom a privacy setting leaves out: the people of `contact_blacklist` ("my contacts except …").

    <iq xmlns="privacy" type="get"><privacy><list name="last" value="contact_blacklist"/></privacy></iq>
    →  <privacy><list name="last" value="contact_blacklist" dhash="…"><user jid="…"/>…</list></privacy>
    <iq xmlns="privacy" type="set"><privacy><category name="last" value="contact_blacklist" dhash="…">
      <user jid="LID" pn_jid? action="add|remove"/>…</category></privacy></iq>

The hash is that of the list the change is made to; the server answers 409 when it has another by then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from recado.errors import UsageError
from recado.jid import JID
from recado.protocol.node import Node
from recado.protocol.queries.profile import PRIVACY_VALUES
from recado.protocol.queries.query import ask, raise_for_error, tell

EXCEPT = "contact_blacklist"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Whom a setting leaves out, and the hash of that list."""

    people: frozenset[JID] = field(repr=False)
    hash: str | None = None


@dataclass(frozen=True, slots=True)
class AskLeftOut:
    """Whom one privacy setting leaves out. Raises UsageError for a setting that leaves nobody out."""

    setting: str

    def __post_init__(self) -> None:
        if EXCEPT not in PRIVACY_VALUES.get(self.setting, ()):
            raise UsageError("that setting leaves nobody out")

    def build(self) -> Node:
        """The question."""
        return ask("privacy", Node("privacy", None, [Node("list", {"name": self.setting, "value": EXCEPT})]))

    def parse(self, answer: Node) -> LeftOut:
        """The people. Raises QueryError."""
        raise_for_error(answer)
        listed = answer.child("privacy", "list")
        if listed is None:
            return LeftOut(frozenset())
        found = [user.read().opt_jid("jid") for user in listed.all("user")]
        return LeftOut(frozenset(jid.bare for jid in found if jid is not None), listed.attrs.get("dhash"))


@dataclass(frozen=True, slots=True)
class LeaveOut:
    """Leave these people out of a setting, and those no longer; `added` says their numbers, where known."""

    setting: str
    added: Mapping[JID, JID | None] = field(repr=False)
    removed: frozenset[JID] = field(repr=False)
    hash: str | None = None

    def build(self) -> Node:
        """The order."""
        users = [Node("user", {"jid": str(jid), "action": "remove"}) for jid in sorted(self.removed)]
        for jid, phone in sorted(self.added.items(), key=lambda pair: pair[0]):
            attrs = {"jid": str(jid), "action": "add"}
            users.append(Node("user", attrs if phone is None else {**attrs, "pn_jid": str(phone)}))
        attrs = {"name": self.setting, "value": EXCEPT}
        if self.hash is not None:
            attrs["dhash"] = self.hash
        return tell("privacy", Node("privacy", None, [Node("category", attrs, users or None)]))

    def parse(self, answer: Node) -> None:
        """Nothing: done. Raises QueryError."""
        raise_for_error(answer)
