"""Budgets that come again: the rules of the hard constant-bandwidth server, in exact numbers.

Written from runqueue.h and the lab's page: a budget is `left` ticks until `until`.
"""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass, replace

MASK64 = (1 << 64) - 1


def before(a: int, b: int) -> bool:
    """Moments wrap."""
    return (a - b & MASK64) >> 63 == 1


@dataclass(frozen=True)
class Budget:
    runtime: int
    deadline: int
    period: int
    left: int
    until: int

    def replenished(self, now: int) -> Budget:
        left = min(self.left + self.runtime, self.runtime)
        until = self.until + self.period & MASK64
        if before(now, until):
            return replace(self, left=left, until=until)
        return self.anew(now + self.deadline)

    def woken(self, now: int) -> Budget:
        if self.deadline < self.period:
            return self._woken_constrained(now)
        if not before(now, self.until):
            return self.anew(now + self.deadline)
        remains = self.until - now & MASK64
        return self.anew(now + self.deadline) if self.left * self.period > remains * self.runtime else self

    def _woken_constrained(self, now: int) -> Budget:
        of_job, next_ = now + self.deadline & MASK64, self.until + self.period & MASK64
        if before(now, self.until):
            return replace(self, until=of_job if before(self.until, of_job) else self.until)
        if self.until and before(of_job, next_):
            return self.anew(next_)
        return self.anew(of_job)

    def anew(self, until: int) -> Budget:
        return replace(self, left=self.runtime, until=until & MASK64)

    def pack(self) -> bytes:
        return struct.pack("<QQQqQ", self.runtime, self.deadline, self.period, self.left, self.until)

    @staticmethod
    def unpack(data: bytes) -> Budget:
        return Budget(*struct.unpack("<QQQqQ", data[:40]))


def random_budget(rng: random.Random, largest: int) -> Budget:
    """Any size, tight or loose, used up, overdrawn, or untouched."""
    period = rng.randrange(2, largest)
    runtime = rng.choice((1, period, rng.randrange(1, period + 1), max(1, period // 20)))
    deadline = rng.choice((period, period, period, rng.randint(runtime, period)))
    left = rng.choice((runtime, 0, -rng.randrange(1, 200), -runtime, rng.randrange(runtime + 1), 1))
    until = rng.choice((0, period, rng.getrandbits(44), (1 << 64) - rng.randrange(1, 2 * period)))
    return Budget(runtime, deadline, period, left, until)


def random_moment(rng: random.Random, budget: Budget) -> int:
    """At, or just off, each edge that a rule has, and anywhere around."""
    share = budget.left * budget.period // budget.runtime
    edges = [0, -budget.period, budget.period, -budget.deadline, budget.period - budget.deadline, -share,
             5 * budget.period + 3, rng.randint(-budget.period, budget.period)]
    return budget.until + rng.choice(edges) + rng.choice((0, 0, 1, -1)) & MASK64
