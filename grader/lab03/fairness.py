"""Fair queues in the guest's memory, and whose turn it is by looking at everybody.

A queue is built by the tree's own functions from tasks of any vruntime and deadline, not only such as
a run would lead to; the sums are computed here.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from grader.core.verdict import expect
from grader.lab03.ring import SWITCH
from grader.lab03.simulate import weight_of
from grader.lab03.taskset import Run, Set
from grader.lab03.workshop import MASK64, Workshop, put

SPAN = 1 << 41  # of virtual times: a slice of a millisecond at the least weight is less


@dataclass
class Fair:
    """A queued task: where it is, and what it has had."""

    at: int
    vruntime: int
    weight: int
    key: int
    order: int


def signed(number: int) -> int:
    number &= MASK64
    return number - (1 << 64) if number >> 63 else number


class Queue:
    """`struct fair_queue` with tasks in its tree, and perhaps one that runs."""

    def __init__(self, shop: Workshop, rng: random.Random, count: int, runs: bool, ties: bool, opposed: bool = False):
        self.shop, self.rng, self.opposed = shop, rng, opposed
        self.at = shop.room(shop.size("fair_queue"))
        self.zero = rng.choice((0, rng.getrandbits(40), (1 << 64) - rng.randrange(SPAN), 1 << 63))
        self.tasks = [self._random(at, order, ties) for order, at in enumerate(shop.tasks(count))]
        self.current = self.tasks.pop() if runs else None

    def _random(self, at: int, order: int, ties: bool) -> Fair:
        weight = weight_of(self.rng.randint(-20, 19))
        spread = self.rng.choice((4, 1 << 20, SPAN))
        ahead = self.rng.choice((0, self.rng.randrange(-spread, spread)))
        later = self.rng.choice((1, 2)) if ties else self.rng.randrange(1, SPAN)
        base = 0 if ties else -2 * ahead if self.opposed else ahead  # opposed: the urgent ones have had too much
        return Fair(at, self.zero + ahead & MASK64, weight, self.zero + base + later & MASK64, order)

    # -- in the guest -------------------------------------------------------------------------------

    def build(self) -> list[tuple]:
        """The calls that fill the tree, once the tasks are written."""
        shop = self.shop
        shop.run([("fair_queue_init", self.at)])
        node = shop.offset("task", "fair.node")
        for task in [*self.tasks, *([self.current] if self.current else [])]:
            shop.write(task.at, "task", fair__vruntime=task.vruntime, fair__vruntime_min=task.vruntime,
                       fair__weight=task.weight, fair__node__key=task.key)
        shop.write(self.at, "fair_queue", current=self.current.at if self.current else 0)
        tree = self.at + shop.offset("fair_queue", "tree")
        return [("rb_insert", tree, task.at + node) for task in self.tasks]

    def sums(self) -> dict[str, int]:
        """What the queue must say of all that are queued."""
        every = self.queued()
        return {"zero": self.zero, "weighted": sum(self._ahead(task) * task.weight for task in every),
                "weight": sum(task.weight for task in every), "count": len(every)}

    def image(self, before: bytes) -> bytes:
        """The queue's memory with the sums of now."""
        data = bytearray(before)
        for name in ("zero", "weighted", "weight"):
            put(data, self.shop.offset("fair_queue", name), self.sums()[name])
        place = self.shop.layout.field("struct fair_queue", "count")
        data[place.offset : place.offset + 4] = len(self.queued()).to_bytes(4, "little")
        return bytes(data)

    # -- by looking at everybody --------------------------------------------------------------------

    def queued(self) -> list[Fair]:
        return [*self.tasks, *([self.current] if self.current else [])]

    def _ahead(self, task: Fair) -> int:
        return signed(task.vruntime - self.zero)

    def eligible(self, task: Fair) -> bool:
        sums = self.sums()
        return self._ahead(task) * sums["weight"] <= sums["weighted"]

    def pick(self) -> Fair | None:
        """The earliest deadline of those that are eligible; of equals who waits, and waits longest."""
        able = [task for task in self.queued() if self.eligible(task)]
        return min(able, key=lambda task: (signed(task.key - self.zero), task is self.current, task.order),
                   default=None)

    def describe(self, at: int) -> str:
        task = next((task for task in self.queued() if task.at == at), None)
        if task is None:
            return "nobody" if at == 0 else "what is no queued task"
        what = "the running one" if task is self.current else f"number {task.order}"
        return (f"{what} (vruntime {self._ahead(task):+}, deadline {signed(task.key - self.zero):+}, weight "
                f"{task.weight}, {'' if self.eligible(task) else 'not '}eligible)")


