"""The closed set of contents, and what each is called; roads say which they carry (gateway/providers/roads.py)."""

from __future__ import annotations

from recado.content.abouts import Comment, DisappearingTimer, Edit, Keep, Pin, Reaction, Revoke
from recado.content.agreements import MemberLabel, PhoneNumberSharing, SharingLimit
from recado.content.asking import Event, EventAnswer, Poll, PollVote
from recado.content.cards import Contacts, GroupInvite, LiveLocation, Location, Product
from recado.content.files import Album, Media, MediaKind, StickerPack
from recado.content.menus import Buttons, Choice, LinkButton, OptionList, Template
from recado.content.words import Text, Unsupported

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
    | Comment
    | StickerPack
    | PhoneNumberSharing
    | SharingLimit
    | MemberLabel
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
    Comment: "comment",
    StickerPack: "sticker_pack",
    PhoneNumberSharing: "phone_number_sharing",
    SharingLimit: "sharing_limit",
    MemberLabel: "member_label",
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
        Comment,
        StickerPack,
        PhoneNumberSharing,
        SharingLimit,
        MemberLabel,
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
        case Text(body=words) | Comment(body=words) | MemberLabel(label=words) | StickerPack(name=words):
            return words
        case Buttons(body=words) | OptionList(body=words) | LinkButton(body=words):
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
