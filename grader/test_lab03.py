"""Lab 3: what is graded, and how it is known.

What a function does is seen before the first switch (`init_run_tasks`): it is called on queues,
budgets and contexts of the grader's own, and compared with models that were written independently
(lab03/).  What the scheduler does is seen by running sets of tasks, many of them published, in the guest
(tests/taskset.c) and reading the kernel's event ring: who had the hart when, to the unit.

Tasks are graded in the order of the page.  A boot needs task 1 for its first switch and task 2 to
go on; sets of tasks run on that, each with the policy that the task is about.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction
from functools import cache

import pytest

from grader.core.declare import graded
from grader.core.dwarf import Layout
from grader.core.verdict import expect, expect_equal
from grader.lab03 import admission, budgets, fairness, published, ring, switching, workshop
from grader.lab03.admission import Demand
from grader.lab03.budgets import Budget
from grader.lab03.published import Published, edf
from grader.lab03.simulate import Simulator
from grader.lab03.taskset import DEADLINE, FIFO, LO, OTHER, RR, Guest, Run, Set, Task, expect_schedule
from grader.lab03.workshop import Workshop, word

OK, ERR_BUSY = 0, 4
PRIORITIES = 32  # CONFIG_SCHED_NPRIO

TASK1 = "03-sched#task-1-the-switch"
TASK2 = "03-sched#task-2-who-is-next"
TASK3 = "03-sched#task-3-turns"
TASK4 = "03-sched#task-4-fair-shares"
TASK5 = "03-sched#task-5-a-promise-before-it-is-made"
TASK6 = "03-sched#task-6-budgets-that-come-again"


@cache
def layout_of(path) -> Layout:
    """Read once a process: it takes longer than most criteria."""
    return Layout(path)


@pytest.fixture
def layout(symbols) -> Layout:
    return layout_of(symbols.path)


def expect_as_built(machine) -> None:
    """The code that is not the student's, and the tables, are what the linker put there."""
    machine.expect_intact_between("_text_start", "_text_end")
    machine.expect_intact_between("_rodata_start", "_rodata_end")


@pytest.fixture
def shop(gdb, layout) -> Workshop:
    """Before there are tasks: room for queues of our own."""
    machine = gdb(stop=workshop.PLACE)
    expect_as_built(machine)
    return Workshop(machine, layout)


Runner = Callable[..., Run]


@pytest.fixture
def run_set(icount, layout) -> Runner:
    """Runs a set of tasks on a machine of its own."""

    def run(what: Set, refused: bool = False, **options) -> Run:
        machine = icount(**Guest.BOARD)
        expect_as_built(machine)
        found = Guest(machine, layout).run(what, **options)
        for member in found.members:
            expect(refused or not member.error, f"{member.name} to be admitted", f"error {member.error}")
        return found

    return run


def expect_published(run_set: Runner, *sets: Published) -> None:
    """Order and times as drawn; misses where the source has them, and nowhere else."""
    for one in sets:
        run = run_set(one.what)
        expect_schedule(run, one.pieces, one.source)
        misses = sum(member.misses for member in run.members if run_is_critical(one.what, member.name))
        expect(bool(misses) == one.misses, f"{one.source}: {'a' if one.misses else 'no'} deadline missed",
               f"{misses} missed")


def run_is_critical(what: Set, name: str) -> bool:
    """Not of criticality LO: whose deadlines are promised."""
    return all(task.criticality != LO for task in what.tasks if task.name == name)


def expect_as_simulated(run: Run, what: Set, title: str) -> None:
    """To the unit what the grader's own simulator does with the same set."""
    pieces = ring.rounded(Simulator(what).run())
    expect_schedule(run, [(piece.who, piece.start, piece.end) for piece in pieces], title)


# ---- Task 1: the switch ------------------------------------------------------------------------------


@graded("switch.registers", points=6, task=1, seeds=range(3), hint=TASK1)
def test_switch_registers(shop, rng):
    """The fourteen registers of a callee are saved and loaded, at their places, and nothing else changes."""
    for _ in range(3):
        switching.expect_one_switch(shop, rng)


@graded("switch.threads", points=4, task=1, needs=["switch.registers"], seeds=range(2), hint=TASK1)
def test_switch_threads(shop, rng):
    """Threads with stacks of their own switch to each other a thousand times, and each finds all it had."""
    for count in (2, 3, 7):
        switching.expect_threads(shop, rng, count, 1000)


