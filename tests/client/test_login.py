"""What a client asks after <success>, and in which order."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from recado.clock import ManualClock, settle
from recado.events import ConnectionState
from recado.protocol.node import Node


def outline(node: Node) -> str:
    child = node.children[0].tag if node.children else ""
    return f"{node.attrs.get('xmlns', node.tag)}/{child}"


async def test_the_first_login_asks_in_the_order_whatsapp_web_does(desk, traffic, world):
    async with desk.connected() as client:
        await world.until(lambda: any("unified" in outline(n) for n in traffic.sent(client)), "no session number")
        order = [outline(node) for node in traffic.sent(client)]
    order = [line for line in order if not line.startswith(("ib/offline", "receipt/"))]
    assert order[:4] == ["encrypt/count", "encrypt/registration", "passive/active", "encrypt/digest"]
    assert sorted(order[4:7]) == ["abt/props", "blocklist/", "privacy/privacy"]
    assert order[7] == "ib/unified_session"
    assert set(order[8:]) <= {"w:sync:app:state/sync"}


async def test_keys_are_uploaded_once_while_there_are_enough(desk, traffic):
    async with desk.connected():
        pass
    traffic.seen.clear()
    async with desk.connected() as client:
        assert "encrypt/registration" not in [outline(node) for node in traffic.sent(client)]


async def test_the_upload_is_believed_only_after_the_answer(desk):
    async with desk.connected() as client:
        credentials = await client.store.credentials()
        assert credentials.uploaded_up_to == 12
        assert credentials.next_prekey_id == 13


async def test_our_lid_is_kept_and_known_to_be_us(desk, ana):
    async with desk.connected() as client:
        credentials = await client.store.credentials()
        assert credentials.lid == ana.lid.with_device(client.device.device)
        async with client.store.transaction() as tx:
            assert await tx.lid_of(ana.jid) == ana.lid


async def test_the_account_is_shown_as_away(desk, traffic, world):
    async with desk.connected() as client, client.store.transaction() as tx:
        await tx.save_credentials(replace(await tx.credentials(), push_name="Ana"))
    async with desk.connected() as client:
        await world.until(lambda: any(n.tag == "presence" for n in traffic.sent(client)), "no presence")
        presence = next(node for node in traffic.sent(client) if node.tag == "presence")
        assert presence.attrs["type"] == "unavailable"


async def test_a_client_that_is_refused_as_unknown_is_logged_out(desk, world, ana, soon):
    async with desk.connected():
        pass
    await ana.unlink()
    async with desk.client() as client, soon():
        await client.wait_for(ConnectionState.LOGGED_OUT)


def line_of(ana, client):
    return ana.account.devices[client.device.device].line


async def test_where_the_server_wants_us_next_time_is_kept(desk, ana, soon):
    async with desk.connected() as client, soon():
        routing = Node("edge_routing", None, [Node("routing_info", None, b"\x01\x02\x03")])
        line_of(ana, client).deliver(Node("ib", {"from": "@s.whatsapp.net"}, [routing]))
        while (await client.store.credentials()).routing != b"\x01\x02\x03":
            await settle()
    async with desk.connected() as client:  # and the introduction with it is understood
        assert client.state is ConnectionState.CONNECTED


async def test_what_is_dirty_is_said_to_be_clean_again(desk, ana, traffic, world):
    async with desk.connected() as client:
        dirty = Node("dirty", {"type": "account_sync", "timestamp": "1767225600"})
        line_of(ana, client).deliver(Node("ib", {"from": "@s.whatsapp.net"}, [dirty]))
        clean = "urn:xmpp:whatsapp:dirty/clean"
        await world.until(lambda: clean in [outline(node) for node in traffic.sent(client)], "it was not cleaned")


async def test_a_clock_that_is_off_is_noticed(desk, ana, clock):
    async with desk.connected() as client:
        assert (await client.store.credentials()).server_time_offset == 0
    desk.clock = ManualClock(clock.now() - timedelta(seconds=90))
    async with desk.connected() as client:
        assert (await client.store.credentials()).server_time_offset == 90
