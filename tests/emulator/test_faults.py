"""Faults: each happens to whom it is meant for, as often as planned, and a seed makes the same ones again."""

from __future__ import annotations

import pytest

from recado.emulator.whatsapp.faults import Fault, Faults
from recado.protocol.node import Node


def ids(nodes: list[Node]) -> list[str]:
    return [node.attrs["id"] for node in nodes if node.tag == "message"]


def two(companion):
    ana, beto = companion("Ana"), companion("Beto")
    ana.login()
    beto.login()
    ana.line.taken()
    return ana, beto


def test_a_corrupted_envelope_differs_in_one_bit_and_stays_so(companion) -> None:
    ana, beto = two(companion)
    ana.world.faults.corrupt_next(ana.device.phone)
    beto.send(beto.message("M", ana.device))
    sealed = f"for {ana.device.lid}".encode() * 4
    (enc,) = ana.line.taken("message")[0].all("enc")
    assert sum((a ^ b).bit_count() for a, b in zip(enc.blob, sealed, strict=True)) == 1
    ana.leave()
    assert next(ana.login().taken("message")[0].all("enc")).blob == enc.blob
    beto.send(beto.message("N", ana.device))
    assert next(ana.line.taken("message")[0].all("enc")).blob == sealed


def test_a_duplicate_is_the_same_stanza_twice_and_wants_one_ack(companion) -> None:
    ana, beto = two(companion)
    ana.world.faults.duplicate_next(ana.device.phone)
    beto.send(beto.message("M", ana.device))
    first, second = ana.line.taken("message")
    assert first == second
    ana.send(Node("ack", {"class": "message", "id": "M", "to": str(beto.device.lid)}))
    assert ana.world.pending(ana.device.phone) == ()
    assert [each.times for each in ana.world.released()] == [2]


def test_two_messages_change_places(companion) -> None:
    ana, beto = two(companion)
    ana.world.faults.reorder_next(ana.device.phone)
    for id in ("M", "N", "O"):
        beto.send(beto.message(id, ana.device))
    assert ids(ana.line.taken()) == ["N", "M", "O"]


def test_a_held_back_message_is_not_lost_with_the_connection(companion) -> None:
    ana, beto = two(companion)
    ana.world.faults.reorder_next(ana.device.phone)
    beto.send(beto.message("M", ana.device))
    ana.leave()
    assert ids(ana.login().taken()) == ["M"]


def test_a_held_back_message_goes_out_when_nothing_comes_to_change_places_with(companion) -> None:
    ana, beto = two(companion)
    ana.world.faults.reorder_next(ana.device.phone)
    beto.send(beto.message("M", ana.device))
    assert ana.line.taken("message") == []
    _, let_go = ana.line.timers.pop()
    ana.world.transmit(let_go())
    assert ids(ana.line.taken()) == ["M"]
    assert let_go() == []


@pytest.mark.parametrize("tag", ["ack", "receipt"])
def test_an_acknowledgement_dies_with_the_connection(companion, tag: str) -> None:
    ana, beto = two(companion)
    ana.world.faults.cut_before_ack(ana.device.phone)
    beto.send(beto.message("M", ana.device))
    beto.line.taken()
    ana.send(Node(tag, {"class": "message", "id": "M", "to": str(beto.device.lid)}))
    assert ana.line.ends == ["cut"]
    assert beto.line.taken("receipt") == []
    ana.leave()
    assert ids(ana.login().taken()) == ["M"]


def test_the_connection_dies_right_after_an_acknowledgement(companion) -> None:
    ana, beto = two(companion)
    ana.world.faults.cut_after_ack(ana.device.phone)
    beto.send(beto.message("M", ana.device))
    ana.send(Node("receipt", {"id": "M", "to": str(beto.device.lid)}))
    assert ana.line.ends == ["cut"]
    assert len(beto.line.taken("receipt")) == 1
    assert ana.world.pending(ana.device.phone) == ()


def test_what_is_not_about_a_message_cuts_nothing(companion) -> None:
    ana, _ = two(companion)
    ana.world.faults.cut_before_ack(ana.device.phone)
    ana.send(Node("ack", {"class": "notification", "id": "x", "to": "@s.whatsapp.net"}))
    ana.send(Node("receipt", {"id": "unheard", "to": str(ana.phone.lid)}))
    assert ana.line.ends == []


