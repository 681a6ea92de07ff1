"""A client of QEMU's GDB stub: how the grader looks into a kernel without asking it.

Graded results are read here, at breakpoints in pristine code, never from what the guest prints.
The machine stands still whenever a method returns, but for `resume` and `detach`.  What can be read
of it then is in `stub.py`; here is what makes it run.

Timing: `cycles` is exact under icount, and no CSR gives it.  QEMU 7.2 warps its virtual clock to
the next timer whenever a breakpoint stops it (measured; to the end of time where no timer is
set), and mcycle, minstret and mtime go with it.  So the count is QEMU's own (`query-replay`), the
machine carries a metronome that bounds the warp (board.py), and `instructions` holds the timer
interrupt back, which a warp would let in.  Pages that hold a breakpoint run one instruction a
block: that costs host time and not one guest instruction.

`call` runs a kernel function as if the stopped code had called it: arguments in a0…, ra at the
stopped instruction, which a breakpoint guards; the same address reached at another depth of the
stack is somebody else's, and is passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.core.elf import Symbols
from grader.core.rsp import StubGone, StubSilent
from grader.core.stub import Stub
from grader.core.verdict import Failure, Verdict, raise_grader_error

if TYPE_CHECKING:
    from grader.core.machine import Machine

POLL_S = 0.05
PASSED_OVER = 2000  # stops at breakpoints on the way back to a caller
SSTATUS_SIE = 1 << 1
SIE_STIE = 1 << 5


@dataclass(frozen=True)
class Returned:
    """What a called function left: a0, a1 and the guest instructions it took (icount only)."""

    a0: int
    a1: int
    cycles: int

    @property
    def signed(self) -> int:
        return self.a0 - (1 << 64) if self.a0 >> 63 else self.a0

    def __int__(self) -> int:
        return self.a0


class Gdb(Stub):
    """The grader's debugger on one machine."""

    def __init__(self, machine: Machine, path: str, symbols: Symbols):
        self._breakpoints: set[int] = set()
        self._alone = False
        super().__init__(machine, path, symbols)

    # -- execution ----------------------------------------------------------------------------

    def break_at(self, *places: str | int) -> None:
        for address in map(self.address, places):
            if address not in self._breakpoints:
                self._ok(self._ask(f"Z0,{address:x},2"), f"a breakpoint at {address:#x}")
                self._breakpoints.add(address)

    def clear(self, *places: str | int) -> None:
        """Remove these breakpoints, or all of them."""
        for address in list(map(self.address, places)) or list(self._breakpoints):
            if address in self._breakpoints:
                self._ok(self._ask(f"z0,{address:x},2"), f"the breakpoint at {address:#x} to go")
                self._breakpoints.discard(address)

    @contextmanager
    def breakpoints(self, *places: str | int) -> Iterator[None]:
        """Breakpoints for the length of a block; those that stood before stay."""
        fresh = [
            address for address in map(self.address, places) if address not in self._breakpoints
        ]
        self.break_at(*fresh)
        try:
            yield
        finally:
            if fresh and self.machine.alive:
                self.clear(*fresh)

    def run_to_store(self, place: str | int, size: int = 8, within: float | None = None) -> int:
        """Run until these bytes are stored to, and have been; the pc after it, or of a breakpoint before.

        QEMU 7.2 stops at the store and not behind it; one step, with the watchpoint gone, does it.
        """
        watchpoint = f"2,{self.address(place):x},{size:x}"
        self._ok(self._ask(f"Z{watchpoint}"), "a watchpoint")
        stopped = self.cont(f"a store to {place}", within)
        self._ok(self._ask(f"z{watchpoint}"), "the watchpoint to go")
        return stopped if stopped in self._breakpoints else self.step()

    def step(self, count: int = 1) -> int:
        """Execute instructions of the selected hart alone; the new pc."""
        for _ in range(count):
            self._resume(f"vCont;s:{self._hart:x}")
            self._await_stop("the instruction to end", None)
        return self.pc

    def cont(self, towards: str = "a breakpoint", within: float | None = None) -> int:
        """Run every hart until one stops; the pc.  `hang` when none does within its deadline."""
        if self._breakpoints and self.pc in self._breakpoints:
            self._step_off()
        self._resume(f"vCont;c:{self._hart:x}" if self._alone else "vCont;c")
        self._await_stop(towards, within)
        return self.pc

    @contextmanager
    def alone(self) -> Iterator[None]:
        """For the length of a block the selected hart runs, and no other."""
        self._alone = True
        try:
            yield
        finally:
            self._alone = False

    def run_to(self, *places: str | int, within: float | None = None) -> int:
        """Run until one of these places is reached (once); the pc."""
        wanted = set(map(self.address, places))
        towards = " or ".join(map(str, places)) + " to be reached"
        with self.breakpoints(*places):
            while self.cont(towards, within) not in wanted:
                if self.pc not in self._breakpoints:
                    raise Failure(towards, f"a stop at {self.where()}")
        return self.pc

    def finish(self, within: float | None = None) -> int:
        """From a function's first instruction, run until it returns to its caller."""
        return self._run_back(
            self.read("ra") & ~1, self.read("sp"), f"{self.where()} to return", within
        )

    def interrupt(self) -> int:
        """Stop a machine that `resume` let run; the pc."""
        self._guarded(self._packets.interrupt)
        self._await_stop("the machine to stop", None)
        return self.pc

    def resume(self) -> None:
        """Let the machine run and return at once (for the console, the wire…)."""
        if self._breakpoints and self.pc in self._breakpoints:
            self._step_off()
        self._resume("vCont;c")

    def detach(self) -> None:
        """Remove every breakpoint and let the machine run without us."""
        self.clear()
        self._guarded(lambda: self._packets.send("D"))
        self.close()

    def close(self) -> None:
        """Hang up; the machine stays as it is."""
        self._packets.close()
        self.machine.forget_gdb(self)

    # -- counting -----------------------------------------------------------------------------

    def cycles(self) -> int:
        """Guest instructions executed since reset; 0 without icount, which makes them exact."""
        return self.machine.instructions()

    def instructions(self, start: str | int, end: str | int, within: float | None = None) -> int:
        """Instructions from one place (from here, if the hart stands there) to another."""
        if self.pc != self.address(start):
            self.run_to(start, within=within)
        before, enabled = self.cycles(), self.read("sie")
        self.write("sie", enabled & ~SIE_STIE)
        self.run_to(end, within=within)
        count = self.cycles() - before
        self.write("sie", self.read("sie") | (enabled & SIE_STIE))
        return count

    # -- calling ------------------------------------------------------------------------------

    def call(self, function: str | int, *arguments: int | bytes, within: float | None = None,
             interrupts: bool = False) -> Returned:
        """Call a kernel function; bytes are copied below the stack and passed as their address.

        The registers, and the interrupt enable (off during the call unless `interrupts`), are put
        back afterwards; memory stays as the function left it.
        """
        if len(arguments) > 8:
            raise_grader_error("call passes eight arguments at most")
        saved, sstatus = self.registers(), self.read("sstatus")
        self.write("sp", saved["sp"] & ~15)
        values = [self.push(a) if isinstance(a, bytes) else a for a in arguments]
        for index, value in enumerate(values):
            self.write(f"a{index}", value)
        if not interrupts:
            self.write("sstatus", sstatus & ~SSTATUS_SIE)
        returned = self._call(self.address(function), saved["pc"], str(function), within)
        for name, value in saved.items():
            self.write(name, value)
        if not interrupts:
            self.write("sstatus", sstatus)
        return returned

    def push(self, data: bytes) -> int:
        """Copy bytes below the selected hart's stack pointer, which moves; their address."""
        address = (self.read("sp") - len(data)) & ~15
        self.write_memory(address, data)
        self.write("sp", address)
        return address

    def _call(self, function: int, back: int, name: str, within: float | None) -> Returned:
        self.write("ra", back)
        self.write("pc", function)
        stack, before = self.read("sp"), self.cycles()
        self._run_back(back, stack, f"{name} to return", within)
        return Returned(self.read("a0"), self.read("a1"), self.cycles() - before)

    def _run_back(self, back: int, stack: int, towards: str, within: float | None) -> int:
        with self.breakpoints(back):
            for _ in range(PASSED_OVER):
                if self.cont(towards, within) == back and self.read("sp") == stack:
                    return back
                if self.pc not in self._breakpoints:
                    raise Failure(towards, f"a stop at {self.where()}")
        raise Failure(towards, f"{PASSED_OVER} stops that are others'", Verdict.HANG)

    # -- waiting ------------------------------------------------------------------------------

    def _resume(self, command: str) -> None:
        self.machine.note(f"gdb: {command} from {self.where()}")
        self._guarded(lambda: self._packets.send(command))

    def _step_off(self) -> None:
        """Execute the one instruction under a breakpoint, which would stop us again at once."""
        here = self.pc
        self._ok(self._ask(f"z0,{here:x},2"), "the breakpoint to be lifted")
        self.step()
        self._ok(self._ask(f"Z0,{here:x},2"), "the breakpoint to be put back")

    def _await_stop(self, towards: str, within: float | None) -> None:
        deadline = self.machine.deadline(within)
        while True:
            try:
                return self._stopped(self._packets.receive(POLL_S))
            except StubSilent:
                if deadline.passed() or self.machine.console.flooded:
                    self._halt_late(towards, deadline.allowance)
            except StubGone:
                self._lost(towards)

    def _halt_late(self, towards: str, allowance: str) -> None:
        self.machine.console.check_flood()
        self._guarded(self._packets.interrupt)
        try:
            self._stopped(self._packets.receive())
            got = f"nothing within {allowance}; hart {self._hart - 1} is at {self.where()}"
        except (StubSilent, StubGone):
            got = f"nothing within {allowance}, and the machine does not stop"
        raise Failure(towards, got, Verdict.HANG)
