"""
What a message says about another, as this account sees it: votes, answers and sealed edits are opened with the secret
of the message they are about, and whose that is, is told from here. Nothing is lost: what cannot be opened stays as it
came. Asks nothing of the network.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from recado.client.account import Account
from recado.client.contacts import other_address
from recado.content import Content, DisappearingTimer, Edit, Event, Poll
from recado.errors import BadRecord, DecodeError
from recado.jid import JID
from recado.protocol.messages.decode import Decoded, decode_message
from recado.protocol.messages.secrets import SECRET_SIZE, Addition, open_addition
from recado.protocol.messages.targets import is_about_own, seen_from_here
from recado.store.secrets import MessageSecret
from recado.store.transaction import Transaction

_MARK = 1 + 32  # what is remembered of a message that was opened, before its secret


async def understood(
    account: Account, tx: Transaction, decoded: Decoded, *, chat: JID, writer: JID, from_me: bool
) -> Content | None:
    """What `writer` says in `chat`."""
    content = decoded.content
    if decoded.addition is not None:
        content = await _opened(account, tx, decoded.addition, chat, writer) or content
    if content is None or from_me:
        return content
    return seen_from_here(content, sender=writer, is_group=not chat.is_direct, is_me=account.is_me)


async def remember_secret(
    account: Account, tx: Transaction, *, chat: JID, author: JID, id: str, secret: bytes | None, content: Content | None
) -> None:
    """Keep the secret of a poll or an event, so that what is said of it later can be opened."""
    if secret is None or not isinstance(content, Poll | Event):
        return
    options = content.options if isinstance(content, Poll) else ()
    kept = MessageSecret(secret, author.bare, options)
    expires = account.now() + account.limits.keep_secrets
    await tx.secrets.remember(await tx.canonical(chat), await _filed(account, tx, author), id, kept, expires)


async def note_timer(tx: Transaction, chat: JID, content: Content | None, at: datetime) -> None:
    """Keep what was agreed for the chat, so that what is written there from now on says it."""
    if isinstance(content, DisappearingTimer) and chat.is_person:
        await tx.timers.note((await tx.canonical(chat)).bare, content.seconds, at)


async def find_secret(account: Account, tx: Transaction, chat: JID, author: JID, id: str) -> MessageSecret | None:
    """The secret of the message `id` of `author`, as far as it is kept."""
    chat, filed = await tx.canonical(chat), await _filed(account, tx, author)
    kept = await tx.secrets.find(chat, filed, id)
    if kept is not None:
        return kept
    sent = await tx.sent(id) if account.is_me(author) else None
    if sent is not None:
        secret = decode_message(sent.body).secret
    else:
        # What another own device wrote came as a copy, under either of our addresses.
        named = (account.jid, await tx.canonical(account.jid)) if account.is_me(author) else (filed,)
        marks = [await tx.seen(chat, each.bare, id) for each in dict.fromkeys(named)]
        secret = next((mark[_MARK:] for mark in marks if mark), None)
    return MessageSecret(secret, author.bare) if secret is not None and len(secret) == SECRET_SIZE else None


async def author_of(account: Account, addition: Addition, chat: JID, writer: JID) -> JID | None:
    """Whose the message is that `writer` adds to."""
    target = addition.target
    if target.from_me:
        return writer
    if chat.is_direct:
        return chat if account.is_me(writer) else account.jid
    if target.author is None:
        return None
    try:
        return JID.parse(target.author).bare
    except ValueError:
        return None


async def _opened(account: Account, tx: Transaction, addition: Addition, chat: JID, writer: JID) -> Content | None:
    author = await author_of(account, addition, chat, writer)
    if author is None:
        return None
    try:
        kept = await find_secret(account, tx, chat, author, addition.target.id)
    except (BadRecord, DecodeError):
        kept = None
    if kept is None:
        return None
    authors = await addresses_of(account, tx, (kept.author, author))
    writers = await addresses_of(account, tx, (writer,))
    for one in authors:
        for other in writers:
            try:
                content = open_addition(addition, kept.secret, author=one, writer=other, options=kept.options)
            except DecodeError:
                continue
            # Only its own author changes a message.
            return None if isinstance(content, Edit) and not is_about_own(content, writer) else content
    return None


async def addresses_of(account: Account, tx: Transaction, people: Iterable[JID]) -> list[JID]:
    """Every address of these people: which of them the writer's software took cannot be known."""
    found: dict[JID, None] = {}
    for person in people:
        found[person.bare] = None
        other = await other_address(tx, person.bare)
        if other is not None:
            found[other.bare] = None
        if account.is_me(person):
            found[account.jid] = None
            if account.lid is not None:
                found[account.lid.bare] = None
    return list(found)


async def _filed(account: Account, tx: Transaction, author: JID) -> JID:
    return account.jid if account.is_me(author) else (await tx.canonical(author)).bare
