"""
Operations over HTTP: the doctor, recovery, backups and the audit. They work through the database and the account's
lease, so whichever process answers, the worker that runs the account lets go of it first.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Annotated

from fastapi import APIRouter, Query, Request

from recado.gateway.audit import repository as audit
from recado.gateway.callers import Admin, Caller, Manager, Reader, documented
from recado.gateway.operations.backup import back_up_here, export_backup
from recado.gateway.operations.doctor import examine, examine_installation
from recado.gateway.operations.in_hand import Operator
from recado.gateway.operations.recovery import recover
from recado.gateway.operations.restore import open_file, restore_backup, restore_file
from recado.gateway.operations.schemas import (
    AskedBackup,
    AskedRecovery,
    AskedRestore,
    AuditPage,
    BackupMade,
    BackupPage,
    BackupTold,
    DiagnosisTold,
    EntryTold,
    RecoveryTold,
    RestoreTold,
)
from recado.gateway.providers.baileys import archive
from recado.gateway.refusals import BadContent, Forbidden

router = APIRouter(prefix="/v1", tags=["operations"], dependencies=[documented])
_PATIENCE = 25.0

Before = Annotated[int | None, Query(ge=1, le=2**63 - 1)]
Limit = Annotated[int, Query(ge=1, le=200)]


@router.get("/mentorados/{mentorado_id}/doctor")
async def diagnose(request: Request, caller: Reader) -> DiagnosisTold:
    """Every check of this mentorado's connection, in plain words."""
    return DiagnosisTold.of(await examine(_operator(request, caller)))


@router.get("/doctor")
async def diagnose_installation(request: Request, caller: Admin) -> DiagnosisTold:
    """What concerns every mentorado: the database, its version, the clock, files and disk."""
    gateway = request.app.state.gateway
    return DiagnosisTold.of(await examine_installation(caller.database, gateway.settings, gateway.clock.now()))


@router.post("/mentorados/{mentorado_id}/operations/recover")
async def start_recovery(request: Request, caller: Manager, asked: AskedRecovery) -> RecoveryTold:
    """Bring the connection back, step by step, stopping at the first that works. Messages are never touched."""
    done = await recover(_operator(request, caller), why=asked.why, even_so=asked.even_so, may_clear=asked.may_clear)
    return RecoveryTold.of(done)


@router.get("/mentorados/{mentorado_id}/operations/backups")
async def list_backups(caller: Manager) -> BackupPage:
    """The copies of the session that are kept here."""
    async with caller.unit() as unit:
        return BackupPage(items=[BackupTold.of(each) for each in await archive.list_backups(unit)])


@router.post("/mentorados/{mentorado_id}/operations/backup", status_code=201)
async def back_up(request: Request, caller: Manager, asked: AskedBackup) -> BackupMade:
    """Copy the session: here, or, for an administrator with a passphrase, into a file that works on another machine."""
    operator = _operator(request, caller)
    if asked.passphrase is None:
        return BackupMade(backup_id=await back_up_here(operator, "asked for"))
    _require_admin(caller)
    made = await export_backup(operator, asked.passphrase.get_secret_value())
    return BackupMade.of(made, b64encode(made.file).decode())


@router.post("/mentorados/{mentorado_id}/operations/restore")
async def restore(request: Request, caller: Manager, asked: AskedRestore) -> RestoreTold:
    """Put a copy, or (an administrator) a file, back, and connect. What is there is backed up first."""
    operator = _operator(request, caller)
    if asked.backup_id is not None and asked.file is None:
        return RestoreTold.of(await restore_backup(operator, asked.backup_id, replace=asked.replace))
    if asked.file is None or asked.passphrase is None or asked.backup_id is not None:
        raise BadContent("name a backup by its id, or give a file and its passphrase")
    _require_admin(caller)
    header, contents = await open_file(asked.file_bytes(), asked.passphrase.get_secret_value())
    return RestoreTold.of(await restore_file(operator, header, contents, replace=asked.replace))


@router.get("/mentorados/{mentorado_id}/audit")
async def read_audit(caller: Manager, before: Before = None, limit: Limit = 50) -> AuditPage:
    """Who did what to this mentorado, when."""
    return await _audit(caller, before, limit)


@router.get("/audit")
async def read_whole_audit(caller: Admin, before: Before = None, limit: Limit = 50) -> AuditPage:
    """Who did what, to whomever."""
    return await _audit(caller, before, limit)


async def _audit(caller: Caller, before: int | None, limit: int) -> AuditPage:
    async with caller.unit() as unit:
        found = await audit.list_entries(unit, before=before, limit=limit + 1)
    page = [EntryTold.of(entry) for entry in found[:limit]]
    return AuditPage(items=page, next=page[-1].id if len(found) > limit else None)


def _operator(request: Request, caller: Caller) -> Operator:
    gateway = request.app.state.gateway
    return Operator(
        caller.database, gateway.vault, gateway.settings, gateway.clock, caller.principal, patience=_PATIENCE
    )


def _require_admin(caller: Caller) -> None:
    """A session's file is the account itself: whoever has it can be that account. Raises Forbidden."""
    if not caller.principal.is_admin:
        raise Forbidden("only an administrator's key may take a session out of the database, or bring one in")
