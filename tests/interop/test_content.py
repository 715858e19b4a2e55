"""
Every kind of content between the unmodified Baileys and our client, both ways, in a chat of two. Files are in
test_media.py, groups in their own. One pair of programs for all of it: what a test says is about messages of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest
import pytest_asyncio
from tests.interop.conftest import BaileysPeer
from tests.interop.test_baileys_with_recado import first

from recado import Client, MemoryStore
from recado.content import (
    Album,
    Answer,
    Button,
    Buttons,
    Choice,
    ContactCard,
    Contacts,
    Content,
    DisappearingTimer,
    Edit,
    Event,
    EventAnswer,
    GroupInvite,
    Keep,
    LinkButton,
    LinkPreview,
    LiveLocation,
    Location,
    Option,
    OptionList,
    OptionSection,
    Pin,
    Poll,
    PollVote,
    Product,
    Reaction,
    Revoke,
    Text,
    Unsupported,
)
from recado.emulator.whatsapp.world import World
from recado.events import MessageReceived, MessageSent
from recado.jid import JID

THERE, HERE, BOTH = "recado → Baileys", "Baileys → recado", "both"
pytestmark = pytest.mark.asyncio(loop_scope="module")

AT = datetime(2026, 12, 1, 12, tzinfo=UTC)
GROUP = "120000000000000001@g.us"
VCARD = "BEGIN:VCARD\nVERSION:3.0\nFN:Bia\nTEL;type=CELL;waid=550000000002:+55 00 0000-0002\nEND:VCARD"
capability = pytest.mark.capability


@dataclass
class Pair:
    """Ana has our client, Rui has Baileys."""

    client: Client
    peer: BaileysPeer
    world: World
    refs: int = 0

    @property
    def rui(self) -> JID:
        return self.world.phone("Rui").jid

    @property
    def ana(self) -> JID:
        return self.world.phone("Ana").jid

    async def to_rui(self, content: Content, **more: Any) -> dict[str, Any]:
        """Send it; the message as Baileys shows it."""
        sent = await self.client.send(self.rui, content, **more)
        return await self.peer.expect("message", id=sent.id, fromMe=False)

    async def tell(self, action: str, **fields: Any) -> dict[str, Any]:
        """Have Baileys send something; what it says of that."""
        self.refs += 1
        ref = f"{action}-{self.refs}"
        before = self.peer.mark
        await self.peer.tell(action, to=str(self.ana), ref=ref, **fields)
        failed = asyncio.ensure_future(self.peer.expect("failed", after=before, ref=ref))
        sent = asyncio.ensure_future(self.peer.expect("sent", after=before, ref=ref))
        done, waiting = await asyncio.wait((failed, sent), return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        assert sent in done, failed.result()["reason"]
        return sent.result()

    async def from_rui(self, action: str = "say", **fields: Any) -> MessageReceived:
        """Have Baileys send something; the fact of it here."""
        sent = await self.tell(action, **fields)
        return await first(self.client, MessageReceived, lambda fact: fact.id == sent["id"])

    async def said_here(self, text: str) -> dict[str, Any]:
        """A text of ours as Baileys has it."""
        return await self.to_rui(Text(text))

    async def said_there(self, text: str) -> tuple[MessageReceived, dict[str, Any]]:
        """A text of Rui's: the fact of it, and its key at Baileys."""
        sent = await self.tell("say", content={"text": text})
        return await first(self.client, MessageReceived, lambda fact: fact.id == sent["id"]), sent["key"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    async with World.start() as world:
        rui = BaileysPeer("Rui", world.server, tmp_path_factory.mktemp("baileys"))
        try:
            await rui.spawn()
            await rui.link(world)
            async with Client(MemoryStore(), server=world.server) as client:
                await world.phone("Ana").link(client)
                yield Pair(client, rui, world)
        finally:
            await rui.close()


def within(shown: Any, wanted: Any) -> bool:
    """Does `shown` hold everything `wanted` names?"""
    if isinstance(wanted, dict):
        return isinstance(shown, dict) and all(within(shown.get(name), value) for name, value in wanted.items())
    if isinstance(wanted, list):
        pairs = zip(shown, wanted, strict=True) if isinstance(shown, list) and len(shown) == len(wanted) else None
        return pairs is not None and all(within(*each) for each in pairs)
    return bool(shown == wanted)


_PREVIEW = LinkPreview("https://example.invalid/a", "A page", "What it says", b"\xff\xd8small")
_EXTENDED = "extendedTextMessage"
SENT: dict[str, tuple[Content, dict[str, Any]]] = {
    "text": (Text("olá 👋"), {"conversation": "olá 👋"}),
    "mention": (
        Text("hi @550000000009", ("550000000009@s.whatsapp.net",)),
        {_EXTENDED: {"contextInfo": {"mentionedJid": ["550000000009@s.whatsapp.net"]}}},
    ),
    "link preview": (
        Text("see https://example.invalid/a", preview=_PREVIEW),
        {_EXTENDED: {"matchedText": _PREVIEW.url, "title": "A page", "description": "What it says"}},
    ),
    "location": (
        Location(-23.5, -46.5, "A square", "A street"),
        {"locationMessage": {"degreesLatitude": -23.5, "name": "A square", "address": "A street"}},
    ),
    "live location": (
        LiveLocation(-23.5, -46.5, 12, caption="on my way", sequence=7),
        {"liveLocationMessage": {"degreesLongitude": -46.5, "caption": "on my way", "accuracyInMeters": 12}},
    ),
    "contact card": (
        Contacts((ContactCard("Bia", ("+550000000002",)),)),
        {"contactMessage": {"displayName": "Bia"}},
    ),
    "several contact cards": (
        Contacts((ContactCard("Bia", ("+550000000002",)), ContactCard("Leo", ("+550000000004",)))),
        {"contactsArrayMessage": {"contacts": [{"displayName": "Bia"}, {"displayName": "Leo"}]}},
    ),
    "poll": (
        Poll("Which days?", ("monday", "friday"), 0),
        {
            "pollCreationMessage": {
                "name": "Which days?",
                "options": [{"optionName": "monday"}, {"optionName": "friday"}],
            }
        },
    ),
    "poll with one answer": (
        Poll("Coffee?", ("yes", "no"), 1),
        {"pollCreationMessageV3": {"name": "Coffee?", "selectableOptionsCount": 1}},
    ),
    "quiz": (
        Poll("2 + 2?", ("3", "4"), 1, "4"),
        {"pollCreationMessageV5": {"name": "2 + 2?", "correctAnswer": {"optionName": "4"}}},
    ),
    "event": (
        Event("A walk", AT, None, "Bring water", Location(-23.5, -46.5, "A park")),
        {"eventMessage": {"name": "A walk", "startTime": str(int(AT.timestamp())), "location": {"name": "A park"}}},
    ),
    "album": (Album(2, 1), {"albumMessage": {"expectedImageCount": 2, "expectedVideoCount": 1}}),
    "group invite": (
        GroupInvite(GROUP, "AbCdEf", "Walkers", AT, "come"),
        {"groupInviteMessage": {"inviteCode": "AbCdEf", "groupJid": GROUP, "caption": "come"}},
    ),
    "product": (
        Product("A cup", "77", price="19.9", currency="BRL"),
        {"productMessage": {"product": {"title": "A cup", "priceAmount1000": "19900", "currencyCode": "BRL"}}},
    ),
    "choice of a button": (
        Choice("b1", "Yes"),
        {"buttonsResponseMessage": {"selectedButtonId": "b1", "selectedDisplayText": "Yes"}},
    ),
    "choice in a list": (
        Choice("r1", "Monday", "list"),
        {"listResponseMessage": {"singleSelectReply": {"selectedRowId": "r1"}}},
    ),
    "choice in a template": (
        Choice("t1", "Stop", "template"),
        {"templateButtonReplyMessage": {"selectedId": "t1"}},
    ),
    "choice in a flow": (
        Choice("q1", "Go", "flow"),
        {"interactiveResponseMessage": {"body": {"text": "Go"}}},
    ),
}


def _sent() -> list[Any]:
    return [pytest.param(*case, id=name, marks=capability(name, THERE)) for name, case in SENT.items()]


@pytest.mark.parametrize(("content", "shown"), _sent())
async def test_what_is_sent_is_shown_there(pair: Pair, content: Content, shown: dict[str, Any]) -> None:
    event = await pair.to_rui(content)
    assert within(event["content"], shown), event["content"]


_ROWS = [{"title": "Monday", "rowId": "r1", "description": "early"}, {"title": "Friday", "rowId": "r2"}]
_OPTIONS = (Option("r1", "Monday", "early"), Option("r2", "Friday"))
_URL = {"display_text": "Open", "url": "https://example.invalid"}
RECEIVED: dict[str, tuple[str, dict[str, Any], Content]] = {
    "text": ("say", {"text": "olá 👋"}, Text("olá 👋")),
    "mention": (
        "say",
        {"text": "hi @550000000009", "mentions": ["550000000009@s.whatsapp.net"]},
        Text("hi @550000000009", ("550000000009@s.whatsapp.net",)),
    ),
    "link preview": (
        "say",
        {
            "text": "see https://example.invalid/a",
            "linkPreview": {
                "matched-text": _PREVIEW.url,
                "title": "A page",
                "description": "What it says",
                "jpegThumbnail": {"$hex": b"\xff\xd8small".hex()},
            },
        },
        Text("see https://example.invalid/a", preview=_PREVIEW),
    ),
    "location": (
        "say",
        {"location": {"degreesLatitude": -23.5, "degreesLongitude": -46.5, "name": "A square", "address": "A street"}},
        Location(-23.5, -46.5, "A square", "A street"),
    ),
    "live location": (
        "relay",
        {"liveLocationMessage": {"degreesLatitude": -23.5, "degreesLongitude": -46.5, "sequenceNumber": 7}},
        LiveLocation(-23.5, -46.5, sequence=7),
    ),
    "contact card": (
        "say",
        {"contacts": {"displayName": "Bia", "contacts": [{"displayName": "Bia", "vcard": VCARD}]}},
        Contacts((ContactCard("Bia", ("+550000000002",), VCARD),)),
    ),
    "several contact cards": (
        "say",
        {"contacts": {"displayName": "2", "contacts": [{"displayName": "B", "vcard": VCARD}, {"vcard": VCARD}]}},
        Contacts((ContactCard("B", ("+550000000002",), VCARD), ContactCard("Bia", ("+550000000002",), VCARD))),
    ),
    "poll": (
        "say",
        {"poll": {"name": "Which?", "values": ["a", "b"], "selectableCount": 0}},
        Poll("Which?", ("a", "b"), 0),
    ),
    "poll with one answer": (
        "say",
        {"poll": {"name": "Which?", "values": ["a", "b"], "selectableCount": 1}},
        Poll("Which?", ("a", "b"), 1),
    ),
    "poll of an announcement group (v2)": (
        "say",
        {"poll": {"name": "Which?", "values": ["a", "b"], "selectableCount": 1, "toAnnouncementGroup": True}},
        Poll("Which?", ("a", "b"), 1),
    ),
    "event": (
        "say",
        {"event": {"name": "A walk", "description": "Bring water", "startDate": {"$date": AT.timestamp() * 1000}}},
        Event("A walk", AT, None, "Bring water"),
    ),
    "album": ("say", {"album": {"expectedImageCount": 2, "expectedVideoCount": 1}}, Album(2, 1)),
    "group invite": (
        "relay",  # sendMessage would want the group's picture first
        {
            "groupInviteMessage": {
                "groupJid": GROUP,
                "inviteCode": "AbC",
                "inviteExpiration": int(AT.timestamp()),
                "groupName": "Walkers",
                "caption": "come",
            }
        },
        GroupInvite(GROUP, "AbC", "Walkers", AT, "come"),
    ),
    "product": (
        "relay",
        {"productMessage": {"product": {"title": "A cup", "productId": "77", "priceAmount1000": 19900}}},
        Product("A cup", "77", price="19.9"),
    ),
    "buttons": (
        "relay",
        {
            "buttonsMessage": {
                "contentText": "Coming?",
                "buttons": [{"buttonId": "b1", "buttonText": {"displayText": "Yes"}, "type": 1}],
            }
        },
        Buttons("Coming?", (Button("b1", "Yes"),)),
    ),
    "list": (
        "relay",
        {
            "listMessage": {
                "description": "Which day?",
                "buttonText": "Days",
                "listType": 1,
                "sections": [{"title": "Week", "rows": _ROWS}],
            }
        },
        OptionList("Which day?", "Days", (OptionSection("Week", _OPTIONS),)),
    ),
    "template": (
        "relay",
        {
            "templateMessage": {
                "hydratedTemplate": {
                    "hydratedContentText": "Your code",
                    "hydratedButtons": [{"index": 1, "quickReplyButton": {"displayText": "Stop", "id": "t1"}}],
                }
            }
        },
        Buttons("Your code", (Button("t1", "Stop"),)),
    ),
    "interactive message": (
        "relay",
        {
            "interactiveMessage": {
                "body": {"text": "Choose"},
                "nativeFlowMessage": {
                    "buttons": [{"name": "cta_url", "buttonParamsJson": str(_URL).replace("'", '"')}],
                },
            }
        },
        LinkButton("Choose", "Open", "https://example.invalid"),
    ),
    "choice of a button": (
        "say",
        {"buttonReply": {"id": "b1", "displayText": "Yes"}, "type": "plain"},
        Choice("b1", "Yes"),
    ),
    "choice in a list": (
        "say",
        {"listReply": {"title": "Monday", "listType": 1, "singleSelectReply": {"selectedRowId": "r1"}}},
        Choice("r1", "Monday", "list"),
    ),
    "choice in a template": (
        "say",
        {"buttonReply": {"id": "t1", "displayText": "Stop", "index": 1}, "type": "template"},
        Choice("t1", "Stop", "template"),
    ),
}


def _received() -> list[Any]:
    return [pytest.param(*case, id=name, marks=capability(name, HERE)) for name, case in RECEIVED.items()]


@pytest.mark.parametrize(("action", "asked", "content"), _received())
async def test_what_is_said_there_is_received(pair: Pair, action: str, asked: dict[str, Any], content: Content) -> None:
    fact = await pair.from_rui(action, **{"content" if action == "say" else "message": asked})
    assert fact.content == content
    assert not fact.from_me


@capability("a kind that is not modelled", HERE)
async def test_a_kind_nobody_models_is_kept_with_its_words(pair: Pair) -> None:
    order = {"orderMessage": {"orderId": "1", "message": "two cups, please", "itemCount": 2}}
    content = (await pair.from_rui("relay", message=order)).content
    assert isinstance(content, Unsupported)
    assert (content.kind, content.text) == ("orderMessage", "two cups, please")


@capability("reply that quotes any kind", THERE)
async def test_a_place_answers_a_poll_here(pair: Pair) -> None:
    poll = await pair.from_rui(content={"poll": {"name": "Where?", "values": ["a", "b"], "selectableCount": 1}})
    event = await pair.to_rui(Location(1.5, 2.5), quoting=poll)
    context = event["content"]["locationMessage"]["contextInfo"]
    assert context["stanzaId"] == poll.id
    assert context["quotedMessage"]["pollCreationMessageV3"]["name"] == "Where?"


@capability("reply that quotes any kind", HERE)
async def test_a_place_answers_a_text_there(pair: Pair) -> None:
    asked = await pair.said_here("where are you?")
    place = {"location": {"degreesLatitude": 1.5, "degreesLongitude": 2.5}}
    quoted = {"key": asked["key"], "message": asked["content"]}
    fact = await pair.from_rui(content=place, options={"quoted": quoted})
    assert fact.content == Location(1.5, 2.5)
    assert fact.quoted is not None and (fact.quoted.id, fact.quoted.text) == (asked["id"], "where are you?")


@capability("reaction", THERE)
async def test_a_reaction_and_taking_it_back_reach_baileys(pair: Pair) -> None:
    fact, _ = await pair.said_there("what do you think?")
    await pair.client.send(pair.rui, Reaction(fact.id, "❤️"))
    # Baileys tells whose message it was: its own.
    assert (await pair.peer.expect("reaction", id=fact.id, text="❤️"))["fromMe"] is True
    await pair.client.send(pair.rui, Reaction(fact.id, ""))
    await pair.peer.expect("reaction", id=fact.id, text="")


@capability("reaction", HERE)
async def test_a_reaction_and_taking_it_back_come_from_baileys(pair: Pair) -> None:
    ours = await pair.said_here("and you?")
    fact = await pair.from_rui(content={"react": {"text": "👍", "key": ours["key"]}})
    assert fact.content == Reaction(ours["id"], "👍", from_me=True)
    fact = await pair.from_rui(content={"react": {"text": "", "key": ours["key"]}})
    assert fact.content == Reaction(ours["id"], "", from_me=True)
    theirs, key = await pair.said_there("my own words")
    fact = await pair.from_rui(content={"react": {"text": "🙂", "key": key}})
    assert fact.content == Reaction(theirs.id, "🙂", from_me=False)


@capability("edit", THERE)
async def test_an_edit_reaches_baileys(pair: Pair) -> None:
    ours = await pair.said_here("teh words")
    await pair.client.send(pair.rui, Edit(ours["id"], Text("the words")))
    edited = await pair.peer.expect("edited", id=ours["id"])
    assert edited["content"]["extendedTextMessage"]["text"] == "the words"


@capability("edit", HERE)
async def test_an_edit_comes_from_baileys(pair: Pair) -> None:
    theirs, key = await pair.said_there("teh words there")
    fact = await pair.from_rui(content={"text": "the words there", "edit": key})
    assert fact.content == Edit(theirs.id, Text("the words there"), from_me=False)


@capability("edit sealed with the message's secret", HERE)
async def test_a_sealed_edit_is_opened(pair: Pair) -> None:
    theirs, key = await pair.said_there("sealed teh words")
    lid = str(pair.world.phone("Rui").lid)
    fact = await pair.from_rui("secretEdit", key=key, writer=lid, text="sealed the words")
    assert fact.content == Edit(theirs.id, Text("sealed the words"), from_me=False, is_encrypted=True)


@capability("revoke", THERE)
async def test_a_deletion_reaches_baileys(pair: Pair) -> None:
    ours = await pair.said_here("forget this")
    await pair.client.send(pair.rui, Revoke(ours["id"]))
    await pair.peer.expect("revoked", id=ours["id"])


@capability("revoke", HERE)
async def test_a_deletion_comes_from_baileys(pair: Pair) -> None:
    theirs, key = await pair.said_there("forget that")
    fact = await pair.from_rui(content={"delete": key})
    assert fact.content == Revoke(theirs.id, from_me=False)


@capability("pin and unpin", THERE)
async def test_pins_reach_baileys(pair: Pair) -> None:
    theirs, _ = await pair.said_there("keep this in sight")
    pin = await pair.to_rui(Pin(theirs.id, True, 86_400))
    assert within(pin["content"]["pinInChatMessage"], {"type": "PIN_FOR_ALL", "key": {"id": theirs.id}})
    assert pin["content"]["messageContextInfo"]["messageAddOnDurationInSecs"] == 86_400
    unpin = await pair.to_rui(Pin(theirs.id, False))
    assert unpin["content"]["pinInChatMessage"]["type"] == "UNPIN_FOR_ALL"


@capability("pin and unpin", HERE)
async def test_pins_come_from_baileys(pair: Pair) -> None:
    ours = await pair.said_here("keep that in sight")
    fact = await pair.from_rui(content={"pin": ours["key"], "type": 1, "time": 604800})
    assert fact.content == Pin(ours["id"], True, 604_800, from_me=True)
    fact = await pair.from_rui(content={"pin": ours["key"], "type": 2})
    assert fact.content == Pin(ours["id"], False, 0, from_me=True)


@capability("keep", THERE)
async def test_keeping_reaches_baileys(pair: Pair) -> None:
    theirs, _ = await pair.said_there("stay")
    kept = await pair.to_rui(Keep(theirs.id))
    assert within(kept["content"]["keepInChatMessage"], {"keepType": "KEEP_FOR_ALL", "key": {"id": theirs.id}})


@capability("keep", HERE)
async def test_keeping_comes_from_baileys(pair: Pair) -> None:
    ours = await pair.said_here("stay here")
    fact = await pair.from_rui("relay", message={"keepInChatMessage": {"key": ours["key"], "keepType": 1}})
    assert fact.content == Keep(ours["id"], True, from_me=True)


@capability("forward", THERE)
async def test_what_is_forwarded_says_so_there(pair: Pair) -> None:
    event = await pair.to_rui(Text("pass it on"), forward=True)
    assert within(event["content"][_EXTENDED]["contextInfo"], {"isForwarded": True, "forwardingScore": 1})


@capability("forward", HERE)
async def test_what_is_forwarded_says_so_here(pair: Pair) -> None:
    ours = await pair.to_rui(Text("pass that on"), forward=2)
    fact = await pair.from_rui("sayFrom", id=ours["id"])
    assert (fact.content, fact.forwarded) == (Text("pass that on"), 3)


@capability("disappearing message", THERE)
async def test_a_disappearing_message_says_so_there(pair: Pair) -> None:
    event = await pair.to_rui(Text("for a day"), expires_in=86_400)
    assert event["content"][_EXTENDED]["contextInfo"]["expiration"] == 86_400


@capability("disappearing message", HERE)
async def test_a_disappearing_message_says_so_here(pair: Pair) -> None:
    fact = await pair.from_rui(content={"text": "for a week"}, options={"ephemeralExpiration": 604_800})
    assert (fact.content, fact.expires_in) == (Text("for a week"), 604_800)


@capability("disappearing timer of a chat", THERE)
async def test_a_timer_reaches_baileys(pair: Pair) -> None:
    await pair.client.send(pair.rui, DisappearingTimer(604_800))
    await pair.peer.expect("timer", seconds=604_800)


@capability("disappearing timer of a chat", HERE)
async def test_a_timer_comes_from_baileys(pair: Pair) -> None:
    fact = await pair.from_rui(content={"disappearingMessagesInChat": 86_400})
    assert fact.content == DisappearingTimer(86_400)


@capability("poll vote", THERE)
async def test_a_vote_is_opened_by_baileys(pair: Pair) -> None:
    poll = await pair.from_rui(
        content={"poll": {"name": "Days?", "values": ["monday", "friday"], "selectableCount": 0}}
    )
    sent = await pair.client.send(pair.rui, PollVote(poll.id, ("friday",)))
    await pair.peer.expect("message", id=sent.id)
    creator, writer = str(pair.world.phone("Rui").lid), str(pair.world.phone("Ana").lid)
    await pair.peer.tell("openVote", id=sent.id, poll=poll.id, creator=creator, writer=writer)
    vote = await pair.peer.expect("vote", id=sent.id)
    assert vote["options"] == [sha256(b"friday").hexdigest()]
    own = await first(pair.client, MessageSent, lambda fact: fact.id == sent.id)
    assert own.content == PollVote(poll.id, ("friday",))


@capability("poll vote", HERE)
async def test_a_vote_is_opened_with_the_names_of_its_options(pair: Pair) -> None:
    poll = await pair.to_rui(Poll("Which days?", ("monday", "tuesday", "friday"), 0))
    creator, writer = str(pair.world.phone("Ana").lid), str(pair.world.phone("Rui").lid)
    chosen = ["tuesday", "friday"]
    fact = await pair.from_rui("vote", key=poll["key"], creator=creator, writer=writer, options=chosen)
    assert fact.content == PollVote(poll["id"], ("tuesday", "friday"), from_me=True)
    fact = await pair.from_rui("vote", key=poll["key"], creator=creator, writer=writer, options=[])
    assert fact.content == PollVote(poll["id"], (), from_me=True)


@capability("event answer", THERE)
async def test_an_answer_is_opened_by_baileys(pair: Pair) -> None:
    event = await pair.from_rui(content={"event": {"name": "A walk", "startDate": {"$date": AT.timestamp() * 1000}}})
    sent = await pair.client.send(pair.rui, EventAnswer(event.id, Answer.MAYBE, 2))
    await pair.peer.expect("message", id=sent.id)
    creator, writer = str(pair.world.phone("Rui").lid), str(pair.world.phone("Ana").lid)
    await pair.peer.tell("openAnswer", id=sent.id, event=event.id, creator=creator, writer=writer)
    answer = await pair.peer.expect("answer", id=sent.id)
    assert within(answer["response"], {"response": "MAYBE", "extraGuestCount": 2})


@capability("event answer", HERE)
async def test_an_answer_is_opened_here(pair: Pair) -> None:
    event = await pair.to_rui(Event("A swim", AT))
    creator, writer = str(pair.world.phone("Ana").jid), str(pair.world.phone("Rui").jid)
    fact = await pair.from_rui("answer", key=event["key"], creator=creator, writer=writer, response=1)
    assert fact.content == EventAnswer(event["id"], Answer.GOING, 1, from_me=True)
