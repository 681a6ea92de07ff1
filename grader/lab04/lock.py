"""Harts that take a lock in turns, in every order that a seed gives."""

from __future__ import annotations

import random
from dataclasses import dataclass

from grader.core.dwarf import Layout
from grader.core.gdb import Gdb
from grader.core.verdict import Failure, Verdict, expect, expect_equal
from grader.lab04 import puppets
from grader.lab04.puppets import COUNTING, END, INSIDE, STACK, STAGE, TAKES, Puppet

LOCK, COUNTER = STAGE + 0x100, STAGE + 0x200
TIMEBASE_HZ = 10_000_000
SOON = 60  # instructions of its own within which a hart that wants the lock has a ticket
LONGEST = 400  # steps of a hart for each time that any of them takes the lock


@dataclass
class Lock:
    """A struct spinlock in the guest's memory."""

    machine: Gdb
    layout: Layout
    at: int = LOCK

    def offset(self, name: str) -> int:
        return self.layout.field("struct spinlock", name).offset

    def read(self, name: str) -> int:
        field = self.layout.field("struct spinlock", name)
        return self.machine.read_int(self.at + field.offset, field.size)

    def fill(self, rng: random.Random, tickets: int) -> dict[str, int]:
        """Nobody has it, `tickets` were served, and the rest is rubbish."""
        self.machine.write_memory(self.at - 32, rng.randbytes(64 + self.layout.field("struct spinlock").size))
        for name in ("next", "serving"):
            self.machine.write_int(self.at + self.offset(name), tickets)
        return {name: self.read(name) for name in ("rank", "holder")}


class Race:
    """So many harts, each of which counts so often under the lock."""

    def __init__(self, machine: Gdb, layout: Layout, rng: random.Random, harts: int, rounds: int):
        self.machine, self.rng, self.lock = machine, rng, Lock(machine, layout)
        machine.call("time_init", TIMEBASE_HZ)  # who waits looks at the clock
        self.first = rng.choice((0, 1, (1 << 32) - 2, rng.getrandbits(40)))
        self.before = self.lock.fill(rng, self.first)
        self.wanted = harts * rounds
        machine.write_memory(STAGE, COUNTING)
        machine.write_int(COUNTER, 0)
        self.harts = puppets.puppets(machine, layout, harts)
        for number, hart in enumerate(self.harts):
            hart.begin(STAGE, STAGE + (2 + number) * STACK, s0=LOCK, s1=machine.address("ticket_lock"), s2=COUNTER,
                       s3=machine.address("ticket_unlock"), s4=rounds)
        self.pcs = {hart.thread: STAGE for hart in self.harts}
        self.asking: dict[int, int] = {}  # who wants the lock and has no ticket: for so many instructions
        self.drawn: list[Puppet] = []  # who has drawn a ticket and not been served, in order
        self.next = self.first

    def run(self) -> None:
        """One hart at a time for some instructions, until all are done."""
        left = self.wanted * LONGEST
        while running := [hart for hart in self.harts if self.pcs[hart.thread] != STAGE + END]:
            hart = self.rng.choice(running)
            for _ in range(self.rng.choice((1, 1, 2, 3, 5, 8, 20))):
                self._step(hart)
                left -= 1
            if left < 0:
                raise Failure(f"{self.wanted} turns within {self.wanted * LONGEST} instructions",
                              f"{self.machine.read_int(COUNTER)} turns; {self._where()}", Verdict.HANG)
        self._expect_end()

    def _where(self) -> str:
        return ", ".join(f"hart {hart.thread - 1} at {self.machine.symbols.locate(self.pcs[hart.thread])}"
                         for hart in self.harts)

    def _step(self, hart: Puppet) -> None:
        before, pc = self.pcs[hart.thread], hart.step()
        self.pcs[hart.thread] = pc
        if before == STAGE + TAKES:
            self.asking[hart.thread] = 0
        if pc - STAGE in INSIDE and before - STAGE not in INSIDE:
            self._expect_turn(hart)
        elif not STAGE <= pc < STAGE + len(COUNTING):
            self._look_for_ticket(hart)

    def _look_for_ticket(self, hart: Puppet) -> None:
        """Who wants the lock has a ticket soon, whoever else has it: or the others could come first for ever."""
        if (drawn := self.lock.read("next")) != self.next:
            expect_equal(drawn, self.next + 1, "the next ticket after one was drawn")
            self.next = drawn
            self.drawn.append(hart)
            self.asking.pop(hart.thread, None)
        if hart.thread in self.asking:
            self.asking[hart.thread] += 1
            expect(self.asking[hart.thread] <= SOON, f"a ticket within {SOON} instructions of ticket_lock",
                   f"hart {hart.thread - 1} waits without one")

    def _expect_turn(self, hart: Puppet) -> None:
        inside = [other.thread - 1 for other in self.harts if self.pcs[other.thread] - STAGE in INSIDE]
        expect(len(inside) == 1, "one hart under the lock", f"harts {', '.join(map(str, inside))}")
        expect(bool(self.drawn), "a ticket to be drawn by who takes the lock", f"hart {hart.thread - 1} has none")
        self.asking.pop(hart.thread, None)
        first = self.drawn.pop(0)
        expect(first is hart, f"hart {first.thread - 1}, which drew first, to be served first",
               f"hart {hart.thread - 1}")

    def _expect_end(self) -> None:
        expect_equal(self.machine.read_int(COUNTER), self.wanted, "what all have counted")
        for name in ("next", "serving"):
            expect_equal(self.lock.read(name), self.first + self.wanted, f"the lock's `{name}` at the end")
        for name in ("rank", "holder"):
            expect_equal(self.lock.read(name), self.before[name], f"the lock's `{name}`, which is not the ticket's")
