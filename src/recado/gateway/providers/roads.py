"""
What each road to WhatsApp can do, as data: known wherever a message is queued, by processes that do not run the
connection. A route asks here for the capability and answers 409 when it is missing; what a running connection can do
beside that, it says with the small protocols of provider.py. In the order of priority.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from recado.content import KINDS, WEB_KINDS, MediaKind
from recado.jid import BROADCAST, BSUID, GROUP, JID, LID, NEWSLETTER, PHONE

META = "meta"
BAILEYS = "baileys"
ZAPI = "zapi"


@dataclass(frozen=True, slots=True)
class Road:
    """One provider, by what does not change from account to account."""

    name: str
    sends: frozenset[str]
    """The kinds of content it carries, as content_kind names them."""
    repeats_are_one: bool
    """
    Is a message that is sent again with the same id still one on the phone? Where it is not, what may have left is
    never sent again by itself: it is `unknown` until the provider tells.
    """
    has_credentials: bool
    """Is it connected by credentials, rather than by a phone that links a device?"""
    reaches: frozenset[str]
    """The kinds of address (the server of a JID) it can write to."""
    knows_people: bool = False
    """Can it look people up, block and watch them (SupportsPeople)?"""
    has_past: bool = False
    """Does it give older messages of a chat when it is asked?"""
    shares_state: bool = False
    """Do the account's own devices share how chats are shown, the profile and its settings (shared_state.py)?"""
    has_groups: bool = False
    """Can it make and run groups (SupportsGroups)?"""
    has_channels: bool = False
    """Can it make, follow and read channels (SupportsChannels)?"""
    has_marks: bool = False
    """Does it say that a message was passed on, disappears, is to be seen once, or whom it mentions?"""
    has_window: bool = False
    """May free words only go within 24 hours of the other side's last message?"""

    def repeats_in(self, chat: JID) -> bool:
        """Is a message that is sent there again, with the same id, still one? Nobody promises it of a channel."""
        return self.repeats_are_one and chat.server != NEWSLETTER


ROADS: dict[str, Road] = {
    road.name: road
    for road in (
        Road(
            META,
            sends=KINDS - WEB_KINDS - {"choice"},
            repeats_are_one=False,
            has_credentials=True,
            reaches=frozenset({PHONE, BSUID}),
            has_window=True,
        ),
        Road(
            BAILEYS,
            sends=frozenset(
                {"text", "location", "contacts", "reaction", "edit", "revoke", "pin", "keep", "poll", "poll_vote"}
                | {"event", "event_answer", "disappearing_timer", "live_location", "group_invite", "album"}
                | {"phone_number_sharing", "sharing_limit", "comment", "sticker_pack"}
                | {kind.value for kind in MediaKind}
            ),
            repeats_are_one=True,
            has_credentials=False,
            reaches=frozenset({PHONE, LID, GROUP, NEWSLETTER, BROADCAST}),
            knows_people=True,
            has_past=True,
            has_groups=True,
            has_channels=True,
            shares_state=True,
            has_marks=True,
        ),
        Road(
            ZAPI,
            sends=KINDS - WEB_KINDS - {"choice", "template"},
            repeats_are_one=False,
            has_credentials=True,
            reaches=frozenset({PHONE, LID}),
        ),
    )
}
PRIORITY = tuple(ROADS)
"""The official one first, then WhatsApp Web, then the hosted one."""


def first_by_priority(providers: Iterable[str]) -> str | None:
    """The one of these that carries what is sent."""
    return min(providers, key=PRIORITY.index, default=None)
