"""
With how many people an account may begin to write in a cycle, and how many of them are used up.

    <iq xmlns="w:mex" type="get"><query query_id="…">
        {"variables":{"input":{"type":"INDIVIDUAL_NEW_CHAT_MSG"}}}</query></iq>
                                       →  <result>{"data":{"xwa2_message_capping_info":{…}}}</result>
    <notification type="mex"><update op_name="MessageCappingInfoNotification">
        {"data":{"xwa2_notify_new_chat_messages_capping_info_update":{…}}}</update></notification>

    {"total_quota": 100, "used_quota": 100, "cycle_end_timestamp": "…", "capping_status": "CAPPED", …}
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from recado.errors import QueryError, StanzaError
from recado.protocol.node import Node
from recado.protocol.queries.query import ask, raise_for_error
from recado.protocol.queries.tokens import code_of

CAP_QUERY = "24503548349331633"
CAP = "xwa2_message_capping_info"
CAP_NEWS = "xwa2_notify_new_chat_messages_capping_info_update"
CAPPED = "CAPPED"

_KIND = "INDIVIDUAL_NEW_CHAT_MSG"
_MILLISECONDS = 10**11  # seconds reach that in the year 5138


@dataclass(frozen=True, slots=True)
class NewChatCap:
    """How many new chats are allowed and used until `ends`; `status` is WhatsApp's own word (NONE, …, CAPPED)."""

    status: str = ""
    quota: int | None = None
    used: int | None = None
    ends: datetime | None = None

    @property
    def is_reached(self) -> bool:
        """May no more chats be begun in this cycle?"""
        return self.status == CAPPED

    @staticmethod
    def read(said: Any) -> NewChatCap:
        """Read what the server says of it. Raises StanzaError."""
        if not isinstance(said, dict):
            raise StanzaError("mex", ["capping"])
        return NewChatCap(
            str(said.get("capping_status") or "")[:80],
            _count(said.get("total_quota")),
            _count(said.get("used_quota")),
            _time(said.get("cycle_end_timestamp")),
        )


@dataclass(frozen=True, slots=True)
class AskNewChatCap:
    """How many chats may the account begin?"""

    def build(self) -> Node:
        """The question."""
        said = json.dumps({"variables": {"input": {"type": _KIND}}}, separators=(",", ":")).encode()
        return ask("w:mex", Node("query", {"query_id": CAP_QUERY}, said))

    def parse(self, answer: Node) -> NewChatCap:
        """What holds."""
        raise_for_error(answer)
        result = answer.child("result")
        try:
            said = json.loads(result.blob if result is not None else b"")
            if said.get("errors"):
                raise QueryError(code_of(said["errors"]), "refused")
            return NewChatCap.read((said.get("data") or {}).get(CAP))
        except (ValueError, AttributeError, RecursionError):
            raise StanzaError("iq", ["<result>"]) from None


def _count(said: Any) -> int | None:
    return said if isinstance(said, int) and not isinstance(said, bool) and 0 <= said < 2**31 else None


def _time(said: Any) -> datetime | None:
    digits = str(said or "")
    number = int(digits) if digits.isdecimal() and len(digits) < 20 else 0
    try:
        return datetime.fromtimestamp(number // 1000 if number > _MILLISECONDS else number, UTC) if number else None
    except (ValueError, OverflowError, OSError):
        return None
