"""
Who may see one's status posts: contacts, contacts without some, or some alone (`status`). A setting of the account's,
which clients go by when they choose whom to seal for; the server only keeps it.

    get <privacy/>  →  <privacy><list type="contacts|blacklist|whitelist" default="true"?><user jid="…"/>…</list>…
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from recado.errors import QueryError
from recado.jid import JID
from recado.protocol.node import Node
from recado.protocol.queries.query import ask, raise_for_error

_NOT_FOUND = 404


class StatusAudience(StrEnum):
    """Whom status posts are for."""

    CONTACTS = "contacts"
    CONTACTS_WITHOUT = "blacklist"
    ONLY = "whitelist"


_SETTINGS = {
    StatusAudience.CONTACTS: "contacts",
    StatusAudience.CONTACTS_WITHOUT: "denylist",
    StatusAudience.ONLY: "allowlist",
}
SETTINGS = frozenset(_SETTINGS.values())


def setting_of(audience: StatusAudience) -> str:
    """What a post itself says of whom it is for: the same choice in other words (`<meta status_setting>`)."""
    return _SETTINGS[audience]


@dataclass(frozen=True, slots=True)
class StatusPrivacy:
    """Whom status posts are for; `people` are those left out, or the only ones."""

    audience: StatusAudience = StatusAudience.CONTACTS
    people: tuple[JID, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class AskStatusPrivacy:
    """The setting as it is now."""

    def build(self) -> Node:
        """The question."""
        return ask("status", Node("privacy"))

    def parse(self, answer: Node) -> StatusPrivacy:
        """The list that counts; who never set one shows their posts to contacts."""
        try:
            raise_for_error(answer)
        except QueryError as error:
            if error.code != _NOT_FOUND:
                raise
            return StatusPrivacy()
        parent = answer.child("privacy")
        lists = [
            each for each in (parent.all("list") if parent is not None else ()) if each.attrs.get("type") in _KINDS
        ]
        chosen = next((each for each in lists if each.attrs.get("default") == "true"), lists[0] if lists else None)
        if chosen is None:
            return StatusPrivacy()
        named = [user.read().opt_jid("jid") for user in chosen.all("user")]
        return StatusPrivacy(StatusAudience(chosen.attrs["type"]), tuple(jid.bare for jid in named if jid is not None))


_KINDS = frozenset(StatusAudience)
