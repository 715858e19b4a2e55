"""
Channels: found, followed, read. What the server knows of them is asked as GraphQL (`w:mex`), by numbers that WhatsApp
changes now and then: they stand in one table. Their posts are in posts.py.

    <iq xmlns="w:mex" type="get"><query query_id="…">{"variables": {…}}</query></iq>
      →  <result>{"data": {path: {…}}}</result>
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from recado.errors import QueryError, StanzaError
from recado.jid import JID, NEWSLETTER
from recado.protocol.node import Node
from recado.protocol.queries.query import ask, raise_for_error


class Call(Enum):
    """What can be asked: the query's number, and where the answer stands in what comes back."""

    CREATE = ("8823471724422422", "xwa2_newsletter_create")
    INFO = ("6563316087068696", "xwa2_newsletter")
    FOLLOW = ("24404358912487870", "xwa2_newsletter_join_v2")
    UNFOLLOW = ("9767147403369991", "xwa2_newsletter_leave_v2")
    MUTE = ("29766401636284406", "xwa2_newsletter_mute_v2")
    UNMUTE = ("9864994326891137", "xwa2_newsletter_unmute_v2")
    UPDATE = ("24250201037901610", "xwa2_newsletter_update")
    DELETE = ("30062808666639665", "xwa2_newsletter_delete_v2")
    SUBSCRIBED = ("6388546374527196", "xwa2_newsletter_subscribed")
    ADMIN_COUNT = ("7130823597031706", "xwa2_newsletter_admin")
    CHANGE_OWNER = ("7341777602580933", "xwa2_newsletter_change_owner")
    DEMOTE = ("6551828931592903", "xwa2_newsletter_demote")


@dataclass(frozen=True, slots=True)
class Newsletter:
    """A channel: `role` is what we are in it (owner, admin, subscriber, guest); `invite` leads others to it."""

    jid: JID
    name: str = field(default="", repr=False)
    description: str = field(default="", repr=False)
    subscribers: int = 0
    invite: str = field(default="", repr=False)
    role: str = ""


@dataclass(frozen=True, slots=True)
class AskNewsletter:
    """A call about a channel; `variables` are its own."""

    call: Call
    variables: dict[str, Any] = field(repr=False)

    def build(self) -> Node:
        """The question."""
        return _call(self.call, self.variables)

    def parse(self, answer: Node) -> Newsletter:
        """The channel, as far as the answer tells. Raises QueryError for a refusal, StanzaError for another shape."""
        return _newsletter(_dict_of(_found(answer, self.call)))


@dataclass(frozen=True, slots=True)
class OrderNewsletter:
    """A call that changes something and answers nothing of use."""

    call: Call
    variables: dict[str, Any] = field(repr=False)

    def build(self) -> Node:
        """The order."""
        return _call(self.call, self.variables)

    def parse(self, answer: Node) -> None:
        """Nothing. Raises QueryError for a refusal."""
        _found(answer, self.call)


@dataclass(frozen=True, slots=True)
class Subscribed:
    """The channels the account follows or has."""

    def build(self) -> Node:
        """The question."""
        return _call(Call.SUBSCRIBED, {})

    def parse(self, answer: Node) -> list[Newsletter]:
        """The channels."""
        listed = _found(answer, Call.SUBSCRIBED)
        return [_newsletter(each) for each in (listed if isinstance(listed, list) else []) if isinstance(each, dict)]


@dataclass(frozen=True, slots=True)
class AdminCount:
    """How many administer a channel."""

    newsletter: JID

    def build(self) -> Node:
        """The question."""
        return _call(Call.ADMIN_COUNT, {"newsletter_id": str(self.newsletter)})

    def parse(self, answer: Node) -> int:
        """The number."""
        return _number(_dict_of(_found(answer, Call.ADMIN_COUNT)).get("admin_count"))


def _call(call: Call, variables: dict[str, Any]) -> Node:
    said = json.dumps({"variables": variables}, separators=(",", ":")).encode()
    return ask("w:mex", Node("query", {"query_id": call.value[0]}, said))


def _found(answer: Node, call: Call) -> Any:
    """What stands where the call's answer stands. Raises QueryError, StanzaError."""
    raise_for_error(answer)
    result = answer.child("result")
    try:
        body = json.loads(result.blob if result is not None else b"")
    except (ValueError, RecursionError) as error:
        raise StanzaError("mex", ["<result>"]) from error
    if not isinstance(body, dict):
        raise StanzaError("mex", ["{}"])
    errors = body.get("errors")
    if isinstance(errors, list) and errors:
        first = errors[0] if isinstance(errors[0], dict) else {}
        extensions = first.get("extensions")
        code = extensions.get("error_code") if isinstance(extensions, dict) else None
        raise QueryError(code if isinstance(code, int) else 400, str(first.get("message", ""))[:80])
    data = body.get("data")
    return data.get(call.value[1]) if isinstance(data, dict) else None


def _dict_of(found: Any) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise QueryError(404, "no such channel")
    return found


def _newsletter(found: dict[str, Any]) -> Newsletter:
    thread, viewer = _dict(found, "thread_metadata"), _dict(found, "viewer_metadata")
    try:
        jid = JID.parse(str(found.get("id", "")))
    except ValueError as error:
        raise StanzaError("mex", ["id"]) from error
    if jid.server != NEWSLETTER:
        raise StanzaError("mex", ["id"])
    return Newsletter(
        jid,
        name=_words(_dict(thread, "name").get("text")),
        description=_words(_dict(thread, "description").get("text")),
        subscribers=_number(thread.get("subscribers_count")),
        invite=_words(thread.get("invite")),
        role=_words(viewer.get("role")).lower(),
    )


def _dict(parent: dict[str, Any], name: str) -> dict[str, Any]:
    value = parent.get(name)
    return value if isinstance(value, dict) else {}


def _words(value: Any) -> str:
    return value.replace("\0", "") if isinstance(value, str) else ""


def _number(value: Any) -> int:
    text = str(value)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else 0
