"""The user's debugger in a graded run (`GDB=1`, `make replay`).

QEMU's stub serves one client.  A criterion that does not use it is joined at reset: the user sets
breakpoints, continues, and the criterion goes on beside.  One that drives the stub itself runs
first, and hands the machine over, stopped, where it ended.  Nothing is late under a debugger.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from grader.core.machine import Machine
from grader.core.verdict import Infra

HELPERS = "solution/tools/gdb/mazu.py"
NAMES = ("gdb-multiarch", "riscv64-unknown-elf-gdb", "riscv64-elf-gdb")


class Debugger:
    def __init__(self, root: Path, uses_stub: bool):
        self.joins_at_start = not uses_stub
        self._helpers = root / HELPERS
        self._process: subprocess.Popen[bytes] | None = None

    def attach(self, machine: Machine) -> None:
        """Start the debugger in this terminal; ^C is its own from here on."""
        if self._process:
            self._process.wait()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._process = subprocess.Popen(self._command(machine), preexec_fn=_default_interrupt)

    def finish(self, machine: Machine) -> None:
        """Wait for the debugger to end; first start it, if the criterion held the stub."""
        if not self.joins_at_start:
            machine.gdb.close()
            sys.stderr.write("\nThe criterion ended here; the machine is yours.\n")
            self.attach(machine)
        if self._process:
            self._process.wait()

    def _command(self, machine: Machine) -> list[str]:
        gdb = next((path for name in NAMES if (path := shutil.which(name))), None)
        if gdb is None:
            raise Infra("no RISC-V gdb is in PATH", "install gdb-multiarch")
        line = [
            gdb,
            "-q",
            str(machine.board.kernel),
            "-ex",
            f"target remote {machine.folder / 'gdb'}",
        ]
        return line + (["-x", str(self._helpers)] if self._helpers.exists() else [])


def _default_interrupt() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.setpgid(0, 0) if not sys.stdin.isatty() else None
