"""Which lock follows which: the model, and what a report says."""

from __future__ import annotations

import random
from dataclasses import dataclass

from grader.core.dwarf import Layout
from grader.core.gdb import Gdb
from grader.core.structures import Structures

Edges = list[set[int]]


def closure(edges: Edges) -> Edges:
    """Who is reached from whom, by one edge or more (Warshall)."""
    reached = [set(after) for after in edges]
    for middle in range(len(edges)):
        for start in range(len(edges)):
            if middle in reached[start]:
                reached[start] |= reached[middle]
    return reached


def graphs(rng: random.Random, classes: int) -> list[Edges]:
    """Nothing, loops, the longest way, a circle, everything, and random ones."""
    order = rng.sample(range(classes), classes)
    chain: Edges = [set() for _ in range(classes)]
    for a, b in zip(order, order[1:]):
        chain[a].add(b)
    circle = [set(after) for after in chain]
    circle[order[-1]].add(order[0])
    loops = [{c} if rng.random() < 0.5 else set() for c in range(classes)]
    found: list[Edges] = [[set() for _ in range(classes)], chain, circle, loops, [set(range(classes))] * classes]
    for share in (0.02, 0.05, 0.1, 0.3):
        found += [[{b for b in range(classes) if rng.random() < share} for _ in range(classes)] for _ in range(3)]
    return found


def pack(edges: Edges) -> bytes:
    return b"".join(sum(1 << b for b in after).to_bytes(4, "little") for after in edges)


@dataclass(frozen=True)
class Chain:
    """What one task held when it took a lock: ranks, the last is the lock."""

    task: str
    ranks: tuple[int, ...]
    in_interrupt: bool


class Report:
    """What lockdep knows where the kernel begins to panic."""

    def __init__(self, machine: Gdb, layout: Layout):
        self.machine, self.layout, self.fields = machine, layout, Structures(machine, layout)

    @property
    def now(self) -> Chain:
        return self._chain(self.machine.address("report") + self.layout.field("report", "now").offset)

    @property
    def before(self) -> Chain | None:
        chain = self.fields.read("report", "then")
        return self._chain(chain) if chain else None

    def _chain(self, at: int) -> Chain:
        def read(path: str) -> int:
            return self.fields.read("struct chain", path, at)

        name = self.machine.read_memory(at + self.layout.field("struct chain", "name").offset, min(read("name_len"), 64))
        ranks = tuple(read(f"held[{index}].rank") for index in range(min(read("count"), 9)))
        return Chain(name.decode("latin-1"), ranks, bool(read("in_interrupt")))
