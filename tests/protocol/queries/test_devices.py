from __future__ import annotations

from recado.errors import QueryError
from recado.jid import JID
from recado.protocol.node import Node
from recado.protocol.queries.devices import DevicesOf, UserDevices

BIA, BIA_LID = JID.parse("550000000002@s.whatsapp.net"), JID.parse("100000000000002@lid")


def user(jid: str, *devices: dict[str, str], lid: str | None = str(BIA_LID)) -> Node:
    listed = Node("device-list", None, [Node("device", device) for device in devices])
    content = [Node("devices", None, [listed, Node("key-index-list", {"ts": "1"}, b"x")])]
    if lid is not None:
        content.append(Node("lid", {"val": lid}))
    return Node("user", {"jid": jid}, content)


def answer(*users: Node) -> Node:
    usync = Node("usync", {"sid": "1"}, [Node("result"), Node("list", None, list(users))])
    return Node("iq", {"type": "result", "id": "1"}, [usync])


def test_people_are_asked_for_without_their_devices() -> None:
    usync = DevicesOf((BIA.with_device(3), BIA_LID), sid="7").build().children[0]
    assert usync.attrs == {"context": "message", "mode": "query", "sid": "7", "last": "true", "index": "0"}
    assert usync.children == [
        Node("query", None, [Node("devices", {"version": "2"}), Node("lid")]),
        Node("list", None, [Node("user", {"jid": str(BIA)}), Node("user", {"jid": str(BIA_LID)})]),
    ]


def test_a_question_numbers_itself() -> None:
    def sid(*jids: JID) -> str:
        return DevicesOf(jids).build().children[0].attrs["sid"]

    assert sid(BIA) == sid(BIA) != sid(BIA_LID)


def test_devices_and_the_other_address_are_read() -> None:
    listed = user(
        str(BIA), {"id": "0"}, {"id": "7", "key-index": "1"}, {"id": "99", "key-index": "2", "is_hosted": "true"}
    )
    assert DevicesOf((BIA,)).parse(answer(listed)) == [UserDevices(BIA, BIA_LID, (0, 7, 99), frozenset({99}))]


def test_a_linked_device_without_a_key_index_is_left_out() -> None:
    listed = user(str(BIA), {"id": "0"}, {"id": "3"}, {"id": "4", "key-index": "0"}, {"id": "x"}, {"id": "70000"}, {})
    assert DevicesOf((BIA,)).parse(answer(listed))[0].devices == (0,)


def test_a_person_without_another_address_has_none() -> None:
    for lid in (None, str(BIA), "1:x@lid"):
        assert DevicesOf((BIA,)).parse(answer(user(str(BIA), {"id": "0"}, lid=lid)))[0].lid is None


def test_why_there_are_no_devices_is_told() -> None:
    refused = Node("devices", None, [Node("error", {"code": "404", "text": "x"})])
    read = DevicesOf((BIA,)).parse(
        answer(Node("user", {"jid": str(BIA)}, [refused]), Node("user"), Node("user", {"jid": "a:b@c"}))
    )
    assert len(read) == 1 and read[0].devices == ()
    assert isinstance(read[0].error, QueryError) and read[0].error.code == 404