def expect_picks(shop: Workshop, rng: random.Random, count: int, runs: bool, ties: bool) -> None:
    """Of a random queue, and of what is left when one after the other goes, the right one each time."""
    mark = shop.next
    queue = Queue(shop, rng, count, runs, ties)
    calls = queue.build()
    shop.run(calls)
    size, node = shop.size("fair_queue"), shop.offset("task", "fair.node")
    tree = queue.at + shop.offset("fair_queue", "tree")
    now = shop.machine.read_memory(queue.at, size)
    wanted, calls = [], []
    while True:
        sums = shop.room(size)
        image = queue.image(now)
        shop.machine.write_memory(sums, image)
        for name, length in (("zero", 8), ("weighted", 8), ("weight", 8), ("count", 4)):
            offset = shop.offset("fair_queue", name)
            calls.append(("memcpy", queue.at + offset, sums + offset, length))
        calls.append(("fair_pick", queue.at))
        right = queue.pick()
        wanted.append((len(calls) - 1, right.at if right else 0, [*queue.tasks]))
        if not queue.tasks:
            break
        gone = queue.tasks.pop(rng.randrange(len(queue.tasks)))
        calls.append(("rb_remove", tree, gone.at + node))
    came = shop.run(calls)
    for index, at, tasks in wanted:
        queue.tasks = tasks
        if came[index].a0 != at:
            expect(False, f"of {len(queue.queued())} tasks {queue.describe(at)}", queue.describe(came[index].a0))
    shop.run([("memset", mark, 0, shop.next - mark)])
    shop.next = mark


# ---- shares of a run -------------------------------------------------------------------------------


def expect_shares(run: Run, what: Set, tolerance: float) -> None:
    """At each switch everybody has had their share of the time so far, give or take a request (SA95, theorem 1)."""
    weights = {task.name: weight_of(task.nice) for task in what.tasks}
    request = max(task.slice or 3 for task in what.tasks)
    total, had = sum(weights.values()), dict.fromkeys(weights, 0.0)
    begin = min(segment.start for segment in run.segments())
    for segment in run.segments():
        had[segment.who] += segment.end - segment.start
        for name, weight in weights.items():
            owed = (segment.end - begin) * weight / total - had[name]
            expect(abs(owed) <= request + tolerance,
                   f"at {segment.end:.3f} ms {name} (weight {weight} of {total}) within {request:g} ms of its share",
                   f"{owed:+.3f} ms")
    switches = sum(event.type == SWITCH for event in run.events)
    expect(switches >= what.horizon / request / 2, f"at least {what.horizon / request / 2:.0f} switches", switches)


def eligible_cases(rng: random.Random, count: int) -> list[tuple[int, int, int, int]]:
    """(zero, weight, weighted, vruntime): at the edge, off by one, and products of more than 64 bits."""
    cases = []
    for _ in range(count):
        zero = rng.choice((0, rng.getrandbits(64), (1 << 64) - rng.getrandbits(30)))
        weight = rng.choice((1, 15, 1024, 88818, rng.randrange(1, 1 << 27)))
        ahead = rng.choice((0, 1, -1, rng.randrange(-(1 << 60) // weight, (1 << 60) // weight),
                            rng.randrange(-(1 << 50), 1 << 50)))
        edge = ahead * weight + rng.choice((0, 0, 1, -1, weight - 1, -weight, rng.randrange(-weight, weight)))
        weighted = max(min(edge, (1 << 63) - 1), -(1 << 63))
        cases.append((zero, weight, weighted, zero + ahead & MASK64))
    return cases


def pack_fair(shop: Workshop, zero: int, weight: int, weighted: int) -> bytes:
    data = bytearray(shop.size("fair_queue"))
    for name, value in (("zero", zero), ("weight", weight), ("weighted", weighted)):
        put(data, shop.offset("fair_queue", name), value)
    return bytes(data)
