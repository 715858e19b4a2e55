"""
What every provider must do, whatever it is: one suite, and a harness for each that turns its own emulator's handles.

A harness brings a gateway with one mentorado (`api`) and the emulated other side; the suite speaks to the gateway over
its API alone, as anybody would. A new provider adds its harness to HARNESSES of test_conformance.py and is done when
the suite is green.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from tests.gateway.api.conftest import PATIENCE, Api

from recado.gateway.providers.roads import ROADS

ORDER = ("queued", "on_wire", "unknown", "failed", "server_ack", "delivered", "read", "played")
"""How far a message may get: a status is only ever replaced by a later one of these."""


@dataclass(frozen=True)
class Bubble:
    """What the other side's phone shows of a message: the words, and those it quotes."""

    text: str
    quotes: str | None = None


class Harness(Protocol):
    """One provider's emulator in a test's hand. Nothing here looks into the gateway."""

    provider: str
    api: Api
    number: str
    """The other side's, digits."""

    async def connect(self) -> None:
        """Set up and connected, as a person would do it."""
        ...

    async def says(self, text: str) -> None:
        """The other side writes."""
        ...

    async def says_twice_told(self, text: str) -> None:
        """The other side writes once, and the provider tells of it twice."""
        ...

    def shown(self) -> list[Bubble]:
        """What the other side's phone shows of ours, in order, every repeat it would show among them."""
        ...

    async def reads(self) -> None:
        """The other side looks at everything."""
        ...

    def lose_next_answer(self) -> None:
        """The next message is taken, and its answer is lost on the way back."""
        ...

    def cut(self) -> None:
        """What is open now breaks."""
        ...


async def until(look: Callable[[], Awaitable[Any]]) -> Any:
    """What `look` answers once it answers something."""
    async with asyncio.timeout(PATIENCE):
        while not (found := await look()):
            await asyncio.to_thread(lambda: None)  # a turn of the loop for everybody
    return found


async def send(h: Harness, text: str, **more: Any) -> str:
    """Queue a text; its id."""
    answer = await h.api.post(f"{h.api.root}/messages", {"text": text, "to": h.number} | more)
    assert answer.status_code == 202, answer.text
    assert answer.json()["provider"] == h.provider
    return str(answer.json()["id"])


async def put(h: Harness, content: dict[str, Any]) -> str:
    """Queue any content; its id."""
    answer = await h.api.post(f"{h.api.root}/messages", {"content": content, "to": h.number})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


async def status_of(h: Harness, message_id: str, *wanted: str) -> str:
    """The message's status once it is one of those."""

    async def look() -> str | None:
        told = (await h.api.get(f"{h.api.root}/messages/{message_id}")).json()
        return told["status"] if told["status"] in wanted else None

    return str(await until(look))


async def thread(h: Harness) -> list[dict[str, Any]]:
    """The only conversation's messages, the oldest first."""
    conversations = (await h.api.get(f"{h.api.root}/conversations")).json()["items"]
    assert len(conversations) <= 1
    found = []
    for conversation in conversations:
        path = f"{h.api.root}/conversations/{conversation['id']}/messages"
        found += (await h.api.get(path)).json()["items"]
    return list(reversed(found))


async def received(h: Harness, text: str) -> dict[str, Any]:
    """The message with those words, once it is there."""

    async def look() -> dict[str, Any] | None:
        return next((each for each in await thread(h) if each["text"] == text), None)

    found: dict[str, Any] = await until(look)
    return found


# ---- the suite


async def it_connects_and_carries_what_is_sent(h: Harness) -> None:
    """Connected, it is the road that is chosen, and a text arrives once."""
    chosen = (await h.api.get(f"{h.api.root}/provider")).json()
    assert (chosen["provider"], chosen["because"]) == (h.provider, "first_connected")
    await h.says("abre a janela")
    await received(h, "abre a janela")
    sent = await send(h, "bom dia")
    await status_of(h, sent, "server_ack", "delivered", "read")
    await until(lambda: _has(h, "bom dia"))
    assert [bubble.text for bubble in h.shown()].count("bom dia") == 1


async def what_is_told_twice_is_there_once(h: Harness) -> None:
    """A message that the provider tells of again is one row and one thread."""
    await h.says_twice_told("só uma vez")
    await h.says("depois")
    await received(h, "depois")
    assert [each["text"] for each in await thread(h)].count("só uma vez") == 1


async def an_answer_quotes_what_it_answers(h: Harness) -> None:
    """Our id of a message, theirs or ours, is enough to answer it; their phone shows which."""
    await h.says("qual horário?")
    question = await received(h, "qual horário?")
    await send(h, "às dez", quoting=question["id"])
    await until(lambda: _has(h, "às dez"))
    (bubble,) = [each for each in h.shown() if each.text == "às dez"]
    assert bubble.quotes is not None


async def a_status_only_moves_forward(h: Harness) -> None:
    """Sent, delivered, read: each replaces only what is before it."""
    await h.says("oi")
    await received(h, "oi")
    seen: list[str] = []
    sent = await send(h, "leia isto")
    await until(lambda: _has(h, "leia isto"))
    await h.reads()

    async def look() -> bool:
        now = (await h.api.get(f"{h.api.root}/messages/{sent}")).json()["status"]
        if not seen or seen[-1] != now:
            seen.append(now)
        return bool(now == "read")

    await until(look)
    assert seen == sorted(seen, key=ORDER.index)


