"""
The account's own profile, privacy and linked devices, over HTTP. Each route asks WhatsApp and answers with a request:
200 with what came of it when `Prefer: wait=N` waited long enough, 202 otherwise. A road without them is a 409.
"""

from __future__ import annotations

import base64
from typing import Annotated

from fastapi import APIRouter, Path

from recado.gateway.callers import Manager, Sender, documented
from recado.gateway.conversations.service import parse_address
from recado.gateway.profile.schemas import PersonForm, PictureForm, ProfileForm
from recado.gateway.providers.roads import Road
from recado.gateway.refusals import BadAddress
from recado.gateway.requests.asking import Ask
from recado.gateway.requests.schemas import RequestTold
from recado.gateway.security import SEND

router = APIRouter(prefix="/v1/mentorados/{mentorado_id}", tags=["profile"], dependencies=[documented])
Number = Annotated[int, Path(ge=1, le=99)]


def _shares_state(road: Road) -> bool:
    return road.shares_state


@router.post("/profile/look-ups", status_code=202)
async def read_profile(caller: Manager, asking: Ask) -> RequestTold:
    """What the account shows of itself, who sees what, whom it blocks, and the timer of new chats."""
    return await asking.ask(caller, "profile.read", able=_shares_state)


@router.patch("/profile", status_code=202)
async def change_profile(caller: Manager, asking: Ask, form: ProfileForm) -> RequestTold:
    """Change the name, the about, the timer of new chats, or who sees what."""
    body = form.model_dump(exclude_none=True)
    return await asking.ask(caller, "profile.change", able=_shares_state, body=body)


@router.put("/profile/picture", status_code=202)
async def set_picture(caller: Manager, asking: Ask, form: PictureForm) -> RequestTold:
    """Show another picture."""
    body = {"jpeg": base64.b64encode(form.jpeg).decode()}
    return await asking.ask(caller, "profile.picture", able=_shares_state, body=body)


@router.delete("/profile/picture", status_code=202)
async def remove_picture(caller: Manager, asking: Ask) -> RequestTold:
    """Show no picture any more."""
    return await asking.ask(caller, "profile.picture", able=_shares_state, body={"jpeg": None})


@router.post("/people/business-look-ups", status_code=202)
async def read_business(caller: Sender, asking: Ask, form: PersonForm) -> RequestTold:
    """What a business tells of itself; `null` for who is none."""
    person = parse_address(form.who).bare
    if not (person.is_phone or person.is_lid):
        raise BadAddress
    return await asking.ask(caller, "business.read", able=_shares_state, scope=SEND, chat=person)


@router.post("/linked-devices/look-ups", status_code=202)
async def list_devices(caller: Manager, asking: Ask) -> RequestTold:
    """The account's devices: the phone is number 0, and `is_this` is the one this gateway is."""
    return await asking.ask(caller, "devices.list", able=_shares_state)


@router.delete("/linked-devices/{number}", status_code=202)
async def remove_device(caller: Manager, asking: Ask, number: Number) -> RequestTold:
    """Take another linked device off the account; this one is unlinked by its connection."""
    return await asking.ask(caller, "devices.remove", able=_shares_state, body={"number": number})
