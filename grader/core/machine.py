"""One QEMU process: started stopped, watched, explained, and always gone at the end.

Every machine has a private folder (Unix sockets, images, logs) and its own process group; two
gradings share nothing.  It starts at reset and runs when told to (`run`, or `gdb.resume`), so that
no output is lost and no breakpoint comes too late.

Deadlines do not depend on how busy the host is.  A second of `within` is a second of guest
time under icount and a second of QEMU's own CPU time otherwise; wall time, a multiple of it, only
ends a guest that sleeps for ever.

`raise_ended` and `failure` turn what happened into a verdict: a panic, an unwritten hole, a
status, or the host's own trouble.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import NoReturn

from grader.core.board import INSTALL_QEMU, Board
from grader.core.console import Console
from grader.core.elf import Symbols
from grader.core.gdb import Gdb
from grader.core.process import cpu_seconds, end_group, oom_kills
from grader.core.qmp import Qmp, QmpGone
from grader.core.sandbox import confine
from grader.core.verdict import Failure, Infra, Verdict, quote, shorten

START_S = 30.0
WITHIN_S = 5.0  # a hang is known after so long; a boot takes 0.01
PATIENCE = 4  # wall seconds a second of CPU time may take, on a busy host
SLOWNESS = 30  # the same for a second of guest time, which is 10**9 instructions
LONGEST_SOCKET_PATH = 100
MTIME = 0x200BFF8  # the CLINT's time register, 100 ns a tick, read to learn the virtual time
NOISE = ("icount sleep disabled and no active timers",)
GUEST_FAULTS = ("could not load kernel", "ROM regions are overlapping", "Could not load")
HOST_FAULTS = (
    ("Cannot allocate memory", "close other programs or grade with fewer workers"),
    ("cannot set up guest memory", "close other programs or grade with fewer workers"),
    ("Address already in use", "end the program that holds the port, then grade again"),
    ("No space left", "free some disk space"),
    ("", "is QEMU older than 7.2? " + INSTALL_QEMU),
)


class Deadline:
    """A bound on waiting, in guest time where there is one."""

    def __init__(self, machine: Machine, within: float | None):
        self._machine = machine
        self._within = within or WITHIN_S
        self._longest = self._within * (SLOWNESS if machine.board.icount else PATIENCE)
        self._busy, self._wall = machine.busy_seconds(), time.monotonic()
        self._next_look = self._wall + 0.2
        self.allowance = ""

    def passed(self) -> bool:
        now = time.monotonic()
        if self._machine.unhurried or now < self._next_look:
            return False
        self._next_look = now + 0.2
        if now - self._wall > self._longest:
            self.allowance = f"{self._longest:g} s"
        elif self._machine.busy_seconds() - self._busy > self._within:
            self.allowance = f"{self._within:g} s of {self._machine.clock_name}"
        return bool(self.allowance)


class Machine:
    """A running QEMU and everything attached to it."""

    def __init__(self, board: Board, symbols: Symbols | None = None, folder: Path | None = None,
                 live: bool = False, unhurried: bool = False):
        self.board = board
        self.folder = folder or private_folder()
        self.symbols = symbols or Symbols(board.kernel)
        self.unhurried = unhurried  # under a debugger nothing is late
        self.trace: list[str] = []
        self.tracing = True
        self.kept: dict[str, str] = {}  # files of its bundle, from when there was something to see
        self._gdb: Gdb | None = None
        self._killed = False
        self._oom_kills = oom_kills()
        self._errors = (self.folder / "stderr").open("wb+")
        _alive.add(self)
        try:
            self.command = board.command(self.folder)
            self.console = Console(self, self.folder, live, board.flood_limit)
            self._process = subprocess.Popen(
                confine(self.command, board.jail(self.folder)), stdin=subprocess.DEVNULL,
                stdout=self._errors, stderr=self._errors, start_new_session=True)
            self.qmp = self._connect()
            self.console.start()
        except BaseException:
            self.close()
            raise

    # -- life ---------------------------------------------------------------------------------

    @property
    def alive(self) -> bool:
        return not self._killed and self._process.poll() is None

    @property
    def status(self) -> int | None:
        """QEMU's exit status, or None while it runs."""
        return self._process.poll()

    @property
    def clock_name(self) -> str:
        return "guest time" if self.board.icount else "CPU time"

    def run(self) -> None:
        """Let a machine that nobody debugs run."""
        self.note("machine: runs")
        try:
            self.qmp.execute("cont")
        except QmpGone:
            self.raise_ended("the machine to run")

    def pause(self) -> None:
        try:
            self.qmp.execute("stop")
        except QmpGone:
            self.raise_ended("the machine to pause")

    @property
    def gdb(self) -> Gdb:
        """The debugger of this machine; attaching stops it."""
        if self._gdb is None:
            self.pause()  # or the stub does, with a stop reply that nobody asked for
            self._gdb = Gdb(self, str(self.folder / "gdb"), self.symbols)
        return self._gdb

    def forget_gdb(self, gdb: Gdb) -> None:
        if self._gdb is gdb:
            self._gdb = None

    def wait_exit(self, within: float | None = None) -> int:
        """The status with which the guest ended QEMU; `hang` when it does not in time."""
        wanted = "the machine to end itself"
        deadline = self.deadline(within)
        while self._process.poll() is None:
            self.console.check_flood()
            if deadline.passed():
                raise self.failure(wanted, f"nothing within {deadline.allowance}", Verdict.HANG)
            time.sleep(0.02)
        self.console.settle()
        self._raise_unless_host_fault()
        return self._process.returncode

    def kill(self) -> None:
        """End QEMU now, as a power cut does; harmless when it has ended."""
        if self._killed:
            return
        self._killed = True
        self.end_process()
        for part in ("_gdb", "qmp", "console", "_errors"):
            if (attached := getattr(self, part, None)) is not None:
                attached.close()
        _alive.discard(self)

    def end_process(self) -> None:
        """Kill QEMU and its sandbox, by the process group that is ours alone."""
        if process := getattr(self, "_process", None):
            end_group(process)

    def close(self) -> None:
        """Kill, and remove the private folder."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Machine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- time ---------------------------------------------------------------------------------

    def deadline(self, within: float | None = None) -> Deadline:
        return Deadline(self, within)

    def virtual_ns(self) -> int:
        """The guest's time since reset, to 100 ns; the machine need not stand still."""
        try:
            answer = self.qmp.human(f"xp /1gx {MTIME:#x}")
            return int(answer.split(":")[1], 16) * 100
        except (QmpGone, RuntimeError, IndexError, ValueError):
            return 0

    def instructions(self) -> int:
        """Guest instructions executed since reset, exact while the machine stands still."""
        if not self.board.icount:
            return 0
        try:
            return self.qmp.execute("query-replay")["icount"]
        except QmpGone:
            self.raise_ended("the instruction counter")

    def busy_seconds(self) -> float:
        """What deadlines count: guest time under icount, else QEMU's CPU time."""
        if not self.alive:
            return 0.0
        return self.virtual_ns() / 1e9 if self.board.icount else cpu_seconds(self._process.pid)

    # -- judgement ----------------------------------------------------------------------------

    def note(self, event: str) -> None:
        """Remember what the grader did, for the bundle."""
        self.trace.append(shorten(event, 400))

    def failure(self, expected: str, got: str, verdict: Verdict = Verdict.FAIL) -> Failure:
        """The failure that tells most: the kernel's own words win over our waiting."""
        if (panic := self.console.panic) and not self.board.may_panic:
            return Failure(expected, quote(panic), Verdict.PANIC)
        if unwritten := self.console.unwritten:
            return Failure(expected, quote(unwritten))
        return Failure(expected, got, verdict)

    def raise_ended(self, expected: str) -> NoReturn:
        """The connection is lost: say why, as a verdict."""
        self.console.check_flood()
        try:
            status = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            raise self.failure(expected, "a machine that does not answer", Verdict.HANG) from None
        self.console.settle()
        self._raise_unless_host_fault()
        last = self.console.last_line
        got = f"the machine ended with status {status}" + (f" after {quote(last)}" if last else "")
        raise self.failure(expected, got)

    def _raise_unless_host_fault(self) -> None:
        """QEMU is gone: raise if that is a limit of ours or the host's fault, not the guest's will.

        Under bubblewrap a status of 128 + n is a signal or what the guest chose to leave with.  The
        guest must not be able to pass for a broken host, so the host's fault needs a witness.
        """
        status = self._process.returncode
        number = -status if status < 0 else status - 128
        if self._killed or number <= 0:
            return
        if number == signal.SIGXCPU:
            raise self.failure(
                "a machine within its CPU limit", "the limit was reached", Verdict.HANG
            )
        if number == signal.SIGKILL and oom_kills() > self._oom_kills:
            raise Infra("the host ran out of memory and killed QEMU", "close other programs")
        if status < 0 or (number == signal.SIGABRT and "Assertion" in self.errors()):
            raise Infra(
                f"QEMU crashed with signal {number}: {self.errors() or 'no message'}", "grade again"
            )

    def errors(self) -> str:
        """QEMU's complaints, without those that mean nothing."""
        text = (self.folder / "stderr").read_text("utf-8", "replace")
        lines = [
            line for line in text.splitlines() if line and not any(noise in line for noise in NOISE)
        ]
        return shorten("; ".join(lines), 400)

    # -- starting -----------------------------------------------------------------------------

    def _connect(self) -> Qmp:
        give_up = time.monotonic() + START_S
        path = self.folder / "qmp"
        while time.monotonic() < give_up:
            if self._process.poll() is not None:
                self._raise_not_started()
            if path.exists():
                try:
                    return Qmp(str(path))
                except QmpGone:
                    pass
            time.sleep(0.005)
        raise Infra(f"QEMU did not start within {START_S:g} s", "is the host overloaded?")

    def _raise_not_started(self) -> NoReturn:
        errors = self.errors()
        if any(fault in errors for fault in GUEST_FAULTS):
            raise Failure("a kernel that QEMU can load", quote(errors))
        remedy = next(remedy for sign, remedy in HOST_FAULTS if sign in errors)
        raise Infra(f"QEMU did not start: {errors or 'no message'}", remedy)


def private_folder() -> Path:
    """A folder of our own with a path short enough for Unix sockets."""
    folder = tempfile.mkdtemp(prefix="mazu-")
    if len(folder) > LONGEST_SOCKET_PATH - len("/console"):
        os.rmdir(folder)
        folder = tempfile.mkdtemp(prefix="mazu-", dir="/tmp")
    return Path(folder)


_alive: set[Machine] = set()


@atexit.register
def kill_all() -> None:
    """Nothing of ours outlives the grader."""
    for machine in list(_alive):
        machine.close()
