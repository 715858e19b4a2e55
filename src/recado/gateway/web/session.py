"""
A browser's session: a signed cookie that names an API key by its prefix, begun once, good until it is not used for a
while, and for a week at most. The key is looked up again at every request, so revoking it (or its running out) ends its
sessions; the key itself is in no cookie.

    cookie   base64url(prefix · begun · idle until · nonce) "." HMAC      csrf   HMAC of the session under another name

A session that is used is given a later cookie now and then; its CSRF token stays the same, so open pages go on.
One-time links sign a browser in without typing: held in memory, for minutes, good once.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from recado.clock import Clock
from recado.gateway.db.pool import Database
from recado.gateway.master_keys import MasterKeys
from recado.gateway.mentorados import repository
from recado.gateway.refusals import Unauthenticated
from recado.gateway.security import ADMIN, SCOPES, Principal, hash_token

COOKIE = "recado_session"
CSRF_HEADER = "x-csrf-token"
RENEWED = "recado.renewed"
"""Where in the scope of a request the later cookie of its session goes."""
LASTS = timedelta(days=7)
IDLE = timedelta(hours=12)
_RENEW_AFTER = timedelta(minutes=10)
_LINK_LASTS = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class _Session:
    """What a cookie says."""

    prefix: str
    begun: int
    idle_until: int
    nonce: str

    def is_over(self, now: float) -> bool:
        return now > min(self.idle_until, self.begun + LASTS.total_seconds())


class Sessions:
    """Makes and reads session cookies, signed with keys derived from the master keys: the current one signs."""

    def __init__(self, master: MasterKeys | bytes, clock: Clock) -> None:
        masters = master if isinstance(master, MasterKeys) else MasterKeys([master])
        self._cookies = masters.derived(b"recado session cookie")
        self._tokens = masters.derived(b"recado csrf token")
        self._clock = clock
        self._links: dict[bytes, tuple[str, datetime]] = {}

    def begin(self, prefix: str) -> str:
        """The cookie of a new session for the key with that prefix."""
        return self._cookie(prefix, int(self._clock.now().timestamp()), secrets.token_hex(8))

    def renewed(self, cookie: str) -> str | None:
        """A later cookie of the same session, when this one has been used for a while. Raises Unauthenticated."""
        session, now = self._read(cookie), self._clock.now()
        if session.idle_until > (now + IDLE - _RENEW_AFTER).timestamp():
            return None
        return self._cookie(session.prefix, session.begun, session.nonce)

    async def principal(self, database: Database, cookie: str) -> Principal:
        """Who a cookie's session is. Raises Unauthenticated when it is forged, over, or its key opens nothing."""
        session = self._read(cookie)
        async with database.unit(Principal.worker()) as unit:
            kept = await repository.find_kept_key(unit, session.prefix)
        if kept is None:
            raise Unauthenticated
        scopes = frozenset((ADMIN, *SCOPES)) if ADMIN in kept.scopes else frozenset(kept.scopes)
        return Principal(f"session:{session.prefix}", kept.mentorado_id, scopes)

    def token(self, cookie: str) -> str:
        """The CSRF token of a session; empty when it is none."""
        try:
            return self._tokens_of(cookie)[0]
        except Unauthenticated:
            return ""

    def is_token_of(self, cookie: str, token: str) -> bool:
        """Is this the session's CSRF token?"""
        try:
            return any(hmac.compare_digest(token.encode(), each.encode()) for each in self._tokens_of(cookie))
        except Unauthenticated:
            return False

    def _cookie(self, prefix: str, begun: int, nonce: str) -> str:
        idle_until = int((self._clock.now() + IDLE).timestamp())
        body = _coded(f"{prefix}.{begun}.{idle_until}.{nonce}".encode())
        return f"{body}.{_signature(self._cookies[0], body)}"

    def _read(self, cookie: str) -> _Session:
        body, _, signature = cookie.partition(".")
        if not any(hmac.compare_digest(signature.encode(), _signature(key, body).encode()) for key in self._cookies):
            raise Unauthenticated
        try:
            prefix, begun, idle_until, nonce = _decoded(body).split(".")
        except (ValueError, binascii.Error):
            raise Unauthenticated from None  # signed by us, but of an earlier form
        session = _Session(prefix, int(begun), int(idle_until), nonce)
        if session.is_over(self._clock.now().timestamp()):
            raise Unauthenticated
        return session

    def _tokens_of(self, cookie: str) -> list[str]:
        session = self._read(cookie)
        return [_signature(key, f"{session.prefix}.{session.begun}.{session.nonce}") for key in self._tokens]

    def add_link(self, prefix: str) -> tuple[str, datetime]:
        """A token that signs a browser in once as the key with that prefix, and until when."""
        token, until = secrets.token_urlsafe(24), self._clock.now() + _LINK_LASTS
        self._links[hash_token(token)] = (prefix, until)
        return token, until

    def take_link(self, token: str) -> str | None:
        """The prefix a one-time token stands for, once."""
        prefix, until = self._links.pop(hash_token(token), ("", None))
        return prefix if until is not None and self._clock.now() <= until else None


def set_cookie(cookie: str, *, is_secure: bool) -> str:
    """The header that gives a browser this cookie: no script reads it, no other site sends it along with a form."""
    lasts = int(LASTS.total_seconds())
    return f"{COOKIE}={cookie}; Path=/; Max-Age={lasts}; HttpOnly; SameSite=lax" + ("; Secure" if is_secure else "")


def _signature(key: bytes, text: str) -> str:
    return _coded(hmac.digest(key, text.encode(), hashlib.sha256))


def _coded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def _decoded(text: str) -> str:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
