"""`python -m recado.emulator`: WhatsApp on a desk, until interrupted."""

from __future__ import annotations

import argparse
import asyncio
import ssl
import sys

from recado.emulator.serve import serve
from recado.emulator.whatsapp.world import World


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(prog="recado.emulator", description="A WhatsApp server with phones, to test on.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8460)
    parser.add_argument("--phone", action="append", default=[], help="a phone's push name; may be repeated")
    parser.add_argument("--seed", type=int, help="make keys and faults repeatable")
    parser.add_argument("--pause", type=float, default=0.0, help="seconds between the handshake and success")
    parser.add_argument("--certificate", help="PEM file with a certificate chain and key: serve TLS")
    given = parser.parse_args()
    tls = None
    if given.certificate:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(given.certificate)
    serving = serve(
        given.host,
        given.port,
        phones=given.phone,
        seed=given.seed,
        tls=tls,
        pause_before_success=given.pause,
        ready=_tell,
    )
    try:
        asyncio.run(serving)
    except KeyboardInterrupt:
        pass


def _tell(world: World) -> None:
    sys.stdout.write(f"url   {world.server.url}\nroot  {world.server.root.hex()}\nhttp  {world.control_url}/\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