@graded("switch.first", points=2, task=1, needs=["switch.registers"], hint=TASK1)
def test_switch_first(gdb, layout):
    """The boot's first switch leads to a new task, on its own stack, and the boot's context is kept whole."""
    machine = gdb(stop="arch_switch")
    expect_as_built(machine)
    leaving, entering = machine.read("a0"), machine.read("a1")
    before = machine.registers(switching.KEPT)
    machine.run_to("task_begin")
    task = machine.read_int(machine.address("pcpus") + layout.field("struct pcpu", "current").offset)
    context = task + layout.field("struct task", "context").offset
    expect_equal(entering, context, "the context that was switched to")
    wanted = machine.read_int(context + switching.KEPT["sp"])
    expect_equal(machine.read("sp"), wanted, "sp where the new task begins")
    kept = machine.read_memory(leaving, switching.SIZE)
    for name, offset in switching.KEPT.items():
        expect_equal(word(kept, offset), before[name], f"{name} in the boot's context")


@graded("switch.latency", points=3, task=1, needs=["switch.threads"], profile="release", hint=TASK1)
def test_switch_latency(icount, layout, latency):
    """A switch is within its limit of instructions."""

    def measure() -> int:
        shop = Workshop(icount(stop=workshop.PLACE), layout)
        rng, machine = random.Random(0), shop.machine
        leaving, entering = (switching.make_context(shop, rng) for _ in range(2))
        landing = shop.room(16)
        machine.write_memory(landing, switching.NOP * 2)
        machine.write_memory(entering.at, switching.Context(0, 0, entering.values | {"ra": landing}).pack())
        for name, value in (("a0", leaving.at), ("a1", entering.at), ("pc", machine.address("arch_switch"))):
            machine.write(name, value)
        return machine.instructions("arch_switch", landing)

    latency(measure)


# ---- Task 2: who is next -----------------------------------------------------------------------------


class Fixed:
    """The fixed priorities of a queue of our own, and lists that say the same."""

    def __init__(self, shop: Workshop, count: int):
        self.shop, self.rq, self.tasks = shop, shop.runqueue(), shop.tasks(count)
        self.rt = self.rq + shop.offset("runqueue", "rt")
        self.enqueue, self.dequeue = (shop.method("rt_fifo_class", name) for name in ("enqueue", "dequeue"))
        self.lists: list[list[int]] = [[] for _ in range(PRIORITIES)]

    def add(self, task: int, priority: int) -> list[tuple]:
        self.lists[priority].append(task)
        return [("rt_set_priority", self.rt, task, priority), (self.enqueue, self.rq, task, 0)]

    def remove(self, task: int) -> list[tuple]:
        for tasks in self.lists:
            if task in tasks:
                tasks.remove(task)
        return [(self.dequeue, self.rq, task, 0)]

    def queued(self) -> list[int]:
        return [task for tasks in self.lists for task in tasks]

    def first(self) -> int:
        return next((tasks[0] for tasks in reversed(self.lists) if tasks), 0)

    def name(self, task: int) -> str:
        where = [f"number {tasks.index(task)} of priority {priority}"
                 for priority, tasks in enumerate(self.lists) if task in tasks]
        return where[0] if where else ("nobody" if task == 0 else "what is no queued task")


@graded("pick.model", points=5, task=2, seeds=range(3), hint=TASK2)
def test_pick_model(shop, rng):
    """Of random queues the longest-waiting task of the highest priority; of an empty one nobody."""
    fixed = Fixed(shop, 50)
    calls: list[tuple] = [("rt_pick", fixed.rt)]
    wanted = {0: (0, "nobody")}
    for _ in range(600):
        queued = fixed.queued()
        idle = [task for task in fixed.tasks if task not in queued]
        if not queued or (idle and rng.random() < 0.51):
            priority = rng.choice((0, 1, PRIORITIES - 1, rng.randrange(PRIORITIES), rng.randrange(PRIORITIES)))
            calls += fixed.add(rng.choice(idle), priority)
        else:
            calls += fixed.remove(rng.choice((fixed.first(), rng.choice(queued))))
        wanted[len(calls)] = (fixed.first(), fixed.name(fixed.first()))
        calls.append(("rt_pick", fixed.rt))
    for task in list(fixed.queued()):
        calls += fixed.remove(task)
        wanted[len(calls)] = (fixed.first(), fixed.name(fixed.first()))
        calls.append(("rt_pick", fixed.rt))
    came = shop.run(calls)
    for index, (task, name) in wanted.items():
        expect(came[index].a0 == task, f"pick {index}: {name}", f"{came[index].a0:#x}")
    size = shop.size("rt_queue")
    shop.run([call for task in fixed.tasks for call in fixed.add(task, rng.randrange(PRIORITIES))])
    before = shop.machine.read_memory(fixed.rt, size)
    shop.run([("rt_pick", fixed.rt)] * 10)
    expect(shop.machine.read_memory(fixed.rt, size) == before, "a queue that is looked at to stay as it is", "a change")


