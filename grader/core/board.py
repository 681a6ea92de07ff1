"""A board: what is plugged together for one machine, and QEMU's command line for it.

Semihosting, which is host code execution, is in no command line.  What a QEMU can do is asked of it
(`has_seccomp`), never read from its version.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from grader.core.console import FLOOD_LIMIT, Console
from grader.core.disk import Disk
from grader.core.sandbox import Jail, Limits, prefixes
from grader.core.verdict import Infra
from grader.core.wire import Wire

QEMU = "qemu-system-riscv64"
INSTALL_QEMU = "install qemu-system-misc (QEMU 7.2 or newer), or run tools/setup"
ANSWER_S = 30.0
ICOUNT = ("-icount", "shift=0,sleep=off")
# A breakpoint warps QEMU's virtual clock to the next timer, however far.  A filter on a network
# hub without stations fires every 10 us of guest time, which is as far as a warp then goes.
METRONOME = ("-netdev", "hubport,id=metronome,hubid=0",
             "-object", "filter-buffer,id=tick,netdev=metronome,interval=10")


@dataclass(frozen=True)
class Board:
    """What to plug together; everything that distinguishes one machine from another."""

    kernel: Path
    memory: str = "128M"
    harts: int = 1
    append: str = ""
    icount: bool = False
    metronome: bool = True  # under icount, see METRONOME; of use where breakpoints are
    disks: tuple[Disk, ...] = ()
    wires: tuple[Wire, ...] = ()
    extra: tuple[str, ...] = ()
    reboots: bool = False  # a reset starts again instead of ending the machine
    may_panic: bool = False  # a panic is what the criterion is about, not a verdict
    flood_limit: int = FLOOD_LIMIT

    def command(self, folder: Path) -> list[str]:
        """QEMU's command line; semihosting, which is host code execution, is never in it."""
        line = [qemu_path(), "-M", "virt", "-m", self.memory, "-smp", str(self.harts), "-S",
                "-nodefaults", "-display", "none", "-kernel", str(self.kernel)]
        line += Console.options(folder)
        for name, use in (
            ("gdb", ["-gdb", "chardev:gdb"]),
            ("qmp", ["-mon", "chardev=qmp,mode=control"]),
        ):
            line += ["-chardev", f"socket,id={name},path={folder / name},server=on,wait=off", *use]
        line += ["-append", self.append] if self.append else []
        line += [*ICOUNT] if self.icount else []
        line += [*METRONOME] if self.icount and self.metronome else []
        line += [] if self.reboots else ["-no-reboot"]
        line += (
            ["-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny"]
            if has_seccomp()
            else []
        )
        for index, disk in enumerate(self.disks):
            line += disk.options(index)
        for wire in self.wires:
            line += wire.options()
        return line + list(self.extra)

    def jail(self, folder: Path) -> Jail:
        gibibytes = {"M": 1 / 1024, "G": 1}.get(self.memory[-1], 1) * float(
            self.memory.rstrip("MG")
        )
        limits = Limits(cpu_s=600, file_mib=1024, memory_mib=int((gibibytes + 8) * 1024))
        images = tuple(disk.path for disk in self.disks)
        cables = tuple(wire.pcap.parent for wire in self.wires)
        return Jail(read=(self.kernel, *prefixes([QEMU])), write=(folder, *images, *cables),
                    network=any(wire.udp for wire in self.wires), limits=limits)


@cache
def qemu_path() -> str:
    wanted = os.environ.get("QEMU") or QEMU
    path = shutil.which(wanted)
    if path is None:
        raise Infra(f"{wanted} is not in PATH", INSTALL_QEMU)
    return path


@cache
def has_seccomp() -> bool:
    """Whether this QEMU can filter its own system calls."""
    answer = subprocess.run(
        [qemu_path(), "-help"], capture_output=True, text=True, timeout=ANSWER_S
    )
    return "-sandbox" in answer.stdout


def qemu_version() -> str:
    answer = subprocess.run(
        [qemu_path(), "--version"], capture_output=True, text=True, timeout=ANSWER_S
    )
    return answer.stdout.partition("version ")[2].partition(" ")[0].strip() or "unknown"
