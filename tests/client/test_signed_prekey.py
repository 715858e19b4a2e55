"""The signed key: replaced when it is old, ours before the server hears of it; the old one is understood still."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from recado import crashpoints
from recado.client.options import Limits
from recado.content import Text
from recado.crashpoints import CrashPoint
from recado.events import MessageReceived

MONTH = 15.0  # shorter than the connection waits for a sign of life
LIMITS = Limits(first_prekeys=12, more_prekeys=8, rotate_signed_prekey=timedelta(seconds=MONTH))


async def planned(desk, client) -> None:
    async with asyncio.timeout(10):
        while True:
            async with client.store.transaction() as tx:
                if await tx.signed_prekey_due() is not None:
                    return
            await desk.clock.sleep(0)


async def rotated(desk, client, id: int) -> None:
    async with asyncio.timeout(10):
        while client._account.credentials.signed_prekey.id != id:
            await desk.clock.sleep(0)
    assert published(desk).id == id


def published(desk):
    return desk.phone.account.companions[0].keys.signed_prekey


async def test_the_signed_key_is_replaced_every_month_and_new_people_begin_with_it(desk, ana, bia, told) -> None:
    async with desk.connected(limits=LIMITS) as client:
        await planned(desk, client)
        await desk.clock.advance(MONTH - 1)
        assert published(desk).id == 1
        await desk.clock.advance(2)
        await rotated(desk, client, 2)
        await bia.say(ana, "with the new key")
        assert [fact.content for fact in await told(client, MessageReceived)] == [Text("with the new key")]
        await desk.clock.advance(MONTH + 1)
        await rotated(desk, client, 3)


async def test_who_fetched_our_keys_before_is_understood_after(desk, ana, bia, told) -> None:
    async with desk.connected(limits=LIMITS) as client:
        await planned(desk, client)
        keys = desk.phone.account.companions[0].keys
        old = keys.signed_prekey
        await desk.clock.advance(MONTH + 1)
        await rotated(desk, client, 2)
        keys.signed_prekey = old  # as if fetched before
        await bia.say(ana, "with the old key")
        assert [fact.content for fact in await told(client, MessageReceived)] == [Text("with the old key")]
        async with client.store.transaction() as tx:
            assert await tx.signed_prekey(old.id) is not None


async def test_one_that_died_as_it_was_replaced_publishes_the_same_key_again(desk, ana, bia, told) -> None:
    class Died(BaseException):
        pass

    def die(point: CrashPoint) -> None:
        if point is CrashPoint.PREKEYS_AFTER_UPLOAD and desk.phone.account.companions[0].keys.signed_prekey.id == 2:
            raise Died

    with pytest.raises(BaseExceptionGroup):
        async with desk.connected(limits=LIMITS) as client:
            await planned(desk, client)
            crashpoints.hang(die)
            await desk.clock.advance(MONTH + 1)
            await client._running
    crashpoints.hang(None)
    there = published(desk)
    async with desk.connected(limits=LIMITS) as client:
        await bia.say(ana, "to the key that was published")
        (message,) = await told(client, MessageReceived)
        assert message.content == Text("to the key that was published")
        await rotated(desk, client, 2)
        assert (await client.store.credentials()).signed_prekey.pair.public == there.public
