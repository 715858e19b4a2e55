"""
Connections: what a person may ask of one, and the step they are to do now. Asking changes what is wanted; the runtime
sees it (a hint, and polling behind) and acts. Which connection carries what is sent is in choosing.py.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime

from recado.errors import DecodeError
from recado.gateway.audit.repository import add_entry
from recado.gateway.connections import repository
from recado.gateway.connections.repository import CONNECTED, DISCONNECTED, UNLINKED, Connection
from recado.gateway.db.notify import CONNECTIONS
from recado.gateway.db.unit import Unit
from recado.gateway.db.vault import Vault
from recado.gateway.providers.credentials import find_hint
from recado.gateway.providers.roads import META, ROADS
from recado.gateway.refusals import BadAssertion, NoCredentials, NoSuchStep, NotFound, NotSupported
from recado.gateway.security import MANAGE
from recado.protocol.pairing.passkey import read_assertion

BAILEYS = "baileys"
PASSKEY = "passkey"
HELD = "held"
KEEP = "keep"
REFUSE = "refuse"

_STEP = "connection step"
_ANSWER = "connection answer"


@dataclass(frozen=True, slots=True)
class Step:
    """
    What a person is to do: scan `text` (qr), type `text` on the phone (code), sign `text` (passkey), or decide about
    the number `text` (held).
    """

    kind: str
    text: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person answered to a step of that kind."""

    kind: str
    text: str = field(repr=False)


async def request_connect(unit: Unit, provider: str = BAILEYS, *, phone: str | None = None) -> Connection:
    """
    Have the connection made and kept; a new link shows a QR, or with `phone` (digits) a code to type on that phone.
    Raises Forbidden, NoCredentials, NotFound, NotSupported.
    """
    if phone is not None and provider == META:
        raise NotSupported("this road is not linked with a phone")
    return await _request(unit, provider, CONNECTED, phone=phone)


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


async def answer_passkey(unit: Unit, vault: Vault, provider: str, assertion: str) -> Connection:
    """A person brings the signature of their passkey. Raises Forbidden, NotFound, NoSuchStep, BadAssertion."""
    try:
        read_assertion(assertion)
    except DecodeError:
        raise BadAssertion from None
    return await _answer(unit, vault, provider, PASSKEY, assertion)


async def settle_number(unit: Unit, vault: Vault, provider: str, *, keep: bool) -> Connection:
    """
    A person decides about the other number that is held: it is the same mentorado's, or it is refused. Raises
    Forbidden, NotFound, NoSuchStep.
    """
    connection = await _answer(unit, vault, provider, HELD, KEEP if keep else REFUSE)
    if keep:
        await repository.forget_account(unit, provider)
        await add_entry(unit, "connection.another_number_allowed", provider=provider)
    return connection


async def claim_answer(unit: Unit, vault: Vault, provider: str) -> Answer | None:
    """What a person answered to the step that is shown, once."""
    sealed = await repository.claim_answer(unit, provider)
    if sealed is None:
        return None
    opened = json.loads((await vault.open(unit, [(_ANSWER, sealed)]))[0])
    return Answer(opened["kind"], opened["text"])


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


async def _answer(unit: Unit, vault: Vault, provider: str, kind: str, text: str) -> Connection:
    unit.principal.require(MANAGE)
    connection = await get_connection(unit, provider)
    keys = await vault.keys(unit)
    sealed = keys.seal(_ANSWER, json.dumps({"kind": kind, "text": text}).encode())
    if not await repository.save_answer(unit, provider, kind, sealed):
        raise NoSuchStep
    unit.tell(CONNECTIONS)
    return connection


async def _request(unit: Unit, provider: str, desired: str, *, phone: str | None = None) -> Connection:
    unit.principal.require(MANAGE)
    if provider not in ROADS:
        raise NotFound
    if desired != CONNECTED:
        await get_connection(unit, provider)
    elif ROADS[provider].has_credentials and await find_hint(unit, provider) is None:
        raise NoCredentials
    saved = await repository.save_desired(unit, provider, desired, state="connecting", link_phone=phone)
    await add_entry(unit, f"connection.{desired}", provider=provider)
    unit.tell(CONNECTIONS)
    return saved
