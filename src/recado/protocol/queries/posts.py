"""
The posts of channels: past ones, how often they were seen and what people said to them, and being told that live.

    <iq xmlns="newsletter" type="get"><messages type="jid" jid="…" count="…" before?/></iq>
      →  <messages><message id server_id t type><plaintext>[protobuf]</plaintext> <views_count count/>? <reactions>…
    <iq xmlns="newsletter" type="get" to=CHANNEL><message_updates count since? after?/></iq>
      →  <messages><message server_id><views_count count/><reactions><reaction code count/>…</reactions></message>…
    <iq xmlns="newsletter" type="set" to=CHANNEL><live_updates/></iq>  →  <live_updates duration="…"/>
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from recado.jid import JID
from recado.protocol.node import Node
from recado.protocol.queries.query import ask, raise_for_error, tell

Reactions = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class PostCounts:
    """How often a post was seen, and how many chose which reaction."""

    server_id: int
    views: int = 0
    reactions: Reactions = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Post:
    """One post of a channel, by its number there: the protobuf of the message, not sealed."""

    id: str
    server_id: int
    sent_at: datetime
    plaintext: bytes = field(repr=False)
    views: int = 0
    reactions: Reactions = field(default=(), repr=False)


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
                counts = read_counts(message)
                seen, said = (counts.views, counts.reactions) if counts is not None else (0, ())
                posts.append(Post(message.attrs.get("id", ""), number, sent_at, plaintext.blob, seen, said))
        return posts


@dataclass(frozen=True, slots=True)
class PostUpdates:
    """What became of the last `count` posts: since a time, or of those after the number `after`."""

    newsletter: JID
    count: int
    since: datetime | None = None
    after: int | None = None

    def build(self) -> Node:
        """The question."""
        attrs = {"count": str(self.count)}
        if self.since is not None:
            attrs["since"] = str(int(self.since.timestamp()))
        if self.after is not None:
            attrs["after"] = str(self.after)
        node = ask("newsletter", Node("message_updates", attrs))
        node.attrs["to"] = str(self.newsletter)
        return node

    def parse(self, answer: Node) -> list[PostCounts]:
        """The counts."""
        raise_for_error(answer)
        return listed_counts(answer.child("message_updates") or answer)


@dataclass(frozen=True, slots=True)
class WatchPosts:
    """Be told live how often posts are seen, and what is said to them."""

    newsletter: JID

    def build(self) -> Node:
        """The order."""
        node = tell("newsletter", Node("live_updates"))
        node.attrs["to"] = str(self.newsletter)
        return node

    def parse(self, answer: Node) -> timedelta:
        """For how long that is."""
        raise_for_error(answer)
        watched = answer.child("live_updates")
        return timedelta(seconds=watched.read().opt_int("duration") or 0 if watched is not None else 0)


def listed_counts(parent: Node) -> list[PostCounts]:
    """The counts of the `<message>`s in it, or in its `<messages>`."""
    listed = [*parent.all("message"), *(each for part in parent.all("messages") for each in part.all("message"))]
    return [counts for message in listed if (counts := read_counts(message)) is not None]


def read_counts(message: Node) -> PostCounts | None:
    """What a `<message>` of a channel says of itself; None when it has no number or no counts."""
    number = message.read().opt_int("server_id")
    views, reactions = message.child("views_count"), message.child("reactions")
    if number is None or (views is None and reactions is None):
        return None
    said = []
    for each in reactions.all("reaction") if reactions is not None else ():
        said.append((each.attrs.get("code", "").replace("\0", ""), each.read().opt_int("count") or 0))
    return PostCounts(number, views.read().opt_int("count") or 0 if views is not None else 0, tuple(said))
