"""
What webhooks told one mentorado, taken into the database: the raw bodies, the rows and the events, in one transaction
of the caller's. An item that was told before changes nothing, whichever body it comes in, and whoever takes it.

    items ─▶ which are new? ─▶ what are they to us? ─▶ facts ─▶ record ─▶ what follows: opt-outs, templates, alerts
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from recado.events import MessageRejected
from recado.gateway import metrics
from recado.gateway.db.unit import Unit
from recado.gateway.db.vault import Vault
from recado.gateway.providers.ids import find_message_ids
from recado.gateway.providers.meta import consequences, repository
from recado.gateway.providers.meta.facts import Known, external_ids, people_in, told, usernames_in
from recado.gateway.providers.meta.items import ContactSynced, Item, Status, Unknown
from recado.gateway.providers.payloads import NewPayload, add_payloads
from recado.gateway.providers.roads import META
from recado.gateway.runtime.recorder import record
from recado.jid import JID, PHONE


@dataclass(frozen=True, slots=True)
class Delivery:
    """A body, or a mentorado's part of one: its bytes, the number it is about, and its items."""

    body: bytes = field(repr=False)
    phone: str = field(repr=False)
    items: tuple[Item, ...]


async def take(unit: Unit, vault: Vault, deliveries: Sequence[Delivery], *, now: datetime) -> None:
    """Make everything true that these tell for the first time. Raises Collided: do the unit again."""
    fresh = await _claim(unit, [item for delivery in deliveries for item in delivery.items], now)
    payloads = [
        NewPayload(
            delivery.body,
            people_in(delivery.items),
            is_unknown=any(isinstance(item, Unknown) for item in delivery.items),
        )
        for delivery in deliveries
        if any(item.key in fresh for item in delivery.items)
    ]
    await add_payloads(unit, vault, META, payloads, now=now)
    by_phone: dict[str, list[Item]] = {}
    for delivery in deliveries:
        for item in delivery.items:
            if item.key in fresh:
                fresh.discard(item.key)  # told twice in these very bodies
                by_phone.setdefault(delivery.phone, []).append(item)
    for phone, items in by_phone.items():
        await _take(unit, JID(phone, PHONE), items, now)


async def _claim(unit: Unit, items: Sequence[Item], now: datetime) -> set[str]:
    """The keys of what nobody told before."""
    by_digest = {_digest(item.key): item.key for item in items}
    if not by_digest:
        return set()
    return {by_digest[digest] for digest in await repository.claim_told(unit, list(by_digest), now=now)}


async def _take(unit: Unit, account: JID, items: Sequence[Item], now: datetime) -> None:
    result = told(account, items, await _known(unit, items), now)
    if result.external_ids:
        await repository.save_external_ids(unit, result.external_ids)
    if result.failed:
        await repository.fail_taken(unit, result.failed, now=now)
    if result.facts:
        await record(unit, META, result.facts)
    names = {item.phone: item.name for item in items if isinstance(item, ContactSynced) and item.name}
    if names:
        await repository.save_names(unit, names)
    called = usernames_in(items)
    if called:
        await repository.save_usernames(unit, called)
    rejected = [fact for fact in result.facts if isinstance(fact, MessageRejected)]
    await consequences.follow(unit, account, items, rejected, now=now)
    unknown = sum(isinstance(item, Unknown) for item in items)
    if unknown:
        metrics.PROVIDER_CALLBACKS.labels(META, "unknown").inc(unknown)


async def _known(unit: Unit, items: Iterable[Item]) -> Known:
    """What is known of the messages of ours that these speak of."""
    listed = list(items)
    mentioned = external_ids(listed)
    if not mentioned:
        return Known({}, {})
    ids = await find_message_ids(unit, META, sorted(mentioned))
    statuses = [item for item in listed if isinstance(item, Status)]
    wanted = {item.our_id for item in statuses if item.our_id} | {
        ids[item.external_id] for item in statuses if item.external_id in ids
    }
    return Known(ids, await repository.find_ours(unit, sorted(wanted)) if wanted else {})


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[:16]
