"""The `recado` command: what there is and its options. What goes wrong is said in one sentence, with a status of 1."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from pydantic import ValidationError

from recado.errors import RecadoError

if TYPE_CHECKING:
    from recado.gateway.settings import Settings

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="WhatsApp for Python, self-hosted."
)

keys = typer.Typer(no_args_is_help=True, help="Change the keys that protect what is stored.")
app.add_typer(keys, name="keys")
imports = typer.Typer(no_args_is_help=True, help="Go on with a session of another library, without a new code.")
app.add_typer(imports, name="import")

DataDir = Annotated[Path | None, typer.Option(help="Where everything is kept (RECADO_DATA_DIR).")]
PassphraseFile = Annotated[Path | None, typer.Option(help="A file with the passphrase; else RECADO_BACKUP_PASSPHRASE.")]
Mentorado = Annotated[str | None, typer.Argument(help="A mentorado, by id or name.")]
Host = Annotated[str, typer.Option(help="The address to listen on.")]


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on (RECADO_HOST).")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="The port (RECADO_PORT).")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Where everything is kept (RECADO_DATA_DIR).")] = None,
    force_identity: Annotated[
        bool | None, typer.Option("--force-identity", help="Connect also as another browser than was linked.")
    ] = None,
) -> None:
    """Run the gateway and its pages, with a PostgreSQL of its own unless DATABASE_URL is set."""
    from recado.cli.serve import run

    settings = _settings(host=host, port=port, data_dir=data_dir, force_identity=force_identity)
    _run(lambda: run(settings))


@app.command()
def demo(
    host: Host = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes any.")] = 8000,
    data_dir: Annotated[Path, typer.Option(help="Where the demo keeps its own data.")] = Path(".run/demo"),
    allow_site: Annotated[
        list[str] | None, typer.Option(help="A site that may embed the card; again for more.")
    ] = None,
) -> None:
    """Run everything against a simulated WhatsApp: no phone, no account, no network."""
    from recado.cli.demo import run

    _run(lambda: run(host=host, port=port, folder=data_dir, sites=allow_site or []))


@app.command()
def emulator(
    host: Host = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes any.")] = 8400,
    cert: Annotated[Path | None, typer.Option(help="A TLS certificate (PEM), to speak wss.")] = None,
    key: Annotated[Path | None, typer.Option(help="Its key (PEM).")] = None,
) -> None:
    """Run the simulated WhatsApp alone, for any client."""
    from recado.cli.emulator import run

    _run(lambda: run(host=host, port=port, cert=cert, key=key))


@keys.command("rotate")
def rotate_keys(
    mentorado: Annotated[str | None, typer.Option(help="New data keys for this one.")] = None,
    all: Annotated[bool, typer.Option("--all", help="New data keys for every mentorado.")] = False,
    master: Annotated[Path | None, typer.Option(help="A new master key, from this file (made if need be).")] = None,
    forget_old: Annotated[bool, typer.Option("--forget-old", help="With --master: the old one is not kept.")] = False,
    data_dir: Annotated[Path | None, typer.Option(help="Where everything is kept (RECADO_DATA_DIR).")] = None,
) -> None:
    """Change data keys, or the master key, while gateways run: nothing is unreadable at any moment."""
    from recado.cli.keys import rotate, rotate_master

    if [mentorado is not None, all, master is not None].count(True) != 1:
        _fail("say what to change: --mentorado ID, --all, or --master FILE")
    settings = _settings(data_dir=data_dir)
    if master is not None:
        _run(lambda: rotate_master(settings, master, forget_old=forget_old))
    else:
        _run(lambda: rotate(settings, mentorado))


@app.command()
def doctor(
    mentorado: Mentorado = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Look for what is wrong, of one mentorado or of all, and say what to do. Status 1 when there are problems."""
    from recado.cli import operations

    settings = _settings(data_dir=data_dir)
    _run(lambda: operations.doctor(settings, mentorado, as_json=as_json))


