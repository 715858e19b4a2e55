"""
What proves who we are to a provider, as values, and the one place where they are built: sealed when they are saved,
opened by `load_credentials`. Beside them stands a hint that may be shown; the secrets never are again.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, ClassVar, TypeVar

from psycopg.types.json import Jsonb

from recado.errors import BadRecord
from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit
from recado.gateway.db.vault import Vault
from recado.gateway.providers.roads import META, ZAPI
from recado.gateway.refusals import AccountTaken, NoCredentials

_queries = load_queries(__file__, "credentials.sql")


@dataclass(frozen=True, slots=True)
class MetaCredentials:
    """
    A number at the Cloud API. With `is_shared` the operator's own app receives for it, and `app_secret` and
    `verify_token` are the operator's (settings): here they are empty.
    """

    provider: ClassVar[str] = META

    phone_number_id: str
    waba_id: str
    access_token: str = field(repr=False)
    app_secret: str = field(default="", repr=False)
    verify_token: str = field(default="", repr=False)
    graph_version: str | None = None
    is_shared: bool = False

    @property
    def account(self) -> str:
        """What the provider calls the account."""
        return self.phone_number_id

    @property
    def hint(self) -> dict[str, Any]:
        """What may be shown of it."""
        return {
            "phone_number_id": self.phone_number_id,
            "waba_id": self.waba_id,
            "access_token": _end(self.access_token),
            "graph_version": self.graph_version,
            "shared": self.is_shared,
        }


@dataclass(frozen=True, slots=True)
class ZapiCredentials:
    """An instance of Z-API; `code_for`: the number whose phone is linked by a code to enter, rather than by a QR."""

    provider: ClassVar[str] = ZAPI
    is_shared: ClassVar[bool] = False

    instance_id: str
    token: str = field(repr=False)
    client_token: str = field(repr=False)
    code_for: str = field(default="", repr=False)

    @property
    def account(self) -> str:
        """What the provider calls the account."""
        return self.instance_id

    @property
    def hint(self) -> dict[str, Any]:
        """What may be shown of it."""
        return {"instance_id": self.instance_id, "token": _end(self.token), "client_token": _end(self.client_token)}


Credentials = MetaCredentials | ZapiCredentials
C = TypeVar("C", MetaCredentials, ZapiCredentials)


@dataclass(frozen=True, slots=True)
class Hint:
    """That there are credentials, and what may be shown of them."""

    provider: str
    account: str
    is_shared: bool
    hint: dict[str, Any]
    updated_at: datetime


async def load_credentials(unit: Unit, vault: Vault, kind: type[C]) -> C:
    """The mentorado's credentials of this kind. Raises NoCredentials, BadRecord."""
    sealed = await unit.value(_queries.find_credentials, provider=kind.provider)
    if sealed is None:
        raise NoCredentials
    opened = (await vault.open(unit, [(_name(kind.provider), sealed)]))[0]
    try:
        return kind(**json.loads(opened))
    except (ValueError, TypeError):
        raise BadRecord("stored credentials cannot be read") from None


async def save_credentials(unit: Unit, vault: Vault, credentials: Credentials) -> None:
    """Keep them, in place of any before. Raises AccountTaken when another has proven this account theirs."""
    provider = credentials.provider
    if credentials.is_shared and not await unit.value(
        _queries.is_account_free, provider=provider, account=credentials.account
    ):
        raise AccountTaken
    keys = await vault.keys(unit)
    await unit.run(
        _queries.save_credentials,
        provider=provider,
        value=keys.seal(_name(provider), json.dumps(asdict(credentials)).encode()),
        key_id=keys.current,
        account=credentials.account,
        is_shared=credentials.is_shared,
        hint=Jsonb(credentials.hint),
    )


async def note_proven(unit: Unit, credentials: Credentials, *, now: datetime) -> None:
    """
    The provider answered for the account with these: from now on what it tells of it over the operator's own address is
    this mentorado's. Raises AccountTaken when another's is proven already: theirs stays until they take it away.
    """
    provider, account = credentials.provider, credentials.account
    if credentials.is_shared and not await unit.value(_queries.is_account_free, provider=provider, account=account):
        raise AccountTaken
    await unit.run(_queries.note_proven, provider=provider, account=account, now=now)


async def note_waba_proven(unit: Unit, credentials: MetaCredentials, *, now: datetime) -> None:
    """The same of the business account, which may be several mentorados'."""
    await unit.run(_queries.note_waba_proven, waba_id=credentials.waba_id, now=now)


async def find_hint(unit: Unit, provider: str) -> Hint | None:
    """What may be shown of the credentials, if there are any."""
    return await unit.one(Hint, _queries.find_hint, provider=provider)


async def list_kept(unit: Unit) -> set[str]:
    """The providers there are credentials for."""
    return {provider for (provider,) in await unit.tuples(_queries.list_kept)}


async def delete_credentials(unit: Unit, provider: str) -> bool:
    """Forget them; were there any?"""
    return await unit.value(_queries.delete_credentials, provider=provider) is not None


def _name(provider: str) -> str:
    return f"credentials {provider}"


def _end(secret: str) -> str:
    """Enough of a secret to know it by, where it is long enough to keep the rest."""
    return f"…{secret[-4:]}" if len(secret) >= 12 else "…"
