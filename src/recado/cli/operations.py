"""
`recado doctor`, `recover`, `backup`, `restore`, `audit`: operations from the command line, beside gateways that are at
work or without any. They open the same database and master key, from the same settings; a secret comes from a prompt, a
file or the environment, never from the command line.
"""

from __future__ import annotations

import asyncio
import getpass
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from uuid import UUID

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from recado.clock import SystemClock
from recado.errors import StoreError, UsageError
from recado.gateway.audit.repository import list_entries
from recado.gateway.connections.repository import CONNECTED, find_connection
from recado.gateway.connections.service import BAILEYS
from recado.gateway.db.embedded import EmbeddedPostgres, find_running
from recado.gateway.db.pool import Database
from recado.gateway.db.vault import Vault
from recado.gateway.master_keys import MasterKeys, load_master_keys
from recado.gateway.operations import repository
from recado.gateway.operations.backup import back_up_here, export_backup
from recado.gateway.operations.backup_file import new_recovery_key, read_header
from recado.gateway.operations.doctor import check_files, examine, examine_installation
from recado.gateway.operations.finding import Finding, Severity
from recado.gateway.operations.in_hand import Operator
from recado.gateway.operations.recovery import Outcome, Recovery, recover
from recado.gateway.operations.repository import Named
from recado.gateway.operations.restore import Restored, open_file, restore_backup, restore_file
from recado.gateway.providers.baileys import archive
from recado.gateway.security import Principal
from recado.gateway.settings import Settings

console = Console(highlight=False, soft_wrap=True)
_SHOWN = {Severity.OK: "[green]ok[/green]", Severity.WARNING: "[yellow]warning[/yellow]"}
_SOON = 5.0  # seconds: somebody sits before the terminal and waits
_PASSPHRASE = "RECADO_BACKUP_PASSPHRASE"  # noqa: S105 - the name of a variable

STEPS = {
    "scope": "Looking how far it goes",
    "reconnect": "Reconnecting, without touching the session",
    "back_up": "Backing the session up",
    "mend": "Dropping only what cannot be read",
    "reconnect_after_mending": "Reconnecting",
    "clear": "Clearing this mentorado's session",
    "ask_for_a_code": "Asking for a new code",
}
"""What each step of a recovery is called; `end` is told by its outcome."""

STOPPED = {
    "another_master_key": "The session is sealed with another master key. Put that one back; nothing was touched.",
    "no_worker": "No worker is running. Start recado serve; it goes on from here.",
    "everybody_is_affected": "Most connections are down: look at the network, the workers and WhatsApp. "
    "No session was cleared.",
    "restricted": "WhatsApp has restricted the account: wait until the time shown. A new code would not help.",
    "forbidden": "WhatsApp refuses the account: open WhatsApp on the phone. A new code would not help.",
}


async def doctor(settings: Settings, which: str | None, *, as_json: bool) -> None:
    """Every check, of the installation and of one mentorado or of each. Ends with status 1 when there are problems."""
    findings: dict[str, list[Finding]] = {}
    try:
        async with _opened(settings) as database:
            clock = SystemClock()
            findings[""] = [*(await examine_installation(database, settings, clock.now())).findings]
            vault = Vault(_masters(settings))
            for named in await _named(database, which):
                operator = _operator(database, vault, settings, named.id)
                findings[f"{named.name} ({named.id})"] = [*(await examine(operator)).findings]
    except StoreError as error:
        words = f"The database cannot be worked with: {error}."
        found = Finding("database", Severity.PROBLEM, words, "Check DATABASE_URL and that PostgreSQL runs.")
        findings.setdefault("", [*check_files(settings)]).insert(0, found)
    problems = sum(each.severity is Severity.PROBLEM for some in findings.values() for each in some)
    if as_json:
        told = [{"of": of or None, **asdict(each)} for of, some in findings.items() for each in some]
        print(json.dumps({"has_problems": problems > 0, "findings": told}, ensure_ascii=False, indent=2))
    else:
        for of, some in findings.items():
            _show_findings(of or "This installation", some)
        console.print(f"{problems} problem(s)." if problems else "No problems.")
    if problems:
        raise SystemExit(1)


async def recover_some(settings: Settings, which: str | None, *, why: str, even_so: bool) -> None:
    """Recover one mentorado, or (None) each whose connection should be up. Status 1 when one stays down."""
    is_down = False
    async with _opened(settings) as database:
        vault = Vault(_masters(settings))
        for named in await _named(database, which):
            operator = _operator(database, vault, settings, named.id)
            if which is None and not await _is_wanted(operator):
                continue
            console.print(f"[bold]{escape(named.name)}[/bold]")
            done = await recover(operator, why=why, even_so=even_so)
            _show_recovery(done)
            is_down |= done.outcome is Outcome.STOPPED
    if is_down:
        raise SystemExit(1)


