"""What a process has used so far, as the operating system counts it: processor time and memory."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

_PROC = Path("/proc")


def busy_seconds(pid: int, *, with_children: bool = False) -> float:
    """Processor time of a process, and of its children, ended ones too; 0.0 where there is no /proc."""
    try:
        seconds = _seconds(pid, with_ended=with_children)
        if with_children:
            seconds += sum(_seconds(int(child)) for child in _children(pid))
    except OSError:
        return 0.0
    return seconds


def resident_bytes(pid: int) -> int:
    """Memory a process holds."""
    kilobytes = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True).stdout
    return int(kilobytes) * 1024


def _seconds(pid: int, *, with_ended: bool = False) -> float:
    fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    ticks = sum(int(each) for each in fields[11 : 15 if with_ended else 13])
    return ticks / os.sysconf("SC_CLK_TCK")


def _children(pid: int) -> list[str]:
    return [child for tasks in (_PROC / str(pid) / "task").glob("*/children") for child in tasks.read_text().split()]
