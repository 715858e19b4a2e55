"""The stream: replayed by number, live, and ended when its key is or the process is."""

from __future__ import annotations

from typing import Any

import pytest

from recado.content import Text
from recado.emulator.whatsapp.world import World
from recado.events import MessageId, MessageReceived
from recado.gateway.app import Gateway
from recado.gateway.runtime.recorder import record
from recado.gateway.security import Principal
from recado.gateway.stream import broadcast
from recado.jid import JID


async def tell(gateway: Gateway, clara: Any, *texts: str) -> None:
    """Record messages, as a provider does."""
    from uuid import UUID

    now, ana = gateway.clock.now(), JID.phone("550000000002")
    facts = [
        MessageReceived(
            account=JID.phone("550000000001"),
            at=now,
            id=MessageId(f"3EB0{text.encode().hex()[:32].upper()}"),
            chat=ana,
            sender=ana,
            from_me=False,
            content=Text(text),
            sent_at=now,
        )
        for text in texts
    ]
    async with gateway.database.unit(Principal.runtime(UUID(clara.id))) as unit:
        await record(unit, "baileys", facts)


async def read(events: Any, count: int) -> list[tuple[str, str]]:
    """The next facts, as (id, text)."""
    found = []
    while len(found) < count:
        event = await events.until(lambda event: event.id is not None)
        found.append((event.id, event.data["data"]["content"]["body"]))
    return found


async def test_what_came_since_the_last_id_comes_first_and_then_what_comes(gateway: Gateway, clara: Any) -> None:
    await tell(gateway, clara, "a", "b", "c")
    async with clara.stream(headers={"last-event-id": "1"}) as events:
        assert await read(events, 2) == [("2", "b"), ("3", "c")]
        await tell(gateway, clara, "d")
        assert await read(events, 1) == [("4", "d")]
    async with clara.stream(params={"after": 0}) as events:
        assert [id for id, _ in await read(events, 4)] == ["1", "2", "3", "4"]


async def test_without_an_id_only_what_is_new_comes(gateway: Gateway, clara: Any) -> None:
    await tell(gateway, clara, "old")
    async with clara.stream() as events:
        await events.until(lambda event: event.kind == "connection")
        await tell(gateway, clara, "new")
        assert await read(events, 1) == [("2", "new")]


async def test_two_readers_get_the_same_and_one_far_behind_gets_all(
    gateway: Gateway, clara: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcast, "_PAGE", 3)
    texts = [f"m{number}" for number in range(broadcast._RING + 20)]
    async with clara.stream() as live, clara.stream() as other:
        await live.until(lambda event: event.kind == "connection")
        await other.until(lambda event: event.kind == "connection")
        await tell(gateway, clara, *texts)
        assert [text for _, text in await read(live, len(texts))] == texts
        assert [text for _, text in await read(other, len(texts))] == texts
        async with clara.stream(params={"after": 0}) as late:
            assert [text for _, text in await read(late, len(texts))] == texts


async def test_nothing_a_person_writes_breaks_the_frames(gateway: Gateway, clara: Any) -> None:
    odd = ["id: 99\nevent: forged\n\ndata: {}", "\u2028\u2029\r\n", '"}\\', "🙂\u202e"]
    async with clara.stream() as events:
        await events.until(lambda event: event.kind == "connection")
        await tell(gateway, clara, *odd)
        assert [text for _, text in await read(events, len(odd))] == odd
        assert {event.kind for event in events.seen} == {"connection", "message.received"}


async def test_a_page_of_events_can_be_asked_for(gateway: Gateway, clara: Any) -> None:
    await tell(gateway, clara, "a", "b", "c")
    page = (await clara.get(f"{clara.root}/events", params={"after": 1, "limit": 1})).json()
    assert [event["data"]["content"]["body"] for event in page["items"]] == ["b"]
    assert page["next"] == 2
    assert (await clara.get(f"{clara.root}/events", params={"after": 3})).json() == {"items": [], "next": 3}


@pytest.mark.parametrize("wrong", ["x", "-1", "1.5", "9" * 40])
async def test_a_last_event_id_that_is_no_number_is_a_400(clara: Any, wrong: str) -> None:
    answer = await clara.get(f"{clara.root}/events/stream", headers={"last-event-id": wrong})
    assert answer.status_code == 400


async def test_another_mentorados_events_stay_out(gateway: Gateway, clara: Any, hire: Any) -> None:
    bia = await hire("Bia")
    async with clara.stream() as events:
        await events.until(lambda event: event.kind == "connection")
        await tell(gateway, bia, "secret")
        await tell(gateway, clara, "mine")
        assert await read(events, 1) == [("1", "mine")]


async def test_a_revoked_key_ends_its_stream(
    gateway: Gateway, clara: Any, monkeypatch: pytest.MonkeyPatch, world: World
) -> None:
    monkeypatch.setattr(broadcast, "_BEAT_SECONDS", 0.02)
    made = (await clara.post(f"{clara.root}/keys", {"scopes": ["read"]})).json()
    reader = type(clara)(clara.client, made["token"], clara.id)
    async with reader.stream() as events:
        await events.until(lambda event: event.kind == "connection")
        await clara.client.delete(f"{clara.root}/keys/{made['id']}", headers=clara.headers)
        await events.until_end()


async def test_closing_ends_every_stream(gateway: Gateway, clara: Any) -> None:
    async with clara.stream() as events:
        await events.until(lambda event: event.kind == "connection")
        gateway.broadcasts.close()
        await events.until_end()