@app.command()
def recover(
    mentorado: Mentorado = None,
    all: Annotated[bool, typer.Option("--all", help="Every mentorado whose connection should be up.")] = False,
    why: Annotated[str, typer.Option(help="Kept in the audit.")] = "",
    even_so: Annotated[bool, typer.Option("--even-so", help="Clear also where that is not known to help.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Bring a connection back, step by step, stopping at the first that works. Messages are never touched."""
    from recado.cli import operations

    if (mentorado is None) != all:
        _fail("say which: a mentorado, or --all")
    settings = _settings(data_dir=data_dir)
    _run(lambda: operations.recover_some(settings, mentorado, why=why, even_so=even_so))


@app.command()
def backup(
    mentorado: Annotated[str, typer.Argument(help="A mentorado, by id or name.")],
    out: Annotated[Path | None, typer.Option(help="The file to write.")] = None,
    passphrase_file: PassphraseFile = None,
    new_recovery_key: Annotated[bool, typer.Option("--new-recovery-key", help="Make the passphrase.")] = False,
    here: Annotated[bool, typer.Option("--here", help="A copy in the database, no file.")] = False,
    show: Annotated[bool, typer.Option("--list", help="Show the copies in the database.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Save a mentorado's session in an encrypted file that another machine can restore."""
    from recado.cli import operations

    settings = _settings(data_dir=data_dir)
    if show:
        _run(lambda: operations.list_backups(settings, mentorado))
    else:
        _run(
            lambda: operations.back_up(
                settings,
                mentorado,
                out=out,
                passphrase_file=passphrase_file,
                new_key=new_recovery_key,
                here=here,
            )
        )


@app.command()
def restore(
    file: Annotated[Path | None, typer.Argument(help="A backup file.")] = None,
    mentorado: Annotated[str | None, typer.Option(help="With --backup: whose copy it is.")] = None,
    copy: Annotated[str | None, typer.Option("--backup", help="A copy in the database, by its id.")] = None,
    passphrase_file: PassphraseFile = None,
    replace: Annotated[bool, typer.Option("--replace", help="Give up another link that is there.")] = False,
    connect: Annotated[bool, typer.Option(help="Connect afterwards.")] = True,
    data_dir: DataDir = None,
) -> None:
    """Put a saved session back; no new code is needed. What is there is backed up first."""
    from recado.cli import operations

    settings = _settings(data_dir=data_dir)
    if file is not None and copy is None and mentorado is None:
        _run(
            lambda: operations.restore_from_file(
                settings, file, passphrase_file=passphrase_file, replace=replace, connect=connect
            )
        )
    elif file is None and copy is not None and mentorado is not None:
        _run(lambda: operations.restore_copy(settings, mentorado, copy, replace=replace, connect=connect))
    else:
        _fail("say what: a backup file, or --mentorado ID --backup ID")


@app.command()
def audit(
    mentorado: Mentorado = None,
    limit: Annotated[int, typer.Option(min=1, max=10000, help="How many entries.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Show who did what, when."""
    from recado.cli import operations

    settings = _settings(data_dir=data_dir)
    _run(lambda: operations.audit(settings, mentorado, limit=limit, as_json=as_json))


@imports.command("baileys")
def import_baileys(
    folder: Annotated[Path, typer.Argument(help="The folder of useMultiFileAuthState.")],
    mentorado: Annotated[str, typer.Option(help="A mentorado, by id or name.")],
    connect: Annotated[bool, typer.Option(help="Connect afterwards.")] = True,
    data_dir: DataDir = None,
) -> None:
    """Take a session of Baileys over. Its own program must be stopped for good."""
    from recado.cli import importing

    settings = _settings(data_dir=data_dir)
    _run(lambda: importing.import_baileys(settings, mentorado, folder, connect=connect))


@imports.command("whatsmeow")
def import_whatsmeow(
    source: Annotated[str, typer.Argument(help="A SQLite file, or the address of a PostgreSQL database.")],
    mentorado: Annotated[str, typer.Option(help="A mentorado, by id or name.")],
    number: Annotated[str | None, typer.Option(help="Whose device, where there are several.")] = None,
    connect: Annotated[bool, typer.Option(help="Connect afterwards.")] = True,
    data_dir: DataDir = None,
) -> None:
    """Take a session of whatsmeow over. Its own program must be stopped for good."""
    from recado.cli import importing

    settings = _settings(data_dir=data_dir)
    _run(lambda: importing.import_whatsmeow(settings, mentorado, source, number=number, connect=connect))


@app.command("migrate-provider")
def migrate_provider(
    to: Annotated[str | None, typer.Option(help="Where to: meta, baileys or zapi.")] = None,
    cohort: Annotated[Path | None, typer.Option(help="Who: a mentorado a line, by id or name.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Look, and change nothing (the default).")] = True,
    retire_old: Annotated[bool, typer.Option("--retire-old", help="Disconnect the old one at the end.")] = False,
    coexistence: Annotated[bool, typer.Option("--coexistence", help="The number stays on its phone.")] = False,
    another_number: Annotated[bool, typer.Option("--another-number", help="The number may be another.")] = False,
    at_once: Annotated[bool, typer.Option("--at-once", help="Do not wait after the first one.")] = False,
    apply: Annotated[str | None, typer.Option(help="Have this plan done.")] = None,
    approved_by: Annotated[str | None, typer.Option(help="With --apply: who says so.")] = None,
    go_on: Annotated[str | None, typer.Option("--continue", help="The first one is well: the others follow.")] = None,
    roll_back: Annotated[str | None, typer.Option(help="Have whoever this plan moved go back.")] = None,
    show: Annotated[str | None, typer.Option(help="Show this plan, and how far it is.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Move people to another road to WhatsApp, one by one, after a dry run that says who is ready."""
    from recado.cli import moving
    from recado.gateway.moving.service import Options

    if [cohort, apply, go_on, roll_back, show].count(None) != 4 or (cohort is None) != (to is None):
        _fail("say one: --to ROAD --cohort FILE, --apply, --continue, --roll-back or --show PLAN")
    if (apply is None) != (approved_by is None):
        _fail("--apply PLAN and --approved-by NAME go together")
    settings = _settings(data_dir=data_dir)
    if cohort is not None and to is not None:
        options = Options(retire_old, coexistence, another_number, at_once)
        _run(lambda: moving.dry_run(settings, to, cohort, options, as_json=as_json))
    elif apply is not None and approved_by is not None:
        _run(lambda: moving.apply(settings, apply, approved_by, as_json=as_json))
    elif go_on is not None:
        _run(lambda: moving.go_on(settings, go_on, as_json=as_json))
    elif roll_back is not None:
        _run(lambda: moving.roll_back(settings, roll_back, as_json=as_json))
    elif show is not None:
        _run(lambda: moving.show(settings, show, as_json=as_json))


def main() -> None:
    """The entry point."""
    app()


def _settings(**given: object) -> Settings:
    from recado.gateway.settings import Settings

    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        _fail("a setting is wrong: " + "; ".join(f"{each['loc'][0]}: {each['msg']}" for each in error.errors()))


def _run(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(work())
    except RecadoError as error:
        _fail(str(error))
    except BaseExceptionGroup as group:
        known, others = group.split(RecadoError)
        if known is None or others is not None:
            raise
        _fail(str(_first(known)))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _fail(text: str) -> NoReturn:
    typer.echo(f"recado: {text}", err=True)
    sys.exit(1)
