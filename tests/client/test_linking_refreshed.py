"""The server retires what a code shows: a new secret, the same reference, and the old code worthless."""

from __future__ import annotations

import pytest

from recado.emulator.whatsapp import linking
from recado.emulator.whatsapp.delivery import SERVER
from recado.emulator.whatsapp.line import Deliver
from recado.errors import PairingRefused
from recado.pairing import Paired, ShowQR
from recado.protocol.node import Node
from recado.protocol.pairing.qr import QRCode


@pytest.mark.parametrize("rotate", [False, True])
async def test_the_secret_is_replaced_and_the_code_drawn_anew(desk, world, ana, traffic, soon, rotate):
    async with desk.client() as client, soon():
        steps = client.pair()
        first = await anext(steps)
        world.transmit(linking.refresh(world, world.newcomers[0], rotate=rotate))
        second = await anext(steps)
        assert isinstance(second, ShowQR)
        was, now = QRCode.parse(first.text), QRCode.parse(second.text)
        assert (now.ref, now.noise, now.identity) == (was.ref, was.noise, was.identity)
        assert now.adv_secret != was.adv_secret
        assert now.adv_secret == (await client.store.credentials()).adv_secret
        assert second.expires_at == first.expires_at
        acks = [node for way, _, node in traffic.seen if way == "C→S" and node.tag == "ack"]
        assert [node.attrs["type"] for node in acks] == ["companion_reg_refresh"]
        ana.vouch(second.text)
        assert await anext(steps) == Paired(ana.jid)


async def test_the_code_of_before_is_worth_nothing(desk, world, ana, soon):
    async with desk.client() as client, soon():
        steps = client.pair()
        first = await anext(steps)
        world.transmit(linking.refresh(world, world.newcomers[0]))
        await anext(steps)
        ana.vouch(first.text)
        with pytest.raises(PairingRefused, match="hmac-mismatch"):
            await anext(steps)


async def test_a_notification_without_its_word_rotates_nothing(desk, world, ana, soon):
    async with desk.client() as client, soon():
        steps = client.pair()
        before = QRCode.parse((await anext(steps)).text).adv_secret
        said = world.notification("companion_reg_refresh", SERVER, [Node("something")])
        world.transmit([Deliver(world.newcomers[0].line, said)])
        world.transmit(linking.refresh(world, world.newcomers[0]))
        await anext(steps)
        after = (await client.store.credentials()).adv_secret
        assert before != after


async def test_a_linked_device_keeps_its_secret(desk, world, ana, soon):
    async with desk.connected() as client, soon():
        before = await client.store.credentials()
        device = ana.account.companions[0]
        said = world.notification("companion_reg_refresh", SERVER, [Node("companion_reg_refresh")])
        world.transmit([Deliver(device.line, said)])
        await ana.say(ana.jid, "over")  # behind it, in order
        assert (await client.store.credentials()).adv_secret == before.adv_secret
