"""
Messages that only say something of another message: reactions, votes, answers, edits, deletions, pins. Each is kept as
a row of its own that names the other (`about_id`); what they come to is read from these rows, the last word of each
person counting, so that it is the same in whatever order they came. An edit and a deletion also change the row of the
message itself (runtime/projector.sql). See docs/decisions/0028.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from recado.content import Comment, Content, Edit, EventAnswer, Keep, Pin, PollVote, Reaction, Revoke
from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit

_queries = load_queries(__file__, "abouts.sql")

_NONE: dict[str, Any] = {}


def about(content: Content) -> str | None:
    """The id of the message it says something of, when it is no message by itself."""
    match content:
        case Reaction(to=id) | Edit(to=id) | Revoke(to=id) | Pin(to=id) | Keep(to=id) | EventAnswer(to=id):
            return id
        case PollVote(poll=id):
            return id
        case _:
            return None


def aimed_at(content: Content) -> str | None:
    """The id of the message it must name: what it says something of, or what it is a comment under."""
    return content.to if isinstance(content, Comment) else about(content)


@dataclass(frozen=True, slots=True)
class About:
    """One of them: who said it (None: the mentorado), when, and what."""

    about_id: str
    content_type: str
    content: dict[str, Any] | None = field(repr=False)
    sender_id: UUID | None
    sender_name: str | None = field(repr=False)
    sent_at: datetime


@dataclass(slots=True)
class Marks:
    """What is known of one message from all that was said of it."""

    reactions: list[About] = field(default_factory=list)
    votes: list[About] = field(default_factory=list)
    answers: list[About] = field(default_factory=list)
    pin: About | None = None
    keep: About | None = None

    @property
    def pinned_until(self) -> datetime | None:
        """Until when it is pinned, if it is."""
        said = (self.pin.content or _NONE) if self.pin is not None else _NONE
        if self.pin is None or not said.get("is_pinned"):
            return None
        return self.pin.sent_at + timedelta(seconds=int(said.get("seconds") or 0))

    @property
    def is_kept(self) -> bool:
        """Does everybody keep it, though messages here disappear?"""
        return self.keep is not None and bool((self.keep.content or _NONE).get("is_kept"))

    def tally(self, options: Sequence[str]) -> list[tuple[str, list[About]]]:
        """The options of a poll with who chose each; an option nobody offered counts for nothing."""
        return [(option, [vote for vote in self.votes if option in _chosen(vote)]) for option in options]


async def list_marks(unit: Unit, conversation_id: UUID, ids: Sequence[str]) -> dict[str, Marks]:
    """What was said of these messages of a conversation, by their ids; one query for all."""
    found: dict[str, Marks] = {}
    if not ids:
        return found
    for said in await unit.all(About, _queries.list_abouts, conversation_id=conversation_id, ids=list(ids)):
        marks = found.setdefault(said.about_id, Marks())
        match said.content_type:
            case "reaction" if (said.content or _NONE).get("emoji"):
                marks.reactions.append(said)
            case "poll_vote" if _chosen(said):
                marks.votes.append(said)
            case "event_answer":
                marks.answers.append(said)
            case "pin" if marks.pin is None or said.sent_at >= marks.pin.sent_at:
                marks.pin = said
            case "keep" if marks.keep is None or said.sent_at >= marks.keep.sent_at:
                marks.keep = said
    return found


@dataclass(frozen=True, slots=True)
class Version:
    """What a message said from then on."""

    at: datetime
    text: str | None = field(repr=False)
    content: dict[str, Any] | None = field(repr=False)


async def list_versions(unit: Unit, message: int) -> list[Version]:
    """Every version of the message with that row, the first one first."""
    return await unit.all(Version, _queries.list_versions, id=message)


def _chosen(vote: About) -> Sequence[str]:
    return (vote.content or _NONE).get("options") or ()
