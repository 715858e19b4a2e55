"""
Connections: what a person may ask of one, and the step they are to do now. Asking changes what is wanted; the runtime
sees it (a hint, and polling behind) and acts. Which connection carries what is sent is in choosing.py.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime

from recado.gateway.audit.repository import add_entry
from recado.gateway.connections import repository
from recado.gateway.connections.repository import CONNECTED, DISCONNECTED, UNLINKED, Connection
from recado.gateway.db.notify import CONNECTIONS
from recado.gateway.db.unit import Unit
from recado.gateway.db.vault import Vault
from recado.gateway.providers.credentials import find_hint
from recado.gateway.providers.roads import ROADS
from recado.gateway.refusals import NoCredentials, NotFound
from recado.gateway.security import MANAGE

BAILEYS = "baileys"
_STEP = "connection step"


@dataclass(frozen=True, slots=True)
class Step:
    """What a person is to do: scan `text` (qr), type `text` on the phone (code), or open `text` (passkey)."""

    kind: str
    text: str = field(repr=False)
    expires_at: datetime


async def request_connect(unit: Unit, provider: str = BAILEYS) -> Connection:
    """Have the connection made and kept; a new link shows a QR. Raises Forbidden, NoCredentials, NotFound."""
    return await _request(unit, provider, CONNECTED)


async def request_disconnect(unit: Unit, provider: str = BAILEYS) -> Connection:
    """Have the connection closed; the device stays linked. Raises Forbidden, NotFound."""
    return await _request(unit, provider, DISCONNECTED)


async def request_unlink(unit: Unit, provider: str = BAILEYS) -> Connection:
    """Have the device unlinked from the phone and its keys deleted; history stays. Raises as above."""
    return await _request(unit, provider, UNLINKED)


async def allow_another_number(unit: Unit, provider: str = BAILEYS) -> Connection:
    """
    A person says that the number changed: the next link may be any, and the history stays. Raises Forbidden, NotFound.
    """
    unit.principal.require(MANAGE)
    await get_connection(unit, provider)
    await repository.forget_account(unit, provider)
    await add_entry(unit, "connection.another_number_allowed", provider=provider)
    return await _request(unit, provider, CONNECTED)


async def get_connection(unit: Unit, provider: str = BAILEYS) -> Connection:
    """Raises NotFound when nobody ever asked for it."""
    found = await repository.find_connection(unit, provider)
    if found is None:
        raise NotFound
    return found


async def save_step(unit: Unit, vault: Vault, provider: str, step: Step) -> None:
    """Show a person what to do; sealed, and gone when it expires."""
    keys = await vault.keys(unit)
    sealed = keys.seal(_STEP, json.dumps({"kind": step.kind, "text": step.text}).encode())
    await repository.save_step(unit, provider, step.kind, sealed, expires_at=step.expires_at)
    unit.tell(CONNECTIONS)


async def current_step(unit: Unit, vault: Vault, provider: str = BAILEYS) -> Step | None:
    """What a person is to do now, if anything."""
    connection = await repository.find_connection(unit, provider)
    sealed = await repository.find_step(unit, provider)
    if connection is None or sealed is None or connection.step_expires_at is None:
        return None
    opened = json.loads((await vault.open(unit, [(_STEP, sealed)]))[0])
    return Step(opened["kind"], opened["text"], connection.step_expires_at)


async def _request(unit: Unit, provider: str, desired: str) -> Connection:
    unit.principal.require(MANAGE)
    if provider not in ROADS:
        raise NotFound
    if desired != CONNECTED:
        await get_connection(unit, provider)
    elif ROADS[provider].has_credentials and await find_hint(unit, provider) is None:
        raise NoCredentials
    saved = await repository.save_desired(unit, provider, desired, state="connecting")
    await add_entry(unit, f"connection.{desired}", provider=provider)
    unit.tell(CONNECTIONS)
    return saved
