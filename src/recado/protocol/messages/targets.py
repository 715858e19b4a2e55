"""
Messages about other messages name them by a key: the chat, the id, whose it is. On the wire that is told as its writer
sees it; here it becomes how this account sees it, and the other way round.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from recado.content import Comment, Content, Edit, EventAnswer, Keep, Pin, PollVote, Reaction, Revoke
from recado.errors import DecodeError
from recado.jid import JID
from recado.protocol.proto.e2e_pb2 import MessageKey

ABOUT_OTHERS = (Reaction, Edit, Revoke, Pin, Keep, PollVote, EventAnswer, Comment)

T = TypeVar("T", bound=Content)


@dataclass(frozen=True, slots=True)
class Target:
    """The message meant: `from_me` as the writer of the key sees it, `author` where the key names one."""

    id: str
    from_me: bool = False
    author: str | None = None


def read_key(key: MessageKey) -> Target:
    """Whom a key names. Raises DecodeError when it names nothing."""
    if not key.id:
        raise DecodeError("a key names no message")
    return Target(key.id, key.from_me, key.participant or None)


def write_key(target: Target, chat: JID) -> MessageKey:
    """The key of a message in `chat`."""
    return MessageKey(
        remote_jid=str(chat.bare),
        from_me=target.from_me,
        id=target.id,
        participant=None if target.from_me else target.author,
    )


def seen_from_here(content: T, *, sender: JID, is_group: bool, is_me: Callable[[JID], bool]) -> T:
    """
    What somebody else, `sender`, wrote about a message, as this account sees it: what is theirs is not ours, and what
    is not theirs is ours, unless it has another author.
    """
    if not isinstance(content, ABOUT_OTHERS):
        return content
    if content.from_me:
        return replace(content, from_me=False, author=str(sender.bare) if is_group else None)
    author = _address(content.author)
    if author is None:
        return replace(content, from_me=not is_group)
    mine = is_me(author)
    return replace(content, from_me=mine, author=content.author if is_group and not mine else None)


def is_about_own(content: Content, sender: JID) -> bool:
    """May `sender` say this of that message: is it a change of a message of their own (as `read_key` tells it)?"""
    if not isinstance(content, Edit | Revoke):
        return True
    author = _address(content.author)
    return content.from_me or (author is not None and author.bare == sender.bare)


def _address(text: str | None) -> JID | None:
    if not text:
        return None
    try:
        return JID.parse(text).bare
    except ValueError:
        return None
