"""
The JSON of what a message says, one class a kind, told apart by `type`: the same JSON as in events and in the rows.
Types only; the limits are in contents.py, where every caller meets them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, FiniteFloat

from recado.content import Answer, Content, MediaKind
from recado.errors import BadRecord
from recado.gateway.refusals import BadContent
from recado.store.facts import content_from_json


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TextAsked(_Part):
    """A text, as `text` is; over WhatsApp Web its @names may mean people."""

    type: Literal["text"]
    body: str
    mentions: list[str] = Field(default=[], description="The addresses of the people its @names mean")
    mentions_all: bool = Field(default=False, description="It means everybody in the group")


class MediaAsked(_Part):
    """A file, named by its reference here or by an address."""

    type: Literal["media"]
    kind: MediaKind
    reference: str = Field(description="`media:<id>` for one that is kept here, or an https address")
    mime_type: str = ""
    caption: str | None = None
    file_name: str | None = None
    is_voice: bool = False
    is_view_once: bool = Field(default=False, description="To be seen once; over WhatsApp Web")
    mentions: list[str] = Field(default=[], description="The addresses of the people its @names mean")
    album: str | None = Field(default=None, description="The id of the album's message that it is part of")


class PackedStickerAsked(_Part):
    """One sticker of a pack: a WebP file that was uploaded here."""

    reference: str = Field(description="The file's reference, `media:…`")
    emojis: list[str] = Field(default=[], max_length=3, description="What it stands for")
    label: str = Field(default="", max_length=200, description="What it shows, for who cannot see it")


class StickerPackAsked(_Part):
    """A pack of 1 to 60 stickers that people may add; the first one is its icon."""

    type: Literal["sticker_pack"]
    name: str = Field(min_length=1, max_length=128)
    publisher: str = Field(default="", max_length=128)
    description: str | None = Field(default=None, max_length=1024)
    caption: str | None = Field(default=None, max_length=1024)
    packed: list[PackedStickerAsked] = Field(min_length=1, max_length=60)


class LocationAsked(_Part):
    """A place; degrees."""

    type: Literal["location"]
    latitude: FiniteFloat
    longitude: FiniteFloat
    name: str | None = None
    address: str | None = None


class LiveLocationAsked(_Part):
    """Where somebody is now; to be told again as they move, with a higher `sequence`."""

    type: Literal["live_location"]
    latitude: FiniteFloat
    longitude: FiniteFloat
    accuracy: int | None = Field(default=None, ge=0, description="Metres")
    speed: FiniteFloat | None = Field(default=None, ge=0, description="Metres a second")
    heading: int | None = Field(default=None, ge=0, le=359)
    caption: str | None = None
    sequence: int = Field(default=0, ge=0)


class GroupInviteAsked(_Part):
    """An invitation into a group, with the code that lets its receiver in."""

    type: Literal["group_invite"]
    group: str = Field(description="The group's address (…@g.us)")
    code: str
    name: str = ""
    expires_at: AwareDatetime | None = None
    caption: str | None = None


class AlbumAsked(_Part):
    """Says that so many pictures and films follow that belong together: each names this message in `album`."""

    type: Literal["album"]
    images: int = Field(default=0, ge=0)
    videos: int = Field(default=0, ge=0)


class PhoneNumberSharingAsked(_Part):
    """Asks for the other side's phone number, or (`is_shared`) shows them the mentorado's."""

    type: Literal["phone_number_sharing"]
    is_shared: bool


class SharingLimitAsked(_Part):
    """What is said in this chat is not to be passed on, or may be again."""

    type: Literal["sharing_limit"]
    is_limited: bool


class CardAsked(_Part):
    """Somebody's card."""

    name: str
    phones: list[str]


class ContactsAsked(_Part):
    """One card or several."""

    type: Literal["contacts"]
    cards: list[CardAsked]


class ReactionAsked(_Part):
    """An emoji on a message of the conversation; an empty one takes it back."""

    type: Literal["reaction"]
    to: str = Field(description="The id of the message")
    emoji: str


class ButtonAsked(_Part):
    """A button that answers; its id comes back."""

    id: str
    title: str


class ButtonsAsked(_Part):
    """A text with up to three buttons to answer by."""

    type: Literal["buttons"]
    body: str
    buttons: list[ButtonAsked]
    header: str | None = None
    footer: str | None = None


class OptionAsked(_Part):
    """A row of a list; its id comes back."""

    id: str
    title: str
    description: str | None = None


class SectionAsked(_Part):
    """Rows under a heading."""

    title: str
    options: list[OptionAsked]


