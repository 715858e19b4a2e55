"""What is said more seldom, between the unmodified Baileys and our client: buttons, numbers, limits, packs."""

from __future__ import annotations

from typing import Any

import pytest
from tests.interop.test_content import HERE, THERE, Pair, capability, within
from tests.interop.test_content import pair as pair

from recado.content import (
    Button,
    Buttons,
    Comment,
    Content,
    Edit,
    LinkButton,
    Option,
    OptionList,
    OptionSection,
    PhoneNumberSharing,
    Reaction,
    SharingLimit,
    StickerPack,
    Text,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

SENT: dict[str, tuple[Content, dict[str, Any]]] = {
    "buttons": (
        Buttons("Coming?", (Button("b1", "Yes"),)),
        {"buttonsMessage": {"contentText": "Coming?", "buttons": [{"buttonId": "b1"}]}},
    ),
    "list": (
        OptionList("Which day?", "Days", (OptionSection("Week", (Option("r1", "Monday"),)),)),
        {"listMessage": {"buttonText": "Days", "sections": [{"rows": [{"rowId": "r1", "title": "Monday"}]}]}},
    ),
    "interactive message": (
        LinkButton("Choose", "Open", "https://example.invalid"),
        {"interactiveMessage": {"nativeFlowMessage": {"buttons": [{"name": "cta_url"}]}}},
    ),
    "phone number asked for": (PhoneNumberSharing(is_shared=False), {"requestPhoneNumberMessage": {}}),
    "mention of everybody": (
        Text("look", mentions_all=True),
        {"extendedTextMessage": {"contextInfo": {"nonJidMentions": 1}}},
    ),
}
RECEIVED: dict[str, tuple[str, dict[str, Any], Content]] = {
    "phone number asked for": ("say", {"requestPhoneNumber": True}, PhoneNumberSharing(is_shared=False)),
    "phone number shown": ("say", {"sharePhoneNumber": True}, PhoneNumberSharing(is_shared=True)),
    "limit to passing on": ("say", {"limitSharing": True}, SharingLimit(is_limited=True)),
    "mention of everybody": (
        "relay",
        {"extendedTextMessage": {"text": "look", "contextInfo": {"nonJidMentions": 1}}},
        Text("look", mentions_all=True),
    ),
    "pack of stickers": (
        "relay",
        {"stickerPackMessage": {"stickerPackId": "p1", "name": "Cats", "publisher": "Bia", "stickers": [{}, {}]}},
        StickerPack("Cats", "Bia", 2, "p1"),
    ),
}


@pytest.mark.parametrize(
    ("content", "shown"),
    [pytest.param(*case, id=name, marks=capability(name, THERE)) for name, case in SENT.items()],
)
async def test_what_is_sent_is_shown_there(pair: Pair, content: Content, shown: dict[str, Any]) -> None:
    event = await pair.to_rui(content)
    assert within(event["content"], shown), event["content"]


@pytest.mark.parametrize(
    ("action", "asked", "content"),
    [pytest.param(*case, id=name, marks=capability(name, HERE)) for name, case in RECEIVED.items()],
)
async def test_what_is_said_there_is_received(pair: Pair, action: str, asked: dict[str, Any], content: Content) -> None:
    fact = await pair.from_rui(action, **{"content" if action == "say" else "message": asked})
    assert fact.content == content


@capability("edit sealed with the message's secret, which Baileys hands on sealed", THERE)
async def test_a_sealed_edit_reaches_baileys_and_opens_with_its_secret(pair: Pair) -> None:
    ours = await pair.said_here("sealed teh words")
    edit = await pair.to_rui(Edit(ours["id"], Text("sealed the words"), is_encrypted=True))
    sealed = {"targetMessageKey": {"id": ours["id"], "fromMe": True}, "secretEncType": "MESSAGE_EDIT"}
    assert within(edit["content"], {"secretEncryptedMessage": sealed})
    writers = [ours["chat"], str(pair.world.phone("Ana").jid)]  # whichever address the stanza went to
    await pair.peer.tell("openEdit", id=edit["id"], target=ours["id"], writers=writers)
    opened = await pair.peer.expect("edit", id=edit["id"])
    said = {"type": "MESSAGE_EDIT", "editedMessage": {"extendedTextMessage": {"text": "sealed the words"}}}
    assert within(opened["message"]["protocolMessage"], said)


@capability("comment and sealed reaction, which Baileys shows sealed", THERE)
async def test_what_baileys_cannot_open_reaches_it_sealed(pair: Pair) -> None:
    fact, key = await pair.said_there("what do you think?")
    comment = await pair.to_rui(Comment(fact.id, "good"))
    assert within(comment["content"], {"encCommentMessage": {"targetMessageKey": {"id": key["id"]}}})
    heart = await pair.to_rui(Reaction(fact.id, "\u2764\ufe0f", is_encrypted=True))
    assert within(heart["content"], {"encReactionMessage": {"targetMessageKey": {"id": key["id"]}}})
