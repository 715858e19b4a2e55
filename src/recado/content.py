"""
What a message says: plain data, no bytes of the wire and no client inside.

`Content` is the closed set of kinds; a provider says which of them it can carry (gateway/providers/roads.py). Files are
named, not held: `Media.reference` says where the bytes are, or `Media.remote` where WhatsApp keeps them sealed.
`Unsupported` keeps a message whose kind this version does not model: its name for people, its bytes so that nothing is
lost. What concerns another message names it by its id (`to`); in a group `from_me` and `author` (an address) say whose
it is. Reprs show no word, number or place of anybody.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

_SPARSE = {"sparse": True}  # JSON leaves the field out while it has its default (store/codec.py)


class MediaKind(StrEnum):
    """What a file is shown as."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    DOCUMENT = "document"
    STICKER = "sticker"


@dataclass(frozen=True, slots=True)
class LinkPreview:
    """What is shown of an address in a text: the address as it stands there, its page's title and a small JPEG."""

    url: str = field(repr=False)
    title: str = field(default="", repr=False)
    description: str = field(default="", repr=False)
    thumbnail: bytes | None = field(default=None, repr=False, metadata=_SPARSE)


@dataclass(frozen=True, slots=True)
class Text:
    """A text message. `mentions` are the addresses of the people its @names mean."""

    body: str
    mentions: tuple[str, ...] = field(default=(), repr=False, metadata=_SPARSE)
    preview: LinkPreview | None = field(default=None, repr=False, metadata=_SPARSE)

    def __repr__(self) -> str:
        return f"Text({len(self.body)} characters)"


@dataclass(frozen=True, slots=True)
class EncryptedFile:
    """A file on WhatsApp's servers: where it lies, the key that opens it, and the hashes of both forms of it."""

    direct_path: str = field(repr=False)
    url: str = field(repr=False)
    key: bytes = field(repr=False)
    sha256: bytes = field(repr=False)
    enc_sha256: bytes = field(repr=False)
    size: int
    key_made_at: int | None = None


@dataclass(frozen=True, slots=True)
class Media:
    """
    A file. `reference` is `media:<id>` for one that is kept here, or an address (https) the provider fetches itself,
    empty when `remote` says where it is; `sha256` is of the bytes, in hexadecimal. `waveform` has up to 64 values of
    0–100, `thumbnail` is a small JPEG (of a sticker a PNG), `album` is the id of the album that it is part of.
    """

    kind: MediaKind
    reference: str = field(default="", repr=False)
    mime_type: str = ""
    caption: str | None = field(default=None, repr=False)
    file_name: str | None = field(default=None, repr=False)
    size: int | None = None
    sha256: str | None = field(default=None, repr=False)
    is_voice: bool = False
    seconds: int | None = field(default=None, metadata=_SPARSE)
    width: int | None = field(default=None, metadata=_SPARSE)
    height: int | None = field(default=None, metadata=_SPARSE)
    waveform: bytes | None = field(default=None, repr=False, metadata=_SPARSE)
    thumbnail: bytes | None = field(default=None, repr=False, metadata=_SPARSE)
    is_gif: bool = field(default=False, metadata=_SPARSE)
    is_round: bool = field(default=False, metadata=_SPARSE)
    is_view_once: bool = field(default=False, metadata=_SPARSE)
    is_animated: bool = field(default=False, metadata=_SPARSE)
    pages: int | None = field(default=None, repr=False, metadata=_SPARSE)
    mentions: tuple[str, ...] = field(default=(), repr=False, metadata=_SPARSE)
    album: str | None = field(default=None, repr=False, metadata=_SPARSE)
    remote: EncryptedFile | None = field(default=None, repr=False, metadata=_SPARSE)


@dataclass(frozen=True, slots=True)
class Album:
    """Says that pictures and films follow that belong together; each of them names this message in `Media.album`."""

    images: int = 0
    videos: int = 0


@dataclass(frozen=True, slots=True)
class Location:
    """A place; degrees."""

    latitude: float = field(repr=False)
    longitude: float = field(repr=False)
    name: str | None = field(default=None, repr=False)
    address: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class LiveLocation:
    """Where somebody is now, told again as they move; `accuracy` in metres, `speed` in metres a second."""

    latitude: float = field(repr=False)
    longitude: float = field(repr=False)
    accuracy: int | None = None
    speed: float | None = field(default=None, repr=False)
    heading: int | None = field(default=None, repr=False)
    caption: str | None = field(default=None, repr=False)
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class ContactCard:
    """Somebody's card: a name and their numbers, in international form; `vcard` is the whole, where it came so."""

    name: str = field(repr=False)
    phones: tuple[str, ...] = field(repr=False)
    vcard: str | None = field(default=None, repr=False, metadata=_SPARSE)


