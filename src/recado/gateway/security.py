"""
Who speaks, and how secrets are kept.

A `Principal` is a caller with rights: an API key's, or the runtime's own. `db.unit(principal)` is the only thing that
turns one into what the database shows. API keys are random, shown once, and stored as a plain SHA-256: a 256-bit random
secret cannot be guessed from its hash, so a slow password hash would only make each request slower.

Values at rest are envelopes, `version · key id · nonce · ciphertext`, sealed with AES-256-GCM under a data key of the
mentorado; the data key is wrapped by the master key. The mentorado and the name of the value are authenticated, so a
value copied to another row, or another mentorado, does not open.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, replace
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from recado.errors import BadRecord
from recado.gateway.refusals import Forbidden

ADMIN = "admin"
READ = "read"
SEND = "send"
MANAGE = "manage"
SCOPES = (READ, SEND, MANAGE)
"""What a mentorado's key may be allowed: read everything of it, send, and manage its connections and keys."""

_VERSION = b"\x01"
_NONCE = 12
_HEADER = 1 + 4 + _NONCE


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller: who (`actor`, for the audit), for which mentorado (`None`: no one in particular), with which scopes."""

    actor: str
    mentorado_id: UUID | None
    scopes: frozenset[str]

    @classmethod
    def admin(cls, actor: str = "admin") -> Principal:
        """The administrator: everything, one mentorado at a time."""
        return cls(actor, None, frozenset((ADMIN, *SCOPES)))

    @classmethod
    def runtime(cls, mentorado_id: UUID) -> Principal:
        """The gateway itself, at work for one mentorado."""
        return cls("runtime", mentorado_id, frozenset(SCOPES))

    @classmethod
    def worker(cls) -> Principal:
        """The gateway itself, for what belongs to no mentorado: heartbeats and scans. It sees no row of anybody."""
        return cls("runtime", None, frozenset())

    @property
    def is_admin(self) -> bool:
        """May this caller act for every mentorado?"""
        return ADMIN in self.scopes

    def acting_for(self, mentorado_id: UUID) -> Principal:
        """The same caller inside one mentorado. Raises Forbidden when it is another's."""
        if self.mentorado_id == mentorado_id:
            return self
        if not self.is_admin:
            raise Forbidden
        return replace(self, mentorado_id=mentorado_id)

    def require(self, scope: str) -> None:
        """Raises Forbidden without that scope."""
        if scope not in self.scopes and not self.is_admin:
            raise Forbidden


@dataclass(frozen=True, slots=True)
class NewKey:
    """An API key as it is made: `token` is shown once; `prefix` and `hash` are kept."""

    token: str
    prefix: str
    hash: bytes

    def __repr__(self) -> str:
        return f"NewKey({self.prefix})"


def new_api_key() -> NewKey:
    """A token `rk_<prefix>_<secret>`; the prefix finds the row, the hash of all of it proves it."""
    prefix = secrets.token_hex(6)
    token = f"rk_{prefix}_{secrets.token_urlsafe(32)}"
    return NewKey(token, prefix, hash_token(token))


def prefix_of(token: str) -> str | None:
    """The prefix a token names, when it has the form of one of ours."""
    mark, _, rest = token.partition("_")
    prefix, separator, secret = rest.partition("_")
    return prefix if mark == "rk" and separator and secret and prefix.isalnum() and prefix.isascii() else None


def hash_token(token: str) -> bytes:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).digest()


def same_token(token: str, kept: bytes) -> bool:
    """Is this the token whose hash was kept? In constant time."""
    return hmac.compare_digest(hash_token(token), kept)


def wrap_key(master: bytes, data_key: bytes, *, mentorado_id: UUID, key_id: int) -> bytes:
    """A data key sealed under the master key, bound to whose it is."""
    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(master).encrypt(nonce, data_key, _wrapping(mentorado_id, key_id))


def unwrap_key(master: bytes, wrapped: bytes, *, mentorado_id: UUID, key_id: int) -> bytes:
    """The data key. Raises BadRecord when the master key is another one."""
    try:
        return AESGCM(master).decrypt(wrapped[:_NONCE], wrapped[_NONCE:], _wrapping(mentorado_id, key_id))
    except (InvalidTag, ValueError):
        raise BadRecord("a data key does not open: is this the master key it was made with?") from None


def _wrapping(mentorado_id: UUID, key_id: int) -> bytes:
    return b"recado data key" + mentorado_id.bytes + key_id.to_bytes(4)


class MentoradoKeys:
    """
    One mentorado's data keys, unwrapped: the newest seals, each opens what it sealed. Shared by all who work for the
    mentorado in a process, so what one of them learns, all know.
    """

    def __init__(self, mentorado_id: UUID, keys: dict[int, bytes]) -> None:
        self._mentorado = mentorado_id.bytes
        self._ciphers: dict[int, AESGCM] = {}
        self.current = 0
        self.learn(keys)

    def learn(self, keys: dict[int, bytes]) -> None:
        """There are these keys now. None is forgotten: somebody may be about to open what it sealed."""
        self._ciphers.update((key_id, AESGCM(key)) for key_id, key in keys.items())
        self.current = max(self._ciphers)

    def knows(self, envelope: bytes) -> bool:
        """Is the key here that this envelope names?"""
        return key_of(envelope) in self._ciphers

    def seal(self, name: str, value: bytes) -> bytes:
        """The envelope of a value; `name` says which value it is."""
        nonce = secrets.token_bytes(_NONCE)
        header = _VERSION + self.current.to_bytes(4) + nonce
        return header + self._ciphers[self.current].encrypt(nonce, value, self._bound_to(name))

    def open(self, name: str, envelope: bytes) -> bytes:
        """The value. Raises BadRecord when it is damaged, another row's, or sealed with a key that is gone."""
        cipher = self._ciphers.get(key_of(envelope)) if envelope[:1] == _VERSION else None
        if cipher is None:
            raise BadRecord("a stored value names a key that is not here")
        try:
            return cipher.decrypt(envelope[5:_HEADER], envelope[_HEADER:], self._bound_to(name))
        except (InvalidTag, ValueError):
            raise BadRecord("a stored value does not open") from None

    def _bound_to(self, name: str) -> bytes:
        return self._mentorado + name.encode()


def key_of(envelope: bytes) -> int:
    """The number of the data key an envelope was sealed with."""
    return int.from_bytes(envelope[1:5])
