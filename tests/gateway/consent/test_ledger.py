"""The ledger: it only grows, the newest word counts, and it follows the person, not the address."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from recado.errors import StoreError
from recado.gateway.consent import recording
from recado.gateway.consent.recording import Said, Whom
from recado.gateway.db.pool import Database
from recado.gateway.db.queries import Query
from recado.gateway.refusals import BadAddress, BadContent, Forbidden, NotFound
from recado.gateway.security import READ, SEND, Principal
from recado.jid import JID, LID

BIA, BIA_LID = JID.phone("550000000002"), JID("77000000000002", LID)


async def test_nobody_has_agreed_before_they_did(ledger: Any) -> None:
    assert (await ledger.standing()).kind is None


async def test_the_newest_entry_of_a_purpose_counts_whenever_it_was_recorded(ledger: Any, now: Any) -> None:
    await ledger.add("in")
    await ledger.add("out", at=now - timedelta(days=1))
    assert ((await ledger.standing()).kind, (await ledger.standing()).at) == ("in", now)
    await ledger.add("out", now=now + timedelta(seconds=1))
    assert (await ledger.standing()).kind == "out"
    assert (await ledger.standing(purpose="service")).kind is None


async def test_an_opt_out_of_everything_is_one_of_each_purpose(ledger: Any, now: Any) -> None:
    await ledger.add("in")
    await ledger.add("out", purpose="*", now=now + timedelta(seconds=1))
    assert [(await ledger.standing(purpose=purpose)).kind for purpose in ("marketing", "service")] == ["out", "out"]
    await ledger.add("in", purpose="service", now=now + timedelta(seconds=2))
    assert [(await ledger.standing(purpose=purpose)).kind for purpose in ("marketing", "service")] == ["out", "in"]


async def test_an_entry_keeps_who_when_what_was_shown_and_the_evidence(ledger: Any, now: Any) -> None:
    await ledger.add("in", text_shown="Quero receber ofertas", evidence={"form": "f-1"}, at=now - timedelta(days=2))
    (entry,) = await ledger.entries()
    assert (entry.kind, entry.purpose, entry.source, entry.actor) == ("in", "marketing", "api", "runtime")
    assert (entry.text_shown, entry.evidence, entry.at) == (
        "Quero receber ofertas", {"form": "f-1"}, now - timedelta(days=2),
    )  # fmt: skip
    assert await ledger.rows("SELECT action FROM audit_log") == [("consent.added",)]
    ((kind, body),) = await ledger.rows("SELECT kind, body FROM events WHERE provider = 'gateway'")
    assert (kind, body["kind"], body["contact_id"]) == ("consent.changed", "in", str(entry.contact_id))


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE consents SET kind = 'in'",
        "DELETE FROM consents",
        "TRUNCATE consents",
        "UPDATE consent_answers SET answers = ''",
        "DELETE FROM consent_answers",
    ],
)
async def test_the_application_cannot_change_or_delete_an_entry(ledger: Any, sql: str) -> None:
    await ledger.add("out")
    with pytest.raises(StoreError, match="42501"):
        await ledger.rows(f"WITH x AS ({sql} RETURNING 1) SELECT 1" if not sql.startswith("T") else sql)
    assert (await ledger.standing()).kind == "out"


async def test_two_contacts_that_turn_out_to_be_one_have_one_standing(ledger: Any, said: Any, now: Any) -> None:
    await ledger.add("in")
    await ledger.hear(said("SAIR", chat=BIA_LID, sender=BIA_LID, at=now + timedelta(minutes=1)))
    assert (await ledger.standing()).kind == "in"
    await ledger.hear(said("oi", "3EB0000000000000000002", chat_alt=BIA_LID))
    assert (await ledger.standing()).kind == "out"
    assert [entry.kind for entry in await ledger.entries()] == ["in", "out"]


async def test_a_word_heard_under_both_addresses_is_one_entry_after_the_merge(ledger: Any, said: Any) -> None:
    await ledger.hear(said("SAIR"))
    await ledger.hear(said("SAIR", chat=BIA_LID, sender=BIA_LID))
    assert len(await ledger.rows("SELECT id FROM consents")) == 2
    await ledger.hear(said("oi", "3EB0000000000000000002", chat_alt=BIA_LID))
    assert [entry.message_id for entry in await ledger.entries()] == ["3EB0000000000000000001"]


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"purpose": " "}, BadContent),
        ({"purpose": "x" * 65}, BadContent),
        ({"purpose": "*", "kind": "in"}, BadContent),
        ({"text_shown": "x" * 5000}, BadContent),
        ({"evidence": {"x": "x" * 5000}}, BadContent),
        ({"whom": Whom()}, BadAddress),
        ({"whom": Whom(to="x")}, BadAddress),
        ({"whom": Whom(to="120363000000000001@g.us")}, BadAddress),
    ],
)
async def test_what_cannot_be_an_entry_is_refused(ledger: Any, changes: Any, refusal: Any) -> None:
    with pytest.raises(refusal):
        await ledger.add(changes.pop("kind", "in"), **changes)
    assert await ledger.rows("SELECT 1 FROM consents") == []


async def test_nobody_agrees_in_the_future(ledger: Any, now: Any) -> None:
    with pytest.raises(BadContent):
        await ledger.add("in", at=now + timedelta(hours=1))
    await ledger.add("in", at=now + timedelta(minutes=1))
    assert (await ledger.standing()).at == now


async def test_another_s_contact_does_not_exist(ledger: Any, database: Database, bia: Principal, now: Any) -> None:
    entry = await ledger.add("in")
    said = Said(whom=Whom(contact_id=entry.contact_id), purpose="marketing", kind="in", at=None)
    with pytest.raises(NotFound):
        async with database.unit(bia) as unit:
            await recording.record_consent(unit, said, source="api", now=now)


async def test_a_key_that_may_only_send_writes_no_consent(ledger: Any, ana: Principal, now: Any) -> None:
    limited = Principal("key:x", ana.mentorado_id, frozenset((READ, SEND)))
    with pytest.raises(Forbidden):
        async with ledger.database.unit(limited) as unit:
            await recording.record_consent(
                unit, Said(whom=Whom(to="550000000002"), purpose="x", kind="in", at=None), source="api", now=now
            )


async def test_an_import_takes_the_good_lines_and_names_what_is_wrong_with_the_others(ledger: Any, now: Any) -> None:
    await ledger.add("out", to="550000000003")
    then = now - timedelta(days=3)

    def line(to: str, **changes: Any) -> Said:
        return Said(**{"whom": Whom(to=to), "purpose": "marketing", "kind": "in", "at": then} | changes)

    lines = [
        line("550000000002"),
        line("nobody"),
        line("550000000003"),
        line("550000000004", at=None),
        line("550000000005", at=now + timedelta(days=1)),
        line("550000000006", purpose=""),
        line("550000000003", kind="out"),
        line("550000000007"),
    ]
    async with ledger.database.unit(ledger.principal) as unit:
        added, problems = await recording.import_consents(unit, list(enumerate(lines)), now=now)
    assert len(added) == 3
    assert [(problem.line, problem.kind) for problem in problems] == [
        (1, "bad-address"), (2, "opted-out"), (3, "bad-content"), (4, "bad-content"), (5, "bad-content"),
    ]  # fmt: skip
    assert ((await ledger.standing("550000000007")).kind, (await ledger.standing("550000000007")).at) == ("in", then)
    assert (await ledger.standing("550000000003")).kind == "out"


async def test_two_lines_of_one_person_are_two_entries(ledger: Any, now: Any, database: Database) -> None:
    line = Said(whom=Whom(to="550000000002"), purpose="marketing", kind="in", at=now - timedelta(days=1))
    async with database.unit(ledger.principal) as unit:
        added, problems = await recording.import_consents(unit, [(0, line), (1, line)], now=now)
    assert (len(added), problems) == (2, [])
    assert len({entry.contact_id for entry in added}) == 1


async def test_the_rows_of_one_are_not_the_rows_of_another(ledger: Any, database: Database, bia: Principal) -> None:
    await ledger.add("in")
    async with database.unit(bia) as unit:
        assert await unit.tuples(Query("test", b"SELECT 1 FROM consents")) == []