@dataclass(frozen=True, slots=True)
class Contacts:
    """One card or several."""

    cards: tuple[ContactCard, ...]


@dataclass(frozen=True, slots=True)
class Poll:
    """A question with options, of which one may choose `selectable` (0: as many as they like)."""

    question: str = field(repr=False)
    options: tuple[str, ...] = field(repr=False)
    selectable: int = 1
    correct: str | None = field(default=None, repr=False, metadata=_SPARSE)


@dataclass(frozen=True, slots=True)
class PollVote:
    """What somebody chose in the poll `poll`, all of it; nothing takes the vote back."""

    poll: str
    options: tuple[str, ...] = field(repr=False)
    from_me: bool = field(default=False, metadata=_SPARSE)
    author: str | None = field(default=None, repr=False, metadata=_SPARSE)


@dataclass(frozen=True, slots=True)
class Event:
    """An appointment that people answer."""

    name: str = field(repr=False)
    starts_at: datetime
    ends_at: datetime | None = None
    description: str | None = field(default=None, repr=False)
    location: Location | None = None
    join_link: str | None = field(default=None, repr=False)
    is_canceled: bool = False


class Answer(StrEnum):
    """Whether somebody comes."""

    GOING = "going"
    NOT_GOING = "not_going"
    MAYBE = "maybe"


@dataclass(frozen=True, slots=True)
class EventAnswer:
    """Somebody's answer to the event `to`; `guests` come along."""

    to: str
    answer: Answer
    guests: int = 0
    from_me: bool = field(default=False, metadata=_SPARSE)
    author: str | None = field(default=None, repr=False, metadata=_SPARSE)


@dataclass(frozen=True, slots=True)
class Reaction:
    """An emoji on the message `to`; an empty one takes it back."""

    to: str
    emoji: str = field(repr=False)
    from_me: bool = field(default=False, metadata=_SPARSE)
    author: str | None = field(default=None, repr=False, metadata=_SPARSE)


@dataclass(frozen=True, slots=True)
class Revoke:
    """The message `to` is deleted for everybody: by its writer, or, when it has an `author`, by the group's admin."""

    to: str
    from_me: bool = True
    author: str | None = field(default=None, repr=False, metadata=_SPARSE)


@dataclass(frozen=True, slots=True)
class Pin:
    """The message `to` is pinned in the chat for so long, or no longer."""

    to: str
    is_pinned: bool = True
    seconds: int = 604_800
    from_me: bool = False
    author: str | None = field(default=None, repr=False, metadata=_SPARSE)


@dataclass(frozen=True, slots=True)
class Keep:
    """The disappearing message `to` is kept by everybody, or no longer."""

    to: str
    is_kept: bool = True
    from_me: bool = False
    author: str | None = field(default=None, repr=False, metadata=_SPARSE)


@dataclass(frozen=True, slots=True)
class DisappearingTimer:
    """Messages of this chat disappear after so long from now on; 0: they stay."""

    seconds: int


@dataclass(frozen=True, slots=True)
class GroupInvite:
    """An invitation into a group, with the code that lets its receiver in."""

    group: str = field(repr=False)
    code: str = field(repr=False)
    name: str = field(default="", repr=False)
    expires_at: datetime | None = None
    caption: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Product:
    """An article of a catalogue; `price` is a decimal in `currency`."""

    title: str = field(repr=False)
    id: str = ""
    description: str | None = field(default=None, repr=False)
    price: str | None = field(default=None, repr=False)
    currency: str | None = None
    url: str | None = field(default=None, repr=False)
    seller: str | None = field(default=None, repr=False)
    body: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Button:
    """A button that answers, `id` comes back in a `Choice`; one with `url` or `phone` opens that instead."""

    id: str
    title: str = field(repr=False)
    url: str | None = field(default=None, repr=False, metadata=_SPARSE)
    phone: str | None = field(default=None, repr=False, metadata=_SPARSE)


@dataclass(frozen=True, slots=True)
class Buttons:
    """A text with buttons to answer by."""

    body: str = field(repr=False)
    buttons: tuple[Button, ...]
    header: str | None = field(default=None, repr=False)
    footer: str | None = field(default=None, repr=False)
    header_media: Media | None = field(default=None, repr=False, metadata=_SPARSE)


