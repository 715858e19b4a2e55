"""`recado serve`: the gateway, with a PostgreSQL of its own unless one is given, speaking to WhatsApp itself."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime

from rich.console import Console

from recado.cli.logs import set_up
from recado.cli.serving import address_of, bind, serve
from recado.errors import UsageError
from recado.gateway.app import Gateway, create_app
from recado.gateway.settings import Settings
from recado.server import WHATSAPP, Server

console = Console(highlight=False, soft_wrap=True)


async def run(settings: Settings) -> None:
    """Until a signal. Raises StoreUnavailable, UsageError."""
    set_up(settings.log_level, settings.log_format)
    if settings.baileys_enable_logging:
        logging.getLogger("recado").setLevel(logging.DEBUG)
    server = server_of(settings)
    listener = bind(settings.host, settings.port)
    address = address_of(listener)
    if settings.database_url is None:
        console.print(f"Starting PostgreSQL in {settings.postgres_dir} …", style="dim")

    async def ready(gateway: Gateway) -> None:
        console.print(f"recado is running at [bold]{address}[/bold]")
        if server is not WHATSAPP:
            console.print(f"It speaks to {server.name} at {server.url}")
        if gateway.new_admin_key is not None:
            console.print("\nThe administrator's key, shown this once; keep it:")
            console.print(f"  [bold]{gateway.new_admin_key}[/bold]\n")
        if console.is_terminal:
            await say_link(gateway, address)
        console.print(f"Sign in at {address}/sign-in with the administrator's key, or a mentorado's.")
        console.print("Ctrl-C stops it; everything is kept in " + str(settings.data_dir), style="dim")

    await serve(create_app(settings, server), listener, ready, console.print)


def server_of(settings: Settings) -> Server:
    """WhatsApp, or the emulator the settings name, through the proxy they name. Raises UsageError."""
    server = _server_of(settings)
    if settings.whatsapp_proxy is None:
        return server
    try:
        return replace(server, proxy=settings.whatsapp_proxy.get_secret_value())
    except ValueError:
        raise UsageError("RECADO_WHATSAPP_PROXY is the address of an HTTP proxy: http://host:port") from None


def _server_of(settings: Settings) -> Server:
    if settings.whatsapp_url is None and settings.whatsapp_root is None:
        return WHATSAPP
    if settings.whatsapp_url is None or settings.whatsapp_root is None:
        raise UsageError("RECADO_WHATSAPP_URL and RECADO_WHATSAPP_ROOT are given together or not at all")
    files = {} if settings.whatsapp_files_host is None else {"files_host": settings.whatsapp_files_host}
    try:
        authority = None if settings.whatsapp_files_ca is None else settings.whatsapp_files_ca.read_text()
        root = bytes.fromhex(settings.whatsapp_root)
        return Server(settings.whatsapp_url, root, "an emulator", files_ca=authority, **files)
    except OSError:
        raise UsageError("the file that RECADO_WHATSAPP_FILES_CA names cannot be read") from None
    except ValueError:
        raise UsageError("RECADO_WHATSAPP_ROOT is 64 hexadecimal digits") from None


async def say_link(gateway: Gateway, address: str) -> None:
    """Print a link that signs a browser in as the administrator, once."""
    prefix = await gateway.admin_prefix()
    if prefix is None:
        return
    token, until = gateway.sessions.add_link(prefix)
    console.print("Open this link to sign in; it works once, " + f"until {_local(until)}:")
    console.print(f"  [bold]{address}/sign-in?token={token}[/bold]")


def _local(at: datetime) -> str:
    return f"{at.astimezone():%H:%M}"