@graded("pick.latency", points=3, task=2, needs=["pick.model"], profile="release", hint=TASK2)
def test_pick_latency(icount, layout, latency):
    """With 1, 10, 100 and 1000 tasks, at any priority, a pick takes as many instructions."""

    def measure() -> int:
        shop = Workshop(icount(stop=workshop.PLACE), layout)
        fixed = Fixed(shop, 1000)
        found: dict[str, int] = {}
        for count in (1, 10, 100, 1000):
            for name, priority_of in (("least", lambda _: 0), ("most", lambda _: PRIORITIES - 1),
                                      ("all", lambda number: number * 7 % PRIORITIES)):
                shop.run([call for number, task in enumerate(fixed.tasks[:count])
                          for call in fixed.add(task, priority_of(number))])
                found[f"{count} tasks, {name} priorities"] = shop.machine.call("rt_pick", fixed.rt).cycles
                shop.run([call for task in fixed.queued() for call in fixed.remove(task)])
        slowest = max(found, key=found.__getitem__)
        expect(found[slowest] <= 1.3 * min(found.values()), "as many instructions for each queue, give or take 30 %",
               f"{min(found.values())}, but {found[slowest]} with {slowest}")
        return found[slowest]

    latency(measure)


@graded("fixed.schedules", points=4, task=2, needs=["pick.model", "switch.first"], hint=TASK2)
def test_fixed_schedules(run_set):
    """Published schedules of fixed priorities come out as their authors drew them."""
    expect_published(run_set, *published.FIXED)


