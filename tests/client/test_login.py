"""What a client asks after <success>, and in which order."""

from __future__ import annotations

from dataclasses import replace

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
    assert order[7:] == ["ib/unified_session"]


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
