"""Another number than the expected one: asked about, kept or refused; nothing is written before the answer."""

from __future__ import annotations

import pytest

from recado.clock import settle
from recado.emulator.whatsapp import link_codes
from recado.errors import UsageError, WrongAccount
from recado.events import ConnectionState
from recado.pairing import AnotherNumber, Paired, ShowCode


async def held(client, expected, other):
    """The steps up to the question, and the question."""
    steps = client.pair(expect=expected.jid, hold=True)
    other.vouch((await anext(steps)).text)
    asked = await anext(steps)
    assert isinstance(asked, AnotherNumber) and asked.account == other.jid
    return steps, asked


async def test_a_number_that_is_kept_is_linked_without_another_scan(desk, ana, bia, soon):
    async with desk.client() as client, soon():
        steps, _ = await held(client, ana, bia)
        assert client.state is ConnectionState.HELD
        assert (await client.store.credentials()).account is None
        client.settle_number(keep=True)
        assert await anext(steps) == Paired(bia.jid)
        assert client.account == bia.jid


async def test_a_number_that_is_refused_leaves_nothing(desk, world, ana, bia, soon):
    async with desk.client() as client, soon():
        steps, _ = await held(client, ana, bia)
        newcomer = world.newcomers[0]
        client.settle_number(keep=False)
        with pytest.raises(WrongAccount):
            await anext(steps)
        await world.until(lambda: bool(newcomer.problem), "the phone was not told")
        assert client.account is None and not bia.account.companions
        assert (await client.store.credentials()).account is None


async def test_a_number_nobody_decides_about_is_refused(desk, world, clock, ana, bia, soon):
    async with desk.client() as client, soon():
        steps, asked = await held(client, ana, bia)
        newcomer = world.newcomers[0]
        assert (asked.expires_at - clock.now()).total_seconds() == 60
        await settle()
        for _ in range(4):
            await clock.advance(15)
        with pytest.raises(WrongAccount):
            await anext(steps)
        await world.until(lambda: bool(newcomer.problem), "the phone was not told")
        assert client.account is None


async def test_the_expected_number_is_not_asked_about(desk, ana, soon):
    async with desk.client() as client, soon():
        steps = client.pair(expect=ana.jid, hold=True)
        ana.vouch((await anext(steps)).text)
        assert await anext(steps) == Paired(ana.jid)


async def test_a_number_linked_by_a_code_is_held_too(desk, ana, bia, soon):
    async with desk.client() as client, soon():
        steps = client.pair(expect=ana.jid, phone=bia.jid, hold=True)
        shown = await anext(steps)
        assert isinstance(shown, ShowCode)
        link_codes.type_code(bia, shown.code)
        assert isinstance(await anext(steps), AnotherNumber)
        client.settle_number(keep=True)
        assert await anext(steps) == Paired(bia.jid)


async def test_there_is_nothing_to_decide_before_or_after(desk, ana, soon):
    async with desk.client() as client, soon():
        with pytest.raises(UsageError):
            client.settle_number(keep=True)
        steps = client.pair(expect=ana.jid, hold=True)
        await anext(steps)
        with pytest.raises(UsageError):
            client.settle_number(keep=True)
        await steps.aclose()
