"""
What a phone keeps of the past and tells its linked devices: the history, in parts, when one takes up work; more of a
chat, everything, or one message again, when one asks. Parts go inline or by way of the file servers, as they are sealed
for real. On order it has a past of any length that nobody ever wrote.

Switches to be wrong on purpose: `answers` (on), `uploads_again` (on), `loses` and `doubles` (so many of the next parts
and answers).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from recado.content import Content, EncryptedFile, EventAnswer, PollVote, Reaction, Text
from recado.emulator.whatsapp.accounts import Account
from recado.emulator.whatsapp.inbox import Shown
from recado.errors import DecodeError, StanzaError
from recado.events import MessageId
from recado.jid import JID, LID, PHONE
from recado.protocol.media.cipher import KEY_SIZE, MediaKeys, Sealer
from recado.protocol.media.kinds import FileKind
from recado.protocol.media.retry import check_request
from recado.protocol.messages.encode import (
    encode_history,
    encode_history_push,
    encode_past_message,
    history_record,
)
from recado.protocol.messages.history import HistoryChunk, HistoryConversation, HistoryMessage
from recado.protocol.messages.phone_requests import (
    AllAsked,
    MessageAsked,
    PartAsked,
    PastAsked,
    PhoneAnswer,
    PhoneRequest,
    encode_phone_answer,
)
from recado.protocol.node import Node
from recado.protocol.stanzas.media_retry import PartRetry

if TYPE_CHECKING:
    from recado.emulator.whatsapp.phone import Phone

_FIRST_NUMBER = 550090000000
_FIRST_LID = 900000000000000
_MINUTE = timedelta(minutes=1)
_ADDITIONS = (Reaction, PollVote, EventAnswer)


@dataclass(frozen=True, slots=True)
class Invented:
    """A past nobody wrote: so many chats with people who have no phone here, and so many messages in each."""

    chats: int
    messages: int


class Archive:
    """The past of one phone. `as_files`: parts lie on the file servers; `part_size`: invented messages in one part."""

    def __init__(self, phone: Phone) -> None:
        self.as_files = False
        self.part_size = 5000
        self.invented = Invented(0, 0)
        self.answers = True
        self.uploads_again = True
        self.loses = 0
        self.doubles = 0
        self.asked: list[PhoneRequest] = []
        self.files: list[EncryptedFile] = []
        """The parts it has uploaded."""
        self.wanted: list[str] = []
        """The messages whose parts a companion could not fetch."""
        self._offered: dict[str, tuple[HistoryChunk, EncryptedFile]] = {}
        self._phone = phone
        self._world = phone.world

    # ---- telling

    def push(self, device: JID, address: JID) -> None:
        """A companion took up work for the first time: give it what this phone knows."""
        invented = list(self._invented_parts("recent"))
        self._tell(device, address, [self._shown("initial_bootstrap", progress=0 if invented else 100)])
        for number, chunks in enumerate(invented, 1):
            self._tell(device, address, chunks, progress=100 * number // len(invented), number=number)

    def answer(self, device: JID, address: JID, id: str, request: PhoneRequest) -> None:
        """A companion asks for something; `id` is that of the message it asked with."""
        self.asked.append(request)
        if not self.answers:
            return
        match request:
            case PastAsked():
                self._tell(device, address, [self._before(request)], request=id)
            case AllAsked(session):
                parts = [[self._shown("full", progress=None)], *self._invented_parts("full")]
                for number, chunks in enumerate(parts, 1):
                    told = 100 * number // len(parts)
                    self._tell(device, address, chunks, progress=told, number=number, request=session)
            case MessageAsked():
                self._say(device, address, encode_phone_answer(PhoneAnswer(id, self._again(request))))
            case PartAsked(kind=kind):
                self._tell(device, address, [self._shown(kind, progress=100)])

    def on_request(self, node: Node) -> None:
        """A companion could not fetch a part: it is uploaded again, and offered under the name of the first message."""
        try:
            asked, device = PartRetry.parse(node), self._world.directory.device(JID.parse(node.attrs["from"]))
            told, remote = self._offered[asked.id]
            check_request(remote.key, asked.id, asked.sealed)
        except (StanzaError, DecodeError, ValueError, KeyError):
            self._world.note_unknown(self._phone.device, node)
            return
        self.wanted.append(asked.id)
        path = self._world.files.again(remote.enc_sha256)
        if path is not None and device is not None and device.account is self._phone.account and self.uploads_again:
            push = encode_history_push(told, remote=replace(remote, direct_path=path), original=asked.id)
            self._say(device.lid, device.phone, push)

    def _tell(
        self,
        device: JID,
        address: JID,
        chunks: list[HistoryChunk],
        *,
        progress: int | None = None,
        number: int = 1,
        request: str | None = None,
    ) -> None:
        head = chunks[0]
        told = HistoryChunk(head.kind, number, head.progress if progress is None else progress)
        if self.as_files:
            deflater, records = zlib.compressobj(), (history_record(each) for each in (*chunks, told))
            deflated = b"".join([*(deflater.compress(record) for record in records), deflater.flush()])
            remote = self._upload(deflated)
            handle = self._world.files.guard(remote.direct_path)
            push = encode_history_push(told, remote=remote, request=request, handle=handle)
            self._offered |= dict.fromkeys(self._say(device, address, push), (told, remote))
        else:
            self._say(device, address, encode_history_push(told, inline=encode_history(*chunks, told), request=request))

    def _upload(self, deflated: bytes) -> EncryptedFile:
        key = self._world.entropy(KEY_SIZE)
        sealer = Sealer(MediaKeys.derive(key, FileKind.HISTORY))
        sealed = sealer.update(deflated)
        last, prints = sealer.finish()
        url, direct_path = self._world.files.add(FileKind.HISTORY.path, sealed + last)
        self.files.append(EncryptedFile(direct_path, url, key, prints.sha256, prints.enc_sha256, prints.size))
        return self.files[-1]

    def _say(self, device: JID, address: JID, message: bytes) -> list[str]:
        if self.loses:
            self.loses -= 1
            return []
        times = 2 if self.doubles else 1
        self.doubles = max(0, self.doubles - 1)
        return [id for _ in range(times) if (id := self._phone.tell_device(device, address, message))]

    # ---- remembering

    def _shown(self, kind: str, *, progress: int | None) -> HistoryChunk:
        """What is on the screen."""
        account = self._phone.account
        chats: dict[JID, list[Shown]] = {}
        for shown in self._phone.messages:
            chats.setdefault(shown.chat, []).append(shown)
        known = [other for chat in chats if (other := self._world.directory.account(chat))]
        everyone = [account, *(other for other in known if other is not account)]
        return HistoryChunk(
            kind=kind,
            progress=progress,
            conversations=tuple(
                HistoryConversation(
                    other.lid,
                    self._past(other, reversed(chats[other.phone])),
                    name=other.name,
                    alt=other.phone,
                    unread=sum(1 for shown in chats[other.phone] if not shown.from_me and not shown.is_read),
                )
                for other in known
            ),
            push_names=tuple((each.phone, each.name) for each in everyone),
            lid_mappings=tuple((each.phone, each.lid) for each in everyone),
        )

    def _before(self, request: PastAsked) -> HistoryChunk:
        """The messages of a chat before the one that is named: the newest first, and whether there are more."""
        other = self._world.directory.account(request.chat)
        if other is None:
            return HistoryChunk("on_demand")
        shown = [each for each in self._phone.messages if each.chat == other.phone]
        place = next((place for place, each in enumerate(shown) if each.id == request.before), len(shown))
        older = shown[:place]
        given = older[-request.count :] if request.count > 0 else []
        conversation = HistoryConversation(
            other.lid,
            self._past(other, reversed(given)),
            alt=other.phone,
            has_more=len(given) < len(older),
        )
        return HistoryChunk("on_demand", conversations=(conversation,))

    def _again(self, request: MessageAsked) -> tuple[bytes, ...]:
        other = self._world.directory.account(request.chat)
        shown = self._phone.inbox.get(other.phone, request.id) if other is not None else None
        return () if other is None or shown is None else (encode_past_message(self._remembered(other, shown)),)

    def _past(self, chat: Account, shown: Iterable[Shown]) -> tuple[HistoryMessage, ...]:
        """These messages; what was added to one goes with that one."""
        return tuple(self._remembered(chat, each) for each in shown if not isinstance(each.content, _ADDITIONS))

    def _remembered(self, chat: Account, shown: Shown) -> HistoryMessage:
        added = [each for each in self._phone.messages if _is_about(each.content, shown.id)]
        return replace(
            remembered(chat, shown),
            secret=self._phone.secret_of(shown.id),
            additions=tuple(remembered(chat, each) for each in added),
        )

    def _invented_parts(self, kind: str) -> Iterator[list[HistoryChunk]]:
        """The past on order, in parts; each is a list of pieces, so that it is never one value in memory."""
        part: list[HistoryChunk] = []
        held = 0
        for number in range(self.invented.chats):
            for start in range(0, self.invented.messages, self.part_size):
                count = min(self.part_size, self.invented.messages - start)
                part.append(HistoryChunk(kind, conversations=(self._chat(number, start, count),)))
                held += count
                if held >= self.part_size:
                    yield part
                    part, held = [], 0
        if part:
            yield part

    def _chat(self, number: int, start: int, count: int) -> HistoryConversation:
        lid, phone = JID(str(_FIRST_LID + number), LID), JID(str(_FIRST_NUMBER + number), PHONE)
        now = self._world.clock.now().replace(microsecond=0)
        messages = tuple(
            HistoryMessage(
                id=MessageId(f"3EB0{number:08X}{place:08X}"),
                chat=lid,
                sender=None if place % 3 == 0 else lid,
                from_me=place % 3 == 0,
                content=Text(f"message {place} of chat {number}: we meet at nine, as every week, and bring the papers"),
                sent_at=now - _MINUTE * (place + 1),
                push_name=None if place % 3 == 0 else f"Person {number}",
            )
            for place in range(start, start + count)
        )
        return HistoryConversation(lid, messages, name=f"Person {number}", alt=phone)


def remembered(chat: Account, shown: Shown) -> HistoryMessage:
    """A message on the screen, as history tells it."""
    return HistoryMessage(
        id=MessageId(shown.id),
        chat=chat.lid,
        sender=None if shown.from_me else chat.lid,
        from_me=shown.from_me,
        content=shown.content or Text(shown.text),
        sent_at=shown.at,
        push_name=shown.push_name,
    )


def _is_about(content: Content | None, id: str) -> bool:
    match content:
        case Reaction(to=to) | EventAnswer(to=to) | PollVote(poll=to):
            return to == id
        case _:
            return False
