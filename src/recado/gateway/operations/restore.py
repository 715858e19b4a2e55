"""
Putting a saved session back: the account in hand, what is there backed up first, then what the plan says in the same
transaction (restore_plan.py). The values are sealed anew with this database's keys: the file may be another machine's.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from uuid import UUID

from recado.errors import BadRecord
from recado.gateway.audit.repository import add_entry
from recado.gateway.connections import repository as connections
from recado.gateway.connections.repository import CONNECTED
from recado.gateway.connections.service import BAILEYS
from recado.gateway.db.unit import Unit
from recado.gateway.operations import repository
from recado.gateway.operations.backup import NoSession, SealedByAnother
from recado.gateway.operations.backup_file import Contents, Header, read_backup
from recado.gateway.operations.in_hand import Operator, account_in_hand
from recado.gateway.operations.inspection import Inspected, inspect
from recado.gateway.operations.restore_plan import (
    NothingToRestore,
    RestorePlan,
    Value,
    find_credentials,
    is_same_link,
    plan_restore,
)
from recado.gateway.providers.baileys import archive
from recado.gateway.providers.baileys import session_rows as rows
from recado.gateway.refusals import NotFound, Refusal
from recado.gateway.runtime.leases import Lease


class AnothersBackup(Refusal):
    """This backup is another mentorado's; each is a separate WhatsApp account."""

    status = 409
    kind = "anothers-backup"


class AnotherNumbers(Refusal):
    """This backup is of another number than the one this mentorado's history belongs to."""

    status = 409
    kind = "another-number"


class NewerLinkHere(Refusal):
    """Another link than the saved one is here; restoring would replace it. Say that it is to be replaced."""

    status = 409
    kind = "newer-link-here"


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did: how many keys of each kind came back or were left, and where the ones before it are."""

    backup_id: UUID | None
    is_current: bool
    restored: dict[str, int]
    dropped: dict[str, int]


async def open_file(file: bytes, passphrase: str) -> tuple[Header, Contents]:
    """A backup file read, in a thread: it takes half a second. Raises NotABackup, WrongPassphrase, BackupDamaged."""
    return await asyncio.to_thread(read_backup, file, passphrase)


async def restore_file(
    operator: Operator, header: Header, contents: Contents, *, replace: bool = False, connect: bool = True
) -> Restored:
    """Put a file's session back. Raises AnothersBackup, AnotherNumbers, NewerLinkHere, AccountBusy, NoSession."""
    if header.mentorado_id != operator.principal.mentorado_id:
        raise AnothersBackup
    return await _restore(operator, contents.values, replace=replace, connect=connect, origin="file")


async def restore_backup(
    operator: Operator, backup_id: UUID, *, replace: bool = False, connect: bool = True
) -> Restored:
    """Put a copy of this database back. Raises NotFound, and as `restore_file`."""
    async with operator.unit() as unit:
        saved = await _opened_copy(operator, unit, backup_id)
    return await _restore(operator, saved, replace=replace, connect=connect, origin=str(backup_id))


async def _opened_copy(operator: Operator, unit: Unit, backup_id: UUID) -> dict[str, Value]:
    copied = await archive.read_backup(unit, backup_id)
    if not copied:
        raise NotFound
    try:
        sealing = await operator.vault.keys(unit)
    except BadRecord:
        raise SealedByAnother from None
    saved: dict[str, Value] = {}
    for key, envelope, expires_at in copied:
        try:
            saved[key] = Value(sealing.open(key, envelope), expires_at)
        except BadRecord:
            continue  # it was damaged when the copy was made
    return saved


async def _restore(
    operator: Operator, saved: dict[str, Value], *, replace: bool, connect: bool, origin: str
) -> Restored:
    async with account_in_hand(operator, "restore") as hand:
        done = await _put_back(operator, hand.lease, saved, replace=replace, origin=origin)
        hand.wanted = CONNECTED if connect else None
    return done


async def _put_back(
    operator: Operator, lease: Lease, saved: dict[str, Value], *, replace: bool, origin: str
) -> Restored:
    async with operator.unit() as unit:
        await lease.check(unit)
        there = await inspect(unit, operator.vault)
        plan = _planned(saved, there, replace=replace)
        connection = await connections.find_connection(unit, BAILEYS)
        if connection is not None and connection.account_phone not in (None, plan.account):
            raise AnotherNumbers
        backup_id = None
        if not there.is_empty:
            backup_id = await archive.delete_rows(unit, await repository.list_keys(unit), "before a restore")
        values = {key: (value.value, value.expires_at) for key, value in plan.values.items()}
        name, body = rows.upload_wish(operator.clock.now())
        await repository.save_rows(unit, await operator.vault.keys(unit), values | {name: (body, None)})
        await connections.save_account(
            unit, BAILEYS, phone=plan.account, lid=plan.lid, push_name=plan.push_name or None
        )
        await add_entry(
            unit,
            "session.restored",
            origin=origin,
            backup=str(backup_id) if backup_id is not None else None,
            is_current=plan.is_current,
            restored=plan.restored,
            dropped=plan.dropped,
        )
    return Restored(backup_id, plan.is_current, plan.restored, plan.dropped)


def _planned(saved: dict[str, Value], there: Inspected, *, replace: bool) -> RestorePlan:
    if there.is_sealed_by_another:
        raise SealedByAnother
    here, back = find_credentials(there.values), find_credentials(saved)
    is_other_link = here is not None and here.account is not None and back is not None and not is_same_link(here, back)
    if is_other_link and not replace:
        raise NewerLinkHere
    try:
        return plan_restore(saved, there.values)
    except NothingToRestore:
        raise NoSession from None
