"""The running server: handshake, linking, login, ends of a connection, and whom a client should not trust."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from recado.emulator.whatsapp.server import Certificate
from recado.emulator.whatsapp.world import World
from recado.errors import PairingExpired, PairingRefused, UntrustedServer
from recado.protocol.crypto.curve import KeyPair
from recado.protocol.messages.decode import decode_message
from recado.protocol.messages.history import HistoryPush
from recado.protocol.node import Node
from recado.protocol.pairing.qr import QRCode
from recado.protocol.signal.session import OwnIdentity, open_envelope
from recado.protocol.stanzas.message import MessageStanza


async def test_a_client_is_linked_sent_away_and_logs_in(live: World, wire_client) -> None:
    client = wire_client(live, "Ana")
    await client.link(live)
    assert client.account == live.phone("Ana").jid.with_device(1)
    success = await client.login()
    assert success.attrs["lid"] == str(live.phone("Ana").lid.with_device(1))
    assert live.broken_links == []


async def test_the_same_name_is_the_same_number_and_the_next_device(live: World, wire_client) -> None:
    first, second = wire_client(live, "Ana"), wire_client(live, "Ana")
    await first.link(live)
    await second.link(live)
    assert (first.account.user, first.account.device, second.account.device) == (second.account.user, 1, 2)
    assert live.phone("Ana").account.key_index_list != b""


async def test_the_phone_pushes_its_history_once_the_client_is_at_work(live: World, wire_client) -> None:
    await live.phone("Beto").say(live.phone("Ana"), "before there was a client")
    live.phone("Ana").settings.shares = False
    client = wire_client(live, "Ana")
    await client.link(live)
    await client.login()
    node = await client.expect("message", category="peer")
    ana = live.phone("Ana")
    stanza = MessageStanza.parse(node, own=ana.jid, own_lid=ana.lid)
    assert stanza.sender == ana.jid
    (envelope,) = stanza.envelopes
    opened = open_envelope(
        None,
        envelope,
        own=OwnIdentity(77, client.identity),
        entropy=client.entropy,
        prekey=client.prekeys[1],
        signed_prekey=client.signed_prekey.pair,
    )
    pushed = decode_message(opened.plaintext[: -opened.plaintext[-1]]).news
    assert isinstance(pushed, HistoryPush) and pushed.kind == "initial_bootstrap" and pushed.inline


async def test_a_code_is_good_once_and_only_as_the_client_shows_it(live: World, wire_client) -> None:
    client = wire_client(live, "Ana")
    text = await client.register()
    code, phone = QRCode.parse(text), live.phone("Ana")
    stranger = KeyPair.generate(client.entropy).public
    with pytest.raises(PairingRefused):
        phone.vouch(QRCode(code.ref, stranger, code.identity, code.adv_secret).text())
    with pytest.raises(PairingExpired):
        phone.vouch(QRCode("2@nobody shows this", code.noise, code.identity, code.adv_secret).text())
    phone.vouch(text)
    with pytest.raises(PairingExpired):
        phone.vouch(text)


async def test_a_client_that_distrusts_the_phone_is_not_linked(live: World, wire_client) -> None:
    client = wire_client(live, "Ana")
    text = await client.register()

    async def refuse() -> None:
        with pytest.raises(PairingRefused):
            await client.sign(secret=b"another secret than the QR's ...")

    async with asyncio.TaskGroup() as group:
        group.create_task(refuse())
        with pytest.raises(PairingRefused, match="hmac-mismatch"):
            await live.phone("Ana").scan(text)
    assert live.phone("Ana").account.companions == []


async def test_an_answer_without_a_valid_signature_links_nothing(live: World, wire_client) -> None:
    client = wire_client(live, "Ana")
    live.phone("Ana").vouch(await client.register())
    success = await client.expect("iq")
    signed = Node("pair-device-sign", None, [Node("device-identity", {"key-index": "1"}, b"not an identity")])
    await client.send(Node("iq", {"id": success.attrs["id"], "type": "result", "to": "@s.whatsapp.net"}, [signed]))
    await client.ended()
    assert live.phone("Ana").account.companions == []


async def test_a_newcomer_who_goes_away_takes_its_code_along(live: World, wire_client) -> None:
    client = wire_client(live, "Ana")
    text = await client.register()
    await client.close()
    await live.until(lambda: not live.newcomers, "the newcomer is still there")
    with pytest.raises(PairingExpired):
        live.phone("Ana").vouch(text)


async def test_a_newcomer_is_answered_but_asks_for_nothing_else(live: World, wire_client) -> None:
    client = wire_client(live, "Ana")
    await client.register()
    for xmlns, kind in (("w:p", "result"), ("encrypt", "error")):
        await client.send(Node("iq", {"id": xmlns, "xmlns": xmlns, "type": "get", "to": "@s.whatsapp.net"}))
        assert (await client.expect("iq", id=xmlns)).attrs["type"] == kind


async def test_another_noise_key_is_refused_on_the_wire(live: World, wire_client) -> None:
    client = wire_client(live, "Ana")
    await client.link(live)
    failure = await client.login(noise=KeyPair.generate(client.entropy))
    assert (failure.tag, failure.attrs["reason"]) == ("failure", "401")
    await client.ended()


async def test_the_older_of_two_connections_is_replaced(live: World, wire_client) -> None:
    older = wire_client(live, "Ana")
    await older.link(live)
    await older.login()
    newer = wire_client(live, "Ana")
    newer.noise, newer.identity, newer.signed_prekey = older.noise, older.identity, older.signed_prekey
    newer.account = older.account
    await newer.login()
    conflict = await older.expect("stream:error")
    assert (conflict.attrs["code"], conflict.children[0].attrs["type"]) == ("440", "replaced")
    await older.ended()
    await newer.send(Node("iq", {"id": "here", "xmlns": "w:p", "type": "get", "to": "@s.whatsapp.net"}))
    await newer.expect("iq", id="here")


async def test_a_cut_connection_loses_nothing(live: World, wire_client) -> None:
    client = wire_client(live, "Ana")
    live.phone("Ana").settings.shares = False
    await client.link(live)
    await client.login()
    await client.expect("message", category="peer")
    live.disconnect(client.account)
    await client.ended()
    await live.until(lambda: live.phone("Ana").account.companions[0].line is None, "the line still stands")
    await live.phone("Beto").say("Ana", "meanwhile")
    await client.login()
    message = await client.expect("message", notify="Beto")
    assert message.attrs["offline"] == "1"  # behind the history, which was not acknowledged


async def test_a_stranger_on_the_socket_harms_nobody(live: World, wire_client) -> None:
    client = wire_client(live, "Ana")
    socket = await client._http.ws_connect(live.server.url)
    await socket.send_bytes(b"GET / HTTP/1.1\r\n")
    assert (await socket.receive()).type.name in {"CLOSE", "CLOSED", "CLOSING"}
    assert len(live.broken_links) == 1
    await client.link(live)


@pytest.mark.parametrize("certificate", [Certificate.FORGED, Certificate.EXPIRED, Certificate.OTHER_KEY])
async def test_a_bad_certificate_is_refused_by_a_careful_client(wire_client, certificate: Certificate) -> None:
    async with World.start(seed=7, certificate=certificate) as world:
        with pytest.raises(UntrustedServer):
            await wire_client(world, "Ana").register()


async def test_every_world_has_a_root_of_its_own(live: World) -> None:
    async with World.start() as other:
        assert other.server.root != live.server.root
        assert other.server.url != live.server.url


async def test_the_wire_can_be_under_tls(wire_client, tmp_path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "localhost.pem"
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    pem.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(serialization.Encoding.PEM, *form)
    )
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(pem)
    async with World.start(host="localhost", tls=tls) as world:
        assert world.server.url.startswith("wss://localhost:")
        client = wire_client(world, "Ana")
        client.tls = ssl.create_default_context(cafile=str(pem))
        await client.link(world)


async def test_many_idle_connections_close_with_the_world(wire_client) -> None:
    async with World.start() as world:
        clients = [wire_client(world, f"Idle {place}") for place in range(30)]
        for client in clients:
            await client.register()
        assert len(world.newcomers) == 30
    for client in clients:
        await client.ended()
