"""Questions and orders about groups, as they stand on the wire, and their answers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from recado.errors import QueryError, StanzaError
from recado.groups import Role
from recado.jid import JID
from recado.protocol.node import Node
from recado.protocol.queries.communities import CommunityMembers, LinkGroups, Subgroups
from recado.protocol.queries.groups import (
    AcceptInvitation,
    AnswerJoinRequests,
    ChangeMembers,
    CreateGroup,
    GroupInfo,
    InviteCode,
    InvitedTo,
    JoinByCode,
    Joined,
    JoinRequests,
    LeaveGroup,
    MyGroups,
    SetOnGroup,
)

GROUP = JID("120360000000000001", "g.us")
BIA, BIA_PHONE = JID.parse("100000000000002@lid"), JID.parse("550000000002@s.whatsapp.net")


def said(query) -> tuple[str, str, Node]:
    node = query.build()
    assert (node.tag, node.attrs["xmlns"]) == ("iq", "w:g2")
    (child,) = node.children
    return node.attrs["type"], node.attrs["to"], child


def result(*children: Node) -> Node:
    return Node("iq", {"type": "result", "id": "1", "from": str(GROUP)}, list(children))


def group(*children: Node, **attrs: str) -> Node:
    head = {"id": GROUP.user, "subject": "Family", "creation": "1795000000", "addressing_mode": "lid", **attrs}
    return Node("group", head, list(children))


REFUSED = Node("iq", {"type": "error", "id": "1"}, [Node("error", {"code": "403", "text": "forbidden"})])


@pytest.mark.parametrize(
    ("query", "kind", "to", "node"),
    [
        (GroupInfo(GROUP), "get", str(GROUP), Node("query", {"request": "interactive"})),
        (
            MyGroups(),
            "get",
            "@g.us",
            Node("participating", None, [Node("participants"), Node("description")]),
        ),
        (LeaveGroup(GROUP), "set", "@g.us", Node("leave", None, [Node("group", {"id": str(GROUP)})])),
        (SetOnGroup(GROUP, Node("locked")), "set", str(GROUP), Node("locked")),
        (
            ChangeMembers(GROUP, "add", (BIA.with_device(3),)),
            "set",
            str(GROUP),
            Node("add", None, [Node("participant", {"jid": str(BIA)})]),
        ),
        (JoinRequests(GROUP), "get", str(GROUP), Node("membership_approval_requests")),
        (
            AnswerJoinRequests(GROUP, "reject", (BIA,)),
            "set",
            str(GROUP),
            Node(
                "membership_requests_action",
                None,
                [Node("reject", None, [Node("participant", {"jid": str(BIA)})])],
            ),
        ),
        (InviteCode(GROUP), "get", str(GROUP), Node("invite")),
        (InviteCode(GROUP, is_new=True), "set", str(GROUP), Node("invite")),
        (InvitedTo("CODE"), "get", "@g.us", Node("invite", {"code": "CODE"})),
        (JoinByCode("CODE"), "set", "@g.us", Node("invite", {"code": "CODE"})),
        (
            AcceptInvitation(GROUP, "CODE", 7, BIA.with_device(1)),
            "set",
            str(GROUP),
            Node("accept", {"code": "CODE", "expiration": "7", "admin": str(BIA)}),
        ),
        (Subgroups(GROUP), "get", str(GROUP), Node("sub_groups")),
        (CommunityMembers(GROUP), "get", str(GROUP), Node("linked_groups_participants")),
        (
            LinkGroups(GROUP, (GROUP,)),
            "set",
            str(GROUP),
            Node("links", None, [Node("link", {"link_type": "sub_group"}, [Node("group", {"jid": str(GROUP)})])]),
        ),
        (
            LinkGroups(GROUP, (GROUP,), is_linked=False),
            "set",
            str(GROUP),
            Node("unlink", {"unlink_type": "sub_group"}, [Node("group", {"jid": str(GROUP)})]),
        ),
    ],
)
def test_each_is_asked_as_on_the_wire_and_a_refusal_is_raised(query, kind: str, to: str, node: Node) -> None:
    assert said(query) == (kind, to, node)
    with pytest.raises(QueryError):
        query.parse(REFUSED)


def test_a_group_is_made_with_its_rules_in_one_order() -> None:
    order = CreateGroup(
        "Family",
        (BIA,),
        key="KEY",
        expires_in=86400,
        is_announcement=True,
        is_locked=True,
        needs_approval=True,
        parent=GROUP,
    )
    kind, to, create = said(order)
    assert (kind, to, create.attrs) == ("set", "@g.us", {"subject": "Family", "key": "KEY"})
    assert [child.tag for child in create.children] == [
        "participant",
        "linked_parent",
        "ephemeral",
        "announcement",
        "locked",
        "membership_approval_mode",
    ]
    _, _, community = said(CreateGroup("Street", (), key="KEY", is_community=True))
    assert [child.tag for child in community.children] == ["parent", "allow_non_admin_sub_group_creation"]


def test_the_whole_of_a_group_is_read() -> None:
    whole = group(
        Node("participant", {"jid": str(BIA), "phone_number": str(BIA_PHONE), "type": "superadmin"}),
        Node("participant", {"jid": "100000000000003@lid", "type": "admin"}),
        Node("participant", {"jid": "strange@broadcast"}),
        Node("participant", None),
        Node("description", {"id": "D1"}, [Node("body", None, "sobre nós".encode())]),
        Node("ephemeral", {"expiration": "604800"}),
        Node("announcement"),
        Node("locked"),
        Node("member_add_mode", None, b"admin_add"),
        Node("membership_approval_mode", None, [Node("group_join", {"state": "on"})]),
        Node("linked_parent", {"jid": "120360000000000009@g.us"}),
        creator=str(BIA),
    )
    read = GroupInfo(GROUP).parse(result(whole))
    assert (read.jid, read.subject, read.owner, read.by_lid) == (GROUP, "Family", BIA, True)
    assert read.made_at == datetime.fromtimestamp(1795000000, UTC)
    assert [(member.jid, member.alt, member.role) for member in read.members] == [
        (BIA, BIA_PHONE, Role.OWNER),
        (JID.parse("100000000000003@lid"), None, Role.ADMIN),
    ]
    assert (read.description, read.description_id, read.expires_in) == ("sobre nós", "D1", 604800)
    assert read.is_announcement and read.is_locked and read.admins_add_only and read.needs_approval
    assert read.parent == JID.parse("120360000000000009@g.us")
    assert "Family" not in repr(read) and BIA.user not in repr(read)
    assert MyGroups().parse(result(Node("groups", None, [whole, whole]))) == [read, read]
    assert MyGroups().parse(result()) == []


def test_a_group_without_its_id_is_malformed() -> None:
    with pytest.raises(StanzaError):
        GroupInfo(GROUP).parse(result())
    with pytest.raises(StanzaError):
        GroupInfo(GROUP).parse(result(Node("group", {"subject": "no id"})))


def test_what_became_of_each_is_read_and_an_invitation_with_it() -> None:
    request = Node("add_request", {"code": "CODE", "expiration": "1795000000"})
    parts = [
        Node("participant", {"jid": str(BIA), "error": "403"}, [request]),
        Node("participant", {"jid": str(BIA_PHONE), "error": "200"}),
        Node("participant", {"jid": "100000000000003@lid"}),
        Node("participant", {"error": "500"}),
    ]
    outcomes = ChangeMembers(GROUP, "add", (BIA,)).parse(result(Node("add", None, parts)))
    assert [(each.person, each.error, each.invite_code) for each in outcomes] == [
        (BIA, 403, "CODE"),
        (BIA_PHONE, None, None),
        (JID.parse("100000000000003@lid"), None, None),
    ]
    assert outcomes[0].invite_expires_at == datetime.fromtimestamp(1795000000, UTC)


def test_codes_and_what_they_lead_to() -> None:
    assert InviteCode(GROUP).parse(result(Node("invite", {"code": "CODE"}))) == "CODE"
    assert JoinByCode("CODE").parse(result(Node("group", {"jid": str(GROUP)}))) == Joined(GROUP)
    waiting = Node("membership_approval_request", {"jid": str(GROUP)})
    assert JoinByCode("CODE").parse(result(waiting)) == Joined(GROUP, is_waiting=True)
    for query in (InviteCode(GROUP), JoinByCode("CODE")):
        with pytest.raises(StanzaError):
            query.parse(result())
    assert "CODE" not in repr(JoinByCode("CODE"))


def test_who_waits_is_read() -> None:
    request = Node(
        "membership_approval_request", {"jid": str(BIA), "request_time": "1795000000", "request_method": "x"}
    )
    listed = Node("membership_approval_requests", None, [request, Node("membership_approval_request")])
    (waiting,) = JoinRequests(GROUP).parse(result(listed))
    assert (waiting.person, waiting.method) == (BIA, "x")


def test_a_communitys_groups_are_read() -> None:
    first = Node("group", {"id": GROUP.user, "subject": "News"}, [Node("default_sub_group")])
    listed = Node("sub_groups", None, [first, Node("group", {"subject": "no id"})])
    (found,) = Subgroups(GROUP).parse(result(listed))
    assert (found.jid, found.subject, found.is_default) == (GROUP, "News", True)