async def back_up(
    settings: Settings, which: str, *, out: Path | None, passphrase_file: Path | None, new_key: bool, here: bool
) -> None:
    """A backup of one mentorado's session: a file at `out`, or (`here`) a copy in the database."""
    async with _opened(settings) as database:
        (named,) = await _named(database, which)
        operator = _operator(database, Vault(_masters(settings)), settings, named.id)
        if here:
            console.print(f"Backed up in the database as {await back_up_here(operator, 'by hand')}")
            return
        passphrase = new_recovery_key() if new_key else _passphrase(passphrase_file, twice=True)
        made = await export_backup(operator, passphrase)
        path = out or Path(f"recado-{named.id}-{made.header.made_at:%Y%m%dT%H%M%SZ}.backup")
        await asyncio.to_thread(_write_privately, path, made.file)
        console.print(f"Backed up to {path} ({_counts(made.header.holds)})")
        if made.header.left_out:
            console.print(f"Left out, for they do not open: {_counts(made.header.left_out)}", style="yellow")
        if new_key:
            console.print("\nThe recovery key that opens it, shown this once; keep it away from the file:")
            console.print(f"  [bold]{passphrase}[/bold]")


async def list_backups(settings: Settings, which: str) -> None:
    """The copies in the database."""
    async with _opened(settings) as database:
        (named,) = await _named(database, which)
        async with database.unit(_principal(named.id)) as unit:
            found = await archive.list_backups(unit)
    table = Table("id", "made", "why", "keys", box=None)
    for each in found:
        table.add_row(str(each.id), f"{each.made_at:%Y-%m-%d %H:%M}", each.reason, str(each.keys))
    console.print(table)


async def restore_from_file(
    settings: Settings, path: Path, *, passphrase_file: Path | None, replace: bool, connect: bool
) -> None:
    """Put a file's session back, into the mentorado it was made of; that is made when this database has it not."""
    file = await asyncio.to_thread(_read, path)
    header = read_header(file)
    console.print(
        f"A backup of mentorado {header.mentorado_id}, made {header.made_at:%Y-%m-%d %H:%M} ({_counts(header.holds)})"
    )
    header, contents = await open_file(file, _passphrase(passphrase_file, twice=False))
    masters = load_master_keys(_secret_master(settings), settings.master_key_file)
    async with _opened(settings, migrated=True) as database:
        async with database.unit(Principal.admin(_actor())) as unit:
            await repository.add_mentorado_again(unit, header.mentorado_id, contents.name)
        operator = _operator(database, Vault(masters), settings, header.mentorado_id)
        _show_restored(await restore_file(operator, header, contents, replace=replace, connect=connect))


async def restore_copy(settings: Settings, which: str, backup_id: str, *, replace: bool, connect: bool) -> None:
    """Put a copy of the database back."""
    async with _opened(settings) as database:
        (named,) = await _named(database, which)
        operator = _operator(database, Vault(_masters(settings)), settings, named.id)
        _show_restored(await restore_backup(operator, _identifier(backup_id), replace=replace, connect=connect))


async def audit(settings: Settings, which: str | None, *, limit: int, as_json: bool) -> None:
    """Who did what, when: the newest first."""
    async with _opened(settings) as database:
        principal = Principal.admin(_actor())
        if which is not None:
            (named,) = await _named(database, which)
            principal = _principal(named.id)
        async with database.unit(principal) as unit:
            entries = await list_entries(unit, limit=limit)
    if as_json:
        print(json.dumps([asdict(entry) for entry in entries], default=str, ensure_ascii=False, indent=2))
        return
    table = Table("when", "who", "what", "mentorado", "", box=None)
    for entry in entries:
        told = " ".join(f"{key}={value}" for key, value in entry.detail.items() if value not in ("", None))
        mentorado = str(entry.mentorado_id) if entry.mentorado_id else ""
        table.add_row(f"{entry.at:%Y-%m-%d %H:%M:%S}", escape(entry.actor), entry.action, mentorado, escape(told))
    console.print(table)


def _show_findings(of: str, findings: list[Finding]) -> None:
    console.print(f"\n[bold]{escape(of)}[/bold]")
    for each in findings:
        console.print(f"  {_SHOWN.get(each.severity, '[red]problem[/red]')} {escape(each.words)}")
        if each.advice and each.severity is not Severity.OK:
            console.print(f"      {escape(each.advice)}", style="dim")


