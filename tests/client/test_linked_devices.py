"""The account's linked devices: listed as the phone vouched for them, and taken off."""

from __future__ import annotations

import pytest

from recado.client.client import Client
from recado.errors import LoggedOut, NotConnected, PairingRefused, QueryError, UsageError
from recado.protocol.crypto.curve import KeyPair
from recado.protocol.pairing.identity import issue_key_indexes, read_key_indexes
from recado.store import MemoryStore


async def test_all_devices_are_listed_and_the_phone_vouches_for_them(desk, world, clock, ana):
    async with desk.connected() as client, Client(MemoryStore(), server=world.server, clock=clock) as other:
        await ana.link(other)
        listed = await client.devices.list()
        assert [(each.number, each.is_this, each.is_vouched) for each in listed.devices] == [
            (0, False, True),
            (1, True, True),
            (2, False, True),
        ]
        assert listed.vouched_at is not None


async def test_a_device_the_phone_did_not_sign_for_shows(desk, world, ana):
    async with desk.connected() as client:
        forged = issue_key_indexes(
            account=KeyPair.generate(world.entropy), raw_id=1, indexes=[1], now=world.clock.now(), entropy=world.entropy
        )
        ana.account.key_index_list = forged
        listed = await client.devices.list()
        assert [each.is_vouched for each in listed.devices] == [True, False] and listed.vouched_at is None
        ana.account.key_index_list = b""
        assert not (await client.devices.list()).devices[1].is_vouched


async def test_another_device_is_taken_off_and_told(desk, world, clock, ana, soon):
    async with desk.connected() as client, Client(MemoryStore(), server=world.server, clock=clock) as other, soon():
        await ana.link(other)
        await client.devices.remove(2)
        with pytest.raises((LoggedOut, NotConnected)):
            while True:
                await other.devices.list()
        assert [each.number for each in (await client.devices.list()).devices] == [0, 1]


async def test_what_the_server_leaves_to_the_phone_is_a_query_error(desk, world, ana):
    async with desk.connected() as client:
        world.faults.refuse_query(403, ana.jid, about="md")
        with pytest.raises(QueryError) as caught:
            await client.devices.remove(2)
        assert caught.value.code == 403


async def test_the_phone_and_this_device_are_not_taken_off_like_that(desk):
    async with desk.connected() as client:
        for number in (0, client.device.device):
            with pytest.raises(UsageError):
                await client.devices.remove(number)


async def test_logging_out_takes_this_device_off(desk, world, ana, soon):
    async with desk.connected() as client, soon():
        await client.log_out()
        assert ana.account.companions == []
        with pytest.raises(LoggedOut):
            await client.devices.list()


def test_a_list_signed_by_another_is_refused(world):
    account = KeyPair.generate(world.entropy)
    signed = issue_key_indexes(account=account, raw_id=1, indexes=[1, 3], now=world.clock.now(), entropy=world.entropy)
    assert read_key_indexes(signed, account_key=account.public)[0] == {1, 3}
    for key in (KeyPair.generate(world.entropy).public, b""):
        with pytest.raises(PairingRefused):
            read_key_indexes(signed, account_key=key)
