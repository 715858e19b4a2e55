"""The JSON of operations: findings, steps, backups, entries of the audit."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Malformed
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field, SecretStr

from recado.gateway.audit.repository import Entry
from recado.gateway.operations.backup import BackupFile
from recado.gateway.operations.backup_file import Header, NotABackup
from recado.gateway.operations.doctor import Diagnosis
from recado.gateway.operations.finding import Finding
from recado.gateway.operations.recovery import Recovery
from recado.gateway.operations.restore import Restored
from recado.gateway.providers.baileys.archive import Backup


class FindingTold(BaseModel):
    """What one check found, and what to do about it."""

    check: str
    severity: str = Field(description="ok, warning or problem")
    words: str
    advice: str

    @classmethod
    def of(cls, finding: Finding) -> FindingTold:
        return cls(check=finding.check, severity=finding.severity, words=finding.words, advice=finding.advice)


class DiagnosisTold(BaseModel):
    """All findings; `has_problems` when something has to be done."""

    has_problems: bool
    findings: list[FindingTold]

    @classmethod
    def of(cls, diagnosis: Diagnosis) -> DiagnosisTold:
        findings = [FindingTold.of(finding) for finding in diagnosis.findings]
        return cls(has_problems=diagnosis.has_problems, findings=findings)


class AskedRecovery(BaseModel):
    """
    Why it is asked for goes into the audit; `even_so` clears the session also where that is not known to help; without
    `may_clear` it stops before clearing, with the reason `would_clear`.
    """

    why: str = Field("", max_length=500, pattern=r"^[^\x00]*$")
    even_so: bool = False
    may_clear: bool = True


class StepTold(BaseModel):
    """One step of a recovery."""

    name: str
    result: str
    detail: dict[str, Any]


class RecoveryTold(BaseModel):
    """What recovery came to: connected, needs_scan (a code is shown now) or stopped (the last step says why)."""

    outcome: str
    backup_id: UUID | None
    steps: list[StepTold]

    @classmethod
    def of(cls, recovery: Recovery) -> RecoveryTold:
        steps = [StepTold(name=step.name, result=step.result, detail=step.detail) for step in recovery.steps]
        return cls(outcome=recovery.outcome, backup_id=recovery.backup_id, steps=steps)


class AskedBackup(BaseModel):
    """With a passphrase, a file comes back (an administrator's key is needed); without, the copy stays here."""

    passphrase: SecretStr | None = None


class HeaderTold(BaseModel):
    """What a backup file says of itself."""

    made_at: datetime
    mentorado_id: UUID
    provider: str
    holds: dict[str, int]
    left_out: dict[str, int]

    @classmethod
    def of(cls, header: Header) -> HeaderTold:
        return cls(
            made_at=header.made_at,
            mentorado_id=header.mentorado_id,
            provider=header.provider,
            holds=header.holds,
            left_out=header.left_out,
        )


class BackupMade(BaseModel):
    """The copy in the database, or the file (base64) and its header."""

    backup_id: UUID | None = None
    header: HeaderTold | None = None
    file: str | None = None

    @classmethod
    def of(cls, made: BackupFile, file: str) -> BackupMade:
        return cls(header=HeaderTold.of(made.header), file=file)


class BackupTold(BaseModel):
    """One copy in the database."""

    id: UUID
    made_at: datetime
    reason: str
    keys: int
    has_credentials: bool

    @classmethod
    def of(cls, backup: Backup) -> BackupTold:
        return cls(
            id=backup.id,
            made_at=backup.made_at,
            reason=backup.reason,
            keys=backup.keys,
            has_credentials=backup.has_credentials,
        )


class BackupPage(BaseModel):
    """The copies there are, the newest first."""

    items: list[BackupTold]


class AskedRestore(BaseModel):
    """A copy of this database by its id, or a file (base64) with its passphrase. `replace` gives up another link."""

    backup_id: UUID | None = None
    file: str | None = None
    passphrase: SecretStr | None = None
    replace: bool = False

    def file_bytes(self) -> bytes:
        """Raises NotABackup."""
        try:
            return b64decode(self.file or "", validate=True)
        except (Malformed, ValueError):
            raise NotABackup from None


class RestoreTold(BaseModel):
    """How many keys of each kind came back or were left, and where the ones before them are."""

    backup_id: UUID | None
    is_current: bool
    restored: dict[str, int]
    dropped: dict[str, int]

    @classmethod
    def of(cls, done: Restored) -> RestoreTold:
        return cls(backup_id=done.backup_id, is_current=done.is_current, restored=done.restored, dropped=done.dropped)


class EntryTold(BaseModel):
    """One line of the audit."""

    id: int
    mentorado_id: UUID | None
    actor: str
    action: str
    detail: dict[str, Any]
    at: datetime

    @classmethod
    def of(cls, entry: Entry) -> EntryTold:
        return cls(
            id=entry.id,
            mentorado_id=entry.mentorado_id,
            actor=entry.actor,
            action=entry.action,
            detail=entry.detail,
            at=entry.at,
        )


class AuditPage(BaseModel):
    """The newest entries first; `next` is the `before` of the next page."""

    items: list[EntryTold]
    next: int | None
