"""`recado emulator`: WhatsApp, Meta's Cloud API and Z-API on a desk, alone, for any client."""

from __future__ import annotations

import asyncio
import signal
import ssl
from pathlib import Path

from recado.cli.serve import console
from recado.emulator.meta.cloud import MetaCloud
from recado.emulator.whatsapp.world import World
from recado.emulator.zapi.serve import introduction
from recado.emulator.zapi.world import ZApi
from recado.errors import UsageError


async def run(*, host: str, port: int, cert: Path | None, key: Path | None) -> None:
    """Until a signal. Raises UsageError."""
    stopping, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    try:
        async with (
            World.start(host=host, port=port, tls=_tls(cert, key)) as world,
            MetaCloud.start(host, _beside(port, 1)) as cloud,
            ZApi.start(host, _beside(port, 2)) as zapi,
        ):
            console.print("A simulated WhatsApp is running.")
            console.print(f"  url      [bold]{world.server.url}[/bold]")
            console.print(f"  root     [bold]{world.server.root.hex()}[/bold]")
            console.print(f"  files    [bold]{world.server.files_host}[/bold]")
            console.print(f"  control  [bold]{world.control_url}[/bold]")
            console.print(f"Scan a QR:  curl -d 'TEXT' {world.control_url}/admin/mock-phone/scan-qr", style="dim")
            _say_meta(cloud)
            _say_zapi(zapi)
            console.print("Ctrl-C stops it; nothing of it is kept.", style="dim")
            await stopping.wait()
            console.print("Stopping…")
    except OSError as error:
        raise UsageError(f"cannot listen on {host}:{port} ({error.strerror})") from None


def _beside(port: int, place: int) -> int:
    """The port of a service beside the first; any when the first takes any."""
    return port + place if 0 < port <= 65535 - place else 0


def _say_meta(cloud: MetaCloud) -> None:
    """Where Meta's API is emulated, with a number and a person to begin with."""
    number, world, ana = cloud.number(), cloud.world, cloud.person("Ana")
    console.print("A simulated WhatsApp Cloud API (Meta) is running.")
    console.print(f"  url           [bold]{cloud.url}[/bold]")
    console.print(f"  number id     [bold]{number.id}[/bold] ({number.display})")
    console.print(f"  account id    [bold]{number.waba.id}[/bold]")
    console.print(f"  token         [bold]{cloud.token.value}[/bold]", soft_wrap=True)
    console.print(f"  app secret    [bold]{world.app_secret}[/bold]")
    console.print(f"  verify token  [bold]{world.verify_token}[/bold]")
    console.print(f"  control       [bold]{cloud.url}/admin/meta[/bold]")
    console.print(f"{ana.name} ({ana.phone}) writes to the number: see docs/howto/emulate-meta.md", style="dim")


def _say_zapi(zapi: ZApi) -> None:
    """Where Z-API is emulated, with an instance and two people to begin with."""
    console.print("A simulated Z-API is running, with an instance to link:")
    for name, value in introduction(zapi).items():
        console.print(f"  {name:13} [bold]{value}[/bold]")


def _tls(cert: Path | None, key: Path | None) -> ssl.SSLContext | None:
    if cert is None and key is None:
        return None
    if cert is None or key is None:
        raise UsageError("--cert and --key are given together")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(cert, key)
    except (OSError, ssl.SSLError):
        raise UsageError("the certificate or its key cannot be read") from None
    return context
