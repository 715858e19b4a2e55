"""
The JSON of what a message says, one class a kind, told apart by `type`: the same JSON as in events and in the rows.
Types only; the limits are in contents.py, where every caller meets them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from recado.content import Content, MediaKind
from recado.errors import BadRecord
from recado.gateway.refusals import BadContent
from recado.store.facts import content_from_json


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TextAsked(_Part):
    """A text, as `text` is."""

    type: Literal["text"]
    body: str


class MediaAsked(_Part):
    """A file, named by its reference here or by an address."""

    type: Literal["media"]
    kind: MediaKind
    reference: str = Field(description="`media:<id>` for one that is kept here, or an https address")
    mime_type: str = ""
    caption: str | None = None
    file_name: str | None = None
    is_voice: bool = False


class LocationAsked(_Part):
    """A place; degrees."""

    type: Literal["location"]
    latitude: float
    longitude: float
    name: str | None = None
    address: str | None = None


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


ContentAsked = Annotated[
    TextAsked
    | MediaAsked
    | LocationAsked
    | ContactsAsked
    | ReactionAsked
    | ButtonsAsked
    | OptionListAsked
    | LinkButtonAsked
    | TemplateAsked,
    Field(discriminator="type"),
]


def read_content(asked: ContentAsked) -> Content:
    """The value of what was asked. Raises BadContent."""
    try:
        return content_from_json(asked.model_dump(mode="json"))
    except BadRecord:
        raise BadContent("this content cannot be read") from None
