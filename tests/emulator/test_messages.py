"""A message comes in: who gets which envelope, and what it says about where it is from."""

from __future__ import annotations

from recado.emulator.whatsapp.world import World
from recado.jid import JID
from recado.protocol.messages.phash import participant_hash
from recado.protocol.node import Node


def test_each_device_gets_its_own_envelope_and_no_other(companion) -> None:
    ana, beto, carla = companion("Ana"), companion("Beto"), companion("Beto")
    ana.login()
    beto.login()
    carla.login()
    ana.send(ana.message("M", beto.device, carla.device))
    for receiver in (beto, carla):
        (message,) = receiver.line.taken("message")
        assert [enc.blob for enc in message.all("enc")] == [f"for {receiver.device.lid}".encode() * 4]
        assert message.child("participants") is None


def test_a_message_says_who_wrote_it_in_both_address_spaces(companion) -> None:
    ana, beto = companion("Ana"), companion("Beto")
    ana.login()
    beto.login()
    ana.send(ana.message("M", beto.device))
    (message,) = beto.line.taken("message")
    assert message.attrs == {
        "id": "M",
        "from": str(ana.device.lid),
        "sender_pn": str(ana.phone.jid),
        "addressing_mode": "lid",
        "t": "1793491200",
        "type": "text",
        "notify": "Ana",
    }


def test_the_authors_own_devices_learn_the_chat_it_belongs_to(companion) -> None:
    ana, other, beto = companion("Ana"), companion("Ana"), companion("Beto")
    ana.login()
    other.login()
    ana.send(ana.message("M", beto.device, other.device))
    (echo,) = other.line.taken("message")
    assert echo.attrs["from"] == str(ana.device.lid)
    assert echo.attrs["recipient"] == str(beto.phone.lid)
    assert echo.attrs["peer_recipient_pn"] == str(beto.phone.jid)
    assert "sender_pn" not in echo.attrs


def test_in_the_old_addressing_everything_goes_by_phone_number(companion) -> None:
    ana, other, beto = companion("Ana"), companion("Ana"), companion("Beto")
    ana.world.addressing = "pn"
    for each in (ana, other, beto):
        each.login()
    ana.send(ana.message("M", beto.device, other.device, chat=beto.phone.jid))
    (message,), (echo,) = beto.line.taken("message"), other.line.taken("message")
    assert (message.attrs["from"], message.attrs["sender_lid"]) == (str(ana.device.phone), str(ana.phone.lid))
    assert (echo.attrs["recipient"], echo.attrs["peer_recipient_lid"]) == (str(beto.phone.jid), str(beto.phone.lid))


def test_the_device_identity_goes_along_with_a_first_message_only(companion) -> None:
    ana, beto = companion("Ana"), companion("Beto")
    ana.login()
    beto.login()
    ana.send(ana.message("M1", beto.device, kind="pkmsg"))
    ana.send(ana.message("M2", beto.device, kind="msg"))
    first, second = beto.line.taken("message")
    assert first.child("device-identity") is not None
    assert second.child("device-identity") is None


def test_a_message_is_acknowledged_with_the_time_the_server_took_it(companion) -> None:
    ana, beto = companion("Ana"), companion("Beto")
    ana.login()
    ana.line.taken()
    ana.send(ana.message("M", beto.phone.device, beto.device, ana.phone.device))
    (ack,) = ana.line.taken("ack")
    assert ack.attrs == {"class": "message", "id": "M", "from": str(beto.phone.lid), "t": "1793491200"}


def test_a_stale_device_list_is_answered_with_the_hash_of_the_right_one(companion) -> None:
    ana, beto = companion("Ana"), companion("Beto")
    ana.login()
    ana.line.taken()
    ana.send(ana.message("M", beto.phone.device))
    (ack,) = ana.line.taken("ack")
    everyone = [beto.phone.lid, beto.device.lid, ana.phone.lid, ana.device.lid]
    assert ack.attrs["phash"] == participant_hash(everyone)


def test_a_message_to_nobody_is_refused(companion) -> None:
    ana = companion("Ana")
    ana.login()
    ana.line.taken()
    ana.send(Node("message", {"id": "M", "to": str(JID.phone("550000009999")), "type": "text"}))
    ana.send(Node("message", {"id": "N", "to": "1:x@s.whatsapp.net", "type": "text"}))
    assert [ack.attrs["error"] for ack in ana.line.taken("ack")] == ["404", "479"]


def test_a_resend_reaches_the_one_device_it_is_for_with_its_count(companion) -> None:
    ana, beto, carla = companion("Ana"), companion("Beto"), companion("Beto")
    for each in (ana, beto, carla):
        each.login()
    enc = Node("enc", {"v": "2", "type": "pkmsg", "count": "2"}, b"once more, for you only")
    # As another client does it: sealed a second time, beside the one that counts.
    also = Node("participants", None, [Node("to", {"jid": str(beto.device.lid)}, [Node("enc", {"v": "2"}, b"?")])])
    head = {"id": "M", "to": str(beto.device.lid), "type": "text", "device_fanout": "false"}
    ana.send(Node("message", head, [enc, also]))
    (message,) = beto.line.taken("message")
    assert list(message.all("enc")) == [enc]
    assert carla.line.taken("message") == []


def test_a_resend_to_an_own_device_keeps_its_chat(companion) -> None:
    ana, other, beto = companion("Ana"), companion("Ana"), companion("Beto")
    ana.login()
    other.login()
    head = {"id": "M", "to": str(other.device.lid), "type": "text", "recipient": str(beto.phone.lid)}
    ana.send(Node("message", head, [Node("enc", {"v": "2", "type": "pkmsg", "count": "1"}, b"again")]))
    (echo,) = other.line.taken("message")
    assert echo.attrs["recipient"] == str(beto.phone.lid)


def test_a_peer_message_goes_to_the_own_phone_and_belongs_to_no_chat(companion) -> None:
    ana = companion("Ana")
    ana.login()
    ana.phone.offline()
    head = {"id": "P", "to": str(ana.phone.jid), "type": "text", "category": "peer"}
    ana.send(Node("message", head, [Node("enc", {"v": "2", "type": "pkmsg"}, b"for the phone")]))
    waiting = [letter.node for letter in ana.phone.device.mailbox if letter.kind == "message"]
    assert [node.attrs["from"] for node in waiting] == [str(ana.device.phone)]
    assert "recipient" not in waiting[0].attrs and waiting[0].attrs["category"] == "peer"


def test_a_sender_is_never_given_its_own_message(companion, world: World) -> None:
    ana, beto = companion("Ana"), companion("Beto")
    ana.login()
    ana.line.taken()
    ana.send(ana.message("M", beto.device, ana.device))
    assert ana.line.taken("message") == []
