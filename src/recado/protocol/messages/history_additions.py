"""
What was added to a past message: reactions, votes, answers to an event. The phone gives them opened, beside the message
they are about, each with the key of the message that brought it; here each becomes a past message of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from recado.content import Answer, Content, Event, EventAnswer, Poll, PollVote, Reaction
from recado.events import MessageId
from recado.jid import JID
from recado.protocol.messages.history import HistoryMessage
from recado.protocol.messages.secrets import option_hash
from recado.protocol.proto import history_pb2 as wire

_ANSWERS = {1: Answer.GOING, 2: Answer.NOT_GOING, 3: Answer.MAYBE}
_NUMBERS = {answer: number for number, answer in _ANSWERS.items()}
_MOST = 1024
"""So many of each kind are read of one message."""


def read_additions(item: wire.WebMessageInfo, about: HistoryMessage) -> Iterator[HistoryMessage]:
    """Everything that was added to the message `about`; what does not read is left out."""
    author = None if about.chat.is_person or about.from_me or about.sender is None else str(about.sender.bare)
    for reaction in item.reactions[:_MOST]:
        said = Reaction(about.id, reaction.text, about.from_me, author)
        yield from _message(about, reaction.key, said, reaction.sender_timestamp_ms)
    if isinstance(about.content, Poll):
        named = {option_hash(option): option for option in about.content.options}
        for update in item.poll_updates[:_MOST]:
            chosen = tuple(named[each] for each in update.vote.selected_options if each in named)
            vote = PollVote(about.id, chosen, about.from_me, author)
            yield from _message(about, update.poll_update_message_key, vote, update.sender_timestamp_ms)
    if isinstance(about.content, Event):
        for response in item.event_responses[:_MOST]:
            told = response.event_response_message
            answer = _ANSWERS.get(told.response)
            if answer is not None:
                given = EventAnswer(about.id, answer, max(0, told.extra_guest_count), about.from_me, author)
                yield from _message(about, response.event_response_message_key, given, response.timestamp_ms)


def write_additions(item: wire.WebMessageInfo, additions: Iterable[HistoryMessage]) -> None:
    """Put them beside the message they are about, as a phone does."""
    for each in additions:
        key = wire.MessageKey(remote_jid=str(each.chat), from_me=each.from_me, id=each.id)
        if each.sender is not None and each.sender.bare != each.chat:
            key.participant = str(each.sender)
        at = int(each.sent_at.timestamp() * 1000)
        match each.content:
            case Reaction(emoji=emoji):
                item.reactions.add(key=key, text=emoji, sender_timestamp_ms=at)
            case PollVote(options=options):
                vote = wire.PollVoteMessage(selected_options=[option_hash(option) for option in options])
                item.poll_updates.add(poll_update_message_key=key, vote=vote, sender_timestamp_ms=at)
            case EventAnswer(answer=answer, guests=guests):
                said = wire.EventResponseMessage(
                    response=_NUMBERS[answer], timestamp_ms=at, extra_guest_count=guests or None
                )
                item.event_responses.add(event_response_message_key=key, timestamp_ms=at, event_response_message=said)
            case _:
                raise ValueError("this is a message, not an addition")


def _message(about: HistoryMessage, key: wire.MessageKey, said: Content, at: int) -> Iterator[HistoryMessage]:
    """The message that brought it. Without an id of its own it cannot be told from another."""
    try:
        sender = JID.parse(key.participant) if "@" in key.participant else None
        sent_at = datetime.fromtimestamp(at / 1000, UTC) if at > 0 else about.sent_at
    except (ValueError, OverflowError, OSError):
        return
    if sender is None and not key.from_me:
        sender = about.chat if about.chat.is_person else None
        if sender is None:
            return
    if key.id and key.id != about.id:
        yield HistoryMessage(MessageId(key.id), about.chat, sender, key.from_me, said, sent_at)
