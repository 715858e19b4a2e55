"""
What is said of another message, aimed: whose message that is, as WhatsApp must be told it, and whether this may be said
of it. Asked when it is queued; the row of the message knows what the request does not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from recado.content import Comment, Content, Edit, EventAnswer, Keep, Media, Pin, PollVote, Reaction, Revoke, Text
from recado.content_json import content_from_json
from recado.gateway.conversations import repository
from recado.gateway.conversations.abouts import aimed_at
from recado.gateway.conversations.contents import check_content
from recado.gateway.conversations.repository import Quotable
from recado.gateway.db.unit import Unit
from recado.gateway.refusals import BadContent, NotFound
from recado.jid import JID, LID, PHONE

EDITABLE_FOR = timedelta(minutes=15)
"""How long phones take another version of a message."""


@dataclass(frozen=True, slots=True)
class Aimed:
    """The content with whose message it is about, and the road that message went; None when it is about none."""

    content: Content
    road: str | None


async def aim(unit: Unit, conversation_id: UUID, said: Content, *, is_group: bool, now: datetime) -> Aimed:
    """Raises NotFound when the message is not in this conversation, BadContent when that cannot be said of it."""
    to = aimed_at(said)
    if to is None:
        return Aimed(said, None)
    target = await repository.find_quotable(unit, conversation_id, to)
    if target is None:
        raise NotFound("the message it is about is not in this conversation")
    if target.revoked_at is not None:
        raise BadContent("that message was deleted")
    author = _author(target) if is_group and not target.from_me else None
    match said:
        case Edit(content=Text() as words):
            _check_edit(target, now)
            return Aimed(replace(said, content=_captioned(target, words)), target.provider)
        case Revoke():
            if not target.from_me and not is_group:
                raise BadContent("only what was written here can be deleted for everyone")
            return Aimed(replace(said, from_me=target.from_me, author=author), target.provider)
        case PollVote(options=options):
            _check_vote(target, options)
            return Aimed(replace(said, from_me=target.from_me, author=author), target.provider)
        case EventAnswer():
            if target.content_type != "event":
                raise BadContent("only an event is answered")
            return Aimed(replace(said, from_me=target.from_me, author=author), target.provider)
        case Reaction():
            return Aimed(replace(said, from_me=target.from_me, author=author), None)
        case Pin() | Keep() | Comment():
            return Aimed(replace(said, from_me=target.from_me, author=author), target.provider)
        case _:
            raise BadContent("only the words of a message can be edited")


def _check_edit(target: Quotable, now: datetime) -> None:
    if not target.from_me or (target.content_type != "text" and not _is_file(target)):
        raise BadContent("only what was written here can be edited, and of a file its caption")
    if now - target.sent_at > EDITABLE_FOR:
        raise BadContent("words can be edited for 15 minutes")


def _is_file(target: Quotable) -> bool:
    return target.content is not None and target.content.get("type") == "media"


def _captioned(target: Quotable, words: Text) -> Text | Media:
    """The words, or the file with them: another version of a caption names the whole file again."""
    if target.content_type == "text":
        return words
    media = content_from_json(target.content)
    if not isinstance(media, Media) or media.is_view_once:
        raise BadContent("the caption of this file cannot be edited")
    media = replace(media, caption=words.body, mentions=words.mentions, mentions_all=words.mentions_all)
    check_content(media)
    return media


def _check_vote(target: Quotable, options: tuple[str, ...]) -> None:
    if target.content_type != "poll" or target.content is None:
        raise BadContent("only in a poll is there a vote")
    offered, most = target.content.get("options") or [], int(target.content.get("selectable") or 0)
    if not set(options) <= set(offered) or len(set(options)) != len(options):
        raise BadContent("a vote names options of the poll, each once")
    if most and len(options) > most:
        raise BadContent(f"one may choose {most} in this poll")


def _author(target: Quotable) -> str | None:
    if target.sender_lid:
        return str(JID(target.sender_lid, LID))
    return str(JID(target.sender_phone, PHONE)) if target.sender_phone else None
