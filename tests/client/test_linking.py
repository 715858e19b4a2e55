"""Linking an account: codes, their end, refusals, and what is written when."""

from __future__ import annotations

import asyncio

import pytest

from recado import crashpoints
from recado.client.client import Client
from recado.clock import settle
from recado.crashpoints import CrashPoint
from recado.emulator.whatsapp import linking
from recado.errors import PairingExpired, PairingRefused, UsageError, WrongAccount
from recado.events import ConnectionChanged, ConnectionState
from recado.jid import JID
from recado.pairing import Paired, ShowQR
from recado.protocol.pairing.identity import issue_identity
from recado.protocol.pairing.qr import QRCode
from recado.store import MemoryStore


class Crash(BaseException):
    """The process is gone."""


def crash_at(point: CrashPoint) -> None:
    def hook(reached: str) -> None:
        if reached == point:
            crashpoints.hang(None)
            raise Crash

    crashpoints.hang(hook)


async def test_a_phone_scans_and_the_client_is_usable(desk, ana, told):
    async with desk.client() as client:
        steps = []
        async for step in client.pair():
            steps.append(step)
            if isinstance(step, ShowQR):
                ana.vouch(step.text)
        assert isinstance(steps[0], ShowQR)
        assert steps[-1] == Paired(ana.jid)
        assert steps[-1].lid == ana.lid
        assert client.account == ana.jid
        assert client.state is ConnectionState.CONNECTED
        states = [fact.state for fact in await told(client, ConnectionChanged, 2)]
        assert states[-1] is ConnectionState.CONNECTED


async def test_the_second_client_on_the_store_needs_no_code(desk, ana):
    async with desk.connected():
        pass
    async with desk.connected() as client:
        assert client.account == ana.jid


async def test_codes_last_sixty_seconds_then_twenty_and_run_out(desk, clock, soon):
    async with desk.client() as client:
        steps = client.pair()
        async with soon():
            shown = [await anext(steps)]
            assert client.state is ConnectionState.QR
            began = clock.now()
            pauses = []
            with pytest.raises(PairingExpired):
                while True:
                    code = shown[-1]
                    pauses.append((code.expires_at - clock.now()).total_seconds())
                    await settle()  # the alarm of this code is set behind it
                    await clock.advance(pauses[-1])
                    shown.append(await anext(steps))
        assert pauses == [60, 20, 20, 20, 20, 20]
        assert len({code.text for code in shown}) == 6
        assert (clock.now() - began).total_seconds() == 160
        assert client.account is None
        assert client.state is ConnectionState.DISCONNECTED


async def test_a_code_carries_the_keys_of_this_device(desk, soon):
    async with desk.client() as client, soon():
        step = await anext(client.pair())
        code = QRCode.parse(step.text)
        credentials = await client.store.credentials()
        assert (code.noise, code.identity) == (credentials.noise.public, credentials.identity.public)
        assert code.adv_secret == credentials.adv_secret


async def test_a_forged_proof_is_refused_and_nothing_is_written(desk, world, ana, soon):
    async with desk.client() as client, soon():
        steps = client.pair()
        code = QRCode.parse((await anext(steps)).text)
        newcomer = linking.find(world, code)
        forged = issue_identity(
            adv_secret=bytes(32),
            account=ana.keyring.own.pair,
            companion_identity=code.identity,
            key_index=1,
            now=world.clock.now(),
            entropy=world.entropy,
        )
        world.transmit(linking.accept(world, newcomer, ana.account, forged, b""))
        with pytest.raises(PairingRefused):
            await anext(steps)
        await world.until(lambda: bool(newcomer.problem), "no refusal came")
        assert newcomer.problem == "hmac-mismatch"
        assert client.account is None
        assert (await client.store.credentials()).account is None


async def test_another_number_than_expected_is_refused_and_nothing_is_written(desk, world, bia, ana, soon):
    async with desk.client() as client, soon():
        steps = client.pair(expect=ana.jid)
        bia.vouch((await anext(steps)).text)
        with pytest.raises(WrongAccount):
            await anext(steps)
        assert client.account is None
        assert (await client.store.credentials()).account is None


async def test_the_expected_number_is_taken(desk, ana, soon):
    async with desk.client() as client, soon():
        steps = client.pair(expect=JID.phone(ana.number))
        ana.vouch((await anext(steps)).text)
        assert await anext(steps) == Paired(ana.jid)


async def test_a_linked_store_is_not_linked_again(desk):
    async with desk.connected() as client:
        with pytest.raises(UsageError):
            await anext(client.pair())


async def test_leaving_the_steps_leaves_nothing_running(desk, world, soon):
    async with desk.client() as client, soon():
        steps = client.pair()
        await anext(steps)
        await steps.aclose()
        assert client.state is ConnectionState.DISCONNECTED
        await world.until(lambda: not world.newcomers, "the client is still there")


async def test_after_forgetting_another_account_can_be_linked(desk, ana, bia, told, soon):
    async with desk.connected() as client, soon():
        await client.forget()
        assert client.account is None
        await bia.link(client)
        assert client.account == bia.jid
        assert await told(client, ConnectionChanged)  # the facts of before are still there


@pytest.mark.parametrize("point", [CrashPoint.PAIRING_BEFORE_COMMIT, CrashPoint.PAIRING_AFTER_COMMIT])
async def test_credentials_are_committed_before_our_signature_leaves(point, world, clock, ana, soon):
    store = MemoryStore()
    with pytest.raises(BaseExceptionGroup) as caught:
        async with Client(store, server=world.server, clock=clock) as client, soon():
            crash_at(point)
            await ana.link(client)
    assert caught.value.subgroup(Crash)
    assert all(newcomer.problem for newcomer in world.newcomers)
    async with Client(store, server=world.server, clock=clock, autoconnect=False) as client:
        assert (client.account is not None) == (point is CrashPoint.PAIRING_AFTER_COMMIT)
    assert asyncio.current_task().cancelling() == 0