async def a_lost_answer_is_one_message_on_the_phone(h: Harness) -> None:
    """Whoever lost the answer, the phone shows the message once, and nobody calls it failed."""
    await h.says("oi")
    await received(h, "oi")
    h.lose_next_answer()
    sent = await send(h, "uma só")
    await until(lambda: _has(h, "uma só"))
    status = await status_of(h, sent, "unknown", "server_ack", "delivered", "read")
    if ROADS[h.provider].repeats_are_one:
        assert status != "unknown"
    behind = await send(h, "a seguinte")
    await status_of(h, behind, "server_ack", "delivered", "read")
    assert [bubble.text for bubble in h.shown()].count("uma só") == 1


async def what_it_cannot_carry_is_a_409(h: Harness) -> None:
    """A kind this road does not carry is refused before anything is queued, and the roads that do are named."""
    await h.says("oi")
    await received(h, "oi")
    road, kinds = ROADS[h.provider], {"template": TEMPLATE, "location": LOCATION, "buttons": BUTTONS}
    for kind, content in kinds.items():
        if kind in road.sends:
            continue
        answer = await h.api.post(f"{h.api.root}/messages", {"content": content, "to": h.number})
        problem = answer.json()
        assert (answer.status_code, problem["type"]) == (409, "/problems/not-supported"), answer.text
        assert (problem["content"], problem["provider"]) == (kind, h.provider)
        assert problem["roads"] == [name for name, other in ROADS.items() if kind in other.sends]
    assert (await h.api.get(f"{h.api.root}/outbox")).json()["items"] == []


async def what_it_carries_is_taken(h: Harness) -> None:
    """Each of the simpler kinds that this road says it carries is taken, and its row says what it is."""
    await h.says("oi")
    await received(h, "oi")
    kinds = {"location": LOCATION, "contacts": CONTACTS, "poll": POLL, "event": EVENT}
    for kind in kinds.keys() & ROADS[h.provider].sends:
        sent = await put(h, kinds[kind])
        await status_of(h, sent, "server_ack", "delivered", "read")
        told = (await h.api.get(f"{h.api.root}/messages/{sent}")).json()
        assert (told["content_type"], told["content"]["type"]) == (kind, kind)


async def what_is_said_of_a_message_is_told_with_it(h: Harness) -> None:
    """A reaction, and where the road has them an edit and a deletion, are told with the message they are about."""
    await h.says("oi")
    theirs = await received(h, "oi")
    sent = await put(h, {"type": "reaction", "to": theirs["id"], "emoji": "👍"})
    await status_of(h, sent, "server_ack", "delivered", "read")
    about = (await h.api.get(f"{h.api.root}/messages/{theirs['id']}")).json()
    assert [(each["emoji"], each["from_me"]) for each in about["marks"]["reactions"]] == [("👍", True)]
    ours = await send(h, "bom dai")
    await status_of(h, ours, "server_ack", "delivered", "read")
    corrected = {"type": "edit", "to": ours, "content": {"type": "text", "body": "bom dia"}}
    for content in (corrected, {"type": "revoke", "to": ours}):
        answer = await h.api.post(f"{h.api.root}/messages", {"content": content, "to": h.number})
        if content["type"] not in ROADS[h.provider].sends:
            assert (answer.status_code, answer.json()["content"]) == (409, content["type"])
            continue
        await status_of(h, answer.json()["id"], "server_ack", "delivered", "read")
        told = (await h.api.get(f"{h.api.root}/messages/{ours}")).json()
        assert told["text"] == ("bom dia" if content is corrected else None)


async def after_a_cut_it_goes_on(h: Harness) -> None:
    """A connection that breaks comes back by itself, and what was said meanwhile is there."""
    h.cut()
    await h.says("ainda aí?")
    await received(h, "ainda aí?")
    sent = await send(h, "sim")
    await status_of(h, sent, "server_ack", "delivered", "read")
    assert [bubble.text for bubble in h.shown()].count("sim") == 1


async def disconnected_it_sends_nothing_and_forgets_nothing(h: Harness) -> None:
    """Disconnected it carries nothing; the history stays."""
    await h.says("até logo")
    await received(h, "até logo")
    assert (await h.api.post(f"{h.api.root}/connections/{h.provider}/disconnect")).status_code == 202

    async def is_over() -> bool:
        told = (await h.api.get(f"{h.api.root}/connections/{h.provider}")).json()
        return bool(told["state"] == "disconnected")

    await until(is_over)
    answer = await h.api.post(f"{h.api.root}/messages", {"text": "tarde", "to": h.number})
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/no-connection")
    assert "até logo" in [each["text"] for each in await thread(h)]


SUITE = (
    it_connects_and_carries_what_is_sent,
    what_is_told_twice_is_there_once,
    an_answer_quotes_what_it_answers,
    a_status_only_moves_forward,
    a_lost_answer_is_one_message_on_the_phone,
    what_it_cannot_carry_is_a_409,
    what_it_carries_is_taken,
    what_is_said_of_a_message_is_told_with_it,
    after_a_cut_it_goes_on,
    disconnected_it_sends_nothing_and_forgets_nothing,
)

TEMPLATE = {"type": "template", "name": "ola", "language": "pt_BR"}
CONTACTS = {"type": "contacts", "cards": [{"name": "Lia", "phones": ["+550000000009"]}]}
POLL = {"type": "poll", "question": "Quando?", "options": ["seg", "ter"]}
EVENT = {"type": "event", "name": "Aula", "starts_at": "2030-01-01T10:00:00Z"}
LOCATION = {"type": "location", "latitude": -23.5, "longitude": -46.6}
BUTTONS = {"type": "buttons", "body": "Vem?", "buttons": [{"id": "s", "title": "Sim"}]}


async def _has(h: Harness, text: str) -> bool:
    return any(bubble.text == text for bubble in h.shown())
