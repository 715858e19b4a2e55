"""
Channels: found, followed, read. What the server knows of them is asked as GraphQL (`w:mex`), by numbers that WhatsApp
changes now and then: they stand in one table. Past posts are a query of their own.

    <iq xmlns="w:mex" type="get"><query query_id="…">{"variables": {…}}</query></iq>
      →  <result>{"data": {path: {…}}}</result>
    <iq xmlns="newsletter" type="get"><messages type="jid" jid="…" count="…" before?/></iq>
      →  <messages><message id server_id t type><plaintext>[protobuf]</plaintext></message>…</messages>
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
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
        said = json.dumps({"variables": self.variables}, separators=(",", ":")).encode()
        return ask("w:mex", Node("query", {"query_id": self.call.value[0]}, said))

    def parse(self, answer: Node) -> Newsletter:
        """The channel, as far as the answer tells. Raises QueryError for a refusal, StanzaError for another shape."""
        raise_for_error(answer)
        result = answer.child("result")
        try:
            body = json.loads(result.blob if result is not None else b"")
        except ValueError as error:
            raise StanzaError("mex", ["<result>"]) from error
        return _newsletter(_found(body, self.call.value[1]))


@dataclass(frozen=True, slots=True)
class Post:
    """One post of a channel, by its number there: the protobuf of the message, not sealed."""

    id: str
    server_id: int
    sent_at: datetime
    plaintext: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Posts:
    """The last `count` posts of a channel, older than the number `before` when one is given."""

    newsletter: JID
    count: int
    before: int | None = None

    def build(self) -> Node:
        """The question."""
        attrs = {"type": "jid", "jid": str(self.newsletter), "count": str(self.count)}
        if self.before is not None:
            attrs["before"] = str(self.before)
        return ask("newsletter", Node("messages", attrs))

    def parse(self, answer: Node) -> list[Post]:
        """The posts; those without words of their own (deleted ones) are left out."""
        raise_for_error(answer)
        listed, posts = answer.child("messages"), []
        for message in listed.all("message") if listed is not None else ():
            reader = message.read()
            number, sent_at, plaintext = reader.opt_int("server_id"), reader.opt_time("t"), message.child("plaintext")
            if number is not None and sent_at is not None and plaintext is not None and plaintext.blob:
                posts.append(Post(message.attrs.get("id", ""), number, sent_at, plaintext.blob))
        return posts


def _found(body: Any, path: str) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise StanzaError("mex", ["{}"])
    errors = body.get("errors")
    if isinstance(errors, list) and errors:
        first = errors[0] if isinstance(errors[0], dict) else {}
        extensions = first.get("extensions")
        code = extensions.get("error_code") if isinstance(extensions, dict) else None
        raise QueryError(code if isinstance(code, int) else 400, str(first.get("message", ""))[:80])
    data = body.get("data")
    found = data.get(path) if isinstance(data, dict) else None
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
    count = str(thread.get("subscribers_count", "0"))
    return Newsletter(
        jid,
        name=_words(_dict(thread, "name").get("text")),
        description=_words(_dict(thread, "description").get("text")),
        subscribers=int(count) if count.isdecimal() and len(count) < 20 else 0,
        invite=_words(thread.get("invite")),
        role=_words(viewer.get("role")).lower(),
    )


def _dict(parent: dict[str, Any], name: str) -> dict[str, Any]:
    value = parent.get(name)
    return value if isinstance(value, dict) else {}


def _words(value: Any) -> str:
    return value.replace("\0", "") if isinstance(value, str) else ""
