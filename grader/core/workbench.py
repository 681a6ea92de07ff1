"""The workbench of one criterion: the machines it starts, and the end of all of them.

One workbench a test.  It knows the plan, picks the kernel of the criterion's profile, starts
machines with the debugger's wishes respected, gathers bundles when the criterion fails, and at the
end leaves no process and no folder.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from grader.core import bundle
from grader.core.bundle import TIMELINE
from grader.core.debugger import Debugger
from grader.core.declare import Criterion
from grader.core.disk import Disk
from grader.core.gdb import Gdb
from grader.core.board import Board
from grader.core.machine import Machine, private_folder
from grader.core.plan import Plan, write_whole
from grader.core.verdict import Failure, Verdict, raise_grader_error
from grader.core.wire import Wire


class Workbench:
    def __init__(self, plan: Plan, criterion: Criterion, seed: int | None, uses_stub: bool):
        self.plan, self.criterion, self.seed = plan, criterion, seed
        self.machines: list[Machine] = []
        self.figures: list[dict[str, Any]] = []
        self._folder: Path | None = None
        self._wires: list[Wire] = []
        self._debugger = Debugger(Path(plan.root), uses_stub) if plan.gdb else None

    @property
    def kernel(self) -> Path:
        return Path(self.plan.kernels[self.criterion.profile])

    @property
    def name(self) -> str:
        """The criterion's, with the seed of this run."""
        return self.criterion.name + (f"@{self.seed}" if self.seed is not None else "")

    @property
    def folder(self) -> Path:
        """A private folder for images and the wire's sockets."""
        if self._folder is None:
            self._folder = private_folder()
        return self._folder

    def machine(self, *, paused: bool = False, **board: Any) -> Machine:
        """Start a machine with the criterion's kernel; it runs unless `paused` at reset."""
        machine = Machine(Board(kernel=self.kernel, **board), live=self.plan.live,
                          unhurried=self.plan.gdb)
        self.machines.append(machine)
        if self._debugger and self._debugger.joins_at_start:
            self._debugger.attach(machine)
        elif not paused:
            machine.run()
        return machine

    def gdb(self, stop: str | int | None = None, **board: Any) -> Gdb:
        """A machine under the grader's own debugger, at reset or run to `stop`."""
        gdb = self.machine(paused=True, **board).gdb
        if stop is not None:
            gdb.run_to(stop)
        return gdb

    def icount(self, stop: str | int | None = None, **board: Any) -> Gdb:
        """As `gdb`, with one hart and exact instruction counts."""
        return self.gdb(stop, icount=True, harts=1, **board)

    def disk(self, size: int = 16 << 20, content: bytes = b"") -> Disk:
        return Disk.make(
            self.folder / f"disk{len(list(self.folder.glob('disk*')))}.img", size, content
        )

    def wire(self, **options: Any) -> Wire:
        name = f"wire{len(self._wires)}"
        wire = Wire(self.folder, name=name, seed=self.seed or 0, **options)
        self._wires.append(wire)
        return wire

    def within(self, measure: Callable[[], int], name: str | None = None) -> int:
        """Measure twice on fresh machines; both must agree, and keep the limit of lab.toml."""
        name = name or self.criterion.name
        if name not in self.plan.limits:
            raise_grader_error(f"lab.toml has no limit for {name}")
        reference, margin, bound = self.plan.limits[name]
        first, second = measure(), measure()
        self.figures.append({"name": name, "value": max(first, second), "reference": reference,
                             "margin": margin, "limit": bound})
        if first != second:
            raise Failure(f"{name} to take the same number of instructions twice",
                          f"{first} and then {second}")
        if first > bound:
            raise Failure(
                f"{name} within {bound} instructions (reference {reference} x {margin:g})",
                f"{first}",
            )
        return first

    def gather(self, verdict: Verdict) -> Path | None:
        """Bundle every machine of a failed criterion; the folder of the last, which failed."""
        if verdict not in (Verdict.FAIL, Verdict.PANIC, Verdict.HANG):
            return None
        top = self.plan.bundles / self.name
        shutil.rmtree(top, ignore_errors=True)
        for index, machine in enumerate(reversed(self.machines)):
            bundle.gather(machine, top if index == 0 else top / f"earlier{index}")
        return top if self.machines else None

    def keep_timeline(self, bundle: Path | None) -> str:
        """The path of the last machine's picture: the bundle's, or a criterion's own that has none."""
        if bundle:
            path = bundle / TIMELINE
            return str(path) if path.exists() else ""
        picture = self.machines[-1].kept.get(TIMELINE) if self.machines else None
        if not picture:
            return ""
        path = self.plan.timelines / f"{self.name}.svg"
        write_whole(path, picture)
        return str(path)

    def debug_at_end(self) -> None:
        """Hand the last machine to the user's debugger, as it is."""
        if self._debugger and self.machines and self.machines[-1].alive:
            self._debugger.finish(self.machines[-1])

    def close(self) -> None:
        for machine in self.machines:
            machine.close()
        for wire in self._wires:
            wire.close()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
