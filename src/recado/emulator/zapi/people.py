"""
Those who hold phones around the emulated Z-API: their numbers and LIDs, and what their screens show. A phone may be
linked with an instance, or just be somebody who is written to. Nothing here knows HTTP or callbacks; the moves a person
makes are handed to the world.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recado.emulator.zapi.instances import Instance
    from recado.emulator.zapi.world import ZApi


@dataclass(slots=True, eq=False)
class Group:
    """A chat of several, or with `is_newsletter` a channel."""

    id: str
    name: str
    members: list[Phone]
    is_newsletter: bool = False


@dataclass(slots=True, eq=False)
class Message:
    """One message as WhatsApp carried it; `content` is in the form of a ReceivedCallback ({"text": {"message": …}})."""

    id: str
    sender: Phone
    chat: Phone | Group
    content: dict[str, Any]
    at: datetime
    quoting: str | None = None
    is_from_api: bool = False
    is_forwarded: bool = False
    is_edit: bool = False
    is_revoked: bool = False
    about: Message | None = None
    reached: set[str] = field(default_factory=set)

    @property
    def kind(self) -> str:
        """`text`, `image`, `location`, …: the name of its content."""
        return next(iter(self.content), "")

    @property
    def text(self) -> str:
        """Its words: a text, a caption, what was chosen."""
        value = self.content.get(self.kind)
        if not isinstance(value, dict):
            return ""
        said = value.get("message") or value.get("caption") or value.get("value") or value.get("displayName") or ""
        return str(said)


@dataclass(slots=True, eq=False)
class Shown:
    """A message on one phone's screen."""

    message: Message
    on: Phone
    is_read: bool = False
    is_played: bool = False
    reactions: dict[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The message's id."""
        return self.message.id

    @property
    def from_me(self) -> bool:
        """It was written by this phone's owner, on the phone or through an instance."""
        return self.message.sender is self.on

    @property
    def text(self) -> str:
        """Its words as they stand now."""
        return self.message.text

    @property
    def kind(self) -> str:
        """What it is."""
        return self.message.kind


class Phone:
    """A phone and who holds it. Moves are synchronous; `await zapi.settled()` waits for what they set off."""

    def __init__(self, world: ZApi, name: str, number: str, lid: str, *, is_known_by_lid: bool = False) -> None:
        self._world = world
        self.name = name
        self.number = number
        self.lid = lid
        self.is_known_by_lid = is_known_by_lid
        self.is_online = True
        self.messages: list[Shown] = []
        self.typing_seen: list[tuple[str, datetime]] = []

    def __repr__(self) -> str:
        return f"<Phone {self.name}>"

    @property
    def address(self) -> str:
        """What an instance sees of it: the number, or the LID of somebody known by that only."""
        return self.lid if self.is_known_by_lid else self.number

    @property
    def repeats(self) -> int:
        """How many messages of others on this screen say again what the same sender has said there already."""
        said = Counter(
            (id(shown.message.sender), id(shown.message.chat), repr(shown.message.content))
            for shown in self.messages
            if not shown.from_me
        )
        return sum(said.values()) - len(said)

    @property
    def received(self) -> list[Shown]:
        """What others wrote, in the order shown."""
        return [shown for shown in self.messages if not shown.from_me]

    def find(self, message_id: str) -> Shown | None:
        """The message of that id on this screen."""
        return next((shown for shown in self.messages if shown.id == message_id), None)

    def scan(self, instance: Instance, code: str | None = None) -> None:
        """Link with an instance by the QR code it shows now (or by `code`). Raises UsageError when it has expired."""
        self._world.scan(self, instance, code)

    def enter_code(self, instance: Instance, code: str) -> None:
        """Link by the eight characters of a phone code. Raises UsageError."""
        self._world.enter_code(self, instance, code)

    def say(self, to: Instance | Phone | Group | str, text: str, **details: Any) -> Message:
        """Write a text (`quoting=` a message id, `is_forwarded=`; `waits=True`: the instance cannot read it yet)."""
        return self._world.say(self, to, {"text": {"message": text}}, **details)

    def send(self, to: Instance | Phone | Group | str, kind: str, **content: Any) -> Message:
        """Send anything else, with the names of a ReceivedCallback: `send(to, "location", latitude=…, longitude=…)`."""
        return self._world.say(self, to, {kind: content})

    def send_file(
        self, to: Instance | Phone | Group | str, kind: str, data: bytes, mime_type: str, **content: Any
    ) -> Message:
        """Send an image, audio, video, document or sticker of those bytes."""
        return self._world.say_file(self, to, kind, data, mime_type, **content)

    def read(self, chat: Instance | Phone | Group | str | None = None) -> list[Shown]:
        """Open a chat (or all): what was unread there is read, and its senders are told, one report for all."""
        return self._world.read(self, chat)

    def play(self, message_id: str) -> None:
        """Play a voice message."""
        self._world.play(self, message_id)

    def react(self, message_id: str, emoji: str) -> Message:
        """React to a message on this screen; an empty emoji takes the reaction back."""
        return self._world.react(self, message_id, emoji)

    def edit(self, message_id: str, text: str) -> None:
        """Change the words of an own message."""
        self._world.edit(self, message_id, text)

    def revoke(self, message_id: str) -> None:
        """Delete an own message for everybody."""
        self._world.revoke(self, message_id)

    def choose(self, message_id: str, choice_id: str) -> Message:
        """Press a button, or take an option of a list, of a message on this screen. Raises UsageError."""
        return self._world.choose(self, message_id, choice_id)

    def typing(self, to: Instance | Phone | Group | str, status: str = "COMPOSING") -> None:
        """Type (COMPOSING), record (RECORDING), stop (PAUSED), open (AVAILABLE) or leave (UNAVAILABLE) a chat."""
        self._world.typing(self, to, status)

    def offline(self) -> None:
        """Switch off: messages to it are SENT, and RECEIVED only once it is back."""
        self._world.switch(self, on=False)

    def online(self) -> None:
        """Switch on."""
        self._world.switch(self, on=True)
