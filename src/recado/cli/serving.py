"""
Running the gateway as a process: the port, the signals, the end. Ctrl-C (or SIGTERM) ends open streams first, then the
requests and, beside them, the accounts, which other processes take over; the database last. A second one stops waiting
for requests.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import uvicorn
from fastapi import FastAPI

from recado.errors import UsageError
from recado.gateway.app import Gateway

_GRACE_SECONDS = 3


class _Server(uvicorn.Server):
    """uvicorn, without its own handling of signals: ours ends the streams first."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def bind(host: str, port: int) -> socket.socket:
    """The listening socket. Raises UsageError, in words, when it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen()  # from here on nobody is refused: who comes before we are ready waits
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise UsageError(f"port {port} is in use; stop what uses it, or choose another with --port") from None
        raise UsageError(f"cannot listen on {host}:{port} ({error.strerror})") from None
    return listener


def address_of(listener: socket.socket) -> str:
    """The address to open in a browser."""
    host, port = listener.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{port}"


async def serve(
    app: FastAPI,
    listener: socket.socket,
    ready: Callable[[Gateway], Coroutine[Any, Any, None]],
    say: Callable[[str], None],
) -> None:
    """
    Open the gateway, answer requests on `listener` until a signal, close everything. `ready` is called in between.
    Raises what opening raises: StoreUnavailable, UsageError.
    """
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()
    gc.collect()
    gc.freeze()  # what is loaded by now stays for good: looked through again and again, it would stop everything
    config = uvicorn.Config(
        app, lifespan="off", access_log=False, log_level="warning", timeout_graceful_shutdown=_GRACE_SECONDS
    )
    server = _Server(config)

    def stop() -> None:
        if stopping.is_set():
            server.force_exit = True
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    try:
        async with app.router.lifespan_context(app):
            gateway: Gateway = app.state.gateway
            if not stopping.is_set():
                async with asyncio.TaskGroup() as group:
                    serving = group.create_task(server.serve(sockets=[listener]))
                    serving.add_done_callback(lambda _: stopping.set())
                    await ready(gateway)
                    await stopping.wait()
                    say("Stopping…")
                    gateway.broadcasts.close()
                    server.should_exit = True
                    # Beside the requests that are still answered: a container has ten seconds to end.
                    await gateway.worker.leave()
    finally:
        listener.close()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
