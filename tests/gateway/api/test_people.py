"""People beside their messages, through the API: look-ups, blocks, presence, the about, calls; each told by events."""

from __future__ import annotations

from typing import Any

import pytest

from recado.emulator.whatsapp.world import World

NOBODY = "+1 555 0199"


async def event_of(events: Any, kind: str, **fields: Any) -> dict[str, Any]:
    """The next event of a kind whose body says that."""

    def fits(event: Any) -> bool:
        body = event.data.get("data", event.data)
        return bool(event.kind == kind and all(body.get(name) == value for name, value in fields.items()))

    found = (await events.until(fits)).data
    body: dict[str, Any] = found.get("data", found)
    return body


async def test_a_look_up_is_answered_by_an_event_for_each_number(clara: Any, link: Any, world: World) -> None:
    bia = world.phone("Bia")
    bia.person.become_business("Bia Teaches")
    await link(clara)
    async with clara.stream() as events:
        accepted = await clara.post(f"{clara.root}/people/look-ups", {"phones": [bia.number, NOBODY]})
        assert accepted.status_code == 202
        request = accepted.json()["id"]
        found = await event_of(events, "person.found", request=request, asked=str(bia.jid))
        assert (found["is_on_whatsapp"], found["lid"], found["verified_name"]) == (True, str(bia.lid), "Bia Teaches")
        missing = await event_of(events, "person.found", request=request)
        assert (missing["is_on_whatsapp"], missing["asked"]) == (False, "15550199@s.whatsapp.net")


async def test_people_are_blocked_and_unblocked_and_the_about_is_changed(clara: Any, link: Any, world: World) -> None:
    bia = world.phone("Bia")
    await link(clara)
    phone = world.phone("Clara")
    async with clara.stream() as events:
        for blocked in (True, False):
            asked = {"who": bia.number, "blocked": blocked}
            assert (await clara.post(f"{clara.root}/people/blocks", asked)).status_code == 202
            told = await event_of(events, "blocklist.changed")
            assert told["blocked" if blocked else "unblocked"] == [str(bia.lid)]
        response = await clara.client.put(
            f"{clara.root}/people/about", json={"about": "Back soon"}, headers=clara.headers
        )
        assert response.status_code == 202
        await world.until(lambda: phone.account.about == "Back soon", "the about never changed")


async def test_a_call_is_told_and_refused_and_somebody_watched_is_seen(clara: Any, link: Any, world: World) -> None:
    bia = world.phone("Bia")
    await link(clara)
    phone = world.phone("Clara")
    async with clara.stream() as events:
        id = bia.person.call(phone)
        told = await event_of(events, "call.received", id=id)
        assert (told["state"], told["caller"]) == ("offered", str(bia.lid))
        asked = {"call": id, "caller": told["caller"]}
        assert (await clara.post(f"{clara.root}/people/call-rejections", asked)).status_code == 202
        await world.until(lambda: bia.person.calls[id] == "rejected", "the call was not refused")
        assert (await clara.post(f"{clara.root}/people/watches", {"who": bia.number})).status_code == 202
        await world.until(lambda: bool(bia.account.watchers), "nobody watches")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("look-ups", {"phones": []}),
        ("look-ups", {"phones": ["x"]}),
        ("look-ups", {"phones": ["77@lid"]}),
        ("look-ups", {"phones": ["550000000001"] * 51}),
        ("blocks", {"who": "1-2@g.us"}),
        ("watches", {"who": ""}),
        ("call-rejections", {"call": "", "caller": "550000000001"}),
        ("call-rejections", {"call": "é", "caller": "550000000001"}),
    ],
)
async def test_what_is_no_person_is_refused_in_words(clara: Any, link: Any, path: str, body: dict[str, Any]) -> None:
    await link(clara)
    refused = await clara.post(f"{clara.root}/people/{path}", body)
    assert refused.status_code in (400, 422), refused.text


async def test_without_a_connection_and_on_a_road_that_knows_no_people_it_is_a_conflict(clara: Any) -> None:
    refused = await clara.post(f"{clara.root}/people/look-ups", {"phones": ["550000000001"]})
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (409, "no-connection")
