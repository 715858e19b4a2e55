"""The JSON of what was said of a message: reactions, votes, answers, and its earlier versions."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, Field

from recado.gateway.conversations.abouts import About, Marks, Version
from recado.gateway.conversations.repository import Message


class Said(BaseModel):
    """Who said it (`name` None and `from_me`: the mentorado), and when."""

    from_me: bool
    name: str | None
    at: datetime

    @classmethod
    def by(cls, said: About, **more: Any) -> Self:
        """With what it says."""
        return cls(from_me=said.sender_id is None, name=said.sender_name, at=said.sent_at, **more)


class ReactionTold(Said):
    """An emoji somebody put on the message."""

    emoji: str


class AnswerTold(Said):
    """Whether somebody comes: going, not_going, maybe; `guests` come along."""

    answer: str
    guests: int


class OptionTold(BaseModel):
    """An option of a poll, and who chose it."""

    option: str
    votes: int
    by: list[Said]


class MarksTold(BaseModel):
    """What was said of a message, the last word of everybody."""

    reactions: list[ReactionTold]
    tally: list[OptionTold] | None = Field(description="Of a poll: its options in order, and who chose each")
    answers: list[AnswerTold]
    pinned_until: datetime | None
    is_kept: bool = Field(description="Of a message that disappears: everybody keeps it")

    @classmethod
    def of(cls, row: Message, marks: Marks) -> MarksTold:
        """As it is told."""
        return cls(
            reactions=[ReactionTold.by(each, emoji=(each.content or {}).get("emoji", "")) for each in marks.reactions],
            tally=_tally(row, marks),
            answers=[
                AnswerTold.by(
                    each,
                    answer=str((each.content or {}).get("answer", "")),
                    guests=int((each.content or {}).get("guests") or 0),
                )
                for each in marks.answers
            ],
            pinned_until=marks.pinned_until,
            is_kept=marks.is_kept,
        )


class VersionTold(BaseModel):
    """What a message said from then on."""

    at: datetime
    text: str | None
    content: dict[str, Any] | None

    @classmethod
    def of(cls, version: Version) -> VersionTold:
        """As it is told."""
        return cls(at=version.at, text=version.text, content=version.content)


class VersionsTold(BaseModel):
    """Every version of a message, the first one first."""

    items: list[VersionTold]


def _tally(row: Message, marks: Marks) -> list[OptionTold] | None:
    if row.content is None or row.content.get("type") != "poll":
        return None
    return [
        OptionTold(option=option, votes=len(votes), by=[Said.by(vote) for vote in votes])
        for option, votes in marks.tally(row.content.get("options") or [])
    ]
