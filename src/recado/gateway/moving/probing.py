"""
Does the other end answer for these credentials, and as which number? Asked of the provider itself, outside of any
transaction, and changing nothing there.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from recado.errors import NotConnected
from recado.gateway.providers.credentials import Credentials, MetaCredentials, ZapiCredentials
from recado.gateway.providers.meta.api import GraphApi
from recado.gateway.providers.meta.api import Unanswered as MetaUnanswered
from recado.gateway.providers.meta.errors import GraphError, NotGraph
from recado.gateway.providers.zapi import wire
from recado.gateway.providers.zapi.api import RefusedByZapi, ZapiApi
from recado.gateway.providers.zapi.api import Unanswered as ZapiUnanswered
from recado.gateway.settings import Settings

_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Probed:
    """What the provider answered: `problem` is None, unreachable or refused."""

    problem: str | None = None
    is_connected: bool = True
    phone: str | None = field(default=None, repr=False)
    templates: list[tuple[str, str, int]] = field(default_factory=list)
    """The approved ones: name, language, how many values the body wants."""


async def probe(credentials: Credentials, settings: Settings) -> Probed:
    """Ask. Never raises for what the provider says or does not say."""
    if isinstance(credentials, MetaCredentials):
        return await _probe_meta(credentials, settings)
    return await _probe_zapi(credentials, settings)


async def _probe_meta(credentials: MetaCredentials, settings: Settings) -> Probed:
    base, version = settings.meta_base_url, settings.meta_graph_version
    try:
        async with GraphApi(credentials, base=base, version=version, seconds=_SECONDS) as api:
            number = await api.number()
            found = [(each.name, each.language, each.places) for each in await api.templates() if _may_go(each.status)]
    except (NotConnected, MetaUnanswered, NotGraph):
        return Probed("unreachable", is_connected=False)
    except GraphError:
        return Probed("refused", is_connected=False)
    return Probed(phone=number.phone or None, templates=found)


async def _probe_zapi(credentials: ZapiCredentials, settings: Settings) -> Probed:
    try:
        async with ZapiApi(credentials, base=settings.zapi_base_url, seconds=_SECONDS) as api:
            standing = await api.standing()
            phone = wire.read_phone(await api.ask(wire.DEVICE)) if standing.is_connected else None
    except (NotConnected, ZapiUnanswered):
        return Probed("unreachable", is_connected=False)
    except RefusedByZapi:
        return Probed("refused", is_connected=False)
    return Probed(is_connected=standing.is_connected, phone=phone)


def _may_go(status: str) -> bool:
    return status == "APPROVED"
