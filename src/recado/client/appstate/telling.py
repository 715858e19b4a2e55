"""
From an entry of the shared state to what it means here: facts, and the little that this device itself goes by (its push
name, the other address of a person, the salt of tokens, keys that expired). Runs in the transaction that moves the
collection on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from recado.client.contacts import learn_lids, other_address
from recado.client.turn import Turn
from recado.events import (
    ChatChanged,
    ChatCleared,
    ContactChanged,
    Fact,
    FavoritesChanged,
    LabelChanged,
    LabelPlaced,
    MessageHidden,
    MessageId,
    MessageStarred,
    PushNameChanged,
    QuickReplyChanged,
    SettingChanged,
    StatusMuted,
    UnknownReceived,
)
from recado.jid import JID
from recado.protocol.appstate import actions
from recado.protocol.appstate.mutation import Mutation
from recado.protocol.appstate.reading import read_action

TAG = "app_state"


async def tell(turn: Turn, mutations: Sequence[Mutation]) -> None:
    """Record what these entries say, in order."""
    for mutation in mutations:
        action = read_action(mutation)
        fact = await _fact(turn, action)
        if fact is not None:
            await turn.tx.record(fact)
        else:
            await _take(turn, action, mutation)


async def keep_raw(turn: Turn, mutations: Sequence[Mutation]) -> None:
    """Record these entries as they are: the database does not take what they say."""
    for mutation in mutations:
        await _unknown(turn, mutation, "StoreRefused")


async def _fact(turn: Turn, action: actions.Action) -> Fact | None:
    match action:
        case (
            actions.Archive(chat=chat)
            | actions.PinChat(chat=chat)
            | actions.Mute(chat=chat)
            | actions.MarkRead(chat=chat)
            | actions.Lock(chat=chat)
        ):
            return _changed(turn, action, await other_address(turn.tx, chat))
        case actions.ClearChat(chat=chat) | actions.DeleteChat(chat=chat):
            return _cleared(turn, action, await other_address(turn.tx, chat))
        case actions.Star(message=key) | actions.DeleteForMe(message=key):
            return _marked(turn, action, await other_address(turn.tx, key.chat))
        case actions.EditLabel(id=id, name=name, color=color, is_deleted=is_deleted):
            return LabelChanged(account=turn.me, at=turn.now, label=id, name=name, color=color, is_deleted=is_deleted)
        case actions.LabelChat(chat=chat) | actions.LabelMessage(chat=chat):
            return _placed(turn, action, await other_address(turn.tx, chat))
        case actions.ChangeSetting(name=name, value=value, people=people):
            return SettingChanged(account=turn.me, at=turn.now, setting=name, value=value, people=people)
        case actions.EditQuickReply():
            return _quick_reply(turn, action)
        case actions.ChooseFavorites(chats=chats):
            return FavoritesChanged(account=turn.me, at=turn.now, chats=chats)
        case actions.MuteStatus(contact=contact, is_muted=is_muted):
            return StatusMuted(account=turn.me, at=turn.now, contact=contact, is_muted=is_muted)
        case _:
            return None


async def _take(turn: Turn, action: actions.Action, mutation: Mutation) -> None:
    """What is more, or less, than one fact."""
    match action:
        case actions.NameContact():
            await _name(turn, action)
        case actions.PairAddresses(lid=lid, phone=phone):
            await learn_lids(turn, [(phone, lid)])
        case actions.SetPushName(name=name):
            await _call_ourselves(turn, name)
        case actions.NewSalt(salt=salt):
            await turn.tx.people.save_nct_salt(salt)
        case actions.ExpireKeys(epoch=epoch):
            await turn.tx.app_state.expire_keys(epoch)
        case _:
            await _unknown(turn, mutation, mutation.kind)


def _changed(
    turn: Turn,
    action: actions.Archive | actions.PinChat | actions.Mute | actions.MarkRead | actions.Lock,
    alt: JID | None,
) -> ChatChanged:
    fact = ChatChanged(account=turn.me, at=turn.now, chat=action.chat, chat_alt=alt)
    match action:
        case actions.Archive(is_archived=is_archived, last=last):
            return replace(fact, is_archived=is_archived, changed_at=_at(last))
        case actions.PinChat(is_pinned=is_pinned, at=at):
            return replace(fact, is_pinned=is_pinned, changed_at=at)
        case actions.Mute(is_muted=is_muted, until=until):
            return replace(fact, is_muted=is_muted, muted_until=until)
        case actions.MarkRead(is_read=is_read, last=last):
            return replace(fact, is_read=is_read, changed_at=_at(last))
        case actions.Lock(is_locked=is_locked):
            return replace(fact, is_locked=is_locked)


def _cleared(turn: Turn, action: actions.ClearChat | actions.DeleteChat, alt: JID | None) -> ChatCleared:
    is_deleted = isinstance(action, actions.DeleteChat)
    keeps = isinstance(action, actions.ClearChat) and action.keeps_starred
    return ChatCleared(
        account=turn.me,
        at=turn.now,
        chat=action.chat,
        chat_alt=alt,
        is_deleted=is_deleted,
        keeps_starred=keeps,
        until=_at(action.last),
    )


def _marked(turn: Turn, action: actions.Star | actions.DeleteForMe, alt: JID | None) -> Fact:
    key, id = action.message, MessageId(action.message.id)
    if isinstance(action, actions.Star):
        return MessageStarred(
            account=turn.me,
            at=turn.now,
            id=id,
            chat=key.chat,
            chat_alt=alt,
            from_me=key.from_me,
            author=key.author,
            is_starred=action.is_starred,
        )
    return MessageHidden(
        account=turn.me, at=turn.now, id=id, chat=key.chat, chat_alt=alt, from_me=key.from_me, author=key.author
    )


def _placed(turn: Turn, action: actions.LabelChat | actions.LabelMessage, alt: JID | None) -> LabelPlaced:
    return LabelPlaced(
        account=turn.me,
        at=turn.now,
        label=action.label,
        chat=action.chat,
        chat_alt=alt,
        is_placed=action.is_labeled,
        message=MessageId(action.id) if isinstance(action, actions.LabelMessage) else None,
    )


def _quick_reply(turn: Turn, action: actions.EditQuickReply) -> QuickReplyChanged:
    return QuickReplyChanged(
        account=turn.me,
        at=turn.now,
        reply=action.id,
        shortcut=action.shortcut,
        text=action.text,
        keywords=action.keywords,
        is_deleted=action.is_deleted,
    )


async def _name(turn: Turn, action: actions.NameContact) -> None:
    contact, lid, phone = action.contact, action.lid, action.phone
    if lid is not None and phone is not None and lid.is_lid and phone.is_phone:
        await learn_lids(turn, [(phone, lid)])
    elif not action.is_removed:
        alt = await other_address(turn.tx, contact)
        lid, phone = (contact, alt) if contact.is_lid else (alt, contact)
    if contact.is_person:
        await turn.tx.people.save_contact(contact, is_saved=not action.is_removed)
    await turn.tx.record(
        ContactChanged(
            account=turn.me,
            at=turn.now,
            contact=contact,
            phone=phone,
            lid=lid,
            full_name=action.full_name,
            first_name=action.first_name,
            is_saved=not action.is_removed,
        )
    )


async def _call_ourselves(turn: Turn, name: str) -> None:
    credentials = await turn.tx.credentials()
    if credentials is None or not name or credentials.push_name == name:
        return
    await turn.save_credentials(replace(credentials, push_name=name))
    await turn.tx.record(PushNameChanged(account=turn.me, at=turn.now, name=name))


async def _unknown(turn: Turn, mutation: Mutation, problem: str) -> None:
    await turn.tx.record(
        UnknownReceived(account=turn.me, at=turn.now, tag=TAG, raw=mutation.data, problem=_plain(problem))
    )


def _at(last: actions.LastMessage | None) -> datetime | None:
    return None if last is None else last.at


def _plain(word: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in word[:80])
