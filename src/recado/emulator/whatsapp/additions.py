"""
What a phone adds to other messages, sealed: its votes, answers to events and comments; and those of others, opened. It
knows the secrets of the messages it saw, as phones do, for as long as it lives.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeGuard

from recado.content import Comment, Content, Edit, EventAnswer, Poll, PollVote, Reaction
from recado.emulator.whatsapp.accounts import Account, Directory
from recado.errors import DecodeError, UsageError
from recado.jid import JID
from recado.protocol.messages.decode import Decoded, decode_message
from recado.protocol.messages.secrets import NONCE_SIZE, encode_answer, encode_sealed, encode_vote, open_addition
from recado.protocol.messages.targets import seen_from_here

Sealed = PollVote | EventAnswer | Comment | Reaction | Edit


def is_sealed(content: Content) -> TypeGuard[Sealed]:
    """Is it sealed with the secret of the message it is about?"""
    return isinstance(content, PollVote | EventAnswer | Comment) or (
        isinstance(content, Reaction | Edit) and content.is_encrypted
    )


@dataclass(frozen=True, slots=True)
class _Known:
    secret: bytes = field(repr=False)
    author: Account
    options: tuple[str, ...]


class Additions:
    """The secrets one phone knows, by the ids of their messages."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._known: dict[str, _Known] = {}

    def note(self, id: str, decoded: Decoded, author: Account) -> None:
        """A message was said or came: its secret is remembered."""
        if decoded.secret is not None:
            options = decoded.content.options if isinstance(decoded.content, Poll) else ()
            self._known[id] = _Known(decoded.secret, author, options)

    def note_own(self, id: str, message: bytes) -> None:
        """The same for one of its own, as it was encoded."""
        self.note(id, decode_message(message), self._account)

    def secret_of(self, id: str) -> bytes | None:
        """The secret of a poll or an event it saw."""
        known = self._known.get(id)
        return None if known is None else known.secret

    def to_json(self) -> list[list[Any]]:
        """The secrets as JSON types."""
        return [
            [id, b64encode(known.secret).decode(), known.author.number, list(known.options)]
            for id, known in self._known.items()
        ]

    def restore(self, saved: list[Any], directory: Directory) -> None:
        """Take up what `to_json` gave; of whom nobody knows any more is left out. Raises ValueError."""
        for id, secret, number, options in saved:
            author = directory.account(JID.phone(number))
            if author is not None:
                self._known[id] = _Known(b64decode(secret), author, tuple(options))

    def write(self, content: Sealed, chat: JID, at: datetime, nonce: bytes) -> bytes:
        """The message of what is added. Raises UsageError when what it is about was never seen."""
        known = self._known.get(content.poll if isinstance(content, PollVote) else content.to)
        if known is None:
            raise UsageError("the phone never saw that message")
        author, own = known.author.lid, self._account.lid
        if isinstance(content, PollVote):
            return encode_vote(content, chat, known.secret, author=author, voter=own, nonce=nonce[:NONCE_SIZE], at=at)
        if isinstance(content, Comment | Reaction | Edit):
            sealed = nonce[:NONCE_SIZE]
            return encode_sealed(content, chat, known.secret, author=author, writer=own, nonce=sealed, at=at)
        return encode_answer(content, chat, known.secret, author=author, writer=own, nonce=nonce[:NONCE_SIZE], at=at)

    def read(self, decoded: Decoded, writer: Account, *, is_group: bool = False) -> Content | None:
        """What a message says, as this phone sees it; an addition that does not open stays as it came."""
        content = decoded.content if decoded.addition is None else self._opened(decoded, writer) or decoded.content
        if content is None or writer is self._account:
            return content
        return seen_from_here(content, sender=writer.lid, is_group=is_group, is_me=self._is_me)

    def _opened(self, decoded: Decoded, writer: Account) -> Content | None:
        addition = decoded.addition
        known = self._known.get(addition.target.id) if addition is not None else None
        if addition is None or known is None:
            return None
        for author in (known.author.lid, known.author.phone):
            for one in (writer.lid, writer.phone):
                try:
                    return open_addition(addition, known.secret, author=author, writer=one, options=known.options)
                except DecodeError:
                    continue
        return None

    def _is_me(self, jid: JID) -> bool:
        return jid.bare in (self._account.lid, self._account.phone)
