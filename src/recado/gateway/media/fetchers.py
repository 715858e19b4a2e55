"""
How a provider's file is fetched: at Meta by its id (for an address that lives five minutes, with the number's token),
elsewhere by the address that was told, through the one door out. Each hands out the bytes as they come.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from recado.errors import NotConnected, RecadoError
from recado.gateway.db.pool import Database
from recado.gateway.db.vault import Vault
from recado.gateway.egress import Egress, EgressFailed, EgressRefused
from recado.gateway.providers.credentials import MetaCredentials, load_credentials
from recado.gateway.providers.meta.api import GraphApi, Unanswered
from recado.gateway.providers.meta.errors import Action, GraphError, NotGraph
from recado.gateway.refusals import NoCredentials
from recado.gateway.security import Principal

META_PREFIX = "meta:"
_GONE = (401, 403, 404, 410)
_SECONDS = 120.0


class FetchFailed(RecadoError):
    """It did not come; `reason` is a word of ours. With `is_final` it never will."""

    def __init__(self, reason: str, *, is_final: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_final = is_final


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file on its way in."""

    chunks: AsyncIterator[bytes] = field(repr=False)
    mime_type: str = ""
    sha256: str | None = field(default=None, repr=False)


class Fetcher(Protocol):
    """Fetches what one provider has. Raises FetchFailed."""

    def fetch(self, mentorado_id: UUID, remote: str) -> AbstractAsyncContextManager[Fetched]:
        """The file, open for as long as the block lasts."""
        ...


class MetaFetcher:
    """Files at the Cloud API, with the mentorado's own token."""

    def __init__(self, database: Database, vault: Vault, *, base_url: str, version: str) -> None:
        self._database = database
        self._vault = vault
        self._base_url = base_url
        self._version = version

    @asynccontextmanager
    async def fetch(self, mentorado_id: UUID, remote: str) -> AsyncIterator[Fetched]:
        """Raises FetchFailed."""
        try:
            async with self._database.unit(Principal.runtime(mentorado_id)) as unit:
                credentials = await load_credentials(unit, self._vault, MetaCredentials)
        except NoCredentials:
            raise FetchFailed("no_credentials") from None
        try:
            async with (
                GraphApi(credentials, base=self._base_url, version=self._version, seconds=_SECONDS) as api,
                api.open_file(remote.removeprefix(META_PREFIX)) as (said, response),
            ):
                if response.status != 200:
                    # The address ran out under way, or its server is unwell: another address may do.
                    raise FetchFailed(f"http_{response.status}")
                yield Fetched(response.content.iter_any(), _word(said, "mime_type"), _word(said, "sha256") or None)
        except GraphError as error:
            raise FetchFailed("gone", is_final=error.meaning.action is Action.REJECT) from None
        except (NotConnected, Unanswered, NotGraph):
            raise FetchFailed("no_answer") from None


class AddressFetcher:
    """Files at an address that a provider told; only where requests may go from here."""

    def __init__(self, egress: Egress) -> None:
        self._egress = egress

    @asynccontextmanager
    async def fetch(self, mentorado_id: UUID, remote: str) -> AsyncIterator[Fetched]:
        """Raises FetchFailed."""
        try:
            async with self._egress.stream("GET", remote, headers={"Accept": "*/*"}) as response:
                if response.status != 200:
                    raise FetchFailed(f"http_{response.status}", is_final=response.status in _GONE)
                yield Fetched(response.content.iter_any(), response.headers.get("content-type", ""))
        except EgressRefused:
            raise FetchFailed("address_refused", is_final=True) from None
        except EgressFailed:
            raise FetchFailed("no_answer") from None


def _word(said: dict[str, Any], name: str) -> str:
    value = said.get(name)
    return value if isinstance(value, str) else ""
