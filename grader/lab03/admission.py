"""Which reservations a hart can keep together: SYSTEM.md's formula, and a brute-force look at demand.

With deadline == period the formula is the whole truth.  With a shorter one a test may be more careful than
it needs to be, in two directions that can be said: it never admits what can miss a deadline on the hart's
share, and it admits all that the sum of runtime / deadline admits.  Between them a student is free.
"""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass
from fractions import Fraction

UNIT = 20
PERCENT = 95  # CONFIG_SCHED_DL_UTIL_THRESHOLD
GRANTED = (PERCENT << UNIT) // 100
US, MS = 1000, 1_000_000


@dataclass(frozen=True)
class Demand:
    runtime: int  # ns
    deadline: int
    period: int

    def pack(self) -> bytes:
        return struct.pack("<3Q", self.runtime, self.deadline, self.period)


def utilization(demands: list[Demand]) -> int:
    return sum((demand.runtime << UNIT) // demand.period for demand in demands)


def fits_formula(demands: list[Demand]) -> bool:
    return utilization(demands) <= GRANTED


def density(demands: list[Demand]) -> Fraction:
    return sum((Fraction(demand.runtime, demand.deadline) for demand in demands), Fraction(0))


def first_overload(demands: list[Demand], until: int) -> int | None:
    """The first window in which more is demanded than the hart's share of it; roundings are forgiven."""
    ends = sorted({end for demand in demands for end in range(demand.deadline, until + 1, demand.period)})
    for end in ends:
        wanted = sum(((end - demand.deadline) // demand.period + 1) * demand.runtime
                     for demand in demands if demand.deadline <= end)
        if wanted > Fraction(PERCENT, 100) * end + Fraction(len(demands) * end, 1 << UNIT):
            return end
    return None


# ---- sets ------------------------------------------------------------------------------------------


def random_implicit(rng: random.Random) -> list[Demand]:
    """Deadlines are periods; together about what is granted, often to the last unit."""
    count = rng.choice((1, 2, 3, 5, 20, 64))
    periods = [rng.choice((rng.randrange(2 * US, MS), rng.randrange(MS, 1000 * MS), rng.randrange(1 << 40, 1 << 42)))
               for _ in range(count)]
    shares = [rng.random() + 0.05 for _ in range(count)]
    wanted = GRANTED * rng.choice((1, 1, 1, rng.uniform(0.5, 1.05))) / sum(shares)
    demands = []
    for period, share in zip(periods, shares):
        runtime = min(period, max(1, int(share * wanted * period) >> UNIT))
        demands.append(Demand(runtime, period, period))
    return brought_to_the_edge(rng, demands) if rng.random() < 0.7 else demands


def brought_to_the_edge(rng: random.Random, demands: list[Demand]) -> list[Demand]:
    """The last one changed so that the sum is exactly what is granted, or one unit off."""
    *others, last = demands
    aim = GRANTED + rng.choice((0, 0, 1, -1)) - utilization(others)
    runtime = -(-aim * last.period >> UNIT) if aim > 0 else 1  # the least with so many units
    runtime = min(max(runtime, 1), last.period)
    return [*others, Demand(runtime, last.period, last.period)]


def random_constrained(rng: random.Random) -> list[Demand]:
    """Small whole milliseconds, so that every window can be looked at."""
    demands = []
    for _ in range(rng.choice((1, 2, 3, 4, 6))):
        period = rng.choice((4, 5, 6, 8, 10, 12, 15, 20, 24, 30, 40))
        runtime = rng.randint(1, max(1, period // rng.choice((2, 3, 5, 8))))
        deadline = rng.randint(runtime, period) if rng.random() < 0.8 else period
        demands.append(Demand(runtime * MS, deadline * MS, period * MS))
    return demands


def random_dense(rng: random.Random, aim: Fraction) -> list[Demand]:
    """Shorter deadlines, and a sum of runtime / deadline just below `aim`."""
    count = rng.choice((1, 2, 5, 20, 64))
    demands = []
    for _ in range(count):
        deadline = rng.randrange(100 * US, 100 * MS)
        period = min(rng.choice((deadline, deadline + 1, 2 * deadline, 50 * deadline)), (1 << 42))
        demands.append(Demand(int(aim * deadline / count), deadline, period))
    return demands
