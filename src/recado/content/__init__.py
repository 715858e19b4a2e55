"""
What a message says: plain data, no bytes of the wire and no client inside.

`Content` is the closed set of kinds; a provider says which of them it can carry (gateway/providers/roads.py). Files are
named, not held: `Media.reference` says where the bytes are, or `Media.remote` where WhatsApp keeps them sealed.
`Unsupported` keeps a message whose kind this version does not model: its name for people, its bytes so that nothing is
lost. What concerns another message names it by its id (`to`); in a group `from_me` and `author` (an address) say whose
it is. Reprs show no word, number or place of anybody.
"""

from __future__ import annotations

from recado.content.abouts import Comment, DisappearingTimer, Edit, Editable, Keep, Pin, Reaction, Revoke
from recado.content.agreements import MemberLabel, PhoneNumberSharing, SharingLimit
from recado.content.asking import Answer, Event, EventAnswer, Poll, PollVote
from recado.content.cards import ContactCard, Contacts, GroupInvite, LiveLocation, Location, Product
from recado.content.files import Album, EncryptedFile, Media, MediaKind, PackedSticker, StickerPack
from recado.content.kinds import KINDS, WEB_KINDS, Content, content_kind, content_text
from recado.content.menus import (
    Button,
    Buttons,
    Choice,
    LinkButton,
    Option,
    OptionList,
    OptionSection,
    Template,
    TemplateButton,
)
from recado.content.words import LinkPreview, Text, Unsupported

__all__ = [
    "KINDS",
    "WEB_KINDS",
    "Album",
    "Answer",
    "Button",
    "Buttons",
    "Choice",
    "Comment",
    "ContactCard",
    "Contacts",
    "Content",
    "DisappearingTimer",
    "Edit",
    "Editable",
    "EncryptedFile",
    "Event",
    "EventAnswer",
    "GroupInvite",
    "Keep",
    "LinkButton",
    "LinkPreview",
    "LiveLocation",
    "Location",
    "Media",
    "MediaKind",
    "MemberLabel",
    "Option",
    "OptionList",
    "OptionSection",
    "PackedSticker",
    "PhoneNumberSharing",
    "Pin",
    "Poll",
    "PollVote",
    "Product",
    "Reaction",
    "Revoke",
    "SharingLimit",
    "StickerPack",
    "Template",
    "TemplateButton",
    "Text",
    "Unsupported",
    "content_kind",
    "content_text",
]
