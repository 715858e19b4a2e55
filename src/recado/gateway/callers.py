"""
Who asks: an API key in `Authorization: Bearer`, or a browser's session cookie (with its CSRF token on everything that
writes), and in whose name. Routes depend on `Reader`, `Sender`, `Manager` or `Admin`, which also say in the OpenAPI
document which scope the route wants (a test walks every route for it); nothing else reads a key or a cookie.

Another's mentorado does not exist for a caller: it is a 404 everywhere, the same as an id that was never given.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import Depends, Path, Request, Security
from fastapi.security import HTTPBearer, SecurityScopes

from recado.errors import StoreUnavailable
from recado.gateway.db.failures import Collided
from recado.gateway.db.pool import Database
from recado.gateway.db.unit import Unit
from recado.gateway.mentorados import repository
from recado.gateway.mentorados.service import authenticate
from recado.gateway.refusals import Forbidden, NotFound, Unauthenticated
from recado.gateway.security import ADMIN, MANAGE, READ, SEND, Principal
from recado.gateway.web.session import COOKIE, CSRF_HEADER, RENEWED, Sessions

T = TypeVar("T")

_TRIES = 4
_SAFE = ("GET", "HEAD", "OPTIONS")
_bearer = HTTPBearer(auto_error=False, description="An API key: a mentorado's or the administrator's")


class Caller:
    """A principal at the database: units of work in its name."""

    def __init__(self, database: Database, principal: Principal, recheck: Callable[[], Awaitable[object]]) -> None:
        self.database = database
        self.principal = principal
        self._recheck = recheck

    @property
    def mentorado_id(self) -> UUID:
        """For whom it acts. Raises NotFound when for no one in particular."""
        if self.principal.mentorado_id is None:
            raise NotFound
        return self.principal.mentorado_id

    def unit(self) -> AbstractAsyncContextManager[Unit]:
        """One transaction in this caller's name."""
        return self.database.unit(self.principal)

    async def run(self, work: Callable[[Unit], Awaitable[T]]) -> T:
        """`work` in one transaction, done again when another writer met us. Raises what it raises, StoreUnavailable."""
        for _ in range(_TRIES):
            try:
                async with self.unit() as unit:
                    return await work(unit)
            except Collided:
                continue
        raise StoreUnavailable("the database is too busy with this mentorado")

    async def recheck(self) -> None:
        """Does the key still work? Raises Unauthenticated."""
        await self._recheck()


async def any_caller(request: Request, _documented: Annotated[object, Depends(_bearer)] = None) -> Caller:
    """Whoever the key or the session says. Raises Unauthenticated, Forbidden (a session without its CSRF token)."""
    gateway = request.app.state.gateway
    database: Database = gateway.database
    sessions: Sessions = gateway.sessions
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme:
        if scheme.lower() != "bearer":
            raise Unauthenticated
        return Caller(
            database, await authenticate(database, token.strip()), lambda: authenticate(database, token.strip())
        )
    cookie = request.cookies.get(COOKIE)
    if cookie is None:
        raise Unauthenticated
    principal = await sessions.principal(database, cookie)
    if request.method not in _SAFE and not sessions.is_token_of(cookie, request.headers.get(CSRF_HEADER, "")):
        raise Forbidden("the page's token is missing; load the page again")
    request.scope.get(RENEWED, []).extend(filter(None, [sessions.renewed(cookie)]))
    return Caller(database, principal, lambda: sessions.principal(database, cookie))


AnyCaller = Annotated[Caller, Depends(any_caller)]


async def owner(caller: AnyCaller, mentorado_id: Annotated[str, Path(json_schema_extra={"format": "uuid"})]) -> Caller:
    """The caller inside the mentorado of the path. Raises NotFound for another's, and for one that does not exist."""
    try:
        principal = caller.principal.acting_for(UUID(mentorado_id))
    except (ValueError, Forbidden):
        raise NotFound from None
    inside = Caller(caller.database, principal, caller.recheck)
    if caller.principal.is_admin:
        async with caller.unit() as unit:
            await repository.get_mentorado(unit, UUID(mentorado_id))
    return inside


async def within(caller: Annotated[Caller, Depends(owner)], wanted: SecurityScopes) -> Caller:
    """The caller inside the mentorado of the path, with the scopes the route wants. Raises NotFound, then Forbidden."""
    return _checked(caller, wanted)


async def anywhere(caller: AnyCaller, wanted: SecurityScopes) -> Caller:
    """The caller, where the path names no mentorado. Raises Forbidden without the scopes the route wants."""
    return _checked(caller, wanted)


def _checked(caller: Caller, wanted: SecurityScopes) -> Caller:
    for scope in wanted.scopes:
        caller.principal.require(scope)
    return caller


Owner = Annotated[Caller, Depends(owner)]
Reader = Annotated[Caller, Security(within, scopes=[READ])]
Sender = Annotated[Caller, Security(within, scopes=[SEND])]
Manager = Annotated[Caller, Security(within, scopes=[MANAGE])]
AdminWithin = Annotated[Caller, Security(within, scopes=[ADMIN])]
"""An administrator, inside the mentorado of the path."""
AnyReader = Annotated[Caller, Security(anywhere, scopes=[READ])]
Admin = Annotated[Caller, Security(anywhere, scopes=[ADMIN])]
documented = Depends(_bearer)
"""Says in the OpenAPI document that a route wants a key; what is read is read in `any_caller`."""


def identifier(text: str) -> UUID:
    """An id of a path. Raises NotFound when it cannot be one."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound from None
