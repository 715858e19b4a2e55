"""
Trust between two people, as tokens; and whether this account may write first at all.

    <iq xmlns="privacy" type="set"><tokens><token jid="…" t="…" type="trusted_contact"/>…</tokens></iq>
                                       →  <tokens><token jid="…" t="…" type="trusted_contact">[theirs]</token></tokens>?
    <iq xmlns="w:mex" type="get"><query query_id="…">{"variables":{}}</query></iq>
                                       →  <result>{"data":{"xwa2_fetch_account_reachout_timelock":{…}}}</result>
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from recado.errors import QueryError, StanzaError
from recado.jid import JID
from recado.protocol.node import Node
from recado.protocol.queries.query import ask, raise_for_error, tell

TRUSTED_CONTACT = "trusted_contact"
TIME_LOCK_QUERY = "23983697327930364"
TIME_LOCK = "xwa2_fetch_account_reachout_timelock"
TIME_LOCK_NEWS = "xwa2_notify_account_reachout_timelock"


@dataclass(frozen=True, slots=True)
class IssueToken:
    """Tell the server that we trust these people, as of then."""

    people: tuple[JID, ...]
    at: datetime

    def build(self) -> Node:
        """The order."""
        stamp = str(int(self.at.timestamp()))
        tokens = [
            Node("token", {"jid": str(person.bare), "t": stamp, "type": TRUSTED_CONTACT}) for person in self.people
        ]
        return tell("privacy", Node("tokens", None, tokens))

    def parse(self, answer: Node) -> dict[JID, tuple[bytes, datetime]]:
        """The tokens of theirs that came with the answer, if any."""
        raise_for_error(answer)
        found: dict[JID, tuple[bytes, datetime]] = {}
        for token in (answer.child("tokens") or Node("tokens")).all("token"):
            reader = token.read()
            jid, at = reader.opt_jid("jid"), reader.opt_time("t")
            reader.done()
            if jid is not None and at is not None and token.attrs.get("type") == TRUSTED_CONTACT and token.blob:
                found[jid.bare] = (token.blob, at)
        return found


@dataclass(frozen=True, slots=True)
class TimeLock:
    """Whether WhatsApp forbids this account to write first, until when if it said, and why in its own word."""

    is_active: bool
    until: datetime | None = None
    reason: str = ""

    @staticmethod
    def read(said: Any) -> TimeLock:
        """Read what the server says of it. Raises StanzaError."""
        if not isinstance(said, dict):
            raise StanzaError("mex", ["timelock"])
        ends = str(said.get("time_enforcement_ends") or "")
        seconds = int(ends) if ends.isdecimal() and len(ends) < 20 else 0
        try:
            until = datetime.fromtimestamp(seconds, UTC) if seconds else None
        except (ValueError, OverflowError, OSError):
            until = None
        return TimeLock(bool(said.get("is_active")), until, str(said.get("enforcement_type") or "")[:80])


@dataclass(frozen=True, slots=True)
class AskTimeLock:
    """May the account write first?"""

    variables: dict[str, Any] = field(default_factory=dict)

    def build(self) -> Node:
        """The question."""
        said = json.dumps({"variables": self.variables}, separators=(",", ":")).encode()
        return ask("w:mex", Node("query", {"query_id": TIME_LOCK_QUERY}, said))

    def parse(self, answer: Node) -> TimeLock:
        """What holds."""
        raise_for_error(answer)
        result = answer.child("result")
        try:
            said = json.loads(result.blob if result is not None else b"")
            if said.get("errors"):
                raise QueryError(code_of(said["errors"]), "refused")
            return TimeLock.read((said.get("data") or {}).get(TIME_LOCK))
        except (ValueError, AttributeError, RecursionError):
            raise StanzaError("iq", ["<result>"]) from None


def code_of(errors: Any) -> int:
    """The code in a refusal of the graph."""
    try:
        return int(errors[0]["extensions"]["error_code"])
    except (KeyError, IndexError, TypeError, ValueError):
        return 400
