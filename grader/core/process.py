"""Processes of ours: who is in a group, what they used, and their end.

Everything is started in a process group of its own and ended by its number, never by a name.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path


def end_group(leader: subprocess.Popen[bytes]) -> None:
    """Kill a process group, innermost first, so that bubblewrap reaps its own before it ends."""
    inner = [pid for pid in group_members(leader.pid) if pid != leader.pid]
    for pid in inner:
        _kill(os.kill, pid)
    try:
        leader.wait(timeout=2 if inner else 0)
    except subprocess.TimeoutExpired:
        pass
    if leader.poll() is None:  # not after it was reaped: the number may be another's by then
        _kill(os.killpg, leader.pid)
        leader.wait()


def _kill(kill: Callable[[int, int], None], target: int) -> None:
    try:
        kill(target, signal.SIGKILL)
    except ProcessLookupError:
        pass


def group_members(leader: int) -> list[int]:
    """The processes of a group, from /proc."""
    found = []
    for entry in os.listdir("/proc") if os.path.isdir("/proc") else ():
        if entry.isdigit():
            try:
                if os.getpgid(int(entry)) == leader:
                    found.append(int(entry))
            except (ProcessLookupError, PermissionError):
                pass
    return found


def cpu_seconds(leader: int) -> float:
    """CPU time of a group; under bubblewrap the one that works is a descendant of our child."""
    try:
        return sum(map(_cpu_of, group_members(leader)))
    except OSError:
        return 0.0


def _cpu_of(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (FileNotFoundError, ProcessLookupError):
        return 0.0


def oom_kills() -> int:
    """How often this host has killed for want of memory."""
    try:
        counters = dict(line.split() for line in Path("/proc/vmstat").read_text().splitlines())
    except OSError:
        return 0
    return int(counters.get("oom_kill", 0))


def available_memory() -> int:
    """Bytes that a new process may hope for; without end where the host does not say."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return 1 << 62
    table = dict(line.split(":", 1) for line in lines)
    return int(table["MemAvailable"].split()[0]) * 1024 if "MemAvailable" in table else 1 << 62
