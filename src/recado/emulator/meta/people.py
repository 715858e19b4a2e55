"""
People on WhatsApp: a person has a number, a user id (BSUID) with this business, perhaps a username, and a phone that
shows messages. What they do travels by webhook; what they are sent shows at once, or when the phone is switched on.

A client that sends twice has sent two messages: there is no idempotency at Meta's, and `messages` shows both, while
`repeats` counts those that carry the same `biz_opaque_callback_data`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from recado.emulator.meta import inbound
from recado.emulator.meta.world import WINDOW, Number, Sent

if TYPE_CHECKING:
    from recado.emulator.meta.cloud import MetaCloud


@dataclass(slots=True)
class Shown:
    """A message on a person's phone. `times` stays 1: WhatsApp shows an id once."""

    id: str
    number: Number
    from_me: bool
    kind: str
    content: dict[str, Any]
    text: str
    at: datetime
    reply_to: str | None = None
    opaque: str | None = None
    is_read: bool = False
    is_played: bool = False
    times: int = 1
    reactions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class File:
    """What a person attaches."""

    data: bytes
    mime_type: str
    caption: str | None = None
    filename: str | None = None
    is_voice: bool = False
    is_animated: bool = False


class Person:
    """One person. Where a method takes a `number`, None means the first there is."""

    def __init__(self, cloud: MetaCloud, name: str, phone: str, user_id: str, wa_id: str | None = None) -> None:
        self.cloud = cloud
        self.name = name
        self.phone = phone
        self.wa_id = wa_id or phone
        self.user_id = user_id
        self.username: str | None = None
        self.hides_phone = False
        self.is_online = True
        self.sends_reads = True
        self.has_whatsapp = True
        self.messages: list[Shown] = []
        self.blocks: set[str] = set()
        self.no_marketing: set[str] = set()
        self.last_wrote: dict[str, datetime] = {}
        self.last_sent_to: dict[str, datetime] = {}
        self._waiting: list[Sent] = []

    def __repr__(self) -> str:
        return f"Person({self.name!r})"

    @property
    def addresses(self) -> set[str]:
        """All one can write to."""
        return {self.phone, self.wa_id, self.user_id}

    @property
    def repeats(self) -> dict[str, int]:
        """How often the phone shows messages with the same `biz_opaque_callback_data`, where that is more than once."""
        counted = Counter(each.opaque for each in self.messages if each.opaque and not each.from_me)
        return {opaque: times for opaque, times in counted.items() if times > 1}

    def chat(self, number: Number | str | None = None) -> list[Shown]:
        """The messages with one number."""
        id = self._number(number).id
        return [each for each in self.messages if each.number.id == id]

    def message(self, id: str) -> Shown | None:
        """The message of that id."""
        return next((each for each in self.messages if each.id == id), None)

    def has_open_window(self, number: Number) -> bool:
        """Did the person write to it in the last 24 hours?"""
        wrote = self.last_wrote.get(number.id)
        return wrote is not None and self.cloud.clock.now() - wrote < WINDOW

    def sees_typing(self, number: Number | str | None = None) -> bool:
        """Does the number seem to type?"""
        until = self._number(number).typing_until.get(self.user_id)
        return until is not None and self.cloud.clock.now() < until

    # ---- speaking

    def say(
        self,
        text: str,
        number: Number | str | None = None,
        *,
        reply_to: str | None = None,
        referral: dict[str, Any] | None = None,
    ) -> Shown:
        """Write a text."""
        return self._send("text", {"body": text}, text, number, reply_to=reply_to, referral=referral)

    def send_media(
        self, kind: str, file: File, number: Number | str | None = None, *, reply_to: str | None = None
    ) -> Shown:
        """Send an image, video, audio, document or sticker."""
        at = self._number(number)
        media = self.cloud.media.receive(at, file.data, file.mime_type)
        content = inbound.media_content(kind, media, file)
        return self._send(kind, content, file.caption or "", at, reply_to=reply_to)

    def send_location(
        self, latitude: float, longitude: float, number: Number | str | None = None, *, name: str | None = None
    ) -> Shown:
        """Send a place."""
        content: dict[str, Any] = {"latitude": latitude, "longitude": longitude}
        if name:
            content |= {"name": name, "address": name}
        return self._send("location", content, name or "", number)

    def send_contact(self, name: str, phone: str, number: Number | str | None = None) -> Shown:
        """Send somebody's card."""
        card = {
            "name": {"first_name": name, "formatted_name": name},
            "phones": [{"phone": f"+{phone}", "wa_id": phone, "type": "CELL"}],
        }
        return self._send("contacts", {"contacts": [card]}, name, number)

    def react(self, message_id: str, emoji: str) -> Shown:
        """React to a message, with nothing to take it back."""
        shown = self._message(message_id)
        content = {"message_id": message_id, "emoji": emoji} if emoji else {"message_id": message_id}
        shown.reactions["me"] = emoji
        return self._send("reaction", content, emoji, shown.number)

    def press(self, message_id: str, title: str) -> Shown:
        """Press the button with that title of a message with buttons, or of a template."""
        shown = self._message(message_id)
        kind, content = inbound.pressed(shown, title)
        return self._send(kind, content, title, shown.number, reply_to=message_id)

    def choose(self, message_id: str, title: str) -> Shown:
        """Choose the row with that title of a list."""
        shown = self._message(message_id)
        content = inbound.chosen(shown, title)
        return self._send("interactive", content, title, shown.number, reply_to=message_id)

    def fill_flow(self, message_id: str, answers: dict[str, Any]) -> Shown:
        """Fill in a flow's form."""
        shown = self._message(message_id)
        return self._send("interactive", inbound.filled(answers), "", shown.number, reply_to=message_id)

    def order(self, items: list[dict[str, Any]], number: Number | str | None = None, *, text: str = "") -> Shown:
        """Order from the catalogue."""
        content = {"catalog_id": "1", "text": text, "product_items": items}
        return self._send("order", content, text, number)

    def send_unsupported(self, number: Number | str | None = None) -> Shown:
        """Send what the API cannot show (a poll, say)."""
        return self._send("unsupported", {}, "", number)

    def send_unknown(self, kind: str, content: dict[str, Any], number: Number | str | None = None) -> Shown:
        """Send a type of message nobody has heard of."""
        return self._send(kind, content, "", number)

    # ---- hearing

    def take(self, sent: Sent) -> None:
        """A number sent something: it shows, or waits for the phone."""
        if not self.is_online:
            self._waiting.append(sent)
            return
        if self.message(sent.id) is not None:
            return
        if sent.kind == "reaction":
            target = self.message(sent.content["message_id"])
            if target is not None:
                target.reactions["business"] = sent.content["emoji"]
        else:
            shown = Shown(sent.id, sent.number, False, sent.kind, sent.content, sent.text, self.cloud.clock.now())
            shown.reply_to, shown.opaque = sent.reply_to, sent.opaque
            self.messages.append(shown)
        sent.number.typing_until.pop(self.user_id, None)
        self.cloud.statuses.advance(sent, "delivered")

    def read(self, number: Number | str | None = None) -> list[Shown]:
        """Open the chat: what was not read is, and the number is told."""
        read = [each for each in self.chat(number) if not each.from_me and not each.is_read]
        for shown in read:
            shown.is_read = True
            sent = shown.number.sent.get(shown.id)
            if sent is not None and self.sends_reads:
                self.cloud.statuses.advance(sent, "read")
        self.cloud.changed()
        return read

    def play(self, message_id: str) -> None:
        """Listen to a voice message."""
        shown = self._message(message_id)
        shown.is_played = True
        sent = shown.number.sent.get(shown.id)
        if sent is not None and sent.kind == "audio":
            self.cloud.statuses.advance(sent, "played")
        self.cloud.changed()

    # ---- coming and going

    def offline(self) -> None:
        """Switch the phone off: what is sent waits."""
        self.is_online = False

    def online(self) -> None:
        """Switch it on: what waited shows."""
        self.is_online = True
        waiting, self._waiting = self._waiting, []
        for sent in waiting:
            self.take(sent)
        self.cloud.changed()

    def block(self, number: Number | str | None = None) -> None:
        """Want nothing of it any more: it hears 131026."""
        self.blocks.add(self._number(number).id)

    def unblock(self, number: Number | str | None = None) -> None:
        """Allow it again."""
        self.blocks.discard(self._number(number).id)

    def stop_marketing(self, number: Number | str | None = None) -> None:
        """Want no more marketing: the number is told, and later marketing templates fail with 131050."""
        at = self._number(number)
        self.no_marketing.add(at.id)
        inbound.tell_preference(self.cloud, self, at, "stop")

    def resume_marketing(self, number: Number | str | None = None) -> None:
        """Want it again."""
        at = self._number(number)
        self.no_marketing.discard(at.id)
        inbound.tell_preference(self.cloud, self, at, "resume")

    def take_username(self, username: str, *, hides_phone: bool = True) -> None:
        """Take a username; from now on webhooks may lack the phone."""
        self.username, self.hides_phone = username, hides_phone

    def change_number(self, phone: str) -> None:
        """Change the phone number: a new user id, and every number written with is told of both."""
        inbound.change_number(self.cloud, self, phone)

    # ---- within

    def _send(
        self,
        kind: str,
        content: dict[str, Any],
        text: str,
        number: Number | str | None,
        *,
        reply_to: str | None = None,
        referral: dict[str, Any] | None = None,
    ) -> Shown:
        at = self._number(number)
        now = self.cloud.clock.now()
        shown = Shown(self.cloud.ids.message(self.phone), at, True, kind, content, text, now, reply_to=reply_to)
        self.messages.append(shown)
        self.last_wrote[at.id] = now
        if at.id not in self.blocks:
            inbound.tell_message(self.cloud, self, shown, referral)
        self.cloud.changed()
        return shown

    def _message(self, id: str) -> Shown:
        shown = self.message(id)
        if shown is None:
            raise LookupError("the phone shows no message of that id")
        return shown

    def _number(self, number: Number | str | None) -> Number:
        return self.cloud.number(number)
