"""
From what is to be said to the message as it will be sealed: checked, encoded with its secret, its quote and its timer;
votes and answers sealed with the secret of what they are about. Then what the stanza around it tells the server.

Reads the store where a secret is needed, and asks nothing of the network. Who gets it, is for the plans.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass

from recado.client.account import Account
from recado.client.addressing import wire_address
from recado.client.drafts import Draft
from recado.client.understanding import find_secret, remember_secret
from recado.content import (
    Comment,
    Content,
    DisappearingTimer,
    Edit,
    EventAnswer,
    MemberLabel,
    PollVote,
    Reaction,
    Template,
    Text,
    content_kind,
)
from recado.errors import BadRecord, UsageError
from recado.events import MessageId, MessageReceived, MessageSent, Quote
from recado.jid import JID
from recado.protocol.messages.bots import calling, with_persona
from recado.protocol.messages.decode import decode_message
from recado.protocol.messages.encode import Quoting, encode_message
from recado.protocol.messages.ids import new_message_id
from recado.protocol.messages.parsing import parse_message
from recado.protocol.messages.reporting import reporting_token
from recado.protocol.messages.secrets import NONCE_SIZE, SECRET_SIZE, encode_answer, encode_sealed, encode_vote
from recado.protocol.messages.shape import Shape, shape_of
from recado.store.secrets import MessageSecret
from recado.store.transaction import Transaction

Quotable = MessageReceived | MessageSent | Quoting | Quote | None

_LONGEST_LABEL = 30
_Addition = PollVote | EventAnswer | Comment | Reaction | Edit


async def draft_message(
    account: Account,
    chat: JID,
    content: Content,
    *,
    quoting: Quotable = None,
    id: MessageId | None = None,
    forwarded: int = 0,
    expires_in: int | None = None,
    machine: JID | None = None,
    persona: str | None = None,
) -> Draft:
    """
    The message to seal; `machine` is called in with it, and `persona` is in which of its parts it, or the one the chat
    is with, is asked. Raises UsageError for what is not sent, and when what it is about is not known.
    """
    _check(content, chat)
    if isinstance(content, PollVote | EventAnswer | Comment) or (
        isinstance(content, Reaction | Edit) and content.is_encrypted
    ):
        body = await _addition(account, chat, content)
    else:
        if expires_in is None and chat.is_person:
            expires_in = await _timer(account, chat)
        body = encode_message(
            content,
            chat=chat,
            at=account.now(),
            quoting=await _quoting(quoting, account, chat),
            secret=account.entropy(SECRET_SIZE),
            forwarded=forwarded,
            expires_in=expires_in,
        )
    if machine is not None:
        body = calling(body, persona)
    elif persona is not None:
        body = with_persona(body, persona)
    return Draft(id or new_message_id(account.entropy), chat.bare, body, machine=machine)


def outside_of(account: Account, draft: Draft, sender: JID) -> tuple[Shape, bytes | None]:
    """What the stanza says of the message, and its reporting token; `sender` is our address in that chat."""
    message = parse_message(draft.body)
    shape = shape_of(message)
    if not shape.can_be_reported:
        return shape, None
    secret = message.message_context_info.message_secret
    return shape, reporting_token(draft.body, secret, id=draft.id, sender=sender, chat=draft.address)


async def keep_own_secret(account: Account, tx: Transaction, draft: Draft, shape: Shape) -> None:
    """Keep the secret of a poll or an event of ours, so that votes and answers can be opened."""
    if shape.kind in ("poll", "event"):
        said = decode_message(draft.body)
        await remember_secret(
            account,
            tx,
            chat=draft.chat,
            author=await own_address(account, tx, draft.address),
            id=draft.id,
            secret=said.secret,
            content=said.content,
        )


async def own_address(account: Account, tx: Transaction, chat: JID) -> JID:
    """The account by the kind of address of the chat: others name us by it, and keys are made of it."""
    by_lid = chat.is_lid
    if chat.is_group:
        try:
            group = await tx.groups.find(chat)
        except BadRecord:
            group = None
        by_lid = group is not None and group.by_lid
    return account.lid.bare if by_lid and account.lid is not None else account.jid


async def _timer(account: Account, chat: JID) -> int:
    async with account.store.transaction() as tx:
        try:
            person = (await tx.canonical(chat)).bare
            seconds = await tx.timers.seconds(person)
            if seconds or not account.default_timer or not await _is_new(tx, person):
                return seconds
        except BadRecord:
            return 0
        # A chat that begins with us begins with our default; what is agreed later takes its place.
        await tx.timers.note(person, account.default_timer, account.now())
        return account.default_timer


async def _is_new(tx: Transaction, person: JID) -> bool:
    """Has nothing been agreed with that person, and nothing said?"""
    return not await tx.timers.is_noted(person) and await tx.session(person.with_device(0)) is None


async def _addition(account: Account, chat: JID, content: _Addition) -> bytes:
    to = content.poll if isinstance(content, PollVote) else content.to
    async with account.store.transaction() as tx:
        kept = await find_secret(account, tx, chat.bare, _author(account, chat, content), to)
        own = await own_address(account, tx, await wire_address(account, tx, chat.bare))
    if kept is None:
        raise UsageError("the message it is about is not known here, or too old")
    nonce, now = account.entropy(NONCE_SIZE), account.now()
    writer = account.lid.bare if kept.author.is_lid and account.lid is not None else account.jid
    if isinstance(content, EventAnswer):
        return encode_answer(content, chat.bare, kept.secret, author=kept.author, writer=writer, nonce=nonce, at=now)
    if isinstance(content, Edit):
        # Of one's own message: author and writer are one, by the address the others see.
        return encode_sealed(content, chat.bare, kept.secret, author=own, writer=own, nonce=nonce, at=now)
    if isinstance(content, Comment | Reaction):
        return encode_sealed(content, chat.bare, kept.secret, author=kept.author, writer=writer, nonce=nonce, at=now)
    _check_vote(content, kept)
    return encode_vote(content, chat.bare, kept.secret, author=kept.author, voter=writer, nonce=nonce, at=now)


def _author(account: Account, chat: JID, content: _Addition) -> JID:
    if content.from_me:
        return account.jid
    if content.author is not None:
        return JID.parse(content.author).bare
    if not chat.is_person:
        raise UsageError("in a group, what is sealed for a message says whose that is")
    return chat.bare


def _check_vote(vote: PollVote, kept: MessageSecret) -> None:
    if kept.options and not set(vote.options) <= set(kept.options):
        raise UsageError("the poll has no such option")


def _check(content: Content, chat: JID) -> None:
    if isinstance(content, Template):
        raise UsageError(f"{content_kind(content)} messages are not sent over WhatsApp Web")
    if isinstance(content, MemberLabel) and (not chat.is_group or len(content.label) > _LONGEST_LABEL):
        raise UsageError(f"a member's label is for groups, and has at most {_LONGEST_LABEL} characters")
    if isinstance(content, DisappearingTimer) and not chat.is_person:
        raise UsageError("a group's timer is a setting of the group")
    said = content.content if isinstance(content, Edit) else content
    if (isinstance(said, Text) and not said.body) or not all(_is_sendable(words) for words in _words(content)):
        raise UsageError("a text has characters, and neither U+0000 nor half of a surrogate pair among them")


def _words(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for each in value:
            yield from _words(each)
    elif is_dataclass(value):
        for field in fields(value):
            yield from _words(getattr(value, field.name))


def _is_sendable(words: str) -> bool:
    return not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in words)


async def _quoting(quoted: Quotable, account: Account, chat: JID) -> Quoting | None:
    match quoted:
        case MessageReceived():
            return Quoting(quoted.id, quoted.sender, quoted.content)
        case MessageSent():
            async with account.store.transaction() as tx:
                return Quoting(quoted.id, await own_address(account, tx, chat), quoted.content)
        case Quote():
            return None if quoted.sender is None else Quoting(quoted.id, quoted.sender)
        case _:
            return quoted
