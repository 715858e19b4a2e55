"""
Backups of one mentorado's session: a copy in the database (archive.py), or an encrypted file that another machine can
read (backup_file.py). One statement a page in one transaction: the account may run meanwhile, for a restore does not
trust saved ratchets anyway.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from uuid import UUID

from recado.gateway.audit.repository import add_entry
from recado.gateway.connections import repository as connections
from recado.gateway.connections.service import BAILEYS
from recado.gateway.mentorados.repository import get_mentorado
from recado.gateway.operations.backup_file import Contents, Header, Scrypting, write_backup
from recado.gateway.operations.in_hand import Operator
from recado.gateway.operations.inspection import DOES_NOT_OPEN, Inspected, inspect
from recado.gateway.providers.baileys import archive
from recado.gateway.providers.baileys import session_rows as rows
from recado.gateway.refusals import Refusal


class NoSession(Refusal):
    """This mentorado has no session that could be backed up."""

    status = 409
    kind = "no-session"


class SealedByAnother(Refusal):
    """The session was sealed with another master key: put that one back, nothing here is damaged."""

    status = 409
    kind = "another-master-key"


@dataclass(frozen=True, slots=True)
class BackupFile:
    """A file that was just made, and what it says of itself."""

    header: Header
    file: bytes = field(repr=False)


async def back_up_here(operator: Operator, reason: str) -> UUID:
    """A copy in the database, sealed as it is; its id. Raises NoSession."""
    async with operator.unit() as unit:
        found = await inspect(unit, operator.vault)
        if found.is_empty:
            raise NoSession
        return await archive.back_up(unit, reason)


async def export_backup(operator: Operator, passphrase: str, *, cost: Scrypting | None = None) -> BackupFile:
    """A file of the session, for whoever has the passphrase. Raises NoSession, SealedByAnother, WeakPassphrase."""
    async with operator.unit() as unit:
        found = await inspect(unit, operator.vault)
        check_worth_saving(found)
        connection = await connections.find_connection(unit, BAILEYS)
        mentorado = await get_mentorado(unit, unit.mentorado_id)
        await add_entry(unit, "session.exported", keys=len(found.values))
    header = Header(
        made_at=operator.clock.now(),
        mentorado_id=mentorado.id,
        holds=rows.counted(found.values),
        left_out={damage.kind: damage.count for damage in found.damages if damage.problem == DOES_NOT_OPEN},
    )
    contents = Contents(
        name=mentorado.name,
        account_phone=connection.account_phone if connection is not None else None,
        account_lid=connection.account_lid if connection is not None else None,
        values=found.values,
    )
    file = await asyncio.to_thread(write_backup, header, contents, passphrase, cost=cost)
    return BackupFile(header, file)


def check_worth_saving(found: Inspected) -> None:
    """Raises NoSession, SealedByAnother."""
    if found.is_sealed_by_another:
        raise SealedByAnother
    if not found.is_linked:
        raise NoSession