def test_a_sent_message_is_lost_with_the_connection(companion) -> None:
    ana, beto = two(companion)
    ana.world.faults.lose_sent(ana.device.phone)
    ana.send(ana.message("M", beto.device))
    assert (ana.line.ends, ana.line.taken("ack"), ids(beto.line.taken())) == (["cut"], [], [])


def test_a_sent_message_is_relayed_and_the_connection_dies_before_the_ack(companion) -> None:
    ana, beto = two(companion)
    ana.world.faults.cut_unanswered(ana.device.phone)
    ana.send(ana.message("M", beto.device))
    assert (ana.line.ends, ana.line.taken("ack"), ids(beto.line.taken())) == (["cut"], [], ["M"])


def test_a_sent_message_is_acknowledged_and_the_connection_ends(companion) -> None:
    ana, beto = two(companion)
    ana.world.faults.plan(Fault.CUT_ANSWERED, ana.device.phone)
    ana.send(ana.message("M", beto.device))
    assert (ana.line.ends, len(ana.line.taken("ack")), ids(beto.line.taken())) == (["hang up"], 1, ["M"])


def test_an_ack_is_dropped_delayed_or_refused(companion) -> None:
    ana, beto = two(companion)
    ana.world.faults.drop_ack()
    ana.send(ana.message("M", beto.device))
    assert ana.line.taken("ack") == []
    ana.world.faults.delay_ack(3.0)
    ana.send(ana.message("N", beto.device))
    assert ana.line.taken("ack") == []
    (seconds, move) = ana.line.timers[-1]
    ana.world.transmit(move())
    assert (seconds, [ack.attrs["id"] for ack in ana.line.taken("ack")]) == (3.0, ["N"])
    ana.world.faults.refuse_message(463)
    ana.send(ana.message("O", beto.device))
    assert [ack.attrs["error"] for ack in ana.line.taken("ack")] == ["463"]
    assert ids(beto.line.taken()) == ["M", "N"]


def test_the_time_of_a_message_can_be_off(companion) -> None:
    ana, beto = two(companion)
    ana.world.faults.plan(Fault.SKEW, ana.device.phone, seconds=-86400)
    beto.send(beto.message("M", ana.device))
    assert ana.line.taken("message")[0].attrs["t"] == str(1793491200 - 86400)


def test_a_fault_is_for_one_device_for_an_account_or_for_the_next_client(companion) -> None:
    faults = Faults(1)
    ana, other, beto = companion("Ana"), companion("Ana"), companion("Beto")
    faults.corrupt_next(ana.device.phone)
    assert faults.take(Fault.CORRUPT, other.device) is None
    assert faults.take(Fault.CORRUPT, ana.device) is not None
    faults.corrupt_next(ana.phone.lid)
    assert faults.take(Fault.CORRUPT, beto.device) is None
    assert faults.take(Fault.CORRUPT, ana.phone.device) is not None
    faults.corrupt_next()
    assert faults.take(Fault.CORRUPT, ana.phone.device) is None
    assert faults.take(Fault.CORRUPT, beto.device) is not None
    faults.corrupt_next(f"+{beto.phone.number}")
    assert faults.take(Fault.CORRUPT, beto.phone.device) is not None
    assert faults.planned == ()


def test_a_planned_fault_happens_that_often(companion) -> None:
    faults, ana = Faults(1), companion("Ana")
    faults.plan(Fault.DROP_ACK, times=2)
    assert [faults.take(Fault.DROP_ACK, ana.device) is not None for _ in range(3)] == [True, True, False]
    assert len(faults.happened) == 2
    faults.plan(Fault.DROP_ACK)
    faults.clear()
    assert faults.take(Fault.DROP_ACK, ana.device) is None


def test_the_same_seed_scatters_the_same_faults(companion) -> None:
    ana = companion("Ana")

    def scattered(seed: int) -> list[bool]:
        faults = Faults(seed)
        faults.scatter(Fault.DUPLICATE, 0.3)
        return [faults.take(Fault.DUPLICATE, ana.device) is not None for _ in range(200)]

    assert scattered(5) == scattered(5)
    assert scattered(5) != scattered(6)
    assert 30 < sum(scattered(5)) < 90