class OptionListAsked(_Part):
    """A text with a list of up to ten rows, that `button` opens."""

    type: Literal["option_list"]
    body: str
    button: str
    sections: list[SectionAsked]
    header: str | None = None
    footer: str | None = None


class LinkButtonAsked(_Part):
    """A text with a button that opens an address."""

    type: Literal["link_button"]
    body: str
    title: str
    url: str
    header: str | None = None
    footer: str | None = None


class TemplateButtonAsked(_Part):
    """The value of one of the template's buttons."""

    index: int
    kind: Literal["quick_reply", "url", "copy_code"]
    value: str


class HeaderMediaAsked(_Part):
    """The file at the head of a template."""

    kind: Literal["image", "video", "document"]
    reference: str
    mime_type: str = ""
    file_name: str | None = None


class TemplateAsked(_Part):
    """A text that was approved before, with the values for its places in order."""

    type: Literal["template"]
    name: str
    language: str
    body: list[str] = Field(default=[])
    header: str | None = None
    header_media: HeaderMediaAsked | None = None
    buttons: list[TemplateButtonAsked] = Field(default=[])


class PollAsked(_Part):
    """A question with two to twelve options; who may choose how many (0: any number)."""

    type: Literal["poll"]
    question: str
    options: list[str]
    selectable: int = 1


class PollVoteAsked(_Part):
    """The vote in a poll of the conversation: all that is chosen; nothing takes the vote back."""

    type: Literal["poll_vote"]
    poll: str = Field(description="The id of the poll's message")
    options: list[str]


class PlaceAsked(_Part):
    """Where an event is."""

    latitude: FiniteFloat
    longitude: FiniteFloat
    name: str | None = None
    address: str | None = None


class EventAsked(_Part):
    """An appointment that people answer."""

    type: Literal["event"]
    name: str
    starts_at: AwareDatetime
    ends_at: AwareDatetime | None = None
    description: str | None = None
    location: PlaceAsked | None = None
    join_link: str | None = None
    is_canceled: bool = False


class EventAnswerAsked(_Part):
    """Whether the mentorado comes to an event of the conversation."""

    type: Literal["event_answer"]
    to: str = Field(description="The id of the event's message")
    answer: Answer
    guests: int = 0


class EditAsked(_Part):
    """Other words for a text, or under a file, of the mentorado's, within 15 minutes."""

    type: Literal["edit"]
    to: str = Field(description="The id of the message")
    content: TextAsked


class RevokeAsked(_Part):
    """A message is deleted for everyone: one of the mentorado's, in a group anybody's if the mentorado is an admin."""

    type: Literal["revoke"]
    to: str = Field(description="The id of the message")


class PinAsked(_Part):
    """A message is pinned in the chat for 1, 7 or 30 days, or no longer."""

    type: Literal["pin"]
    to: str = Field(description="The id of the message")
    is_pinned: bool = True
    seconds: int = 604_800


class KeepAsked(_Part):
    """A message that would disappear is kept by everybody, or no longer."""

    type: Literal["keep"]
    to: str = Field(description="The id of the message")
    is_kept: bool = True


class CommentAsked(_Part):
    """Words under a message, as communities show them."""

    type: Literal["comment"]
    to: str = Field(description="The id of the message")
    body: str


class DisappearingTimerAsked(_Part):
    """What is written from now on disappears from the phones after 1, 7 or 90 days; 0: it stays."""

    type: Literal["disappearing_timer"]
    seconds: int


ContentAsked = Annotated[
    TextAsked
    | MediaAsked
    | LocationAsked
    | ContactsAsked
    | ReactionAsked
    | ButtonsAsked
    | OptionListAsked
    | LinkButtonAsked
    | TemplateAsked
    | PollAsked
    | PollVoteAsked
    | EventAsked
    | EventAnswerAsked
    | EditAsked
    | RevokeAsked
    | PinAsked
    | KeepAsked
    | CommentAsked
    | DisappearingTimerAsked
    | LiveLocationAsked
    | GroupInviteAsked
    | AlbumAsked
    | PhoneNumberSharingAsked
    | SharingLimitAsked
    | StickerPackAsked,
    Field(discriminator="type"),
]


def read_content(asked: ContentAsked) -> Content:
    """The value of what was asked. Raises BadContent."""
    said = asked.model_dump(mode="json")
    if isinstance(asked, StickerPackAsked):
        said |= {"stickers": len(asked.packed), "packed": [{"file_name": "", **each} for each in said["packed"]]}
    try:
        return content_from_json(said)
    except BadRecord:
        raise BadContent("this content cannot be read") from None
