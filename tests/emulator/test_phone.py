"""Phones: real Signal peers that speak, read, recognise repeats, and ask again for what they cannot open."""

from __future__ import annotations

import pytest

from recado.emulator.whatsapp.faults import Fault
from recado.emulator.whatsapp.inbox import Ticks
from recado.emulator.whatsapp.world import World
from recado.errors import UsageError
from recado.jid import JID
from recado.protocol.node import Node


def plaintext_seen(world: World) -> list[tuple[str, str, Node]]:
    seen: list[tuple[str, str, Node]] = []
    world.log = lambda direction, whose, node: seen.append((direction, whose, node))
    return seen


async def test_two_phones_talk_and_ticks_follow(world: World) -> None:
    ana, beto = world.phone("Ana"), world.phone("Beto")
    sent = await ana.say("Beto", "oi")
    assert sent.ticks is Ticks.DELIVERED
    received = await beto.expect("oi")
    assert (received.chat, received.from_me, received.push_name) == (ana.jid, False, "Ana")
    assert [shown.id for shown in await beto.read(ana)] == [sent.id]
    assert sent.ticks is Ticks.READ
    answer = await beto.say(ana.lid, "olá", quoting=received)
    assert (await ana.expect("olá")).quoted == sent.id
    assert (await ana.expect("olá")).id == answer.id


async def test_the_server_sees_no_text(world: World) -> None:
    seen = plaintext_seen(world)
    await world.phone("Ana").say(world.phone("Beto"), "um segredo bem guardado")

    def blobs(node: Node) -> list[bytes]:
        return [node.blob, *(blob for child in node.children for blob in blobs(child))]

    carried = b"".join(blob for _, _, node in seen for blob in blobs(node))
    assert len(carried) > 100 and b"segredo" not in carried


async def test_a_repeat_is_shown_once_and_counted(world: World) -> None:
    ana, beto = world.phone("Ana"), world.phone("Beto")
    world.faults.duplicate_next(beto.jid)
    sent = await ana.say(beto, "oi")
    assert [shown.times for shown in beto.messages] == [2]
    assert beto.repeats == {sent.id: 1}


async def test_what_a_phone_cannot_open_it_asks_for_again(world: World) -> None:
    ana, beto = world.phone("Ana"), world.phone("Beto")
    await ana.say(beto, "um")
    world.faults.corrupt_next(beto.jid)
    sent = await ana.say(beto, "dois")
    assert beto.inbox.unreadable == [sent.id]
    assert [shown.text for shown in beto.messages] == ["um", "dois"]
    assert beto.repeats == {}
    await beto.say(ana, "três")
    assert (await ana.expect("três")).times == 1


async def test_a_phone_can_refuse_to_answer_or_to_ask(world: World) -> None:
    ana, beto = world.phone("Ana"), world.phone("Beto")
    ana.answers_retries = False
    world.faults.corrupt_next(beto.jid)
    await ana.say(beto, "lost")
    assert beto.messages == []
    ana.answers_retries, beto.asks_again = True, False
    world.faults.corrupt_next(beto.jid)
    await ana.say(beto, "lost too")
    assert beto.messages == [] and len(beto.inbox.unreadable) == 2


async def test_it_asks_again_with_keys_and_gives_up_in_the_end(world: World) -> None:
    ana, beto = world.phone("Ana"), world.phone("Beto")
    seen = plaintext_seen(world)
    world.faults.plan(Fault.CORRUPT, beto.jid, times=20)
    await ana.say(beto, "never")
    asked = [node for direction, _, node in seen if direction == "C→S" and node.attrs.get("type") == "retry"]
    counts = [retry.attrs["count"] for node in asked if node.tag == "receipt" and (retry := node.child("retry"))]
    assert counts == ["1", "2", "3", "4", "5"]
    assert [node.child("keys") is not None for node in asked if node.tag == "receipt"] == [
        False,
        True,
        True,
        True,
        True,
    ]
    assert beto.messages == []


