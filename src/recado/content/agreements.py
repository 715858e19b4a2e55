"""What people agree on in a chat: a phone number asked for or shown, what may be passed on, what a member is called."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PhoneNumberSharing:
    """Asks the other side for their phone number, or (`is_shared`) shows them ours."""

    is_shared: bool


@dataclass(frozen=True, slots=True)
class SharingLimit:
    """What is said in this chat is not to be passed on (`is_limited`), or may be again."""

    is_limited: bool


@dataclass(frozen=True, slots=True)
class MemberLabel:
    """What a member of a group wants to be called there, up to 30 characters; empty: nothing any more."""

    label: str = field(repr=False)