def _show_recovery(done: Recovery) -> None:
    for step in done.steps:
        if step.name in STEPS:
            reason = step.detail.get("reason")
            console.print(f"  {STEPS[step.name]}: {step.result}" + (f" ({reason})" if reason else ""))
    if done.backup_id is not None:
        console.print(f"  The session as it was is kept in the database: backup {done.backup_id}")
    if done.outcome is Outcome.CONNECTED:
        console.print("  [green]Connected.[/green] Messages were not touched.")
    elif done.outcome is Outcome.NEEDS_SCAN:
        console.print("  [yellow]A code is shown on the page: scan it with the phone.[/yellow] Messages are kept.")
    else:
        reason = str(done.steps[-1].detail.get("reason", ""))
        console.print(
            f"  [red]Stopped.[/red] {STOPPED.get(reason, f'The reason: {reason}; see docs/howto/states.md.')}"
        )


def _show_restored(done: Restored) -> None:
    if done.backup_id is not None:
        console.print(f"What was there before is kept in the database: backup {done.backup_id}")
    console.print(f"Restored: {_counts(done.restored)}")
    if done.dropped:
        console.print(f"Left out, to be made anew: {_counts(done.dropped)}")
    if not done.is_current:
        console.print("Sessions are begun anew with each person; what they sent meanwhile comes again.", style="dim")


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in counts.items()) or "nothing"


@asynccontextmanager
async def _opened(settings: Settings, *, migrated: bool = False) -> AsyncIterator[Database]:
    """The gateways' database; the embedded one is started, for as long as this takes, when no gateway runs it."""
    async with AsyncExitStack() as stack:
        if settings.database_url is not None:
            dsn = settings.database_url.get_secret_value()
        else:
            running = find_running(settings.postgres_dir)
            if running is None:
                if not migrated and not settings.postgres_dir.exists():
                    raise UsageError(f"there is no database: neither DATABASE_URL nor {settings.postgres_dir}")
                postgres = EmbeddedPostgres(settings.postgres_dir, bin_dir=settings.postgres_bin)
                running = await postgres.start()
                stack.push_async_callback(postgres.stop)
            dsn = running
        if migrated:
            from recado.gateway.db.migrate import migrate  # alembic takes its time to load

            owner = settings.database_owner_url
            await asyncio.to_thread(migrate, owner.get_secret_value() if owner is not None else dsn)
        yield await stack.enter_async_context(Database(dsn, size=3, name="recado operations", open_seconds=_SOON))


async def _named(database: Database, which: str | None) -> list[Named]:
    """The one mentorado of that id or name, or all. Raises UsageError when there is none, or more than one."""
    async with database.unit(Principal.admin(_actor())) as unit:
        found = await repository.find_mentorados(unit, which)
    if which is not None and len(found) != 1:
        problem = "there is no mentorado with that id or name" if not found else "several have that name; say the id"
        raise UsageError(problem)
    return found


async def _is_wanted(operator: Operator) -> bool:
    async with operator.unit() as unit:
        connection = await find_connection(unit, BAILEYS)
    return connection is not None and connection.desired == CONNECTED


def _operator(database: Database, vault: Vault, settings: Settings, mentorado_id: UUID) -> Operator:
    return Operator(database, vault, settings, SystemClock(), _principal(mentorado_id))


def _principal(mentorado_id: UUID) -> Principal:
    return Principal.admin(_actor()).acting_for(mentorado_id)


def _actor() -> str:
    try:
        return f"cli:{getpass.getuser()}"
    except (OSError, KeyError):
        return "cli"


def _masters(settings: Settings) -> MasterKeys:
    """The master key there is; none is made here: a new one would open nothing. Raises UsageError."""
    if settings.master_key is None and not settings.master_key_file.exists():
        raise UsageError(f"there is no master key: neither RECADO_MASTER_KEY nor {settings.master_key_file}")
    return load_master_keys(_secret_master(settings), settings.master_key_file)


def _secret_master(settings: Settings) -> str | None:
    return settings.master_key.get_secret_value() if settings.master_key is not None else None


def _passphrase(file: Path | None, *, twice: bool) -> str:
    """From a file, the environment or a person; never from the command line, which others can read."""
    if file is not None:
        return _read(file).decode("utf-8", "replace").strip()
    if given := os.environ.get(_PASSPHRASE):
        return given
    if not sys.stdin.isatty():
        raise UsageError(f"a passphrase is needed: --passphrase-file, {_PASSPHRASE}, or a terminal to ask on")
    passphrase = getpass.getpass("Passphrase of the backup: ")
    if twice and passphrase != getpass.getpass("The same again: "):
        raise UsageError("the two were not the same")
    return passphrase


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror})") from None


def _write_privately(path: Path, file: bytes) -> None:
    """For its owner only, and never over another file."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(file)
            opened.flush()
            os.fsync(opened.fileno())
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror})") from None


def _identifier(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise UsageError("a backup's id is what recado backup --list shows") from None