@dataclass(frozen=True, slots=True)
class Option:
    """A row of a list; `id` comes back in a `Choice`."""

    id: str
    title: str = field(repr=False)
    description: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class OptionSection:
    """Rows under a heading."""

    title: str = field(repr=False)
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class OptionList:
    """A text with a list that `button` opens."""

    body: str = field(repr=False)
    button: str = field(repr=False)
    sections: tuple[OptionSection, ...]
    header: str | None = field(default=None, repr=False)
    footer: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class LinkButton:
    """A text with a button that opens an address."""

    body: str = field(repr=False)
    title: str = field(repr=False)
    url: str = field(repr=False)
    header: str | None = field(default=None, repr=False)
    footer: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody chose from buttons or a list (`source`: button, list, template or flow)."""

    id: str
    title: str = field(repr=False)
    source: str = field(default="button", metadata=_SPARSE)


@dataclass(frozen=True, slots=True)
class TemplateButton:
    """The value of a template's button number `index`: a payload (quick_reply), the end of a url, a code to copy."""

    index: int
    kind: str
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Template:
    """A text that was approved before; the values for its places, in order."""

    name: str
    language: str
    body: tuple[str, ...] = field(default=(), repr=False)
    header: str | None = field(default=None, repr=False)
    header_media: Media | None = field(default=None, repr=False)
    buttons: tuple[TemplateButton, ...] = ()


@dataclass(frozen=True, slots=True)
class Unsupported:
    """
    A message of a kind not modelled: `kind` is its wire name (orderMessage, …), `raw` its bytes as they came, `text`
    the words of it, if we can read any.
    """

    kind: str
    raw: bytes
    text: str | None = field(default=None, repr=False, metadata=_SPARSE)

    def __repr__(self) -> str:
        return f"Unsupported({self.kind}, {len(self.raw)} bytes)"


Editable = Text | Media | Event | LiveLocation | Unsupported
"""What another version of may replace what was said."""


@dataclass(frozen=True, slots=True)
class Edit:
    """The message `to` says `content` from now on."""

    to: str
    content: Editable
    from_me: bool = field(default=True, metadata=_SPARSE)
    author: str | None = field(default=None, repr=False, metadata=_SPARSE)


Content = (
    Text
    | Media
    | Album
    | Location
    | LiveLocation
    | Contacts
    | Poll
    | PollVote
    | Event
    | EventAnswer
    | Reaction
    | Edit
    | Revoke
    | Pin
    | Keep
    | DisappearingTimer
    | GroupInvite
    | Product
    | Buttons
    | OptionList
    | LinkButton
    | Choice
    | Template
    | Unsupported
)

_NAMES: dict[type[object], str] = {
    Text: "text",
    Album: "album",
    Location: "location",
    LiveLocation: "live_location",
    Contacts: "contacts",
    Poll: "poll",
    PollVote: "poll_vote",
    Event: "event",
    EventAnswer: "event_answer",
    Reaction: "reaction",
    Edit: "edit",
    Revoke: "revoke",
    Pin: "pin",
    Keep: "keep",
    DisappearingTimer: "disappearing_timer",
    GroupInvite: "group_invite",
    Product: "product",
    Buttons: "buttons",
    OptionList: "option_list",
    LinkButton: "link_button",
    Choice: "choice",
    Template: "template",
}

KINDS = frozenset({kind.value for kind in MediaKind} | set(_NAMES.values()))
"""Every kind that is modelled, as `content_kind` names it."""

WEB_KINDS = frozenset(
    _NAMES[kind]
    for kind in (
        Album,
        LiveLocation,
        Poll,
        PollVote,
        Event,
        EventAnswer,
        Edit,
        Revoke,
        Pin,
        Keep,
        DisappearingTimer,
        GroupInvite,
        Product,
    )
)
"""The kinds that only WhatsApp Web has."""


def content_kind(content: Content) -> str:
    """What it is called in rows and JSON: text, image, buttons …; of an unmodelled kind its wire name."""
    if isinstance(content, Unsupported):
        return content.kind
    return content.kind.value if isinstance(content, Media) else _NAMES[type(content)]


def content_text(content: Content) -> str | None:
    """The words of it that a person reads, if there are any."""
    match content:
        case Text(body=words) | Buttons(body=words) | OptionList(body=words) | LinkButton(body=words):
            return words
        case Media(caption=words) | Location(name=words) | LiveLocation(caption=words) | Event(name=words):
            return words
        case Choice(title=words) | Reaction(emoji=words) | Product(title=words) | Unsupported(text=words):
            return words
        case Poll(question=question, options=options):
            return "\n".join((question, *options))
        case PollVote(options=options):
            return ", ".join(options)
        case GroupInvite(caption=caption, name=name):
            return caption or name or None
        case Edit(content=edited):
            return content_text(edited)
        case Contacts(cards=cards):
            return ", ".join(card.name for card in cards)
        case _:
            return None
