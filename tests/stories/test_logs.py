"""Everything the library and the emulator log over a whole run, at its most talkative: outlines, nothing private."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable
from typing import Any

import pytest

from recado.client.client import Client
from recado.clock import ManualClock
from recado.content import Text
from recado.emulator.whatsapp.faults import Fault
from recado.emulator.whatsapp.phone import Phone
from recado.emulator.whatsapp.world import World
from recado.errors import Rejected
from recado.events import ConnectionState, EnvelopeUnreadable, Fact, MessageReceived
from recado.pairing import ShowQR
from recado.protocol.messages.encode import encode_message
from recado.protocol.node import Node
from recado.store import MemoryStore

WORDS = "the meeting is under the bridge"


def shapes(secret: bytes) -> list[str]:
    """The ways bytes could show in a line."""
    return [secret.hex(), base64.b64encode(secret).decode()[:-2], repr(secret)[2:-1][:24]]


def private(credentials: Any, phones: list[Phone]) -> set[str]:
    """Numbers, names and keys nobody may read in a log."""
    found = {word for phone in phones for word in (phone.number, phone.lid.user, phone.name)}
    pairs = [credentials.noise, credentials.identity, credentials.signed_prekey.pair]
    pairs += [phone.keyring.own.pair for phone in phones]
    for secret in [credentials.adv_secret, *(pair.private for pair in pairs), *(pair.public for pair in pairs)]:
        found.update(shapes(secret))
    return found


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """Everything logged by anybody so far, with the arguments and the errors that go with it."""
    caplog.set_level(logging.DEBUG)

    def all_of_it() -> str:
        formatter = logging.Formatter("%(name)s %(levelname)s %(message)s %(args)s")
        return "\n".join(formatter.format(record) for record in caplog.records)

    return all_of_it


async def test_a_whole_run_logs_no_text_no_number_and_no_key(
    world: World, clock: ManualClock, ana: Phone, bia: Phone, eve: Phone, story: Any, rogue: Any, lines: Any, soon: Any
) -> None:
    codes = []
    async with Client(MemoryStore(), server=world.server, clock=clock) as client, soon():
        async for step in client.pair():
            if isinstance(step, ShowQR):
                codes.append(step.text)
                ana.vouch(step.text)
        credentials = await client.store.credentials()
        first = await bia.say(ana, WORDS)
        await story.told(client, MessageReceived)
        await client.send(bia.jid, Text(WORDS + ", you say?"), quoting=(await story.told(client, MessageReceived))[0])
        await ana.say(bia, WORDS + ", from my own phone")
        # Everything that is worth a warning: damage, refusals, forgeries, garbage, strangers, lost lines.
        world.faults.corrupt_next(client.device)
        await bia.say(ana, WORDS + ", damaged")
        await story.told(client, EnvelopeUnreadable)
        world.faults.refuse_message(463, client.account)
        with pytest.raises(Rejected):
            await client.send(bia.jid, Text(WORDS))
        story.craft(bia, client, encode_message(Text(WORDS)), first.id)
        story.craft(bia, client, b"\xff\xff" + WORDS.encode(), "3EB0GARBAGE")
        rogue.stanza(Node("message", {"from": str(eve.lid), "id": WORDS}))
        rogue.stanza(Node("novelty", {"from": str(eve.jid)}, WORDS.encode()))
        retry = Node("retry", {"count": "1", "id": first.id, "t": "1", "v": "1"})
        registration = Node("registration", None, bytes(4))
        rogue.stanza(
            Node("receipt", {"from": str(eve.lid), "id": first.id, "type": "retry", "t": "1"}, [retry, registration])
        )
        bia.reinstall()
        await bia.say(ana, WORDS + ", from my new phone")
        await story.told(client, MessageReceived, 4)

        @client.on(Fact)
        async def breaks(fact: Fact) -> None:
            raise ValueError(f"{fact!r} {WORDS} {bia.number}")

        world.faults.plan(Fault.LOSE_SENT, client.account)
        await bia.say(ana, "one more")
        await world.until(lambda: True, "")
        rogue.bytes(b"\x00\x00\x20" + bytes(32))
        await client.wait_for(ConnectionState.RECONNECTING)
        await clock.advance(60)
        await client.wait_for(ConnectionState.CONNECTED)
        await client.log_out()
        assert client.handler_failures
    logged = lines()
    assert "recado.client DEBUG" in logged and "<message" in logged and "kept raw" in logged
    told = private(credentials, [ana, bia, eve]) | {WORDS, "bridge", "one more", codes[0][:80], first.id}
    assert {word for word in told if word and word in logged} == set()


async def test_a_fact_in_somebody_elses_log_shows_no_text_no_name_and_no_number(
    story: Any, ana: Phone, bia: Phone
) -> None:
    async with story.connected() as client:
        await bia.say(ana, WORDS)
        await story.told(client, MessageReceived)
        shown = " ".join([repr(fact) async for _, fact in client.store.facts(after=0)])
        credentials = await client.store.credentials()
        shown += repr(credentials) + repr(client.status)
    assert "MessageReceived" in shown and "ContactChanged" in shown
    assert {
        word for phone in (ana, bia) for word in (phone.number, phone.lid.user, phone.name) if word in shown
    } == set()
    assert WORDS not in shown
    keys = [credentials.adv_secret, credentials.noise.private, credentials.identity.private]
    assert [shape for key in keys for shape in shapes(key) if shape in shown] == []
