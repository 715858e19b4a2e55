"""Names in the store: those people know, and nothing a peer chose can break out of its place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recado.jid import JID
from recado.store import keys


def test_names_are_those_people_know() -> None:
    phone, lid = JID.phone("550000000001", 3), JID("77", "lid")
    assert keys.session(phone) == "session-550000000001.3"
    assert keys.session(lid) == "session-77_1.0"
    assert keys.session(JID("77", "hosted.lid", 99)) == "session-77_129.99"
    assert keys.identity(JID("550000000001", "hosted", 99)) == "identity-550000000001_128.99"
    assert keys.prekey(7) == "pre-key-7"
    assert keys.lid_of(phone) == "lid-mapping-550000000001"
    assert keys.phone_of(lid) == "lid-mapping-77_reverse"
    assert keys.devices(phone) == keys.devices(JID("550000000001", "hosted")) == "device-list-550000000001"
    assert keys.devices(lid) == "device-list-77_1"


@pytest.mark.parametrize("user", ["77_1", "", "a.b", "é", "7" * 500, "a\x00"])
def test_a_user_cannot_pose_as_another_one(user: str) -> None:
    assert keys.session(JID(user, "s.whatsapp.net")).startswith("session-~")


def test_an_unknown_address_space_has_its_own_names() -> None:
    assert keys.session(JID("77", "bot")) == "session-77_bot.0"


@given(st.text(), st.text())
def test_what_a_peer_chose_never_makes_two_names_one_or_one_unprintable(one: str, other: str) -> None:
    chat = JID("1-2", "g.us")
    for name in (keys.sent, keys.work, keys.cursor, lambda id: keys.seen(chat, chat, id)):
        assert (name(one) == name(other)) == (one == other)
        assert name(one).isascii()
        assert name(one).isprintable()
        assert len(name(one)) < 200
