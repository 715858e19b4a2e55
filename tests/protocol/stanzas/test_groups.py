"""What the server tells of changes in groups, and messages to them as they leave."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recado.errors import StanzaError
from recado.groups import GroupChange
from recado.jid import JID
from recado.protocol.node import Node
from recado.protocol.signal.session import Envelope, EnvelopeKind
from recado.protocol.stanzas.group_message import GroupMessage
from recado.protocol.stanzas.groups import GroupNotification

GROUP = JID("120360000000000001", "g.us")
ANA, BIA = JID.parse("100000000000001@lid"), JID.parse("100000000000002@lid")
BIA_PHONE = JID.parse("550000000002@s.whatsapp.net")


def told(*children: Node, **attrs: str) -> GroupNotification:
    head = {"from": str(GROUP), "id": "N1", "type": "w:gp2", "t": "1795000000", "participant": str(ANA), **attrs}
    return GroupNotification.parse(Node("notification", head, list(children)))


def person(jid: JID, **attrs: str) -> Node:
    return Node("participant", {"jid": str(jid), **attrs})


@pytest.mark.parametrize(
    ("child", "what", "value"),
    [
        (Node("add", None, [person(BIA)]), GroupChange.ADDED, ""),
        (Node("remove", None, [person(BIA)]), GroupChange.REMOVED, ""),
        (Node("remove", None, [person(ANA)]), GroupChange.LEFT, ""),
        (Node("promote", None, [person(BIA)]), GroupChange.PROMOTED, ""),
        (Node("demote", None, [person(BIA)]), GroupChange.DEMOTED, ""),
        (Node("modify", None, [person(BIA)]), GroupChange.NUMBER_CHANGED, ""),
        (Node("subject", {"subject": "Us"}), GroupChange.SUBJECT, "Us"),
        (Node("description", {"id": "D"}, [Node("body", None, b"about")]), GroupChange.DESCRIPTION, "about"),
        (Node("description", {"delete": "true"}), GroupChange.DESCRIPTION, ""),
        (Node("announcement"), GroupChange.ANNOUNCEMENT, "on"),
        (Node("not_announcement"), GroupChange.ANNOUNCEMENT, "off"),
        (Node("locked"), GroupChange.LOCKED, "on"),
        (Node("unlocked"), GroupChange.LOCKED, "off"),
        (Node("ephemeral", {"expiration": "86400"}), GroupChange.EXPIRATION, "86400"),
        (Node("not_ephemeral"), GroupChange.EXPIRATION, ""),
        (Node("member_add_mode", None, b"admin_add"), GroupChange.ADD_MODE, "admin_add"),
        (
            Node("membership_approval_mode", None, [Node("group_join", {"state": "off"})]),
            GroupChange.APPROVAL_MODE,
            "off",
        ),
        (Node("invite", {"code": "CODE"}), GroupChange.INVITE_CODE, "CODE"),
        (Node("created_membership_requests", {"request_method": "link"}), GroupChange.JOIN_REQUESTED, "link"),
        (Node("revoked_membership_requests", None, [person(BIA)]), GroupChange.JOIN_REQUEST_ENDED, ""),
        (Node("link", None, [Node("group", {"jid": str(GROUP)})]), GroupChange.LINKED, str(GROUP)),
        (Node("unlink", None, [Node("group", {"jid": str(GROUP)})]), GroupChange.UNLINKED, str(GROUP)),
        (Node("delete"), GroupChange.DELETED, ""),
        (Node("something_new"), GroupChange.OTHER, "something_new"),
    ],
)
def test_each_change_is_told_for_what_it_is(child: Node, what: GroupChange, value: str) -> None:
    notification = told(child)
    (change,) = notification.changes
    assert (change.what, change.value) == (what, value)
    assert (notification.group, notification.by) == (GROUP, ANA)


def test_people_are_known_by_both_addresses() -> None:
    notification = told(
        Node("add", None, [person(BIA, phone_number=str(BIA_PHONE))]), participant_pn="5500@s.whatsapp.net"
    )
    assert notification.pairs() == [(BIA, BIA_PHONE), (ANA, JID.parse("5500@s.whatsapp.net"))]


def test_a_new_group_comes_whole() -> None:
    whole = Node("group", {"id": GROUP.user, "subject": "Family"}, [person(BIA)])
    (change,) = told(Node("create", {"type": "new"}, [whole])).changes
    assert change.whole is not None and change.whole.jid == GROUP
    assert (change.what, change.value) == (GroupChange.CREATED, "Family")
    with pytest.raises(StanzaError):
        told(Node("create"))


def test_a_name_with_a_character_no_database_takes_is_told_without_it() -> None:
    (change,) = told(Node("subject", {"subject": "U\0s"})).changes
    assert change.value == "Us"


def test_what_is_not_of_a_group_is_malformed() -> None:
    with pytest.raises(StanzaError):
        told(Node("add"), **{"from": str(BIA)})


names = st.sampled_from(["add", "remove", "subject", "description", "create", "ephemeral", "invite", "link", "x"])
words = st.text(max_size=8)
parts = st.builds(Node, st.sampled_from(["participant", "group", "body"]), st.dictionaries(st.just("jid"), words))
children = st.builds(Node, names, st.dictionaries(st.sampled_from(["subject", "expiration"]), words), st.lists(parts))


@given(st.lists(children, max_size=3))
def test_whatever_is_told_is_read_or_refused_by_name(listed: list[Node]) -> None:
    try:
        told(*listed)
    except StanzaError:
        pass


def test_a_message_is_sealed_once_and_the_key_goes_along() -> None:
    key = Envelope(EnvelopeKind.PREKEY, b"key")
    message = GroupMessage(
        id="3EB0",  # type: ignore[arg-type]
        to=GROUP,
        ciphertext=b"sealed",
        participants=((BIA.with_device(3), key),),
        by_lid=True,
        phash="2:hash",
        expires_in=86400,
        mediatype="image",
        device_identity=b"identity",
    )
    node = message.build()
    assert node.attrs == {
        "id": "3EB0",
        "to": str(GROUP),
        "type": "text",
        "phash": "2:hash",
        "addressing_mode": "lid",
        "expiration": "86400",
    }
    assert node.children == [
        Node(
            "participants",
            None,
            [Node("to", {"jid": "100000000000002:3@lid"}, [Node("enc", {"v": "2", "type": "pkmsg"}, b"key")])],
        ),
        Node("enc", {"v": "2", "type": "skmsg", "mediatype": "image"}, b"sealed"),
        Node("device-identity", None, b"identity"),
    ]
    bare = GroupMessage(id="3EB0", to=GROUP, ciphertext=b"x", by_lid=False).build()  # type: ignore[arg-type]
    assert [child.tag for child in bare.children] == ["enc"]
    assert bare.attrs["addressing_mode"] == "pn"
