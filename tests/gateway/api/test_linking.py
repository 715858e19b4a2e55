"""Linking over HTTP: a code to type, a passkey to bring, another number to decide about; and who may do it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from recado.emulator.whatsapp.world import World


async def connect(api: Any, body: Any = None) -> None:
    assert (await api.post(f"{api.root}/connections/baileys/connect", body)).status_code == 202


async def test_a_code_is_shown_typed_and_links(clara: Any, world: World) -> None:
    phone = world.phone("Clara")
    async with clara.stream() as events:
        await connect(clara, {"phone": f"+{phone.number}"})
        step = (await events.until_state("code"))["step"]
        assert (step["kind"], step["drawing"]) == ("code", None)
        assert (await clara.get(f"{clara.root}/connections/baileys")).json()["step"] == step
        await phone.type_code(step["text"])
        assert (await events.until_state("connected"))["account"] == phone.number
    assert step["text"] not in json.dumps((await clara.get(f"{clara.root}/events")).json())


@pytest.mark.parametrize(("code", "reason"), [(404, "code_for_nobody"), (429, "code_too_often"), (400, "code_refused")])
async def test_a_code_the_server_refuses_says_why(clara: Any, world: World, code: int, reason: str) -> None:
    phone = world.phone("Clara")
    world.faults.refuse_code(code, phone.jid)
    async with clara.stream() as events:
        await connect(clara, {"phone": phone.number})
        assert (await events.until_state("failed"))["reason"] == reason
        # Asked for again it is a QR, unless a number is given again.
        await connect(clara)
        await events.until_state("qr")


@pytest.mark.parametrize("phone", ["", "0550000000001", "55 00", "five", "+1", 5])
async def test_what_is_no_number_is_refused(clara: Any, phone: Any) -> None:
    assert (await clara.post(f"{clara.root}/connections/baileys/connect", {"phone": phone})).status_code == 422


async def test_the_official_road_is_not_linked_with_a_phone(clara: Any) -> None:
    answer = await clara.post(f"{clara.root}/connections/meta/connect", {"phone": "550000000001"})
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (409, "not-supported")


async def test_a_passkey_is_signed_elsewhere_and_brought_back(clara: Any, world: World) -> None:
    phone = world.phone("Clara")
    browser = phone.require_passkey()
    async with clara.stream() as events:
        await connect(clara)
        phone.vouch((await events.until_state("qr"))["step"]["text"])
        step = (await events.until_state("passkey"))["step"]
        path = f"{clara.root}/connections/baileys/passkey"
        bad = await clara.post(path, {"assertion": {"rawId": "AAAA"}})
        assert (bad.status_code, bad.json()["type"].rpartition("/")[2]) == (422, "bad-assertion")
        signed = {"assertion": json.loads(browser.sign(step["text"]))}
        assert (await clara.post(path, signed)).status_code == 202
        assert (await events.until_state("connected"))["account"] == phone.number
        assert (await clara.post(path, signed)).status_code == 409


async def test_a_passkey_the_server_does_not_take_ends_the_attempt(clara: Any, world: World) -> None:
    phone = world.phone("Clara")
    browser = phone.require_passkey()
    async with clara.stream() as events:
        await connect(clara)
        phone.vouch((await events.until_state("qr"))["step"]["text"])
        step = (await events.until_state("passkey"))["step"]
        signed = json.loads(browser.sign(step["text"], origin="https://recado.example"))
        await clara.post(f"{clara.root}/connections/baileys/passkey", {"assertion": signed})
        assert (await events.until_state("failed"))["reason"] == "passkey_refused"


async def held(clara: Any, world: World, events: Any) -> Any:
    """Clara's history is Ana's number; Bia scans: what is shown then."""
    await connect(clara)
    await world.phone("Ana").scan((await events.until_state("qr"))["step"]["text"])
    await events.until_state("connected")
    await world.phone("Ana").unlink()
    await events.until_state("logged_out")
    await connect(clara)
    world.phone("Bia").vouch((await events.until_state("qr"))["step"]["text"])
    return await events.until_state("held")


async def test_another_number_is_kept_without_another_scan(clara: Any, world: World) -> None:
    async with clara.stream() as events:
        shown = await held(clara, world, events)
        assert (shown["step"]["kind"], shown["step"]["text"]) == ("held", world.phone("Bia").number)
        assert shown["account"] == world.phone("Ana").number
        answer = await clara.post(f"{clara.root}/connections/baileys/another-number", {"keep": True})
        assert answer.status_code == 202
        assert (await events.until_state("connected"))["account"] == world.phone("Bia").number


async def test_another_number_is_refused_and_leaves_nothing(clara: Any, world: World) -> None:
    async with clara.stream() as events:
        await held(clara, world, events)
        path = f"{clara.root}/connections/baileys/another-number"
        assert (await clara.post(path, {"keep": False})).status_code == 202
        over = await events.until_state("failed")
        assert (over["reason"], over["account"]) == ("another_number", world.phone("Ana").number)
        assert not world.phone("Bia").account.companions
        assert (await clara.post(path, {"keep": True})).status_code == 409


async def test_who_may_not_manage_answers_nothing(clara: Any, hire: Any, world: World) -> None:
    other = await hire("Other")
    for path, body in (("passkey", {"assertion": {}}), ("another-number", {"keep": True})):
        assert (await other.post(f"{clara.root}/connections/baileys/{path}", body)).status_code == 404
        assert (await clara.post(f"{clara.root}/connections/zapi/{path}", body)).status_code in (404, 422)
    made = await clara.post(f"{clara.root}/keys", {"name": "reader", "scopes": ["read"]})
    reader = type(clara)(clara.client, made.json()["token"], clara.id)
    answer = await reader.post(f"{clara.root}/connections/baileys/another-number", {"keep": True})
    assert answer.status_code == 403
