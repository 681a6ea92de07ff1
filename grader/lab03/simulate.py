"""What a hart should do with a set of tasks: an exact simulator, in microseconds.

Written from SYSTEM.md and the headers, not from the kernel: classes in their order, fixed priorities in the
order of arrival, turns of a quantum, earliest deadline first within hard constant-bandwidth servers,
EEVDF, and two modes of criticality.  Virtual times are fractions, so nothing is rounded.

Of things that happen at one moment, a job's end comes first (jobs are a little shorter than their units), then
releases and refills in the order of the tasks, then what the running task has used up.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from grader.lab03.ring import Segment
from grader.lab03.taskset import DEADLINE, ENDLESS, FIFO, HI, LO, OTHER, RR, Set, Task

UNIT = 1000
QUANTUM, SLICE = 10 * UNIT, 3 * UNIT  # CONFIG_SCHED_QUANTUM_US, CONFIG_SCHED_SLICE_US
NEVER = 1 << 60


def weight_of(nice: int) -> int:
    """A factor of 5/4 a level from 1024 on, rounded."""
    return int(1024 * Fraction(5, 4) ** -nice + Fraction(1, 2))


@dataclass
class State:
    """A task as it stands."""

    task: Task
    number: int
    job: int = -1
    left: int = 0  # of the job
    release: int = 0  # of the next job
    ready: bool = False
    order: int = 0  # of arrival in its queue
    quantum_left: int = 0
    budget: int = 0
    runtime: int = 0  # what the budget is full with
    until: int = 0
    refill: int = NEVER  # when the budget comes again, of one that is held
    mode_held: bool = False
    vruntime: Fraction = Fraction(0)
    lag: Fraction = Fraction(0)
    vdeadline: Fraction = Fraction(0)
    used: int = 0
    misses: int = 0

    def __post_init__(self) -> None:
        task = self.task
        self.policy, self.weight = task.policy, weight_of(task.nice)
        self.period, self.full = round(task.period * UNIT), round(task.runtime * UNIT)
        self.deadline = round(task.deadline * UNIT) or self.period
        self.quantum = round(task.quantum * UNIT) or QUANTUM
        self.slice = round(task.slice * UNIT) or SLICE
        self.full_hi = round(task.runtime_hi * UNIT) or 2 * self.full
        self.release = round((task.releases[0] if task.releases else task.first) * UNIT)

    @property
    def queued(self) -> bool:
        return self.ready and self.refill == NEVER and not self.mode_held


class Simulator:
    def __init__(self, what: Set):
        self.states = [State(task, number) for number, task in enumerate(what.tasks)]
        self.end, self.now, self.orders = round(what.horizon * UNIT), 0, 0
        self.current: State | None = None
        self.high = False
        self.mode_changes = 0
        self.segments: list[Segment] = []
        self.ends: list[tuple[str, int]] = []

    def run(self) -> list[Segment]:
        while self.now < self.end:
            self._happen()
            until = min(self._next(), self.end)
            if self.current:
                self._record(self.current.task.name, self.now, until)
                self._charge(self.current, until - self.now)
            self.now = until
        return self.segments

    # -- time passes --------------------------------------------------------------------------------

    def _record(self, who: str, start: int, end: int) -> None:
        if self.segments and self.segments[-1].who == who and self.segments[-1].end == start / UNIT:
            start = round(self.segments.pop().start * UNIT)
        self.segments.append(Segment(who, start / UNIT, end / UNIT))

    def _next(self) -> int:
        """When something happens next, if nothing else does before."""
        moments = [state.refill for state in self.states]
        moments += [state.release for state in self.states if not state.ready]
        state = self.current
        if state:
            moments.append(self.now + state.left)
            if state.full:
                moments.append(self.now + state.budget)
            if state.policy == RR:
                moments.append(self.now + state.quantum_left)
            if state.policy == OTHER and len(self._fair()) > 1:
                moments.append(self.now + state.slice - state.used)
        return min(moments)

    def _charge(self, state: State, passed: int) -> None:
        state.left -= passed
        state.budget -= passed
        state.quantum_left -= passed
        if state.policy == OTHER:
            state.vruntime += Fraction(passed, state.weight)
            state.used += passed

    # -- things happen ------------------------------------------------------------------------------

    def _happen(self) -> None:
        if self.current and self.current.left == 0:
            self._job_ends(self.current)
        for state in self.states:
            if state.refill <= self.now:
                self._refill(state)
            if not state.ready and state.release <= self.now:
                self._job_begins(state)
                state.ready = True
                self._arrive(state)
        before = self.current
        if before and before.queued:
            self._used_up(before)
        self.current = self._pick()
        if before is not self.current:
            self._stop(before)

    def _job_begins(self, state: State) -> None:
        task = state.task
        state.job += 1
        count = len(task.jobs)
        if state.job >= count and not task.is_periodic:
            state.release = NEVER
            return
        state.left = min(round(task.jobs[state.job % count] * UNIT), ENDLESS)
        state.job_deadline = state.release + state.deadline
        if task.is_periodic:
            state.release += state.period
        elif state.job + 1 < count:
            state.release = round(task.releases[state.job + 1] * UNIT)
        else:
            state.release = NEVER

    def _job_ends(self, state: State) -> None:
        self.ends.append((state.task.name, self.now))
        state.misses += state.task.is_periodic and self.now > state.job_deadline
        if state.release < self.now:
            self._job_begins(state)
        else:  # released at this very moment, it has waited for that
            self._depart(state)
            state.ready = False

    def _arrive(self, state: State) -> None:
        """It begins to be queued, if nothing holds it."""
        if not state.queued:
            return
        self.orders += 1
        state.order = self.orders
        state.quantum_left = state.quantum
        if state.full:
            self._wake_budget(state)
        if state.policy == OTHER:
            self._join_fair(state)

    def _depart(self, state: State) -> None:
        """It ends to be queued, and is marked so by the caller afterwards."""
        if state.policy == OTHER and state.queued:
            virtual = self._virtual(self._fair())
            owed = state.weight * (virtual - state.vruntime)
            state.lag = max(min(owed, Fraction(state.slice)), Fraction(-state.slice))
        if state.task.criticality == HI and self.high:
            if not any(one.queued and one.task.criticality == HI for one in self.states if one is not state):
                self._set_mode(False)

    def _used_up(self, state: State) -> None:
        if state.policy == RR and state.quantum_left <= 0:
            state.quantum_left = state.quantum
            self.orders += 1
            state.order = self.orders
        if state.policy == OTHER and state.used >= state.slice:
            state.used = 0
            state.vdeadline = state.vruntime + Fraction(state.slice, state.weight)
            self._preempt_fair()
        if state.full and state.budget <= 0:
            self._exhausted(state)

    # -- budgets ------------------------------------------------------------------------------------

    def _exhausted(self, state: State) -> None:
        if state.task.criticality == HI and state.runtime < state.full_hi:
            state.budget += state.full_hi - state.runtime
            state.runtime = state.full_hi
            if not self.high:
                self._set_mode(True)
            if state.budget > 0:
                return
        self._depart(state)
        state.refill = max(state.until, self.now)

    def _refill(self, state: State) -> None:
        state.refill = NEVER
        state.runtime = state.full
        state.budget = min(state.budget + state.runtime, state.runtime)
        state.until += state.period
        if state.until <= self.now:
            state.budget, state.until = state.runtime, self.now + state.deadline
        self._arrive(state)

    def _wake_budget(self, state: State) -> None:
        state.runtime = state.runtime or state.full
        remains = state.until - self.now
        if state.deadline < state.period:
            of_job, next_ = self.now + state.deadline, state.until + state.period
            if remains > 0:
                state.until = max(state.until, of_job)
            else:
                state.until = max(of_job, next_) if state.until else of_job
                state.budget = state.runtime
        elif remains <= 0 or state.budget * state.period > remains * state.runtime:
            state.budget, state.until = state.runtime, self.now + state.deadline
        if state.task.criticality == HI and state.budget == state.runtime:
            state.budget = state.runtime = state.full

    def _set_mode(self, high: bool) -> None:
        self.high = high
        self.mode_changes += 1
        for state in self.states:
            if state.task.criticality == LO and state.mode_held != high:
                if high:
                    self._depart(state)
                state.mode_held = high
                if not high and state.ready:
                    self._arrive(state)

    # -- who is next --------------------------------------------------------------------------------

    def _pick(self) -> State | None:
        queued = [state for state in self.states if state.queued]
        if deadlines := [state for state in queued if state.policy == DEADLINE]:
            return min(deadlines, key=lambda state: (state.until, state.order))
        if fixed := [state for state in queued if state.policy in (FIFO, RR)]:
            return min(fixed, key=lambda state: (-state.task.priority, state.order))
        return self._pick_fair()

    def _fair(self) -> list[State]:
        return [state for state in self.states if state.queued and state.policy == OTHER]

    def _virtual(self, fair: list[State]) -> Fraction:
        return sum(state.weight * state.vruntime for state in fair) / sum(state.weight for state in fair)

    def _join_fair(self, state: State) -> None:
        others = [one for one in self._fair() if one is not state]
        state.vruntime = self._virtual(others) if others else Fraction(0)
        if others and state.lag:
            state.vruntime -= state.lag / state.weight + state.lag / sum(one.weight for one in others)
        state.used = 0
        state.vdeadline = state.vruntime + Fraction(state.slice, state.weight)
        running = self.current
        if running and running.policy == OTHER and running.queued:
            first = (state.vdeadline < running.vdeadline and state.vruntime <= self._virtual(self._fair()))
            if first or len(others) == 1:
                self._preempt_fair()

    def _preempt_fair(self) -> None:
        """Everybody is looked at, the running one behind those of the same deadline."""
        self._stop(self.current)
        self.current = None

    def _stop(self, state: State | None) -> None:
        """A fair task that does not run waits behind those of the same deadline."""
        if state and state.policy == OTHER:
            self.orders += 1
            state.order = self.orders

    def _pick_fair(self) -> State | None:
        fair = self._fair()
        if not fair:
            return None
        if self.current in fair:
            return self.current  # its request goes on
        virtual = self._virtual(fair)
        return min((state for state in fair if state.vruntime <= virtual),
                   key=lambda state: (state.vdeadline, state.order))
