"""A word for stopping is heeded with the message that says it: the opt-out, one answer, or neither."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from recado.events import Source
from recado.gateway.consent import recording, repository, service, stopping
from recado.gateway.consent.repository import ConsentSettings, Standing
from recado.gateway.db.unit import Unit
from recado.gateway.refusals import BadContent, Forbidden
from recado.gateway.runtime.recorder import record
from recado.gateway.security import SEND, Principal
from recado.jid import JID

ANSWER = "Pronto: você não vai mais receber nossas mensagens automáticas. Para voltar a receber, responda VOLTAR."


def words(facts: Any, text: str, id: int, now: Any, **changes: Any) -> Any:
    return facts(text, f"3EB{id:019}", now, **changes)


async def test_a_word_writes_the_opt_out_for_every_purpose_and_queues_one_answer(ledger: Any, said: Any) -> None:
    await ledger.add("in")
    await ledger.hear(said("Sair."))
    _, entry = await ledger.entries()
    assert (entry.kind, entry.purpose, entry.source, entry.message_id) == ("out", "*", "keyword", said("").id)
    assert entry.evidence["message_id"] == said("").id
    assert [(await ledger.standing(purpose=purpose)).kind for purpose in ("marketing", "service")] == ["out", "out"]
    ((message_id, text),) = await ledger.queued()
    assert text == ANSWER
    async with ledger.database.unit(ledger.principal) as unit:
        assert await service.is_confirmation(unit, message_id)
        assert not await service.is_confirmation(unit, said("").id)


async def test_the_message_is_told_before_what_it_changed(ledger: Any, said: Any) -> None:
    await ledger.hear(said("SAIR"))
    kinds = [kind for (kind,) in await ledger.rows("SELECT kind FROM events ORDER BY seq")]
    assert [kind for kind in kinds if kind in ("message.received", "consent.changed")] == [
        "message.received", "consent.changed",
    ]  # fmt: skip


async def test_what_only_speaks_of_stopping_writes_nothing(ledger: Any, said: Any) -> None:
    await ledger.hear(said("não quero parar"))
    assert (await ledger.standing()).kind is None
    assert await ledger.queued() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"source": Source.HISTORY},
        {"source": Source.ECHO, "from_me": True},
        {"from_me": True},
        {"chat": JID("120363000000000001", "g.us")},
    ],
)
async def test_only_what_a_person_writes_to_us_now_is_heeded(ledger: Any, said: Any, changes: Any) -> None:
    await ledger.hear(said("SAIR", **changes))
    assert await ledger.rows("SELECT 1 FROM consents") == []
    assert await ledger.queued() == []


@pytest.mark.parametrize("source", [Source.LIVE, Source.OFFLINE, Source.RESEND])
async def test_it_is_heeded_live_after_an_absence_and_when_it_could_be_read_at_last(
    ledger: Any, said: Any, source: Source
) -> None:
    await ledger.hear(said("SAIR", source=source))
    assert (await ledger.standing()).kind == "out"


async def test_the_same_message_told_again_is_heeded_once(ledger: Any, said: Any, now: Any) -> None:
    await ledger.hear(said("SAIR"), said("SAIR"))
    await ledger.hear(said("SAIR", source=Source.OFFLINE))
    await ledger.hear(said("SAIR", source=Source.RESEND, at=now + timedelta(days=3)))
    assert len(await ledger.entries()) == 1
    assert len(await ledger.queued()) == 1


async def test_who_repeats_it_within_a_day_is_not_answered_again(ledger: Any, said: Any, now: Any) -> None:
    for id, hours in enumerate((0, 1, 20)):
        await ledger.hear(words(said, "SAIR", id, now + timedelta(hours=hours)))
    assert len(await ledger.entries()) == 3
    assert len(await ledger.queued()) == 1


async def test_who_repeats_it_more_than_a_day_later_is_answered_again(ledger: Any, said: Any, now: Any) -> None:
    for id, hours in enumerate((0, 25)):
        await ledger.hear(words(said, "SAIR", id, now + timedelta(hours=hours)))
    assert len(await ledger.entries()) == 2
    assert len(await ledger.queued()) == 2


async def test_who_agreed_again_and_stops_again_within_a_day_is_answered_again(
    ledger: Any, said: Any, now: Any
) -> None:
    await ledger.hear(words(said, "SAIR", 1, now))
    await ledger.add("in", now=now + timedelta(hours=1))
    await ledger.hear(words(said, "SAIR", 2, now + timedelta(hours=2)))
    assert len(await ledger.queued()) == 2


async def test_two_words_in_one_batch_are_two_entries_and_one_answer(ledger: Any, said: Any, now: Any) -> None:
    await ledger.hear(words(said, "SAIR", 1, now), words(said, "PARAR", 2, now))
    assert len(await ledger.entries()) == 2
    assert len(await ledger.queued()) == 1


async def test_an_opt_out_that_came_another_way_is_answered_when_the_person_says_so(
    ledger: Any, said: Any, now: Any
) -> None:
    await ledger.hear(words(said, "SAIR", 1, now))
    await ledger.hear(words(said, "VOLTAR", 2, now + timedelta(minutes=1)))
    await ledger.hear(words(said, "SAIR", 3, now + timedelta(minutes=2)))
    assert [entry.kind for entry in await ledger.entries()] == ["out", "back", "out"]
    assert len(await ledger.queued()) == 2


async def test_a_word_for_coming_back_undoes_a_stop_with_the_message_as_evidence(
    ledger: Any, said: Any, now: Any
) -> None:
    await ledger.add("in", now=now - timedelta(days=1))
    await ledger.hear(words(said, "SAIR", 1, now))
    await ledger.hear(words(said, "Voltar!", 2, now + timedelta(minutes=1)))
    *_, back = await ledger.entries()
    assert (back.kind, back.source, back.evidence["message_id"]) == ("back", "keyword", f"3EB{2:019}")
    assert await ledger.standing() == Standing("in", now - timedelta(days=1))


async def test_who_never_agreed_has_not_agreed_after_stopping_and_coming_back(ledger: Any, said: Any, now: Any) -> None:
    await ledger.hear(words(said, "SAIR", 1, now))
    await ledger.hear(words(said, "VOLTAR", 2, now + timedelta(minutes=1)))
    assert await ledger.standing() == Standing(None, None)


async def test_after_coming_back_each_purpose_stands_as_before_the_first_of_the_stops(
    ledger: Any, said: Any, now: Any
) -> None:
    await ledger.add("in", purpose="service", now=now - timedelta(days=2))
    await ledger.add("out", now=now - timedelta(days=1))
    for minute, word in enumerate(("SAIR", "PARAR", "VOLTAR")):
        await ledger.hear(words(said, word, minute, now + timedelta(minutes=minute)))
    standings = [(await ledger.standing(purpose=purpose)).kind for purpose in ("marketing", "service", "news")]
    assert standings == ["out", "in", None]
    await ledger.hear(words(said, "SAIR", 4, now + timedelta(minutes=4)))
    assert [(await ledger.standing(purpose=purpose)).kind for purpose in ("marketing", "news")] == ["out", "out"]


async def test_what_was_agreed_between_the_stop_and_the_return_stays_agreed(ledger: Any, said: Any, now: Any) -> None:
    await ledger.hear(words(said, "SAIR", 1, now))
    await ledger.add("in", purpose="service", now=now + timedelta(minutes=1))
    await ledger.hear(words(said, "VOLTAR", 2, now + timedelta(minutes=2)))
    assert [(await ledger.standing(purpose=purpose)).kind for purpose in ("marketing", "service")] == [None, "in"]


async def test_an_objection_to_one_purpose_is_no_stop_to_come_back_from(ledger: Any, said: Any, now: Any) -> None:
    await ledger.add("out", now=now)
    await ledger.hear(words(said, "VOLTAR", 1, now + timedelta(minutes=1)))
    assert (await ledger.standing()).kind == "out"
    assert len(await ledger.entries()) == 1


async def test_a_stop_outlasts_a_return_with_a_later_clock(ledger: Any, said: Any, now: Any) -> None:
    await ledger.hear(words(said, "SAIR", 1, now))
    await ledger.hear(words(said, "VOLTAR", 2, now + timedelta(minutes=3)))
    await ledger.hear(words(said, "SAIR", 3, now + timedelta(minutes=1)))
    assert (await ledger.standing()).kind == "out"


async def test_within_one_batch_the_last_word_counts(ledger: Any, said: Any, now: Any) -> None:
    await ledger.hear(words(said, "SAIR", 1, now), words(said, "VOLTAR", 2, now))
    assert (await ledger.standing()).kind is None
    await ledger.hear(words(said, "VOLTAR", 3, now), words(said, "SAIR", 4, now))
    assert (await ledger.standing()).kind == "out"


async def test_who_never_stopped_does_not_agree_by_saying_voltar(ledger: Any, said: Any) -> None:
    """It is also what people answer to a menu."""
    await ledger.hear(said("voltar"))
    assert await ledger.entries() == []


async def test_a_return_that_was_written_before_the_stop_does_not_undo_it(ledger: Any, said: Any, now: Any) -> None:
    await ledger.hear(words(said, "SAIR", 1, now))
    late = words(said, "VOLTAR", 2, now + timedelta(hours=1), sent_at=now - timedelta(hours=1))
    await ledger.hear(late)
    assert (await ledger.standing()).kind == "out"


async def test_a_stop_outlasts_an_entry_with_a_later_clock(ledger: Any, said: Any, now: Any) -> None:
    await ledger.add("in", now=now + timedelta(minutes=3))
    await ledger.hear(said("SAIR"))
    assert (await ledger.standing()).kind == "out"


async def test_without_a_connection_the_opt_out_is_written_and_nothing_is_answered(
    ledger: Any, said: Any, database: Any, bia: Principal
) -> None:
    async with database.unit(bia) as unit:
        await record(unit, "baileys", [said("SAIR")])
        assert len(await repository.list_heeded(unit, [said("").id], [await contact(unit)])) == 1


async def contact(unit: Unit) -> Any:
    return await recording.find_contact(unit, recording.Whom(to="550000000002"))


async def test_a_death_in_between_leaves_neither_the_message_nor_the_opt_out_nor_the_answer(
    ledger: Any, said: Any
) -> None:
    class Dead(BaseException):
        pass

    with pytest.raises(Dead):
        async with ledger.database.unit(ledger.principal) as unit:
            await record(unit, "baileys", [said("SAIR")])
            raise Dead
    for table in ("consents", "outbox", "whatsapp_messages", "events"):
        assert await ledger.rows(f"SELECT 1 FROM {table}") == [], table
    await ledger.hear(said("SAIR"))
    for table in ("consents", "outbox", "consent_answers"):
        assert len(await ledger.rows(f"SELECT 1 FROM {table}")) == 1, table


async def test_what_holds_no_word_costs_no_statement(
    ledger: Any, said: Any, now: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ledger.hear(said("oi"))
    ran: list[str] = []
    run, tuples = Unit.run, Unit.tuples

    async def counted_run(self: Unit, query: Any, **parameters: Any) -> None:
        ran.append(query.name)
        await run(self, query, **parameters)

    async def counted_tuples(self: Unit, query: Any, **parameters: Any) -> Any:
        ran.append(query.name)
        return await tuples(self, query, **parameters)

    async with ledger.database.unit(ledger.principal) as unit:
        monkeypatch.setattr(Unit, "run", counted_run)
        monkeypatch.setattr(Unit, "tuples", counted_tuples)
        monkeypatch.setattr(Unit, "one", None)
        monkeypatch.setattr(Unit, "all", None)
        facts = [words(said, text, id, now) for id, text in enumerate(("tudo bem?", "não quero parar", "ok"))]
        assert await stopping.heed(unit, facts) == []
    assert ran == []


async def test_a_mentorado_s_own_words_count_and_the_usual_ones_do_not_any_more(
    ledger: Any, said: Any, now: Any
) -> None:
    await ledger.hear(words(said, "oi", 0, now))
    async with ledger.database.unit(ledger.principal) as unit:
        await recording.save_settings(unit, ConsentSettings("en", ["chega"], ["bora"], "ok, bye", True))
    stopping.forget_words(ledger.principal.mentorado_id)
    await ledger.hear(words(said, "cancelar", 1, now))
    assert (await ledger.standing()).kind is None
    await ledger.hear(words(said, "CHEGA!", 2, now))
    assert [text for _, text in await ledger.queued()] == ["ok, bye"]
    await ledger.hear(words(said, "bora", 3, now + timedelta(minutes=1)))
    assert (await ledger.standing()).kind is None


async def test_another_process_reads_the_words_again_within_a_minute(ledger: Any, said: Any, now: Any) -> None:
    await ledger.hear(words(said, "oi", 0, now))
    async with ledger.database.unit(ledger.principal) as unit:
        await recording.save_settings(unit, ConsentSettings(stop_words=["chega"]))
    await ledger.hear(words(said, "chega", 1, now + timedelta(minutes=1)))
    assert (await ledger.standing()).kind == "out"


async def test_the_answer_can_be_switched_off_and_the_opt_out_cannot(ledger: Any, said: Any) -> None:
    async with ledger.database.unit(ledger.principal) as unit:
        await recording.save_settings(unit, ConsentSettings(is_answering=False))
    await ledger.hear(said("SAIR"))
    assert (await ledger.standing()).kind == "out"
    assert await ledger.queued() == []


@pytest.mark.parametrize(
    "settings",
    [
        ConsentSettings(stop_words=[]),
        ConsentSettings(stop_words=["?!"]),
        ConsentSettings(stop_words=["x" * 61]),
        ConsentSettings(return_words=["a"] * 51),
        ConsentSettings(answer="  "),
        ConsentSettings(answer="x" * 5000),
    ],
)
async def test_words_that_cannot_be_are_refused(ledger: Any, settings: ConsentSettings) -> None:
    with pytest.raises(BadContent):
        async with ledger.database.unit(ledger.principal) as unit:
            await recording.save_settings(unit, settings)
    with pytest.raises(Forbidden):
        async with ledger.database.unit(Principal("key:x", ledger.principal.mentorado_id, frozenset((SEND,)))) as unit:
            await recording.save_settings(unit, ConsentSettings())