def random_fixed(rng: random.Random) -> Set:
    """Periodic tasks, many of one priority, up to a little more than there is."""
    tasks = []
    for number in range(rng.randint(2, 6)):
        period = rng.choice((4, 5, 6, 8, 10, 12, 20))
        jobs = tuple(rng.randint(1, max(1, period // 3)) for _ in range(rng.randint(1, 3)))
        tasks.append(Task("ABCDEF"[number], FIFO, jobs, priority=rng.randint(1, 4), period=period,
                          first=rng.randrange(6)))
    return Set(tasks, 40)


@graded("fixed.random", points=2, task=2, needs=["fixed.schedules"], seeds=range(3), hint=TASK2)
def test_fixed_random(run_set, rng):
    """Random sets, some with tasks of one priority, are scheduled as an exact simulation says."""
    what = random_fixed(rng)
    expect_as_simulated(run_set(what), what, f"{describe_set(what)}")


def describe_set(what: Set) -> str:
    return "; ".join(f"{task.name}: priority {task.priority}, jobs {task.jobs}, "
                     f"period {task.period:g} from {task.first:g}" for task in what.tasks)


@graded("wake.latency", points=1, task=2, needs=["fixed.schedules"], profile="release", hint=TASK2)
def test_wake_latency(run_set, latency):
    """From a task's release to its first instruction, while another one computes, is within its limit."""
    what = Set([Task("A", FIFO, (0.01,), priority=2, period=0.37), Task("hog", FIFO, priority=1)], 40, slack_ns=0)
    latency(lambda: run_set(what).member("A").late_cycles)


@graded("timer.latency", points=1, task=2, needs=["fixed.schedules"], profile="release", hint=TASK2)
def test_timer_latency(run_set, latency):
    """Callouts run at their moment, while tasks come and go, within the limit."""
    tasks = [Task(name, FIFO, (0.02,), priority=1 + number, period=0.11 + 0.07 * number)
             for number, name in enumerate("ABCD")]

    def measure() -> int:
        return run_set(Set(tasks, 30, storm=0.05, slack_ns=0), events=False).storm_late_cycles

    latency(measure)


# ---- Task 3: turns -----------------------------------------------------------------------------------


class Turns:
    """A queue whose running task is charged, and a model of what that does."""

    def __init__(self, shop: Workshop, rng: random.Random, peers: int):
        self.shop, self.rq = shop, shop.runqueue()
        self.fixed = Fixed(shop, 0)
        self.fixed.rq, self.fixed.rt = self.rq, self.rq + shop.offset("runqueue", "rt")
        self.tasks = shop.tasks(peers + 2)
        self.quantum = rng.choice((1, 10, 1000, 100_000, 1 << 40))
        self.start = shop.next
        for task in self.tasks:
            shop.write(task, "task", rt__quantum=self.quantum, rq=self.rq)
        calls = [call for task in self.tasks[2:] for call in self.fixed.add(task, 5)]
        calls += [call for task, priority in zip(self.tasks, (4, 0)) for call in self.fixed.add(task, priority)]
        shop.run(calls)
        self.order = [*self.tasks[2:]]
        self.left = self.quantum

    def expect_charges(self, rng: random.Random, count: int) -> None:
        """The running task is charged again and again; the queue is looked at after each time."""
        shop, first, last = self.shop, self.rq, self.tasks[-1] + self.shop.size("task")
        cpu = shop.fields.read("struct runqueue", "cpu", self.rq)
        best, preempt = shop.offset("runqueue", "best"), shop.offset("pcpu", "preempt")
        calls, wanted = [], []
        for _ in range(count):
            running, ticks = self.order[0], self._some_ticks(rng)
            shop_calls = ("rt_quantum", self.rq, running, ticks)
            calls.append(shop_calls)
            wanted.append((running, ticks, *self._charge(ticks)))
        span = max(last, cpu + shop.size("pcpu")) - first
        for call, (running, ticks, left, order, wants) in zip(calls, wanted):
            shop.write(self.rq, "runqueue", best=running)
            shop.write(cpu, "pcpu", preempt=1)
            shop.run([call])
            data = shop.machine.read_memory(first, span)
            what = f"{ticks} ticks for one of {len(order)}, quantum {self.quantum}"
            at = running - first
            expect_equal(word(data, at + shop.offset("task", "rt.quantum_left")), left, f"{what}: what is left")
            expect_equal([self._name(task) for task in self._list(data, first)], [self._name(task) for task in order],
                         f"{what}: the list of its priority")
            asked = word(data, best) == 0 and word(data, cpu - first + preempt, 4) == 0
            kept = word(data, best) == running and word(data, cpu - first + preempt, 4) == 1
            expect(asked if wants else kept, f"{what}: {'a' if wants else 'no'} switch asked for",
                   f"{'one' if asked else 'none' if kept else 'half of one'}")

    def _some_ticks(self, rng: random.Random) -> int:
        return max(0, rng.choice((1, self.left, self.left - 1, self.left + 1, self.quantum, self.quantum + 7, 0,
                                  rng.randrange(self.quantum + 1))))

    def _charge(self, ticks: int) -> tuple[int, list[int], bool]:
        if ticks < self.left:
            self.left -= ticks
            return self.left, [*self.order], False
        self.left = self.quantum
        alone = len(self.order) == 1
        self.order.append(self.order.pop(0))
        return self.quantum, [*self.order], not alone

    def _list(self, data: bytes, first: int) -> list[int]:
        """The tasks of priority 5, as its list links them."""
        link = self.shop.offset("task", "rt.link")
        head = self.rq + self.shop.offset("runqueue", "rt.lists[5]")
        found, at, before = [], word(data, head - first), head
        while at != head and len(found) < 50:
            expect(at - link in self.tasks, "the list of a priority to link its tasks", f"{at:#x}")
            expect_equal(word(data, at - first + 8), before, "a task's link back")
            found.append(at - link)
            at, before = word(data, at - first), at
        return found

    def _name(self, task: int) -> str:
        return "ABCDEFGH"[self.tasks.index(task) - 2]


@graded("quantum.steps", points=5, task=3, seeds=range(2), hint=TASK3)
def test_quantum_steps(shop, rng):
    """Charge by charge: what is left, whose turn it is then, and whether a switch is asked for."""
    for peers in (2, 3, 1, 5):
        Turns(shop, rng, peers).expect_charges(rng, 25)


@graded("rr.schedule", points=3, task=3, needs=["quantum.steps", "fixed.schedules"], hint=TASK3)
def test_rr_schedule(run_set):
    """The textbook's round robin; alone nobody is disturbed; FIFO never rotates."""
    expect_published(run_set, published.ROUND_ROBIN)
    fifo = Set([Task(name, FIFO, (15,), priority=1, quantum=2) for name in "ABC"], 46)
    expect_schedule(run_set(fifo), [("A", 0, 15), ("B", 15, 30), ("C", 30, 45)], "FIFO tasks of one priority")
    usual = Set([Task(name, RR, (25,), priority=1) for name in "AB"], 51)
    expect_schedule(run_set(usual), published.pieces("A 0-10, B 10-20, A 20-30, B 30-40, A 40-45, B 45-50"),
                    "RR with the usual quantum of 10")


def random_turns(rng: random.Random) -> Set:
    """Turns of several lengths at one priority, above a FIFO task of the same, below one that interrupts."""
    tasks = [Task("ABCD"[number], RR, (rng.randint(5, 30),), priority=2, quantum=rng.choice((2, 3, 4, 7)),
                  first=rng.randrange(10)) for number in range(rng.randint(2, 4))]
    tasks.append(Task("X", FIFO, (1, 2), priority=3, period=rng.choice((7, 9, 11)), first=rng.randrange(4)))
    if rng.random() < 0.5:
        tasks.append(Task("F", FIFO, (rng.randint(3, 9),), priority=2, first=rng.randrange(20)))
    return Set(tasks, 60)


@graded("rr.random", points=4, task=3, needs=["rr.schedule"], seeds=range(3), hint=TASK3)
def test_rr_random(run_set, rng):
    """Turns that something more urgent interrupts go on where they were: as an exact simulation says."""
    what = random_turns(rng)
    expect_as_simulated(run_set(what), what, "RR: " + "; ".join(
        f"{task.name}: {task.jobs} from {task.first}, quantum {task.quantum}, priority {task.priority}"
        for task in what.tasks))


# ---- Task 4: fair shares -----------------------------------------------------------------------------


@graded("fair.eligible", points=4, task=4, seeds=range(2), hint=TASK4)
def test_fair_eligible(shop, rng):
    """At or before the average, exactly: at the edge, a unit off, and where products have more than 64 bits."""
    cases = fairness.eligible_cases(rng, 500)
    size = shop.size("fair_queue")
    queues = shop.room(size * len(cases))
    shop.machine.write_memory(queues, b"".join(fairness.pack_fair(shop, *case[:3]) for case in cases))
    came = shop.run([("fair_is_eligible", queues + size * i, case[3]) for i, case in enumerate(cases)])
    for (zero, weight, weighted, vruntime), returned in zip(cases, came):
        ahead = fairness.signed(vruntime - zero)
        expect_equal(bool(returned.a0 & 0xFF), ahead * weight <= weighted,
                     f"{ahead:+} ahead of zero, weights {weight}, weighted sum {weighted}: eligible")


@graded("fair.pick", points=6, task=4, needs=["fair.eligible"], seeds=range(3), hint=TASK4)
def test_fair_pick(shop, rng):
    """Of random trees the one that looking at everybody finds, down to the last task; ties go to who waits."""
    for count, runs, ties in ((0, False, False), (0, True, False), (1, True, True), (12, False, False),
                              (12, True, False), (12, True, True), (30, True, False), (30, False, True),
                              (60, True, False)):
        fairness.expect_picks(shop, rng, count + runs, runs, ties)


LAB_EXAMPLE = Set([Task("A", OTHER), Task("B", OTHER, nice=-3, first=1), Task("C", OTHER, nice=-5, first=2)], 30)


@graded("fair.schedule", points=4, task=4, needs=["fair.pick", "fixed.schedules"], hint=TASK4)
def test_fair_schedule(run_set):
    """The example of Stoica and Abdel-Wahab's paper, and the page's with three weights."""
    expect_published(run_set, published.QUANTA)
    expect_schedule(run_set(LAB_EXAMPLE), published.pieces(
        "A 0-1, B 1-2, C 2-5, B 5-7, A 7-9, C 9-12, B 12-15, C 15-18, A 18-21, C 21-24, B 24-27, C 27-30"),
        "nice 0, -3 and -5, which come at 0, 1 and 2 ms")


@graded("fair.share", points=3, task=4, needs=["fair.schedule"], seeds=range(2), hint=TASK4)
def test_fair_share(run_set, rng):
    """At each switch everybody has had their share, give or take a request."""
    nices = [0, 0, *(rng.randint(-10, 10) for _ in range(6))]
    what = Set([Task("ABCDEFGH"[number], OTHER, nice=nice) for number, nice in enumerate(nices)], 300)
    fairness.expect_shares(run_set(what), what, 0.1)


@graded("fair.latency", points=3, task=4, needs=["fair.pick"], profile="release", hint=TASK4)
def test_fair_latency(icount, layout, latency):
    """The slowest pick of a thousand; a thousand take no more than 2.5 times as long as ten."""

    def measure() -> int:
        shop = Workshop(icount(stop=workshop.PLACE), layout)
        slowest = {10: 0, 1000: 0}
        for count, opposed in ((10, False), (10, True), (1000, False), (1000, True)):
            rng, mark = random.Random(count), shop.next
            queue = fairness.Queue(shop, rng, count, False, False, opposed)
            shop.run(queue.build())
            now = shop.machine.read_memory(queue.at, shop.size("fair_queue"))
            found = []
            for _ in range(12):
                queue.zero = queue.zero + rng.randrange(1 << 30) & workshop.MASK64
                shop.machine.write_memory(queue.at, queue.image(now))
                found.append(shop.machine.call("fair_pick", queue.at).cycles)
            slowest[count] = max(slowest[count], *found)
            shop.run([("memset", mark, 0, shop.next - mark)])
            shop.next = mark
        expect(slowest[1000] <= 2.5 * slowest[10], f"at most 2.5 times the {slowest[10]} instructions of ten tasks",
               f"{slowest[1000]} with a thousand")
        return slowest[1000]

    latency(measure)


# ---- Task 5: a promise before it is made -------------------------------------------------------------


class Admission:
    """Sets of reservations in the guest, all asked about in one batch."""

    def __init__(self, shop: Workshop):
        self.shop = shop

    def ask(self, sets: list[list[Demand]]) -> list[int]:
        shop = self.shop
        image = b"".join(demand.pack() for demands in sets for demand in demands)
        at = shop.room(len(image))
        shop.machine.write_memory(at, image)
        calls, place = [], at
        for demands in sets:
            calls.append(("dl_admit", place, len(demands)))
            place += 24 * len(demands)
        came = [returned.a0 & 0xFFFFFFFF for returned in shop.run(calls)]
        expect(shop.machine.read_memory(at, len(image)) == image, "the reservations to stay as they are", "a change")
        shop.next = at
        return came


def describe_demands(demands: list[Demand]) -> str:
    text = ", ".join(f"{d.runtime}/{d.deadline}/{d.period}" for d in demands[:5])
    return f"{len(demands)} reservations ({text}{', ...' if len(demands) > 5 else ''}; ns)"


@graded("admit.utilization", points=5, task=5, seeds=range(2), hint=TASK5)
def test_admit_utilization(shop, rng):
    """Deadlines that are periods: admitted exactly when SYSTEM.md's sum is within what is granted."""
    twenty = [Demand(47_500 * number, 10**6 * number, 10**6 * number) for number in range(1, 21)]
    sets = [[], twenty, [*twenty, Demand(1, 10**9, 10**9)], [*twenty, Demand(1_000, 10**9, 10**9)],
            [Demand(95, 100, 100)], [Demand(96, 100, 100)], [Demand(100, 100, 100)]]
    sets += [admission.random_implicit(rng) for _ in range(250)]
    for demands, came in zip(sets, Admission(shop).ask(sets)):
        wanted = OK if admission.fits_formula(demands) else ERR_BUSY
        sums = f"{admission.utilization(demands)} of {admission.GRANTED} 2^-20"
        expect_equal(name_error(came), name_error(wanted), f"{describe_demands(demands)}, {sums}")


def name_error(error: int) -> str:
    return {OK: "OK", ERR_BUSY: "ERR_BUSY"}.get(error, f"error {error}")


@graded("admit.demand", points=5, task=5, needs=["admit.utilization"], seeds=range(3), hint=TASK5)
def test_admit_demand(shop, rng):
    """Shorter deadlines: nothing is admitted that misses one, and all is whose sum of runtime / deadline fits."""
    sets = [admission.random_constrained(rng) for _ in range(250)]
    sets += [[Demand(5, 10, 100), Demand(5, 10, 100)], [Demand(9, 10, 100), Demand(10, 20, 1000)]]
    sets += [[Demand(400, 600, 1000), Demand(240, 600, 1000)], [Demand(1, 1, 100)], [Demand(10**6, 10**6, 10**9)]]
    horizon = 400 * admission.MS
    for demands, came in zip(sets, Admission(shop).ask(sets)):
        expect(came in (OK, ERR_BUSY), "OK or ERR_BUSY", name_error(came))
        if not admission.fits_formula(demands):
            expect_equal(name_error(came), "ERR_BUSY", f"{describe_demands(demands)}, too much in the long run")
        elif came == OK and (end := admission.first_overload(demands, horizon)):
            expect(False, f"ERR_BUSY for {describe_demands(demands)}: too much is due within {end} ns", "OK")
    dense = [admission.random_dense(rng, Fraction(949, 1000)) for _ in range(80)]
    for demands, came in zip(dense, Admission(shop).ask(dense)):
        expect_equal(name_error(came), "OK",
                     f"{describe_demands(demands)}, {float(admission.density(demands)):.4f} by runtime / deadline")


@graded("admit.tasks", points=2, task=5, needs=["admit.utilization", "fixed.schedules"], hint=TASK5)
def test_admit_tasks(run_set):
    """Twenty tasks of 4.75 % are made, and not one more; with one less there is room for one."""
    full = Set([Task("A", DEADLINE, runtime=0.95, period=20, first=60, copies=20), edf("B", 0.01, 100, first=60)], 1)
    errors = [member.error for member in run_set(full, refused=True).members]
    expect_equal(errors, [OK] * 20 + [ERR_BUSY], "the errors of 20 tasks of 4.75 % and one of 0.01 %")
    mixed = Set([edf("A", 30, 50, first=60), edf("B", 18, 50, first=60), edf("C", 17.5, 50, first=60),
                 edf("D", 1, 100, 10, first=60)], 1)
    errors = [member.error for member in run_set(mixed, refused=True).members]
    expect_equal(errors, [OK, ERR_BUSY, OK, ERR_BUSY], "the errors of tasks of 60 %, 36 %, 35 % and 1 %")


@graded("admit.latency", points=2, task=5, needs=["admit.demand"], profile="release", hint=TASK5)
def test_admit_latency(icount, layout, latency):
    """The slowest answer about 64 reservations with shorter deadlines is within its limit."""

    def measure() -> int:
        shop = Workshop(icount(stop=workshop.PLACE), layout)
        demands = [Demand(10_000 + number, 1_000_000 + 1000 * number, 2_000_000) for number in range(64)]
        at = shop.room(24 * len(demands))
        shop.machine.write_memory(at, b"".join(demand.pack() for demand in demands))
        returned = shop.machine.call("dl_admit", at, len(demands))
        expect_equal(name_error(returned.a0 & 0xFFFFFFFF), "OK", describe_demands(demands))
        return returned.cycles

    latency(measure)


# ---- Task 6: budgets that come again -----------------------------------------------------------------


def expect_budgets(shop: Workshop, rng: random.Random, function: str, rule: Callable[[Budget, int], Budget]) -> None:
    """Random budgets at random moments, each followed through a few steps."""
    offsets = [shop.offset("budget", name) for name in ("runtime", "deadline", "period", "left", "until")]
    expect_equal(offsets, [0, 8, 16, 24, 32], "where the fields of struct budget lie")
    size = shop.size("budget")
    cases = []
    for _ in range(400):
        budget = budgets.random_budget(rng, rng.choice((10, 1000, 10**6, 1 << 40)))
        cases.append((budget, budgets.random_moment(rng, budget)))
    at = shop.room(size * len(cases))
    tails = [rng.randbytes(size - 40) for _ in cases]
    shop.machine.write_memory(at, b"".join(budget.pack() + tail for (budget, _), tail in zip(cases, tails)))
    shop.run([(function, at + size * index, now) for index, (_, now) in enumerate(cases)])
    data = shop.machine.read_memory(at, size * len(cases))
    for index, ((budget, now), tail) in enumerate(zip(cases, tails)):
        came = data[size * index : size * (index + 1)]
        expect_equal(Budget.unpack(came), rule(budget, now), f"{function} at {now:#x} of {budget}")
        expect(came[40:] == tail, f"{function} to change nothing else of a budget", "a change")


@graded("budget.replenish", points=4, task=6, seeds=range(2), hint=TASK6)
def test_budget_replenish(shop, rng):
    """Full again for the next period, less what was overdrawn, never more than full, and never behind."""
    expect_budgets(shop, rng, "dl_replenish", Budget.replenished)


@graded("budget.wake", points=4, task=6, needs=["budget.replenish"], seeds=range(2), hint=TASK6)
def test_budget_wake(shop, rng):
    """Who wakes up keeps budget and deadline, if that is fair to the others; else both begin anew."""
    expect_budgets(shop, rng, "dl_wake", Budget.woken)


@graded("edf.schedule", points=3, task=6, needs=["budget.wake", "admit.utilization", "fixed.schedules"], hint=TASK6)
def test_edf_schedule(run_set):
    """Published schedules of earliest deadline first; equal deadlines in the order of arrival."""
    expect_published(run_set, *published.EDF)
    equal = Set([edf("A", 4, 10), edf("B", 2, 5), edf("C", 1, 10, first=1)], 20)
    expect_as_simulated(run_set(equal), equal, "equal deadlines")


@graded("server.schedule", points=3, task=6, needs=["edf.schedule"], hint=TASK6)
def test_server_schedule(run_set):
    """Who wants more than it reserved waits for its next budget: beside others as published, and alone."""
    expect_published(run_set, published.SERVER)
    alone = Set([Task("S", DEADLINE, runtime=3, period=8, first=2)], 40)
    expect_schedule(run_set(alone), published.pieces("S 2-5, S 10-13, S 18-21, S 26-29, S 34-37"),
                    "an overrunner alone")
    fixed = Set([Task("F", FIFO, priority=5, runtime=4, period=10)], 39)
    expect_schedule(run_set(fixed), published.pieces("F 0-4, F 10-14, F 20-24, F 30-34"),
                    "a FIFO task with a budget, alone")


@graded("mode.schedule", points=2, task=6, needs=["server.schedule"], hint=TASK6)
def test_mode_schedule(run_set):
    """Mixed criticality: HI work over its LO budget holds LO work back, and lets it go again."""
    run = run_set(published.MODES.what)
    expect_schedule(run, published.MODES.pieces, published.MODES.source)
    expect_equal(sum(run.member(name).misses for name in "HM"), 0, "deadlines that HI tasks missed")
    first_end = run.times("M", ring.MARK, 0)
    expect(first_end and first_end[0] <= 90, "M to answer within 90 units", first_end)


def random_servers(rng: random.Random) -> Set:
    """Reservations with jobs that are shorter or longer, at times of their own, over FIFO work below."""
    tasks, room = [], 0.93
    for name in "ABCD":
        period = rng.choice((5, 8, 10, 16, 20))
        runtime = max(1, int(room * period * rng.uniform(0.2, 0.7)))
        if runtime / period > room:
            break
        room -= runtime / period
        releases: tuple[float, ...] = ()
        if rng.random() < 0.4:
            at = [rng.randrange(6)]
            while at[-1] < 60:
                at.append(at[-1] + rng.randint(period // 2, 2 * period))
            releases = tuple(at)
        jobs = tuple(max(1, runtime + rng.choice((0, 0, -1, 1, runtime))) for _ in releases or range(3))
        tasks.append(Task(name, DEADLINE, jobs, runtime=runtime, period=period, releases=releases,
                          first=0 if releases else rng.randrange(6)))
    return Set([*tasks, Task("X", FIFO, priority=3, first=1)], 50)


@graded("edf.random", points=2, task=6, needs=["server.schedule"], seeds=range(3), hint=TASK6)
def test_edf_random(run_set, rng):
    """Random reservations, kept and exceeded, are scheduled as an exact simulation says."""
    what = random_servers(rng)
    expect_as_simulated(run_set(what), what, "; ".join(
        f"{task.name}: {task.runtime}/{task.period}, jobs {task.jobs} at {task.releases or task.first}"
        for task in what.tasks))


PERIODS_US = [200, 225, 250, 275, 300, 320, 350, 375, 400, 440, 480, 500, 550, 600, 650, 700, 800, 900, 950, 1000]


def twenty_tasks(share: float) -> list[Task]:
    """Together they reserve `share` of the hart.

    A job is 85 % of its reservation less 4 us: the rest is what the kernel takes for it, and for others while it runs.
    """
    found = []
    for number, period in enumerate(PERIODS_US):
        runtime = share / 20 * period
        found.append(Task(f"{period}", DEADLINE, ((0.85 * runtime - 4) / 1000,), runtime=runtime / 1000,
                          period=period / 1000, first=1 + 0.007 * number))
    return found


def expect_no_miss(run: Run, least: int = 0) -> None:
    """Of whoever keeps to its reservation; the others' names begin with x."""
    kept = [member for member in run.members if not member.name.startswith("x")]
    for member in kept:
        expect_equal(member.misses, 0, f"deadlines that the task of {member.name} us missed, of {member.done} jobs")
        expect_equal(member.overruns, 0, f"budgets that the task of {member.name} us used up")
    jobs = sum(member.done for member in kept)
    expect(jobs >= least, f"{least} jobs in all", jobs)


@graded("edf.load", points=2, task=6, needs=["edf.schedule", "fair.share"], profile="release", hint=TASK6)
def test_edf_load(run_set):
    """Twenty tasks at 95 %, periods of 200 to 1000 us, miss nothing in 10 000 jobs, with 100 hogs beside them."""
    tasks = twenty_tasks(0.95)
    expect_no_miss(run_set(Set(tasks, 240, slack_ns=0), events=False), 10_000)
    expect_no_miss(run_set(Set([*tasks, Task("xhog", OTHER, copies=100)], 240, slack_ns=0, lead_ns=30_000_000),
                           events=False), 10_000)


@graded("edf.hostile", points=2, task=6, needs=["edf.load", "server.schedule"], profile="release", hint=TASK6)
def test_edf_hostile(run_set):
    """An overrunner, a task that never yields, and a storm of interrupts harm no admitted deadline."""
    tasks = twenty_tasks(0.80)
    hostile = [Task("xoverruns", DEADLINE, (2,), runtime=0.05, period=1),
               Task("xspins", DEADLINE, runtime=0.05, period=1),
               Task("xfifo", FIFO, priority=PRIORITIES - 2), Task("xrr", RR, priority=3, quantum=1)]
    run = run_set(Set([*tasks, *hostile], 100, storm=0.05, slack_ns=0), events=False)
    expect_no_miss(run, 3000)
    for name in ("xoverruns", "xspins"):
        expect(run.member(name).throttles >= 90, f"{name} to be held in each period", run.member(name).throttles)
        most = 101 * 0.05 * ring.TICKS_A_MS * 1.05
        expect(run.member(name).run_ticks <= most, f"{name} to get no more than it reserved ({most:.0f} ticks)",
               run.member(name).run_ticks)


@graded("boot.selftests", points=1, task=6, needs=["edf.schedule", "fair.schedule", "rr.schedule"], hint=TASK6)
def test_boot_selftests(icount):
    """The kernel's own tests pass: selftest_run returns no failures, and QEMU ends with 0."""
    machine = icount(stop="selftest_run", append="selftest")
    machine.finish(within=12)  # the reference takes 4.3
    expect_as_built(machine)
    expect_equal(machine.read("a0") & 0xFFFFFFFF, 0, "self-tests that failed")
    machine.resume()
    expect_equal(machine.machine.wait_exit(), 0, "QEMU's status")
