"""Words a person wrote, and what this version cannot read."""

from __future__ import annotations

from dataclasses import dataclass, field

from recado.content.files import EncryptedFile

_SPARSE = {"sparse": True}  # JSON leaves the field out while it has its default (recado/codec.py)


@dataclass(frozen=True, slots=True)
class LinkPreview:
    """
    What is shown of an address in a text: the address as it stands there, its page's title and a small JPEG; `picture`
    is a large one on WhatsApp's servers, `width` and `height` its measures.
    """

    url: str = field(repr=False)
    title: str = field(default="", repr=False)
    description: str = field(default="", repr=False)
    thumbnail: bytes | None = field(default=None, repr=False, metadata=_SPARSE)
    picture: EncryptedFile | None = field(default=None, repr=False, metadata=_SPARSE, kw_only=True)
    width: int | None = field(default=None, metadata=_SPARSE, kw_only=True)
    height: int | None = field(default=None, metadata=_SPARSE, kw_only=True)


@dataclass(frozen=True, slots=True)
class Text:
    """A text message. `mentions` are the addresses of the people its @names mean; `mentions_all`: everybody."""

    body: str
    mentions: tuple[str, ...] = field(default=(), repr=False, metadata=_SPARSE)
    mentions_all: bool = field(default=False, metadata=_SPARSE, kw_only=True)
    preview: LinkPreview | None = field(default=None, repr=False, metadata=_SPARSE)

    def __repr__(self) -> str:
        return f"Text({len(self.body)} characters)"


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
