"""
What providers told, as it came: kept sealed, in the transaction of what it meant, so that nothing of it is lost when
this version does not know it. It goes with the other raw bytes (retain_payloads_days), and with a person in it when
they are erased: `people` says who is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit
from recado.gateway.db.vault import Vault
from recado.jid import JID

_queries = load_queries(__file__, "payloads.sql")


@dataclass(frozen=True, slots=True)
class Payload:
    """A body as a provider sent it."""

    id: UUID
    provider: str
    received_at: datetime
    is_unknown: bool
    body: bytes = field(repr=False)


async def add_payload(
    unit: Unit,
    vault: Vault,
    provider: str,
    body: bytes,
    *,
    people: Iterable[JID],
    now: datetime,
    is_unknown: bool = False,
) -> UUID:
    """
    Keep a body, of this mentorado alone: one that tells of several is kept in parts. `people` are all the addresses in
    it; `is_unknown` when something in it is of a kind this version does not know.
    """
    id, keys = uuid4(), await vault.keys(unit)
    await unit.run(
        _queries.add_payload,
        id=id,
        provider=provider,
        received_at=now,
        sha256=hashlib.sha256(body).digest(),
        people=sorted({address.user for address in people if address.is_person}),
        body=keys.seal(_name(id), body),
        key_id=keys.current,
        is_unknown=is_unknown,
    )
    return id


@dataclass(frozen=True, slots=True)
class NewPayload:
    """A body to be kept, as `add_payload` takes it."""

    body: bytes = field(repr=False)
    people: Sequence[JID] = field(repr=False)
    is_unknown: bool = False


async def add_payloads(
    unit: Unit, vault: Vault, provider: str, payloads: Sequence[NewPayload], *, now: datetime
) -> None:
    """As `add_payload`, of many bodies in one statement."""
    if not payloads:
        return
    named, keys = [(uuid4(), each) for each in payloads], await vault.keys(unit)
    await unit.run(
        _queries.add_payloads,
        ids=[id for id, _ in named],
        provider=provider,
        received_at=now,
        sha256s=[hashlib.sha256(each.body).digest() for each in payloads],
        people=["\n".join(sorted({jid.user for jid in each.people if jid.is_person})) for each in payloads],
        bodies=[keys.seal(_name(id), each.body) for id, each in named],
        key_id=keys.current,
        unknowns=[each.is_unknown for each in payloads],
    )


async def list_payloads(
    unit: Unit, vault: Vault, provider: str, *, only_unknown: bool = False, limit: int = 50
) -> list[Payload]:
    """The newest first. Raises BadRecord."""
    rows = await unit.all(Payload, _queries.list_payloads, provider=provider, only_unknown=only_unknown, limit=limit)
    bodies = await vault.open(unit, [(_name(row.id), row.body) for row in rows])
    return [
        Payload(row.id, row.provider, row.received_at, row.is_unknown, body)
        for row, body in zip(rows, bodies, strict=True)
    ]


def _name(id: UUID) -> str:
    return f"payload {id}"
