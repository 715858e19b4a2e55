"""What says something of another message, named by its id (`to`), or of the chat."""

from __future__ import annotations

from dataclasses import dataclass, field

from recado.content.asking import Event
from recado.content.cards import LiveLocation
from recado.content.files import Media
from recado.content.words import Text, Unsupported

_SPARSE = {"sparse": True}  # JSON leaves the field out while it has its default (recado/codec.py)


@dataclass(frozen=True, slots=True)
class Reaction:
    """An emoji on the message `to`; an empty one takes it back. `is_encrypted`: with that message's own secret."""

    to: str
    emoji: str = field(repr=False)
    from_me: bool = field(default=False, metadata=_SPARSE)
    author: str | None = field(default=None, repr=False, metadata=_SPARSE)
    is_encrypted: bool = field(default=False, metadata=_SPARSE)


@dataclass(frozen=True, slots=True)
class Comment:
    """Words under the message `to`, sealed with that message's own secret; communities have them."""

    to: str
    body: str = field(repr=False)
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


Editable = Text | Media | Event | LiveLocation | Unsupported
"""What another version of may replace what was said."""


@dataclass(frozen=True, slots=True)
class Edit:
    """The message `to` says `content` from now on. `is_encrypted`: with that message's own secret."""

    to: str
    content: Editable
    from_me: bool = field(default=True, metadata=_SPARSE)
    author: str | None = field(default=None, repr=False, metadata=_SPARSE)
    is_encrypted: bool = field(default=False, metadata=_SPARSE)
