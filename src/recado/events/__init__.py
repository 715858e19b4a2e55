"""
What happened (facts) and what is happening (signals): frozen values, past tense, no client inside.

A `Fact` is durable: recorded in the transaction that made it true, numbered, replayable. A `Signal` is ephemeral. The
class name is the only source of the wire name: `MessageReceived` is `message.received`. Unknown things become
`UnknownReceived`: visible, never silently lost.
"""

from __future__ import annotations

import re

from recado.event_terms import CallState, ConnectionState, ReceiptKind, Source
from recado.events.account import (
    AppStateRejected,
    BlocklistChanged,
    ConnectionChanged,
    DeviceUnlinked,
    NewChatsCapped,
    PrivacyChanged,
    PushNameChanged,
    ReachOutRestricted,
    SettingChanged,
    UnknownReceived,
)
from recado.events.basis import Event, Fact, MessageId, Quote, Signal
from recado.events.chats import (
    ChatChanged,
    ChatCleared,
    ChatRemembered,
    FavoritesChanged,
    HistoryMissed,
    HistoryOffered,
    HistoryReceived,
    LabelChanged,
    LabelPlaced,
    MessageHidden,
    MessageStarred,
    QuickReplyChanged,
    StatusMuted,
)
from recado.events.messages import EnvelopeUnreadable, MessageReceived, MessageRejected, MessageSent, ReceiptReceived
from recado.events.newsletters import NewsletterChanged, PostCounted
from recado.events.people import (
    AboutChanged,
    CallReceived,
    ContactChanged,
    DisappearingDefaultChanged,
    GroupChanged,
    NumberChanged,
    PeerIdentityChanged,
    PersonFound,
    PictureChanged,
)
from recado.events.signals import PresenceChanged, TypingChanged

__all__ = [
    "FACTS",
    "FACT_KINDS",
    "SIGNAL_KINDS",
    "AboutChanged",
    "AppStateRejected",
    "BlocklistChanged",
    "CallReceived",
    "CallState",
    "ChatChanged",
    "ChatCleared",
    "ChatRemembered",
    "ConnectionChanged",
    "ConnectionState",
    "ContactChanged",
    "DeviceUnlinked",
    "DisappearingDefaultChanged",
    "EnvelopeUnreadable",
    "Event",
    "Fact",
    "FavoritesChanged",
    "GroupChanged",
    "HistoryMissed",
    "HistoryOffered",
    "HistoryReceived",
    "LabelChanged",
    "LabelPlaced",
    "MessageHidden",
    "MessageId",
    "MessageReceived",
    "MessageRejected",
    "MessageSent",
    "MessageStarred",
    "NewChatsCapped",
    "NewsletterChanged",
    "NumberChanged",
    "PeerIdentityChanged",
    "PersonFound",
    "PictureChanged",
    "PostCounted",
    "PresenceChanged",
    "PrivacyChanged",
    "PushNameChanged",
    "QuickReplyChanged",
    "Quote",
    "ReachOutRestricted",
    "ReceiptKind",
    "ReceiptReceived",
    "SettingChanged",
    "Signal",
    "Source",
    "StatusMuted",
    "TypingChanged",
    "UnknownReceived",
    "wire_name",
]


def wire_name(kind: type[object]) -> str:
    """`MessageReceived` → `message.received`: words split, the last one behind a dot."""
    words: list[str] = re.findall(r"[A-Z][a-z]+", kind.__name__)
    return "_".join(words[:-1]).lower() + "." + words[-1].lower()


# A closed set, listed by hand: `__subclasses__()` also holds the twin that `slots=True` leaves behind.
FACT_KINDS: tuple[type[Fact], ...] = (
    MessageReceived,
    MessageSent,
    MessageRejected,
    ReceiptReceived,
    EnvelopeUnreadable,
    ConnectionChanged,
    ContactChanged,
    PersonFound,
    NumberChanged,
    PictureChanged,
    AboutChanged,
    BlocklistChanged,
    PrivacyChanged,
    DisappearingDefaultChanged,
    ReachOutRestricted,
    NewChatsCapped,
    CallReceived,
    PeerIdentityChanged,
    GroupChanged,
    NewsletterChanged,
    HistoryReceived,
    HistoryOffered,
    HistoryMissed,
    ChatRemembered,
    ChatChanged,
    ChatCleared,
    MessageStarred,
    MessageHidden,
    LabelChanged,
    LabelPlaced,
    QuickReplyChanged,
    FavoritesChanged,
    StatusMuted,
    PushNameChanged,
    SettingChanged,
    AppStateRejected,
    DeviceUnlinked,
    UnknownReceived,
)
SIGNAL_KINDS: tuple[type[Signal], ...] = (TypingChanged, PresenceChanged, PostCounted)

FACTS: dict[str, type[Fact]] = {wire_name(kind): kind for kind in FACT_KINDS}
"""Every kind of fact by its wire name."""
