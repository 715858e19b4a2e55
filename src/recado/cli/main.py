"""The `recado` command: serve, demo, emulator, keys. What goes wrong is said in one sentence, with a status of 1."""

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

Host = Annotated[str, typer.Option(help="The address to listen on.")]


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on (RECADO_HOST).")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="The port (RECADO_PORT).")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Where everything is kept (RECADO_DATA_DIR).")] = None,
) -> None:
    """Run the gateway and its pages, with a PostgreSQL of its own unless DATABASE_URL is set."""
    from recado.cli.serve import run

    settings = _settings(host=host, port=port, data_dir=data_dir)
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
