"""
Credentials of a connection: saved whole, never shown again, with the secret address the provider is to call. What runs
with older ones begins again with the new.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from recado.gateway.audit.repository import add_entry
from recado.gateway.connections import repository
from recado.gateway.connections.repository import CONNECTED
from recado.gateway.db.notify import CONNECTIONS
from recado.gateway.db.unit import Unit
from recado.gateway.db.vault import Vault
from recado.gateway.providers import credentials as kept
from recado.gateway.providers import hooks
from recado.gateway.providers.credentials import Credentials, MetaCredentials
from recado.gateway.providers.roads import ROADS
from recado.gateway.refusals import InUse, NotFound
from recado.gateway.security import MANAGE


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown of credentials: the hint, and the path of the address the provider calls."""

    provider: str
    hint: dict[str, Any] | None
    updated_at: datetime | None
    webhook_path: str | None = field(repr=False)
    verify_token: str | None = field(default=None, repr=False)
    """Once, when it was made here: it is typed in at the provider's."""


async def show_credentials(unit: Unit, vault: Vault, provider: str) -> Shown:
    """Raises Forbidden, NotFound (a provider without credentials), BadRecord."""
    unit.principal.require(MANAGE)
    _check(provider)
    hint = await kept.find_hint(unit, provider)
    if hint is None:
        return Shown(provider, None, None, None)
    if hint.is_shared:
        return Shown(provider, hint.hint, hint.updated_at, f"/webhooks/{provider}")
    hook = await hooks.show_hook(unit, vault, provider)
    return Shown(provider, hint.hint, hint.updated_at, f"/webhooks/{provider}/{hook}" if hook else None)


async def save_credentials(unit: Unit, vault: Vault, credentials: Credentials) -> Shown:
    """Keep them in place of any before; a connection that is wanted begins again. Raises Forbidden, AccountTaken."""
    unit.principal.require(MANAGE)
    provider, made = credentials.provider, None
    if isinstance(credentials, MetaCredentials) and not credentials.is_shared and not credentials.verify_token:
        made = secrets.token_urlsafe(24)
        credentials = replace(credentials, verify_token=made)
    await kept.save_credentials(unit, vault, credentials)
    if credentials.is_shared:
        await hooks.delete_hook(unit, provider)
    elif await hooks.show_hook(unit, vault, provider) is None:
        await hooks.make_hook(unit, vault, provider)
    await add_entry(unit, "credentials.saved", provider=provider)
    connection = await repository.find_connection(unit, provider)
    if connection is not None and connection.desired == CONNECTED:
        await repository.save_desired(unit, provider, CONNECTED, state="connecting")
        unit.tell(CONNECTIONS)
    return replace(await show_credentials(unit, vault, provider), verify_token=made)


async def delete_credentials(unit: Unit, provider: str) -> None:
    """Forget them, and the address with them. Raises Forbidden, NotFound, InUse."""
    unit.principal.require(MANAGE)
    _check(provider)
    connection = await repository.find_connection(unit, provider)
    if connection is not None and connection.desired != "disconnected":
        raise InUse("disconnect it first: it works with these credentials")
    if not await kept.delete_credentials(unit, provider):
        raise NotFound
    await hooks.delete_hook(unit, provider)
    await add_entry(unit, "credentials.deleted", provider=provider)


async def renew_hook(unit: Unit, vault: Vault, provider: str) -> Shown:
    """Another secret address; the one before stops working at once. Raises Forbidden, NotFound."""
    unit.principal.require(MANAGE)
    shown = await show_credentials(unit, vault, provider)
    if shown.hint is None or shown.webhook_path == f"/webhooks/{provider}":
        raise NotFound
    await hooks.make_hook(unit, vault, provider)
    await add_entry(unit, "credentials.webhook_renewed", provider=provider)
    unit.tell(CONNECTIONS)  # whoever runs the connection has the provider call there from now on
    return await show_credentials(unit, vault, provider)


def _check(provider: str) -> None:
    if provider not in ROADS or not ROADS[provider].has_credentials:
        raise NotFound
