"""Questions about people as stanzas: what is asked, and what bad answers come to."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from recado.errors import QueryError, RateLimited, StanzaError, UsageError
from recado.jid import JID
from recado.protocol.node import Node
from recado.protocol.queries.business import BusinessProfileOf, make_verified_name
from recado.protocol.queries.pictures import PictureOf, SetPicture
from recado.protocol.queries.profile import ChangeBlock, SetDefaultTimer, SetPrivacy
from recado.protocol.queries.tokens import TIME_LOCK, AskTimeLock, IssueToken, TimeLock
from recado.protocol.queries.usync import MALFORMED, Column, LookUp

BIA, BIA_LID = JID.parse("550000000002@s.whatsapp.net"), JID.parse("100000000000002@lid")
CAIO = JID.parse("550000000003@s.whatsapp.net")


def result(*content: Node) -> Node:
    return Node("iq", {"type": "result", "id": "1"}, list(content))


def error(code: int) -> Node:
    return Node("iq", {"type": "error", "id": "1"}, [Node("error", {"code": str(code)})])


def users(*listed: Node, verdict: Node | None = None) -> Node:
    parts = [Node("list", None, list(listed))]
    return result(Node("usync", None, [verdict, *parts] if verdict else parts))


def test_numbers_are_asked_for_as_they_are_dialled_and_others_by_address() -> None:
    node = LookUp((BIA, BIA_LID), (Column.CONTACT, Column.LID), {BIA_LID: b"token"}).build()
    usync = node.child("usync")
    assert usync is not None and usync.attrs["context"] == "interactive"
    asked = usync.child("list")
    assert asked is not None and asked.children == [
        Node("user", None, [Node("contact", None, b"+550000000002")]),
        Node("user", {"jid": str(BIA_LID)}, [Node("tctoken", None, b"token")]),
    ]


def test_an_answer_is_told_by_what_was_asked_though_its_number_is_spelt_otherwise() -> None:
    contact = Node("contact", {"type": "in"}, b"+550000000002")
    other = Node("user", {"jid": "5500000002@s.whatsapp.net"}, [contact, Node("lid", {"val": str(BIA_LID)})])
    gone = Node("user", None, [Node("contact", {"type": "out"}, b"+550000000003")])
    told = LookUp((BIA, CAIO), (Column.CONTACT, Column.LID)).parse(users(other, gone))
    assert (told[BIA].phone, told[BIA].lid) == (JID.parse("5500000002@s.whatsapp.net"), BIA_LID)
    assert (told[CAIO].is_on_whatsapp, told[CAIO].jid) == (False, None)


def test_one_bad_column_costs_that_column_of_that_person() -> None:
    name = make_verified_name("Bia Teaches")
    listed = [
        Node("user", {"jid": str(BIA)}, [
            Node("status", {"t": "x"}, b"hi"),
            Node("picture", None, [Node("error", {"code": "404"})]),
            Node("business", None, [Node("verified_name", None, name)]),
            Node("disappearing_mode", {"duration": "60"}),
        ]),
        Node("user", {"jid": str(CAIO)}, [
            Node("status", {"code": "401", "t": "0"}),
            Node("business", None, [Node("verified_name", None, b"\xff\xff")]),
        ]),
        Node("user", {"jid": "1:x@lid"}, []),
        Node("user", {"jid": "9@lid"}, []),
    ]  # fmt: skip
    columns = (Column.ABOUT, Column.PICTURE, Column.BUSINESS, Column.TIMER)
    verdict = Node("result", None, [Node("contact", None, [Node("error", {"code": "429"})])])
    told = LookUp((BIA, CAIO), columns).parse(users(*listed, verdict=verdict))
    assert set(told) == {BIA, CAIO}
    assert (told[BIA].about, told[BIA].verified_name, told[BIA].timer) == (None, "Bia Teaches", 60)
    assert (told[BIA].problems["status"].code, told[BIA].problems["picture"].code) == (MALFORMED, 404)
    assert isinstance(told[BIA].problems["contact"], RateLimited)
    assert (told[CAIO].about, told[CAIO].problems["business"].code) == ("", MALFORMED)
    assert "Bia" not in repr(told[BIA])


def test_a_refused_look_up_is_an_error_and_one_of_another_shape_too() -> None:
    asked = LookUp((BIA,), (Column.LID,))
    with pytest.raises(RateLimited):
        asked.parse(error(429))
    with pytest.raises(QueryError):
        asked.parse(error(503))
    with pytest.raises(StanzaError):
        asked.parse(result(Node("usync")))


def test_pictures_that_are_not_there_or_not_new_are_none() -> None:
    asked = PictureOf(BIA_LID, is_preview=True, known="7", token=b"token")
    node = asked.build()
    assert node.attrs["target"] == str(BIA_LID)
    assert node.children == [
        Node("picture", {"type": "preview", "query": "url", "id": "7"}, [Node("tctoken", None, b"token")])
    ]
    for answer in (error(404), result(), *(result(Node("picture", {"status": code})) for code in ("304", "204"))):
        assert asked.parse(answer) is None
    with pytest.raises(QueryError):
        asked.parse(error(401))
    with pytest.raises(StanzaError):
        asked.parse(result(Node("picture", {"id": "8"})))
    assert SetPicture(None).build().content is None
    assert SetPicture(b"jpeg").parse(result(Node("picture", {"id": "9"}))) == "9"


def test_what_cannot_be_set_is_refused_before_it_is_asked() -> None:
    with pytest.raises(UsageError):
        SetPrivacy("last", "nobody")
    with pytest.raises(UsageError):
        SetDefaultTimer(1)
    item = ChangeBlock(BIA_LID, BIA, is_blocked=False).build().child("item")
    assert item is not None and item.attrs == {"action": "unblock", "jid": str(BIA_LID)}


def test_tokens_that_come_with_the_answer_are_read_and_others_passed_over() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    asked = IssueToken((BIA,), at)
    assert asked.build().child("tokens", "token").attrs["t"] == "1767225600"  # type: ignore[union-attr]
    stamp = {"t": "1767225600", "type": "trusted_contact"}
    tokens = [
        Node("token", {**stamp, "jid": str(BIA)}, b"theirs"),
        Node("token", {"jid": str(CAIO), "t": "1767225600", "type": "other"}, b"no"),
        Node("token", {**stamp, "jid": str(CAIO)}),
    ]
    assert asked.parse(result(Node("tokens", None, tokens))) == {BIA: (b"theirs", at)}
    assert asked.parse(result()) == {}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ('{"is_active":false}', TimeLock(False)),
        (
            '{"is_active":true,"time_enforcement_ends":"1767225600","enforcement_type":"BIZ_QUALITY"}',
            TimeLock(True, datetime(2026, 1, 1, tzinfo=UTC), "BIZ_QUALITY"),
        ),
        ('{"is_active":true,"time_enforcement_ends":"99999999999999999999999"}', TimeLock(True)),
        ('{"is_active":true,"time_enforcement_ends":"soon"}', TimeLock(True)),
    ],
)
def test_the_time_lock_is_read(said: str, expected: TimeLock) -> None:
    answer = result(Node("result", None, b'{"data":{"%s":%s}}' % (TIME_LOCK.encode(), said.encode())))
    assert AskTimeLock().parse(answer) == expected


@pytest.mark.parametrize("said", [b"", b"not json", b"[]", b'{"data":{}}', b'{"data":7}'])
def test_a_time_lock_of_another_shape_is_malformed(said: bytes) -> None:
    with pytest.raises(StanzaError):
        AskTimeLock().parse(result(Node("result", None, said)))
    with pytest.raises(QueryError):
        AskTimeLock().parse(result(Node("result", None, b'{"errors":[{"extensions":{"error_code":403}}]}')))


def test_who_is_no_business_has_no_profile() -> None:
    assert BusinessProfileOf(BIA).parse(error(404)) is None
    assert BusinessProfileOf(BIA).parse(result()) is None
    with pytest.raises(QueryError):
        BusinessProfileOf(BIA).parse(error(500))
