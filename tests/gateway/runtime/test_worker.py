"""A mentorado's account from the click on Connect to messages both ways, over the emulated WhatsApp."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import psycopg

from recado.emulator.whatsapp.world import World
from recado.gateway.connections import service as connections
from recado.gateway.conversations import repository, service
from recado.gateway.db.pool import Database
from recado.gateway.runtime.worker import Worker
from recado.gateway.security import Principal


def now() -> datetime:
    return datetime.now(UTC)


async def linked(desk: Any, world: World, name: str = "Ana") -> None:
    await desk.connect()
    await world.phone(name).scan(await desk.qr())
    await desk.state("connected")


async def messages(desk: Any, conversation: Any) -> list[tuple[str, str | None, str | None]]:
    async with desk.database.unit(desk.principal) as unit:
        rows = await repository.list_messages(unit, conversation)
    return [(row.direction, row.text, row.status) for row in reversed(rows)]


async def test_a_click_shows_a_code_and_a_scan_connects(
    desk: Any, world: World, new_worker: Callable[..., Worker]
) -> None:
    async with new_worker() as worker:
        await linked(desk, world)
        connection = await desk.state("connected")
        assert connection.account_phone == world.phone("Ana").jid.user
        assert connection.account_lid == world.phone("Ana").lid.user
        assert connection.step_kind is None
        assert worker.placement.running == [(desk.principal.mentorado_id, "baileys")]


async def test_what_somebody_writes_is_on_the_page(desk: Any, world: World, new_worker: Callable[..., Worker]) -> None:
    bia = world.phone("Bia")
    async with new_worker():
        await linked(desk, world)
        await bia.say("Ana", "oi, tudo bem?")

        async def look() -> Any:
            async with desk.database.unit(desk.principal) as unit:
                return await repository.list_conversations(unit)

        (conversation,) = await desk.until(look)
        assert (conversation.last_text, conversation.unread_count) == ("oi, tudo bem?", 1)
        assert conversation.phone == bia.jid.user
        assert conversation.lid == bia.lid.user
        assert conversation.title == "Bia"


async def test_what_is_queued_is_sent_once_and_its_ticks_come_back(
    desk: Any, world: World, new_worker: Callable[..., Worker]
) -> None:
    bia = world.phone("Bia")
    async with new_worker():
        await linked(desk, world)
        async with desk.database.unit(desk.principal) as unit:
            accepted = await service.queue_message(unit, text="bom dia", to=f"+{bia.jid.user}", now=now())
            shown = await repository.get_message(unit, accepted.queued.message_id)
            assert (shown.text, shown.status) == ("bom dia", "queued")
        received = await bia.expect("bom dia")
        assert received.id == accepted.queued.message_id
        await bia.read()

        async def read() -> Any:
            async with desk.database.unit(desk.principal) as unit:
                message = await repository.get_message(unit, accepted.queued.message_id)
                return message if message.status == "read" else None

        await desk.until(read)
        assert bia.repeats == {}
        async with desk.database.unit(desk.principal) as unit:
            assert (await repository.find_queued(unit, message_id=accepted.queued.message_id)).state == "server_ack"


async def test_what_was_queued_while_nobody_ran_goes_out_after_a_restart(
    desk: Any, world: World, new_worker: Callable[..., Worker]
) -> None:
    bia = world.phone("Bia")
    async with new_worker():
        await linked(desk, world)
    assert (await desk.state("reconnecting")).reason == "handed_over"
    async with desk.database.unit(desk.principal) as unit:
        for text in ("um", "dois", "três"):
            await service.queue_message(unit, text=text, to=bia.jid.user, now=now())
    async with new_worker():
        await desk.state("connected")
        await bia.expect("três")
    assert [shown.text for shown in bia.messages] == ["um", "dois", "três"]


async def test_another_number_is_parked_and_nothing_of_it_is_written(
    desk: Any, world: World, new_worker: Callable[..., Worker], database_url: str
) -> None:
    async with new_worker():
        await linked(desk, world)
        await world.phone("Ana").unlink()
        await desk.state("logged_out")
        await desk.connect()
        world.phone("Bia").vouch(await desk.qr())
        await desk.state("held")
        async with desk.database.unit(desk.principal) as unit:
            await connections.settle_number(unit, desk.vault, "baileys", keep=False)
        parked = await desk.state("failed")
        assert parked.reason == "another_number"
        assert parked.account_phone == world.phone("Ana").jid.user
        # A person says that the number changed.
        async with desk.database.unit(desk.principal) as unit:
            await connections.allow_another_number(unit)
        await world.phone("Bia").scan(await desk.qr())
        assert (await desk.state("connected")).account_phone == world.phone("Bia").jid.user


async def test_unlinked_from_the_phone_the_session_is_backed_up_and_cleared(
    desk: Any, world: World, new_worker: Callable[..., Worker], database_url: str
) -> None:
    async with new_worker() as worker:
        await linked(desk, world)
        await world.phone("Bia").say("Ana", "fica")
        await world.phone("Ana").unlink()
        await desk.state("logged_out")

        async def stopped() -> bool:
            return worker.placement.running == []

        await desk.until(stopped)
        with psycopg.connect(database_url) as owner:
            assert owner.execute("SELECT count(*) FROM baileys_sessions WHERE key NOT LIKE 'cursor-%'").fetchone() == (
                0,
            )
            assert owner.execute("SELECT count(*) FROM baileys_backups WHERE key = 'creds'").fetchone() == (1,)
            assert owner.execute("SELECT count(*) FROM whatsapp_messages").fetchone() == (1,)


async def test_disconnect_closes_and_connect_comes_back_without_a_code(
    desk: Any, world: World, new_worker: Callable[..., Worker]
) -> None:
    async with new_worker() as worker:
        await linked(desk, world)
        async with desk.database.unit(desk.principal) as unit:
            await connections.request_disconnect(unit)
        await desk.state("disconnected")

        async def stopped() -> bool:
            return worker.placement.running == []

        await desk.until(stopped)
        await desk.connect()
        assert (await desk.state("connected", "qr")).state == "connected"


async def test_unlinking_from_here_takes_the_device_off_the_phone(
    desk: Any, world: World, new_worker: Callable[..., Worker]
) -> None:
    async with new_worker():
        await linked(desk, world)
        async with desk.database.unit(desk.principal) as unit:
            await connections.request_unlink(unit)

        async def unlinked() -> Any:
            async with desk.database.unit(desk.principal) as unit:
                found = await connections.get_connection(unit)
                return found if (found.desired, found.state) == ("disconnected", "disconnected") else None

        assert (await desk.until(unlinked)).reason == "unlinked"
        assert world.phone("Ana").account.companions == []


async def test_two_mentorados_are_linked_one_after_the_other(
    desk: Any, desk_of: Any, bia: Principal, world: World, new_worker: Callable[..., Worker]
) -> None:
    other = desk_of(bia)
    async with new_worker():
        await desk.connect()
        first = await desk.qr()
        await other.connect()

        async def waits() -> Any:
            async with other.database.unit(other.principal) as unit:
                return (await connections.get_connection(unit)).reason

        assert await other.until(waits) == "another_mentorado_is_being_linked"
        await world.phone("Ana").scan(first)
        await world.phone("Bia").scan(await other.qr())
        await other.state("connected")
        await desk.state("connected")


async def test_a_second_worker_leaves_the_account_alone_and_takes_over_when_the_first_goes(
    desk: Any, world: World, new_worker: Callable[..., Worker], database: Database
) -> None:
    key = (desk.principal.mentorado_id, "baileys")
    async with new_worker() as second:
        async with new_worker() as first:
            await linked(desk, world)
            holder, other = (first, second) if key in first.placement.running else (second, first)
            assert key not in other.placement.running
            assert await other.leases.claim(*key) is None
        await desk.state("connected")
        if holder is first:

            async def taken() -> bool:
                return key in second.placement.running

            await desk.until(taken)
