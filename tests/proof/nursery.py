"""
Where the children come from: a process that has imported the code and does nothing else, so that the next child is a
fork away and not a second. It reads orders from stdin, a JSON object a line, and writes what becomes of each child to
stdout: {"number", "pid"}, later {"number", "status"}. When stdin ends, it and all its children end.

What a child does, a script given as argument says: `main(order, lifeline)`; `lifeline` ends when the nursery is gone.
"""

from __future__ import annotations

import json
import os
import runpy
import selectors
import signal
import sys
import traceback
from typing import Any


class Nursery:
    """The children that are alive, by process id."""

    def __init__(self, script: str) -> None:
        self._main = runpy.run_path(script)["main"]
        self._numbers: dict[int, int] = {}
        # Nobody ever writes to it: it ends when this process does, and every child watches that.
        self._lifeline, self._held = os.pipe()
        self._bell, ringer = os.pipe()
        os.set_blocking(ringer, False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(ringer)

    def run(self) -> None:
        """Until stdin ends."""
        waiting = b""
        with selectors.DefaultSelector() as selector:
            selector.register(0, selectors.EVENT_READ)
            selector.register(self._bell, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    received = os.read(key.fd, 65536)
                    if key.fd == self._bell:
                        self._bury()
                        continue
                    if not received:
                        return
                    *lines, waiting = (waiting + received).split(b"\n")
                    for line in lines:
                        self._bear(json.loads(line))

    def _bear(self, order: dict[str, Any]) -> None:
        pid = os.fork()
        if not pid:
            self._become(order)
        self._numbers[pid] = order["number"]
        tell({"number": order["number"], "pid": pid})

    def _become(self, order: dict[str, Any]) -> None:
        """In the child: leave the nursery's things alone, live, and never come back."""
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.close(self._held)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
            self._main(order, self._lifeline)
            status = 0
        except BaseException:  # noqa: BLE001 - whatever it is, it ends here
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)

    def _bury(self) -> None:
        while self._numbers:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            tell({"number": self._numbers.pop(pid), "status": os.waitstatus_to_exitcode(status)})


def tell(line: dict[str, Any]) -> None:
    """One line to the test, in one write: children write to the same pipe."""
    os.write(sys.stdout.fileno(), json.dumps(line).encode() + b"\n")


if __name__ == "__main__":
    Nursery(sys.argv[1]).run()
