"""
A browser's session: a signed cookie that names an API key by its prefix, until a time. The key is looked up again at
every request, so revoking it ends its sessions; the key itself is in no cookie.

    cookie   base64url(prefix · expiry · nonce) "." HMAC          csrf   HMAC of the cookie under another name

One-time links sign a browser in without typing: held in memory, for minutes, good once.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from recado.clock import Clock
from recado.gateway.db.pool import Database
from recado.gateway.mentorados import repository
from recado.gateway.refusals import Unauthenticated
from recado.gateway.security import ADMIN, SCOPES, Principal, hash_token

COOKIE = "recado_session"
CSRF_HEADER = "x-csrf-token"
LASTS = timedelta(days=7)
_LINK_LASTS = timedelta(minutes=15)


class Sessions:
    """Makes and reads session cookies, signed with keys derived from the master key."""

    def __init__(self, master: bytes, clock: Clock) -> None:
        self._cookies = hmac.digest(master, b"recado session cookie", "sha256")
        self._tokens = hmac.digest(master, b"recado csrf token", "sha256")
        self._clock = clock
        self._links: dict[bytes, tuple[str, datetime]] = {}

    def begin(self, prefix: str) -> str:
        """The cookie of a new session for the key with that prefix."""
        expiry = int((self._clock.now() + LASTS).timestamp())
        body = _coded(f"{prefix}.{expiry}.{secrets.token_hex(8)}".encode())
        return f"{body}.{self._signature(self._cookies, body)}"

    async def principal(self, database: Database, cookie: str) -> Principal:
        """Who a cookie's session is. Raises Unauthenticated when it is forged, over, or its key was revoked."""
        body, _, signature = cookie.partition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(self._cookies, body).encode()):
            raise Unauthenticated
        prefix, expiry, _ = _decoded(body).split(".")
        if int(expiry) < self._clock.now().timestamp():
            raise Unauthenticated
        async with database.unit(Principal.worker()) as unit:
            kept = await repository.find_kept_key(unit, prefix)
        if kept is None:
            raise Unauthenticated
        scopes = frozenset((ADMIN, *SCOPES)) if ADMIN in kept.scopes else frozenset(kept.scopes)
        return Principal(f"session:{prefix}", kept.mentorado_id, scopes)

    def token(self, cookie: str) -> str:
        """The CSRF token of a session."""
        return self._signature(self._tokens, cookie)

    def is_token_of(self, cookie: str, token: str) -> bool:
        """Is this the session's CSRF token?"""
        return hmac.compare_digest(token.encode(), self.token(cookie).encode())

    def add_link(self, prefix: str) -> tuple[str, datetime]:
        """A token that signs a browser in once as the key with that prefix, and until when."""
        token, until = secrets.token_urlsafe(24), self._clock.now() + _LINK_LASTS
        self._links[hash_token(token)] = (prefix, until)
        return token, until

    def take_link(self, token: str) -> str | None:
        """The prefix a one-time token stands for, once."""
        prefix, until = self._links.pop(hash_token(token), ("", None))
        return prefix if until is not None and self._clock.now() <= until else None

    @staticmethod
    def _signature(key: bytes, text: str) -> str:
        return _coded(hmac.digest(key, text.encode(), hashlib.sha256))


def _coded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def _decoded(text: str) -> str:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
