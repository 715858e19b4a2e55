"""What notifications and calls say of people, read; and what is of another shape."""

from __future__ import annotations

import pytest

from recado.errors import StanzaError
from recado.events import CallState
from recado.jid import JID
from recado.protocol.node import Node
from recado.protocol.queries.tokens import TIME_LOCK_NEWS
from recado.protocol.stanzas.call import CallStanza, reject
from recado.protocol.stanzas.notification import Notification, OtherNotification
from recado.protocol.stanzas.people import (
    AboutSaid,
    BusinessSaid,
    ContactsSaid,
    NumberSaid,
    PictureSaid,
    TimeLockSaid,
    TimerSaid,
)

BIA = JID.parse("100000000000002@lid")


def said(kind: str, *children: Node) -> object:
    node = Node("notification", {"from": str(BIA), "id": "1", "type": kind, "t": "1"}, list(children))
    return Notification.parse(node).says


def test_what_people_do_is_read() -> None:
    assert said("picture", Node("set", {"id": "7", "author": str(BIA)})) == PictureSaid("7", BIA)
    assert said("picture", Node("set", {"hash": "x"})) == PictureSaid("")
    assert said("picture", Node("delete")) == PictureSaid(None)
    assert said("status", Node("set", None, b"At sea")) == AboutSaid("At sea")
    assert said("disappearing_mode", Node("disappearing_mode", {"duration": "60", "t": "1"})) == TimerSaid(60)
    assert said("business", Node("remove", {"jid": str(BIA)})) == BusinessSaid(BIA)
    assert said("business", Node("verified_name", {"jid": str(BIA)}, b"\xff")) == BusinessSaid(BIA)
    moved = Node("modify", {"old": "1@s.whatsapp.net", "new": "2@s.whatsapp.net", "new_lid": str(BIA)})
    assert said("contacts", moved) == NumberSaid(JID.phone("1"), JID.phone("2"), None, BIA)
    assert said("contacts", Node("update", {"jid": str(BIA)})) == ContactsSaid()
    lock = b'{"data":{"%s":{"is_active":false}}}' % TIME_LOCK_NEWS.encode()
    heard = said("mex", Node("update", {"op_name": "x"}, lock))
    assert isinstance(heard, TimeLockSaid) and not heard.lock.is_active


@pytest.mark.parametrize(
    ("kind", "child"),
    [
        ("picture", Node("hologram")),
        ("status", Node("unset")),
        ("disappearing_mode", Node("other")),
        ("business", Node("other")),
        ("contacts", Node("other")),
        ("mex", Node("update", None, b"not json")),
        ("mex", Node("update", None, b"[" * 100_000)),
        ("mex", Node("update", None, b"[]")),
    ],
)
def test_what_is_not_understood_is_left_visible(kind: str, child: Node) -> None:
    assert said(kind, child) == OtherNotification(kind)


def test_what_lacks_what_it_needs_is_malformed() -> None:
    for kind, child in (
        ("disappearing_mode", Node("disappearing_mode")),
        ("contacts", Node("modify", {"old": "1@s.whatsapp.net"})),
        ("account_sync", Node("blocklist", None, [Node("item", {"jid": "1@lid"})])),
    ):
        with pytest.raises(StanzaError):
            said(kind, child)


def test_a_call_is_read_step_by_step() -> None:
    def step(tag: str, **attrs: str) -> CallStanza:
        inner = Node(tag, {"call-id": "C1", "call-creator": f"{BIA.user}:3@lid", **attrs}, [Node("video")])
        return CallStanza.parse(Node("call", {"from": str(BIA), "id": "1", "t": "1"}, [inner]))

    offer = step("offer", caller_pn="550000000002@s.whatsapp.net")
    assert (offer.id, offer.caller, offer.state, offer.is_video) == ("C1", BIA, CallState.OFFERED, True)
    assert offer.caller_alt == JID.phone("550000000002")
    assert step("terminate").state is CallState.ENDED
    assert step("terminate", reason="timeout").state is CallState.MISSED
    assert (step("accept").state, step("reject").state) == (CallState.ACCEPTED, CallState.REJECTED)
    assert step("transport").state is None
    for bad in (Node("call", {"from": "1@lid"}), Node("call", {"from": "1@lid"}, [Node("offer")])):
        with pytest.raises(StanzaError):
            CallStanza.parse(bad)
    refused = reject("C1", BIA.with_device(3), own=JID.phone("1"), id="7")
    assert refused.child("reject").attrs["call-creator"] == str(BIA)  # type: ignore[union-attr]
