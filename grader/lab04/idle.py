"""Whose task goes where: models of what an idle hart takes and of who gives, and shares that are measured."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

from grader.core.batch import Batch
from grader.core.dwarf import Layout
from grader.core.gdb import Gdb
from grader.core.structures import Structures
from grader.core.verdict import expect, expect_equal
from grader.lab03.workshop import Workshop

PRIORITIES = 32  # CONFIG_SCHED_NPRIO
HARTS = 8
LOOKS = 16  # STEAL_LOOKS
ONE, STEPS, NOBODY = 1024, 8, (1 << 32) - 1  # BALANCE_ONE and so on
ALL = (1 << 64) - 1


# ---- What an idle hart takes --------------------------------------------------------------------------


@dataclass
class Waiting:
    """A queued task: why it may go, or not."""

    at: int
    affinity: int
    tie: str  # a field that ties it to its hart; empty: none
    place: tuple  # the lower the sooner

    def may_go(self, hart: int, stay: tuple[int, ...]) -> bool:
        return not self.tie and self.at not in stay and bool(self.affinity >> hart & 1)


TIES = {"ties": 1, "budget__runtime": 5, "domain": 0x1000, "params__criticality": 1, "held": 0}


class Picks:
    """A queue of our own, with tasks that may go and tasks that may not."""

    def __init__(self, shop: Workshop, rng: random.Random):
        self.shop, self.rng = shop, rng
        self.rq = shop.runqueue()
        shop.write(self.rq, "runqueue", lock__holder=1)
        self.moving = shop.layout.constant("HOLD_MOVE")

    def fill(self, fixed: int, fair: int, loose: float) -> list[Waiting]:
        shop, rng = self.shop, self.rng
        calls, waiting, ties = [], [], []
        tree = self.rq + shop.offset("runqueue", "fair.tree")
        enqueue = shop.method("rt_fifo_class", "enqueue")
        for number, at in enumerate(shop.tasks(fixed + fair)):
            is_fixed, is_loose = number < fixed, rng.random() < loose
            tie = "" if is_loose or rng.random() < 0.5 else rng.choice(list(TIES))
            affinity = ALL if is_loose else rng.getrandbits(HARTS) if not tie else ALL
            values = {tie: TIES[tie] or self.moving} if tie else {}
            if is_fixed:
                priority = rng.choice((0, 3, 3, PRIORITIES - 1, rng.randrange(PRIORITIES)))
                shop.write(at, "task", affinity=affinity)
                calls += [("rt_set_priority", self.rq + shop.offset("runqueue", "rt"), at, priority),
                          (enqueue, self.rq, at, 0)]
                place = (0, -priority, number)
            else:
                key = rng.randrange(20)
                shop.write(at, "task", affinity=affinity, fair__node__key=key, fair__weight=1024)
                calls.append(("rb_insert", tree, at + shop.offset("task", "fair.node")))
                place = (1, key, number)
            waiting.append(Waiting(at, affinity, tie, place))
            ties.append((at, values))
        shop.run(calls)
        for at, values in ties:
            if values:
                shop.write(at, "task", **values)
        return sorted(waiting, key=lambda task: task.place)

    def expect_pick(self, waiting: list[Waiting], hart: int, stay: tuple[int, ...]) -> None:
        shop = self.shop
        shop.write(self.rq, "runqueue", current=stay[0], best=stay[1])
        found = shop.run([("steal_pick", self.rq, hart)])[0].a0
        wanted = next((task.at for task in waiting[:LOOKS] if task.may_go(hart, stay)), 0)
        expect(found == wanted, f"hart {hart} to take {self._name(waiting, wanted)}",
               self._name(waiting, found) + self._why(waiting, found, hart, stay))

    def _name(self, waiting: list[Waiting], at: int) -> str:
        place = next((index for index, task in enumerate(waiting) if task.at == at), None)
        return "nobody" if at == 0 else "what is no queued task" if place is None else \
            f"task {place} of {len(waiting)} ({'a fair' if waiting[place].place[0] else 'priority ' + str(-waiting[place].place[1])})"

    def _why(self, waiting: list[Waiting], at: int, hart: int, stay: tuple[int, ...]) -> str:
        task = next((task for task in waiting if task.at == at), None)
        if task is None or task.may_go(hart, stay):
            return ""
        return ", which " + ("runs or is about to" if at in stay else f"is tied by `{task.tie.replace('__', '.')}`"
                             if task.tie else "may not run there")


def expect_picks(shop: Workshop, rng: random.Random) -> None:
    """Nobody, a few, many; all tied, some, none; and the one that runs is always the first that could go."""
    for fixed, fair, loose in ((0, 0, 1), (1, 0, 1), (0, 1, 1), (4, 4, 0.7), (10, 0, 0.1), (0, 10, 0.1), (14, 8, 0),
                               (12, 12, 0.05), (40, 4, 0.02), (3, 40, 0.02)):
        picks = Picks(shop, rng)
        waiting = picks.fill(fixed, fair, loose)
        anybody = [task.at for task in waiting]
        before = shop.machine.read_memory(picks.rq + shop.offset("runqueue", "rt"), shop.size("rt_queue"))
        for hart in (0, 1, HARTS - 1, rng.randrange(HARTS)):
            first = next((task.at for task in waiting[:LOOKS] if task.may_go(hart, ())), 0)
            second = next((task.at for task in waiting[:LOOKS] if task.may_go(hart, (first, 0))), 0)
            for stay in ((0, 0), (first, 0), (first, second), (rng.choice(anybody or [0]), rng.choice(anybody or [0]))):
                picks.expect_pick(waiting, hart, stay)
        after = shop.machine.read_memory(picks.rq + shop.offset("runqueue", "rt"), shop.size("rt_queue"))
        expect(before == after, "a queue that is looked at to stay as it is", "a change")


# ---- Who gives, and to whom -----------------------------------------------------------------------------


def average(load: int, queued: int) -> int:
    """Towards what is queued by an eighth; what is less than a unit is dropped."""
    way = queued * ONE - load
    return load + (abs(way) // STEPS) * (1 if way > 0 else -1)


def receiver(loads: list[int], harts: int, load: int) -> int:
    poor = [hart for hart in range(len(loads)) if harts >> hart & 1 and loads[hart] + ONE * 3 // 2 <= load]
    return min(poor, key=lambda hart: (loads[hart], hart)) if poor else NOBODY


def expect_balance(batch: Batch, at: int, rng: random.Random) -> None:
    calls, wanted = [], []
    for _ in range(300):
        load, queued = rng.choice((0, 1, 7, 1024, 1025, rng.randrange(20_000))), rng.choice((0, 1, 2, rng.randrange(20)))
        calls.append(("balance_average", load, queued))
        wanted.append(average(load, queued))
    for call, want, returned in zip(calls, wanted, batch.run(calls)):
        expect_equal(returned.a0 & 0xFFFFFFFF, want, f"balance_average{call[1:]}")
    for _ in range(100):
        loads = [rng.choice((0, 1024, 2048, 1537, rng.randrange(8000))) for _ in range(HARTS)]
        batch.machine.write_memory(at, b"".join(load.to_bytes(4, "little") for load in loads))
        some = rng.getrandbits(HARTS)
        edge = min((loads[hart] for hart in range(HARTS) if some >> hart & 1), default=0) + ONE * 3 // 2
        for harts, load in ((some, edge), (some, edge - 1), (0, 9000), (some, rng.randrange(9000)), (255, 9000)):
            found = batch.machine.call("balance_receiver", at, harts, load).a0 & 0xFFFFFFFF
            expect_equal(found, receiver(loads, harts, load),
                         f"who gets one from a load of {load}, of harts {harts:#010b} with {loads}")


# ---- Shares ---------------------------------------------------------------------------------------------

SETTLE_MS, MEASURE_MS = 60, 200
TOLERANCE = 0.10


class Hogs:
    """Tasks that never stop: two a hart; two of them are tied to the last one."""

    def __init__(self, machine: Gdb, layout: Layout, harts: int):
        self.machine, self.layout, self.fields = machine, layout, Structures(machine, layout)
        tied = 1 << harts - 1
        self.tasks = [self._make(tied if number < 2 else ALL) for number in range(2 * harts)]
        self.last = harts - 1

    def _make(self, affinity: int) -> int:
        attributes = bytearray(self.layout.field("struct task_attributes").size)
        place = self.layout.field("struct task_attributes", "affinity")
        attributes[place.offset : place.offset + place.size] = affinity.to_bytes(place.size, "little")
        returned = self.machine.call("task_create", bytes(attributes), self.machine.address("hog"), 0, interrupts=True)
        expect_equal(returned.a1 & 0xFFFFFFFF, 0, "task_create: the error")
        return returned.a0

    def run(self, milliseconds: int) -> None:
        machine = self.machine
        until = machine.machine.virtual_ns() + milliseconds * 1_000_000
        machine.resume()
        deadline = machine.machine.deadline(10 * milliseconds / 1000)
        while machine.machine.virtual_ns() < until and not deadline.passed():
            time.sleep(0.01)
        machine.interrupt()

    def times(self) -> list[int]:
        return [self.fields.read("struct task", "run_ticks", task) for task in self.tasks]

    def hart_of(self, task: int) -> int:
        return self.fields.read("struct runqueue", "hart", self.fields.read("struct task", "rq", task))


def expect_shares(machine: Gdb, layout: Layout, harts: int) -> None:
    hogs = Hogs(machine, layout, harts)
    hogs.run(SETTLE_MS)
    before = hogs.times()
    hogs.run(MEASURE_MS)
    had = [after - was for was, after in zip(before, hogs.times())]
    share = sum(had) / len(had)
    for number, ticks in enumerate(had):
        expect(abs(ticks - share) <= TOLERANCE * share, f"task {number} of {len(had)} to have had what the others had, "
               f"{share / 10_000:.1f} ms of {MEASURE_MS}", f"{ticks / 10_000:.1f} ms")
    for task in hogs.tasks[:2]:
        expect_equal(hogs.hart_of(task), hogs.last, "the hart of a task that may run there only")
