r"""
The file a backup is: it says in the clear what it is, and gives the rest to whoever has the passphrase.

    recado session backup\n
    {"format": 1, "made_at": …, "mentorado_id": …, "provider": "baileys", "holds": {"creds": 1, …}, "kdf": {…}, …}\n
    AES-256-GCM of the body, with everything above authenticated

The body is JSON, deflated. The key comes from a passphrase through scrypt, not from the machine's master key: the file
opens on another machine. Knows no database.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import zlib
from base64 import b32encode, b64decode, b64encode
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from recado.gateway.operations.restore_plan import Value
from recado.gateway.refusals import Refusal

MAGIC = b"recado session backup\n"
FORMAT = 1
LARGEST_HEADER = 64 * 1024
LARGEST_BODY = 512 * 1024 * 1024
SHORTEST_PASSPHRASE = 10


class NotABackup(Refusal):
    """This is not a backup of recado's, or one of a newer version."""

    kind = "not-a-backup"


class WrongPassphrase(Refusal):
    """The passphrase is not the one this backup was made with."""

    kind = "wrong-passphrase"


class BackupDamaged(Refusal):
    """The backup was changed since it was made, or is incomplete."""

    kind = "backup-damaged"


class WeakPassphrase(Refusal):
    """A backup's passphrase has at least 10 characters."""

    kind = "weak-passphrase"


@dataclass(frozen=True, slots=True)
class Scrypting:
    """What scrypt costs: about half a second and 128 MiB. A file may not ask for more than eight times that."""

    n: int = 1 << 17
    r: int = 8
    p: int = 1

    def check(self) -> None:
        """Raises NotABackup for parameters nobody means well with."""
        if not (2 <= self.n <= 1 << 20 and self.n & (self.n - 1) == 0 and 1 <= self.r <= 8 and 1 <= self.p <= 4):
            raise NotABackup


@dataclass(frozen=True, slots=True)
class Header:
    """What a backup says of itself in the clear."""

    made_at: datetime
    mentorado_id: UUID
    holds: dict[str, int]
    left_out: dict[str, int]
    """Values that did not open when it was made, by kind; they are not in it."""
    provider: str = "baileys"
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class Contents:
    """What is inside: the mentorado's name, whose account it is, and every key's value in the clear."""

    name: str = field(repr=False)
    account_phone: str | None = field(repr=False)
    account_lid: str | None = field(repr=False)
    values: dict[str, Value] = field(repr=False)


def new_recovery_key() -> str:
    """A passphrase nobody has to think of: 160 bits in groups, to be kept away from the file."""
    text = b32encode(secrets.token_bytes(20)).decode()
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def write_backup(header: Header, contents: Contents, passphrase: str, *, cost: Scrypting | None = None) -> bytes:
    """The file. Takes half a second of one core. Raises WeakPassphrase."""
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise WeakPassphrase
    cost, salt, nonce = cost or Scrypting(), secrets.token_bytes(16), secrets.token_bytes(12)
    key, check = _derived(passphrase, salt, cost)
    told = {
        "format": header.format,
        "made_at": header.made_at.isoformat(),
        "mentorado_id": str(header.mentorado_id),
        "provider": header.provider,
        "holds": header.holds,
        "left_out": header.left_out,
        "kdf": {"name": "scrypt", "n": cost.n, "r": cost.r, "p": cost.p, "salt": b64encode(salt).decode()},
        "cipher": {"name": "AES-256-GCM", "nonce": b64encode(nonce).decode()},
        "check": b64encode(check).decode(),
    }
    head = MAGIC + json.dumps(told, separators=(",", ":")).encode() + b"\n"
    return head + AESGCM(key).encrypt(nonce, zlib.compress(_body(contents)), head)


def read_header(file: bytes) -> Header:
    """What the file says of itself; nobody has vouched for it yet. Raises NotABackup."""
    return _split(file)[1]


def read_backup(file: bytes, passphrase: str) -> tuple[Header, Contents]:
    """The file again. Takes half a second of one core. Raises NotABackup, WrongPassphrase, BackupDamaged."""
    told, header, head = _split(file)
    try:
        kdf = told["kdf"]
        cost = Scrypting(int(kdf["n"]), int(kdf["r"]), int(kdf["p"]))
        cost.check()
        key, check = _derived(passphrase, b64decode(kdf["salt"], validate=True), cost)
        nonce, kept_check = b64decode(told["cipher"]["nonce"], validate=True), b64decode(told["check"], validate=True)
    except (KeyError, TypeError, ValueError):
        raise NotABackup from None
    if not hmac.compare_digest(check, kept_check):
        raise WrongPassphrase
    try:
        body = _inflated(AESGCM(key).decrypt(nonce, file[len(head) :], head))
        return header, _contents(body)
    except (InvalidTag, ValueError, KeyError, TypeError, zlib.error):
        raise BackupDamaged from None


def _split(file: bytes) -> tuple[dict[str, Any], Header, bytes]:
    end = file.find(b"\n", len(MAGIC), LARGEST_HEADER)
    if not file.startswith(MAGIC) or end < 0:
        raise NotABackup
    try:
        told = json.loads(file[len(MAGIC) : end])
        if told["format"] != FORMAT:
            raise NotABackup
        header = Header(
            made_at=datetime.fromisoformat(told["made_at"]),
            mentorado_id=UUID(told["mentorado_id"]),
            holds={str(kind): int(count) for kind, count in told["holds"].items()},
            left_out={str(kind): int(count) for kind, count in told["left_out"].items()},
            provider=str(told["provider"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        raise NotABackup from None
    return told, header, file[: end + 1]


def _derived(passphrase: str, salt: bytes, cost: Scrypting) -> tuple[bytes, bytes]:
    """The key, and eight bytes that tell a wrong passphrase from a changed file."""
    try:
        made = Scrypt(salt=salt, length=64, n=cost.n, r=cost.r, p=cost.p).derive(passphrase.encode())
    except (UnicodeEncodeError, MemoryError):
        raise WrongPassphrase from None
    return made[:32], hashlib.sha256(made[32:]).digest()[:8]


def _body(contents: Contents) -> bytes:
    values = [
        [key, b64encode(each.value).decode(), each.expires_at.isoformat() if each.expires_at else None]
        for key, each in contents.values.items()
    ]
    connection = {"phone": contents.account_phone, "lid": contents.account_lid}
    return json.dumps({"name": contents.name, "connection": connection, "values": values}).encode()


def _contents(body: bytes) -> Contents:
    told = json.loads(body)
    return Contents(
        name=told["name"],
        account_phone=told["connection"]["phone"],
        account_lid=told["connection"]["lid"],
        values={
            key: Value(b64decode(value), datetime.fromisoformat(expires) if expires else None)
            for key, value, expires in told["values"]
        },
    )


def _inflated(body: bytes) -> bytes:
    unpacking = zlib.decompressobj()
    inflated = unpacking.decompress(body, LARGEST_BODY)
    if unpacking.unconsumed_tail or not unpacking.eof:
        raise ValueError("too large, or cut short")
    return inflated
