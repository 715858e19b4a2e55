"""
Trust with people, as WhatsApp counts it. A token somebody gave us goes along with what we write to them; with none, a
derived one may stand in; and once a week, after a message of ours, they are given one:

    ── the transaction that settles a message ──    the stamp "given now", and the work that gives it
    the work: <tokens><token jid t/></tokens>

So the stamp is there exactly when the giving is under way, whatever dies in between. A message refused with 463 means
that the account may not write first: then the server is asked how long, and a fact says so.
"""

from __future__ import annotations

import hmac
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from recado.errors import QueryError, StanzaError
from recado.events import NewChatsCapped, ReachOutRestricted
from recado.jid import JID
from recado.protocol.queries.caps import AskNewChatCap, NewChatCap
from recado.protocol.queries.tokens import AskTimeLock, IssueToken, TimeLock
from recado.store.records import WorkItem
from recado.store.transaction import Transaction

if TYPE_CHECKING:
    from recado.client.account import Account
    from recado.client.connection import Connection
    from recado.client.turn import Turn

NOT_ALLOWED = 463
"""The server refuses a message with it when the account may not write first."""

GIVE = "give-token"
ASK_LOCK = "ask-time-lock"

_WHATSAPP = "0"


def gets_tokens(account: Account, chat: JID) -> bool:
    """Is this a person trust counts with: not ourselves, WhatsApp's own account, a group or a machine?"""
    return (chat.is_phone or chat.is_lid) and chat.user != _WHATSAPP and not chat.is_bot and not account.is_me(chat)


async def shown_tokens(tx: Transaction, account: Account, chat: JID) -> tuple[bytes | None, bytes | None]:
    """What to show a person we write to: the token they gave us, else the derived one, else nothing."""
    if not gets_tokens(account, chat):
        return None, None
    token = (await tx.people.tokens(chat)).shown(account.now())
    if token is not None:
        return token, None
    salt = await tx.people.nct_salt()
    lid = (await tx.canonical(chat)).bare
    return None, derived_token(salt, lid) if salt and lid.is_lid else None


def derived_token(salt: bytes, lid: JID) -> bytes:
    """The token that stands in for one of theirs: made of the account's salt and their LID."""
    return hmac.digest(salt, str(lid.bare).encode(), "sha256")


async def note_written(tx: Transaction, account: Account, chat: JID) -> None:
    """We wrote to somebody: give them a token when that is due, and note that it is given, in one."""
    if not gets_tokens(account, chat):
        return
    tokens = await tx.people.tokens(chat)
    now = account.now()
    if tokens.is_due(now):
        await tx.people.save_tokens(chat, replace(tokens, given_at=now))
        await tx.schedule(give_work((await tx.canonical(chat)).bare, at=now))
        account.work_waits.set()  # who looks now waits for this transaction


async def give_again(turn: Turn, person: JID) -> None:
    """A person has a new phone: what they were given is lost with the old one, so they are given it anew."""
    tokens = await turn.tx.people.tokens(person)
    if tokens.given_at is not None and tokens.expires > turn.now:
        given = give_work((await turn.tx.canonical(person)).bare, at=turn.now)
        # Under a name of its own: the work that gave the last one may be about to end.
        await turn.schedule(replace(given, id=f"{given.id}-again"))


async def note_refused(tx: Transaction, account: Account) -> None:
    """The server says that the account may not write first: ask it how long."""
    await tx.schedule(WorkItem(ASK_LOCK, ASK_LOCK, due_at=account.now()))
    account.work_waits.set()


def give_work(person: JID, *, at: datetime) -> WorkItem:
    """Give a person a token, as of then."""
    return WorkItem(f"{GIVE}-{person}", GIVE, f"{int(at.timestamp())} {person}".encode(), due_at=at)


async def give_token(account: Account, connection: Connection, item: WorkItem) -> None:
    """Do it; what they gave in turn is kept. Raises QueryError, ConnectionLost."""
    stamp, _, named = item.body.decode().partition(" ")
    person = JID.parse(named)
    async with account.store.transaction() as tx:
        # By number where it is known, as WhatsApp Web does.
        shown = (await tx.phone_of(person) if person.is_lid else None) or person
    at = datetime.fromtimestamp(int(stamp), account.now().tzinfo)
    answered = await connection.requests.ask(IssueToken((shown,), at))
    if not answered:
        return
    async with account.store.transaction() as tx:
        for _, (token, given_at) in answered.items():
            await keep_token(tx, person, token, given_at)


async def keep_token(tx: Transaction, person: JID, token: bytes, at: datetime) -> None:
    """Somebody gave us a token."""
    tokens = await tx.people.tokens(person)
    newer = tokens.with_token(token, at)
    if newer is not tokens:
        await tx.people.save_tokens(person, newer)


async def ask_time_lock(account: Account, connection: Connection, item: WorkItem) -> None:
    """Ask how long the account may not write first, and say so. Raises ConnectionLost, QueryTimeout."""
    try:
        lock = await connection.requests.ask(AskTimeLock())
    except (QueryError, StanzaError) as error:
        if isinstance(error, QueryError) and error.retryable:
            raise
        return  # the refusal itself was told; the server says no more of it
    async with account.store.transaction() as tx:
        await record_time_lock(tx, account, lock)
    if not lock.is_active:
        await _ask_cap(account, connection)


async def _ask_cap(account: Account, connection: Connection) -> None:
    """No lock, and yet refused: as many chats as are allowed may have been begun."""
    try:
        cap = await connection.requests.ask(AskNewChatCap())
    except (QueryError, StanzaError):
        return  # not every server counts
    async with account.store.transaction() as tx:
        await record_cap(tx, account, cap)


async def record_cap(tx: Transaction, account: Account, cap: NewChatCap) -> None:
    """Say how many chats the account may still begin."""
    await tx.record(
        NewChatsCapped(
            account=account.jid,
            at=account.now(),
            is_active=cap.is_reached,
            status=cap.status,
            quota=cap.quota,
            used=cap.used,
            until=cap.ends,
        )
    )


async def record_time_lock(tx: Transaction, account: Account, lock: TimeLock) -> None:
    """Say that the account may not write first, or may again."""
    await tx.record(
        ReachOutRestricted(
            account=account.jid, at=account.now(), is_active=lock.is_active, until=lock.until, reason=lock.reason
        )
    )
