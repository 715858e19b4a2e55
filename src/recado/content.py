"""
What a message says: plain data, no bytes of the wire and no client inside.

`Content` is the closed set of kinds; a provider says which of them it can carry (gateway/providers/roads.py). Files are
named, not held: `Media.reference` says where the bytes are. `Unsupported` keeps a message whose kind this version does
not model: its name for people, its bytes so that nothing is lost. Reprs show no word, number or place of anybody.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class MediaKind(StrEnum):
    """What a file is shown as."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    DOCUMENT = "document"
    STICKER = "sticker"


@dataclass(frozen=True, slots=True)
class Text:
    """A text message."""

    body: str

    def __repr__(self) -> str:
        return f"Text({len(self.body)} characters)"


@dataclass(frozen=True, slots=True)
class Media:
    """
    A file. `reference` is `media:<id>` for one that is kept here, or an address (https) the provider fetches itself;
    `sha256` is of the bytes, in hexadecimal.
    """

    kind: MediaKind
    reference: str = field(repr=False)
    mime_type: str = ""
    caption: str | None = field(default=None, repr=False)
    file_name: str | None = field(default=None, repr=False)
    size: int | None = None
    sha256: str | None = field(default=None, repr=False)
    is_voice: bool = False


@dataclass(frozen=True, slots=True)
class Location:
    """A place; degrees."""

    latitude: float = field(repr=False)
    longitude: float = field(repr=False)
    name: str | None = field(default=None, repr=False)
    address: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ContactCard:
    """Somebody's card: a name and their numbers, in international form."""

    name: str = field(repr=False)
    phones: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Contacts:
    """One card or several."""

    cards: tuple[ContactCard, ...]


@dataclass(frozen=True, slots=True)
class Reaction:
    """An emoji on the message `to`; an empty one takes it back."""

    to: str
    emoji: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Button:
    """A button that answers; `id` comes back in a `Choice`."""

    id: str
    title: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Buttons:
    """A text with buttons to answer by."""

    body: str = field(repr=False)
    buttons: tuple[Button, ...]
    header: str | None = field(default=None, repr=False)
    footer: str | None = field(default=None, repr=False)


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
    """What somebody chose from buttons or a list of ours."""

    id: str
    title: str = field(repr=False)


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
    """A message of a kind not modelled yet: `kind` is its wire name (imageMessage, …), `raw` its bytes as they came."""

    kind: str
    raw: bytes

    def __repr__(self) -> str:
        return f"Unsupported({self.kind}, {len(self.raw)} bytes)"


Content = (
    Text | Media | Location | Contacts | Reaction | Buttons | OptionList | LinkButton | Choice | Template | Unsupported
)

KINDS = frozenset(
    {kind.value for kind in MediaKind}
    | {"text", "location", "contacts", "reaction", "buttons", "option_list", "link_button", "choice", "template"}
)
"""Every kind that is modelled, as `content_kind` names it."""

_NAMES: dict[type[object], str] = {
    Text: "text",
    Location: "location",
    Contacts: "contacts",
    Reaction: "reaction",
    Buttons: "buttons",
    OptionList: "option_list",
    LinkButton: "link_button",
    Choice: "choice",
    Template: "template",
}


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
        case Media(caption=words) | Location(name=words):
            return words
        case Choice(title=words) | Reaction(emoji=words):
            return words
        case Contacts(cards=cards):
            return ", ".join(card.name for card in cards)
        case _:
            return None
