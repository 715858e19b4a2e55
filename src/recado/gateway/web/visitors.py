"""Who looks at a page: the session of the browser, or nobody in particular, who is asked to sign in."""

from __future__ import annotations

from fastapi import Request

from recado.gateway.callers import Caller, any_caller
from recado.gateway.refusals import Unauthenticated


class SignInNeeded(Exception):
    """A page was asked for by nobody in particular."""


async def page_caller(request: Request) -> Caller:
    """Whose session it is. Raises SignInNeeded."""
    try:
        return await any_caller(request)
    except Unauthenticated:
        raise SignInNeeded from None
