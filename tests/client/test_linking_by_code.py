"""Linking by a code that is typed on the phone: shown, typed, refused, replaced, run out; and what is written when."""

from __future__ import annotations

import pytest

from recado import crashpoints
from recado.clock import settle
from recado.crashpoints import CrashPoint
from recado.emulator.whatsapp import link_codes, linking
from recado.emulator.whatsapp.delivery import SERVER
from recado.emulator.whatsapp.line import Deliver
from recado.errors import CodeRefused, PairingExpired, PairingRefused, WrongAccount
from recado.events import ConnectionState
from recado.jid import JID
from recado.pairing import Paired, ShowCode
from recado.protocol.node import Node
from recado.protocol.stanzas.linking import code_typed


async def test_a_person_types_the_code_and_the_client_is_usable(desk, world, ana, soon):
    async with desk.client() as client, soon():
        steps = client.pair(phone=ana.jid)
        shown = await anext(steps)
        assert isinstance(shown, ShowCode)
        assert client.state is ConnectionState.CODE
        assert len(shown.code) == 9 and shown.code[4] == "-" and shown.code not in repr(shown)
        await ana.type_code(shown.code.lower())
        assert await anext(steps) == Paired(ana.jid)
        assert client.state is ConnectionState.CONNECTED
        assert ana.account.companions


async def test_another_code_links_nothing_and_the_right_one_still_does(desk, world, ana, soon):
    async with desk.client() as client, soon():
        steps = client.pair(phone=ana.jid)
        shown = await anext(steps)
        with pytest.raises(PairingRefused, match="the code is wrong"):
            await ana.type_code("ABCD-EFGH")
        assert not ana.account.companions
        await ana.type_code(shown.code)
        assert await anext(steps) == Paired(ana.jid)


@pytest.mark.parametrize("code", [400, 404, 429])
async def test_the_server_s_refusal_of_a_code_is_told_with_its_number(desk, world, ana, soon, code):
    world.faults.refuse_code(code, ana.jid)
    async with desk.client() as client, soon():
        with pytest.raises(CodeRefused) as caught:
            await anext(client.pair(phone=ana.jid))
        assert caught.value.code == code
        assert client.account is None
        await world.until(lambda: not world.newcomers, "the client is still there")


async def test_a_number_nobody_has_is_refused(desk, soon):
    async with desk.client() as client, soon():
        with pytest.raises(CodeRefused) as caught:
            await anext(client.pair(phone=JID.phone("550000009999")))
        assert caught.value.code == 404


async def test_a_code_runs_out_with_the_connection_s_references(desk, clock, ana, soon):
    async with desk.client() as client, soon():
        steps = client.pair(phone=ana.jid)
        shown = await anext(steps)
        assert (shown.expires_at - clock.now()).total_seconds() == 160
        await settle()
        await clock.advance(160)
        with pytest.raises(PairingExpired):
            await anext(steps)
        assert client.state is ConnectionState.DISCONNECTED


async def test_an_answer_to_another_reference_is_left_alone(desk, world, ana, soon):
    async with desk.client() as client, soon():
        steps = client.pair(phone=ana.jid)
        shown = await anext(steps)
        newcomer, before = world.newcomers[0], (await client.store.credentials()).adv_secret
        foreign = world.notification("link_code_companion_reg", SERVER, code_typed(b"another", bytes(32), bytes(80)))
        world.transmit([Deliver(newcomer.line, foreign)])
        stale = world.notification("link_code_companion_reg", SERVER, [Node("link_code_companion_reg")])
        world.transmit([Deliver(newcomer.line, stale)])  # not even well-formed
        await ana.type_code(shown.code)
        assert await anext(steps) == Paired(ana.jid)
        assert (await client.store.credentials()).adv_secret != before


async def test_the_server_may_want_another_code(desk, world, ana, soon):
    async with desk.client() as client, soon():
        steps = client.pair(phone=ana.jid)
        first = await anext(steps)
        link_codes.ask_for_another(world, world.newcomers[0])
        second = await anext(steps)
        assert isinstance(second, ShowCode) and second.code != first.code
        with pytest.raises(PairingRefused):
            await ana.type_code(first.code)
        await ana.type_code(second.code)
        assert await anext(steps) == Paired(ana.jid)


async def test_a_malformed_answer_of_the_phone_ends_the_attempt(desk, world, ana, soon):
    async with desk.client() as client, soon():
        steps = client.pair(phone=ana.jid)
        await anext(steps)
        newcomer = world.newcomers[0]
        short = code_typed(newcomer.code.ref, bytes(32), bytes(79))
        world.transmit([Deliver(newcomer.line, world.notification("link_code_companion_reg", SERVER, short))])
        with pytest.raises(PairingRefused):
            await anext(steps)
        assert client.account is None


async def test_a_rotation_after_the_phone_has_agreed_changes_nothing(desk, world, ana, soon):
    """The secret is in no code any more: to replace it would only make the phone's proof fail."""

    def rotate(point: str) -> None:
        if point == CrashPoint.PAIRING_AFTER_SECRET:
            world.transmit(linking.refresh(world, world.newcomers[0]))

    crashpoints.hang(rotate)
    async with desk.client() as client, soon():
        steps = client.pair(phone=ana.jid)
        await ana.type_code((await anext(steps)).code)
        assert await anext(steps) == Paired(ana.jid)


async def test_the_secret_is_committed_before_our_part_of_it_leaves(desk, world, ana, traffic, soon):
    kept = []

    def look(point: str) -> None:
        if point == CrashPoint.PAIRING_AFTER_SECRET:
            said = [node for _, _, node in traffic.seen if node.child("link_code_companion_reg")]
            finished = [
                node
                for node in said
                if node.child("link_code_companion_reg").attrs.get("stage", "") == "companion_finish"
            ]
            kept.append(finished)

    crashpoints.hang(look)
    async with desk.client() as client, soon():
        before = None
        steps = client.pair(phone=ana.jid)
        shown = await anext(steps)
        before = (await client.store.credentials()).adv_secret
        await ana.type_code(shown.code)
        assert await anext(steps) == Paired(ana.jid)
        assert kept == [[]]
        assert (await client.store.credentials()).adv_secret != before


async def test_a_code_for_one_number_typed_under_another_is_nobody_s(desk, ana, bia, soon):
    async with desk.client() as client, soon():
        shown = await anext(client.pair(phone=ana.jid))
        with pytest.raises(PairingExpired):
            await bia.type_code(shown.code)


async def test_an_expected_number_holds_for_a_code_too(desk, ana, bia, soon):
    async with desk.client() as client, soon():
        steps = client.pair(phone=bia.jid, expect=ana.jid)
        shown = await anext(steps)
        with pytest.raises(PairingRefused):
            await bia.type_code(shown.code)
        with pytest.raises(WrongAccount):
            await anext(steps)
        assert client.account is None
