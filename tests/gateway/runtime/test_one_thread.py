"""A person is written to by number or by LID, the wire names the LID, and the conversation stays one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.gateway.runtime.test_worker import linked, now

from recado.emulator.whatsapp.world import World
from recado.gateway.conversations import repository, service
from recado.gateway.runtime.worker import Worker


async def test_what_goes_by_number_by_lid_and_comes_back_is_one_thread(
    desk: Any, world: World, new_worker: Callable[..., Worker]
) -> None:
    bia = world.phone("Bia")
    async with new_worker():
        await linked(desk, world)
        await bia.say("Ana", "first")

        async def rows(count: int) -> Any:
            async with desk.database.unit(desk.principal) as unit:
                listed = await repository.list_conversations(unit)
                found = [row for each in listed for row in await repository.list_messages(unit, each.id)]
                return (listed, found) if len(found) == count else None

        await desk.until(lambda: rows(1))
        for text, to in (("by number", f"+{bia.jid.user}"), ("by LID", str(bia.lid))):
            async with desk.database.unit(desk.principal) as unit:
                accepted = await service.queue_message(unit, text=text, to=to, now=now())
            assert (await bia.expect(text)).id == accepted.queued.message_id
        await bia.say("Ana", "and back")
        (conversation,), found = await desk.until(lambda: rows(4))
        assert {row.text for row in found} == {"first", "by number", "by LID", "and back"}
        assert (conversation.phone, conversation.lid) == (bia.jid.user, bia.lid.user)
        assert bia.repeats == {}