async def test_a_phone_that_is_off_gets_everything_when_it_is_on_again(world: World) -> None:
    ana, beto = world.phone("Ana"), world.phone("Beto")
    beto.offline()
    sent = [await ana.say(beto, text) for text in ("um", "dois")]
    assert [shown.ticks for shown in sent] == [Ticks.SENT, Ticks.SENT]
    with pytest.raises(UsageError):
        await beto.say(ana, "from nowhere")
    beto.online()
    assert [shown.text for shown in beto.messages] == ["um", "dois"]
    assert [shown.ticks for shown in sent] == [Ticks.DELIVERED, Ticks.DELIVERED]


async def test_a_new_installation_has_a_new_identity_and_still_talks(world: World) -> None:
    ana, beto = world.phone("Ana"), world.phone("Beto")
    await ana.say(beto, "um")
    before = beto.device.keys.identity
    beto.reinstall()
    assert beto.device.keys.identity != before
    await ana.say(beto, "dois")
    await beto.say(ana, "três")
    assert [shown.text for shown in ana.messages] == ["um", "dois", "três"]
    assert [shown.text for shown in beto.messages] == ["um", "dois", "três"]


async def test_what_waited_over_a_new_installation_is_asked_for_again(world: World) -> None:
    ana, beto = world.phone("Ana"), world.phone("Beto")
    await ana.say(beto, "um")
    beto.offline()
    sent = await ana.say(beto, "dois")
    beto.reinstall()
    beto.online()
    assert beto.inbox.unreadable == [sent.id]
    assert [shown.text for shown in beto.messages] == ["um", "dois"]


async def test_a_phone_uploads_keys_when_it_runs_low(world: World) -> None:
    beto = world.phone("Beto")
    for place in range(60):
        await world.phone(f"Stranger {place}").say(beto, "oi")
    assert len(beto.messages) == 60
    assert len(beto.device.keys.one_time) >= 60
    beto.uploads_prekeys = False
    beto.device.keys.one_time.clear()
    await world.phone("One more").say(beto, "oi")
    assert len(beto.messages) == 61
    assert len(beto.device.keys.one_time) == 0


async def test_a_phone_reads_at_once_or_says_nothing_at_all(world: World) -> None:
    ana, beto = world.phone("Ana"), world.phone("Beto")
    beto.reads_at_once = True
    assert (await ana.say(beto, "um")).ticks is Ticks.READ
    beto.sends_receipts = False
    assert (await ana.say(beto, "dois")).ticks is Ticks.SENT
    assert world.pending(beto.jid) == ()


async def test_a_note_to_oneself_needs_nobody_else(world: World) -> None:
    ana = world.phone("Ana")
    note = await ana.say(ana, "milk")
    assert note.ticks is Ticks.SENT
    assert [shown.text for shown in ana.messages] == ["milk"]


async def test_typing_is_seen(world: World) -> None:
    ana, beto = world.phone("Ana"), world.phone("Beto")
    await ana.typing(beto)
    assert beto.inbox.typing == {ana.jid: True}
    await ana.typing(beto, stopped=True)
    assert beto.inbox.typing == {ana.jid: False}


async def test_waiting_for_what_never_comes_fails_with_the_seed(world: World) -> None:
    with pytest.raises(AssertionError, match="seed 7"):
        await world.phone("Ana").expect("nothing", patience=0.01)
    with pytest.raises(UsageError):
        await world.phone("Ana").say("nobody", "oi")
    with pytest.raises(UsageError):
        await world.phone("Ana").say(JID.phone("550000009999"), "oi")


async def test_what_a_phone_cannot_read_is_noted_and_does_not_stop_it(world: World, companion) -> None:
    ana, beto = companion("Ana"), world.phone("Beto")
    ana.login()
    ana.send(Node("receipt", {"id": "M", "to": str(beto.lid), "type": "retry"}))
    assert [node.tag for node in world.unknown] == ["receipt"]
    await ana.phone.say(beto, "oi")
    assert [shown.text for shown in beto.messages] == ["oi"]


async def test_the_same_seed_makes_the_same_world(world: World) -> None:
    other = World(clock=world.clock, seed=7)
    texts = [await each.phone("Ana").say(each.phone("Beto"), "oi") for each in (world, other)]
    assert texts[0].id == texts[1].id
    assert world.phone("Ana").device.keys.identity == other.phone("Ana").device.keys.identity
