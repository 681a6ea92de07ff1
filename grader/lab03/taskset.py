"""Sets of tasks as the literature writes them, and the guest that runs them (tests/taskset.c).

One unit is a millisecond, which is a million instructions.  A job is a little shorter than its units,
by what its release, its switches and its end take: so it has ended when the unit is over, and a budget that
is as large as the job is not exceeded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from grader.core import timeline
from grader.core.bundle import EVENTS, TIMELINE
from grader.core.dwarf import Layout
from grader.core.gdb import Gdb
from grader.core.structures import Structures
from grader.core.verdict import expect, expect_equal
from grader.lab03 import ring
from grader.lab03.ring import Event, Segment

MS = 1_000_000
SLACK_NS = 10_000  # of a job: what the kernel takes for it, and more
ENDLESS = 1 << 60
OTHER, FIFO, RR, DEADLINE = 0, 1, 2, 6  # enum sched_policy
NONE, LO, HI = 0, 1, 2  # enum sched_criticality


@dataclass(frozen=True)
class Task:
    """Times in units; what does not apply is 0."""

    name: str
    policy: int
    jobs: tuple[float, ...] = (ENDLESS,)  # how long each takes; with a period, over and over
    priority: int = 0
    nice: int = 0
    quantum: float = 0
    slice: float = 0
    runtime: float = 0
    deadline: float = 0
    period: float = 0
    first: float = 0  # release of the first job
    releases: tuple[float, ...] = ()  # of all jobs, of one that is not periodic
    criticality: int = NONE
    runtime_hi: float = 0
    copies: int = 1
    domain: int = 0

    @property
    def is_periodic(self) -> bool:
        return bool(self.period) and not self.releases


@dataclass(frozen=True)
class Set:
    tasks: Sequence[Task]
    horizon: float
    storm: float = 0
    domains: Sequence[tuple[float, float]] = ()
    slack_ns: int = SLACK_NS
    lead_ns: int = 10 * MS

    def members(self) -> list[tuple[str, Task]]:
        """Each task of it with a name of its own, in the order in which they are made."""
        return [(task.name + (f"#{copy}" if task.copies > 1 else ""), task)
                for task in self.tasks for copy in range(task.copies)]


@dataclass(frozen=True)
class Member:
    """What became of a task: see struct jobs and taskset_members."""

    name: str
    id: int
    error: int
    done: int  # jobs
    misses: int
    overruns: int
    throttles: int
    run_ticks: int
    late_cycles: int


@dataclass(frozen=True)
class Run:
    members: list[Member]
    events: list[Event]
    zero: int  # ticks
    horizon: float
    mode_changes: int
    storm_late_cycles: int
    names: dict[int, str] = field(default_factory=dict)

    def segments(self) -> list[Segment]:
        return ring.segments(self.events, self.names, self.zero, self.zero + round(self.horizon * ring.TICKS_A_MS))

    def schedule(self) -> list[Segment]:
        return ring.rounded(self.segments())

    def member(self, name: str) -> Member:
        return next(one for one in self.members if one.name == name)

    def times(self, name: str, type_: int, extra: int) -> list[float]:
        """When such events came for a task, in units."""
        member = self.member(name)
        return [(event.ticks - self.zero) / ring.TICKS_A_MS for event in self.events
                if (event.id, event.type, event.extra) == (member.id, type_, extra)]


class Guest:
    """A machine that stands at taskset_run."""

    PLACE = "taskset_run"
    BOARD = {"append": "taskset", "stop": PLACE}

    def __init__(self, machine: Gdb, layout: Layout):
        self.machine, self.layout, self.fields = machine, layout, Structures(machine, layout)

    def run(self, what: Set, within: float = 5, events: bool = True) -> Run:
        """Until the horizon, and what happened."""
        self._write(what)
        try:
            self._run_to_the_end(what, within)
        finally:
            if events:
                self._keep(what)
        members = self._members(what)
        zero = self.machine.read_int("taskset_zero_ticks")
        found = ring.read_events(self.machine, self.layout) if events else []
        rq = self.machine.address("runqueues")
        return Run(members, found, zero, what.horizon, self.fields.read("struct runqueue", "mode.changes", rq),
                   self.machine.read_int("taskset_storm_late_cycles_max"),
                   {member.id: member.name for member in members})

    def _run_to_the_end(self, what: Set, within: float) -> None:
        """A kernel that is about to end itself, after a panic mostly, is looked at before it does."""
        ends = [self.machine.address(place) for place in ("power_off", "power_reboot")]
        if self.machine.run_to("taskset_done", *ends, within=within) in ends:
            self._keep(what)
            self.machine.run_to("taskset_done", within=within)

    def _keep(self, what: Set) -> None:
        """The events and their picture, for bundle and report, as far as the set came."""
        if not self.machine.machine.alive:
            return
        try:
            zero = self.machine.read_int("taskset_zero_ticks")
            trace = timeline.read(self.machine, self._known(what), zero)
            last = zero + round(what.horizon * ring.TICKS_A_MS)
            self.machine.machine.kept = {
                EVENTS: timeline.listing(trace),
                TIMELINE: timeline.draw(trace, zero, last, "ms since the set began")}
        except Exception as error:  # the guest may have left anything, and a picture decides nothing
            self.machine.machine.note(f"no timeline: {error}")

    def _known(self, what: Set) -> dict[int, Any]:
        """The tasks that were made, by number, as a picture names them."""
        from solution.tools.trace import events

        known = {}
        for index, (name, task) in enumerate(what.members()):
            if at := self.fields.read("taskset_members", f"[{index}].task"):
                number = self.fields.read("struct task", "id", at)
                times = (round(ms * MS) for ms in (task.runtime, task.deadline or task.period, task.period))
                known[number] = events.Task(number, name, task.policy, task.priority, *times)
        return known

    # -- the table ----------------------------------------------------------------------------------

    def _write(self, what: Set) -> None:
        self.image = bytearray(self.layout.field("taskset").size)
        self._put("horizon_ns", what.horizon * MS)
        self._put("lead_ns", what.lead_ns)
        self._put("storm_ns", what.storm * MS)
        self._put("task_count", len(what.tasks))
        self._put("domain_count", len(what.domains))
        for index, (budget, period) in enumerate(what.domains):
            self._put(f"domains[{index}].budget_ns", budget * MS)
            self._put(f"domains[{index}].period_ns", period * MS)
        next_job = 0
        for index, task in enumerate(what.tasks):
            self._put_task(f"tasks[{index}]", task, next_job, what)
            for at, work in enumerate(task.jobs):
                self._put(f"jobs[{next_job}].work_ns", min(max(0, work * MS - what.slack_ns), ENDLESS))
                self._put(f"jobs[{next_job}].release_ns", task.releases[at] * MS if task.releases else 0)
                next_job += 1
        self.machine.write_memory("taskset", bytes(self.image))

    def _put_task(self, path: str, task: Task, first_job: int, what: Set) -> None:
        first = task.releases[0] if task.releases else task.first
        for name in ("runtime", "deadline", "period", "quantum", "runtime_hi"):
            self._put(f"{path}.params.{name}_ns", getattr(task, name) * MS)
        for name in ("policy", "priority", "nice", "criticality"):
            self._put(f"{path}.params.{name}", getattr(task, name))
        self._put(f"{path}.params.first_ns", first * MS)
        self._put(f"{path}.slice_ns", task.slice * MS)
        self._put(f"{path}.periodic", task.is_periodic)
        self._put(f"{path}.copies", task.copies)
        self._put(f"{path}.domain", task.domain)
        self._put(f"{path}.jobs", (1 << 31) if task.is_periodic else len(task.jobs))
        self._put(f"{path}.first_job", first_job)
        self._put(f"{path}.listed_jobs", len(task.jobs))

    def _put(self, path: str, value: float) -> None:
        place = self.layout.field("taskset", path)
        number = round(value) & (1 << 8 * place.size) - 1
        self.image[place.offset : place.offset + place.size] = number.to_bytes(place.size, "little")

    # -- what happened ------------------------------------------------------------------------------

    def _members(self, what: Set) -> list[Member]:
        names = [name for name, _ in what.members()]
        expect_equal(self.machine.read_int("taskset_member_count", 4), len(names), "tasks that were made")
        return [self._member(index, name) for index, name in enumerate(names)]

    def _member(self, index: int, name: str) -> Member:
        entry = {path: self.fields.read("taskset_members", f"[{index}].{path}")
                 for path in ("task", "done", "late_cycles_max", "err")}
        if entry["err"]:
            return Member(name, 0, entry["err"], 0, 0, 0, 0, 0, 0)
        at = entry["task"]
        expect(at, f"{name} to be a task", "none")
        words = {path: self.fields.read("struct task", path, at)
                 for path in ("id", "jobs.misses", "jobs.overruns", "jobs.throttles", "run_ticks")}
        return Member(name, words["id"], 0, entry["done"], words["jobs.misses"], words["jobs.overruns"],
                      words["jobs.throttles"], words["run_ticks"], entry["late_cycles_max"])


def expect_schedule(run: Run, wanted: Sequence[tuple[str, float, float]], what: str) -> None:
    """Exactly these pieces, to the unit: (task, from, to)."""
    got, pieces = run.schedule(), [Segment(*piece) for piece in wanted]
    for index, (one, other) in enumerate(zip(got, pieces)):
        expect(one == other, f"{what}: {ring.picture(pieces[max(0, index - 1) : index + 3])}",
               f"{ring.picture(got[max(0, index - 1) : index + 3])} (all of it: {ring.picture(got)})")
    expect(len(got) == len(pieces), f"{what}: {ring.picture(pieces)}", ring.picture(got))
