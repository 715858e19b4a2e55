"""Texts with something to tap: buttons, lists, templates, and what was tapped."""

from __future__ import annotations

from dataclasses import dataclass, field

from recado.content.files import Media

_SPARSE = {"sparse": True}  # JSON leaves the field out while it has its default (recado/codec.py)


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
