"""What WhatsApp tells of groups whole, kept as rows: not over what changed in them since it was asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from recado.events import GroupChanged
from recado.gateway.db.pool import Database
from recado.gateway.requests import repository
from recado.gateway.requests.repository import Asked
from recado.gateway.runtime.recorder import record
from recado.gateway.runtime.verbs.groups import group_to_json
from recado.gateway.runtime.verbs.table import VERBS
from recado.gateway.security import MANAGE, Principal
from recado.groups import Group, GroupChange, Member, Role
from recado.jid import JID

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
BIA, CAIO = (JID(f"20000000000000{number}", "lid") for number in (1, 2))
FAMILY, WORK = (JID(f"12036300000000000{number}", "g.us") for number in (1, 2))


def told(group: JID, *people: JID) -> dict[str, Any]:
    members = tuple(Member(each, role=Role.MEMBER) for each in people)
    return group_to_json(Group(jid=group, subject=f"of {len(people)}", members=members))


async def ask(database: Database, principal: Principal, verb: str, chat: str = "") -> Asked:
    async with database.unit(principal) as unit:
        asked = await repository.add_request(
            unit,
            provider="baileys",
            verb=verb,
            chat=chat,
            body={},
            scope=MANAGE,
            idempotency_key=None,
            request_hash=b"",
            now=NOW,
        )
    assert asked is not None
    return asked


async def change(database: Database, principal: Principal, group: JID, at: datetime, *people: JID) -> None:
    fact = GroupChanged(
        account=JID.phone("550000000009"), at=at, group=group, what=GroupChange.ADDED, people=people, changed_at=at
    )
    async with database.unit(principal) as unit:
        await record(unit, "baileys", [fact])


def members(database_url: str, conversation: str) -> set[str]:
    with psycopg.connect(database_url) as owner:
        rows = owner.execute(
            "SELECT p.lid FROM conversation_members m JOIN whatsapp_contacts p ON p.id = m.contact_id"
            " WHERE m.group_id = %s",
            [conversation],
        ).fetchall()
    return {lid for (lid,) in rows}


def asked_again(database_url: str, principal: Principal) -> list[tuple[str, str]]:
    with psycopg.connect(database_url) as owner:
        return owner.execute(
            "SELECT verb, chat FROM requests WHERE mentorado_id = %s AND idempotency_key LIKE 'recado:again:%%'",
            [principal.mentorado_id],
        ).fetchall()


@pytest.mark.parametrize(("verb", "chat"), [("group.list", ""), ("group.get", str(FAMILY))])
async def test_an_answer_from_before_a_change_is_not_kept_over_it_but_asked_for_again(
    database: Database, database_url: str, ana: Principal, verb: str, chat: str
) -> None:
    asked = await ask(database, ana, verb, chat)
    await change(database, ana, FAMILY, NOW + timedelta(seconds=1), CAIO)  # told, and committed, while we ask
    groups = [told(FAMILY, BIA), told(WORK, BIA)]
    answer = {"groups": groups} if verb == "group.list" else {"group": groups[0]}
    keep = VERBS[verb].record
    assert keep is not None
    async with database.unit(ana) as unit:
        await keep(unit, asked, answer)
    assert members(database_url, groups[0]["conversation_id"]) == {CAIO.user}, "older than the change"
    if verb == "group.list":
        assert members(database_url, groups[1]["conversation_id"]) == {BIA.user}
    assert asked_again(database_url, ana) == [("group.get", str(FAMILY))]


async def test_an_answer_to_what_was_asked_after_a_change_is_kept(
    database: Database, database_url: str, ana: Principal
) -> None:
    await change(database, ana, FAMILY, NOW - timedelta(seconds=1), CAIO)
    asked, group = await ask(database, ana, "group.get", str(FAMILY)), told(FAMILY, BIA)
    keep = VERBS["group.get"].record
    assert keep is not None
    async with database.unit(ana) as unit:
        await keep(unit, asked, {"group": group})
    assert members(database_url, group["conversation_id"]) == {BIA.user}
    assert asked_again(database_url, ana) == []
