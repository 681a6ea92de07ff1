"""Lab 3's models, which decide over grades: on published schedules, and on cases worked out by hand."""

from __future__ import annotations

import random
import struct
from fractions import Fraction
from types import SimpleNamespace

import pytest

from grader.core.verdict import Failure
from grader.lab03 import admission, fairness, published, ring
from grader.lab03.admission import MS, Demand
from grader.lab03.budgets import Budget, before, random_budget, random_moment
from grader.lab03.published import Published, edf, pieces, rm
from grader.lab03.ring import SWITCH, Event, Segment
from grader.lab03.simulate import Simulator, weight_of
from grader.lab03.taskset import DEADLINE, FIFO, OTHER, RR, Run, Set, Task, expect_schedule


def simulated(what: Set) -> list[tuple[str, float, float]]:
    return [(piece.who, piece.start, piece.end) for piece in ring.rounded(Simulator(what).run())]


# ---- the simulator ---------------------------------------------------------------------------------


@pytest.mark.parametrize("one", published.EVERY, ids=[one.source[:30] for one in published.EVERY])
def test_published(one: Published):
    """What the authors drew is what the simulator does."""
    assert simulated(one.what) == list(one.pieces)


def test_misses():
    """Rate-monotonic the set of 97 % misses one deadline; at a lower load nobody does."""
    simulator = Simulator(published.OVERFLOW.what)
    simulator.run()
    assert {state.task.name: state.misses for state in simulator.states} == {"A": 0, "B": 1}


def test_equal_priorities():
    """First come, first served; who is preempted stays first."""
    what = Set([rm("A", 1, 3, 20), Task("B", FIFO, (2,), priority=1, period=20, first=1), rm("X", 2, 1, 20)], 8)
    assert simulated(what) == pieces("X 0-1, A 1-4, B 4-6")


def test_turns_go_on():
    """A turn that is interrupted is gone on with."""
    what = Set([Task("A", RR, (6,), priority=1, quantum=4), Task("B", RR, (4,), priority=1, quantum=4),
                Task("X", FIFO, (2,), priority=2, first=1)], 12)
    assert simulated(what) == pieces("A 0-1, X 1-3, A 3-6, B 6-10, A 10-12")


def test_servers():
    """Alone, an overrunner gets its budget in each period; a late sleeper gets a new deadline."""
    alone = Set([Task("S", DEADLINE, runtime=3, period=8, first=2)], 20)
    assert simulated(alone) == pieces("S 2-5, S 10-13, S 18-20")
    sleeper = Set([Task("S", DEADLINE, (1, 3), runtime=3, period=8, releases=(0, 6)), edf("A", 5, 11, first=6)], 20)
    assert simulated(sleeper) == pieces("S 0-1, S 6-9, A 9-14, A 17-20")
    equal = Set([edf("A", 3, 10), edf("B", 2, 5), edf("C", 1, 10, first=1)], 10)
    assert simulated(equal) == pieces("B 0-2, A 2-5, B 5-7, C 7-8")


def test_shares():
    """Nice 0, -3 and -5, as the lab's page says it; and weights are factors of 5/4."""
    what = Set([Task("A", OTHER), Task("B", OTHER, nice=-3, first=1), Task("C", OTHER, nice=-5, first=2)], 30)
    assert "".join(who * int(end - start) for who, start, end in simulated(what)) == "ABCCCBBAACCCBBBCCCAAACCCBBBCCC"
    assert [weight_of(nice) for nice in (-20, -5, -3, 0, 1, 19)] == [88818, 3125, 2000, 1024, 819, 15]


# ---- what the guest did ----------------------------------------------------------------------------


def run_of(*segments: tuple[str, float, float]) -> Run:
    """As if these had run."""
    events = [Event(round(start * 10_000), SWITCH, 0, ord(who)) for who, start, _ in segments]
    events.append(Event(round(segments[-1][2] * 10_000), SWITCH, 0, 0))
    names = {ord(who): who for who, _, _ in segments}
    return Run([], events, 0, segments[-1][2], 0, 0, names)


def test_rounding():
    """Slivers go, and what they interrupted is one piece."""
    run = run_of(("A", 0.001, 1.99), ("B", 1.99, 2.01), ("A", 2.01, 3.98), ("B", 3.98, 5.0))
    assert run.schedule() == [Segment("A", 0, 4), Segment("B", 4, 5)]
    expect_schedule(run, [("A", 0, 4), ("B", 4, 5)], "this")
    for wrong in ([("A", 0, 4)], [("A", 0, 3), ("B", 3, 5)], [("B", 0, 4), ("A", 4, 5)],
                  [("A", 0, 4), ("B", 4, 5), ("A", 5, 6)]):
        with pytest.raises(Failure):
            expect_schedule(run, wrong, "this")


def test_fair_run():
    """Everybody within a request of its share passes, and nobody else."""
    what = Set([Task("A", OTHER), Task("B", OTHER)], 12)
    fairness.expect_shares(run_of(("A", 0, 3), ("B", 3, 6), ("A", 6, 9), ("B", 9, 12)), what, 0.1)
    with pytest.raises(Failure):
        fairness.expect_shares(run_of(("A", 0, 3), ("B", 3, 4), ("A", 4, 11), ("B", 11, 12)), what, 0.1)


def test_ring():
    """Events as trace.h lays them out."""
    data = struct.pack("<QHHI", 5, SWITCH, 1, 7) + struct.pack("<QHHI", 9, ring.MARK, 2, 7)
    memory = {0x1000 + 8: 0x2000, 0x2000: 2}
    machine = SimpleNamespace(address=lambda _: 0x1000, read_int=memory.__getitem__,
                              read_memory=lambda _, size: data[:size])
    sizes = {("struct pcpu", "trace"): (8, 8), ("struct trace_ring", ""): (0, 8 + 16 * 4),
             ("struct trace_ring", "events"): (8, 64)}
    layout = SimpleNamespace(field=lambda start, path="": SimpleNamespace(
        offset=sizes[start, path][0], size=sizes[start, path][1]))
    assert ring.read_events(machine, layout) == [Event(5, SWITCH, 1, 7), Event(9, ring.MARK, 2, 7)]


# ---- budgets ---------------------------------------------------------------------------------------


def test_replenish():
    """Full for the next period, less what was overdrawn; anew when that has passed."""
    spent = Budget(30, 80, 80, -2, 1000)
    assert spent.replenished(1000) == Budget(30, 80, 80, 28, 1080)
    assert spent.replenished(1079) == Budget(30, 80, 80, 28, 1080)
    assert spent.replenished(1080) == Budget(30, 80, 80, 30, 1160)
    assert Budget(30, 80, 80, 5, 1000).replenished(1000).left == 30


def test_wake():
    """Kept at exactly the share, new above it, and at the deadline."""
    half = Budget(30, 80, 80, 15, 1000)
    assert half.woken(960) == half
    assert half.woken(961) == Budget(30, 80, 80, 30, 1041)
    assert half.woken(1000) == Budget(30, 80, 80, 30, 1080)
    assert Budget(30, 80, 80, -5, 1000).woken(999) == Budget(30, 80, 80, -5, 1000)
    short = Budget(30, 40, 80, 15, 1000)
    assert short.woken(970) == Budget(30, 40, 80, 15, 1010)
    assert short.woken(950) == short
    assert short.woken(1000) == Budget(30, 40, 80, 30, 1080)
    assert short.woken(1050) == Budget(30, 40, 80, 30, 1090)
    assert Budget(30, 40, 80, 0, 0).woken(7) == Budget(30, 40, 80, 30, 47)


def test_moments_wrap():
    """Before and after, across the end of all numbers; and each rule's edge is among the cases."""
    assert before((1 << 64) - 5, 3) and not before(3, (1 << 64) - 5) and not before(3, 3)
    rng = random.Random(1)
    cases = [(budget, random_moment(rng, budget)) for budget in (random_budget(rng, 1000) for _ in range(2000))]
    kept = [budget.woken(now) == budget for budget, now in cases]
    assert 200 < sum(kept) < 1800
    exact = [1 for budget, now in cases if before(now, budget.until)
             and budget.left * budget.period == (budget.until - now & (1 << 64) - 1) * budget.runtime > 0]
    assert len(exact) > 20
    assert Budget.unpack(cases[0][0].pack()) == cases[0][0]


# ---- admission -------------------------------------------------------------------------------------


def test_formula():
    """Twenty of 4.75 % are 95 %, and nothing is left."""
    twenty = [Demand(47_500, 10**6, 10**6)] * 20
    assert admission.fits_formula(twenty) and admission.GRANTED == 996147
    assert not admission.fits_formula([*twenty, Demand(1000, 10**6, 10**6)])
    assert admission.fits_formula([]) and not admission.fits_formula([Demand(96, 100, 100)])


def test_demand():
    """The first window in which more is due than is granted of it."""
    assert admission.first_overload([Demand(5 * MS, 10 * MS, 100 * MS)] * 2, 400 * MS) == 10 * MS
    assert admission.first_overload([Demand(4 * MS, 10 * MS, 100 * MS)] * 2, 400 * MS) is None
    late = [Demand(3 * MS, 5 * MS, 6 * MS), Demand(5 * MS, 8 * MS, 12 * MS)]
    assert admission.first_overload(late, 400 * MS) == 8 * MS


def test_sets_are_at_the_edge():
    """Random sets are where it matters: about half fit, and many fit exactly."""
    rng = random.Random(2)
    sets = [admission.random_implicit(rng) for _ in range(400)]
    assert 120 < sum(map(admission.fits_formula, sets)) < 320
    assert sum(admission.utilization(demands) == admission.GRANTED for demands in sets) > 40
    constrained = [admission.random_constrained(rng) for _ in range(400)]
    refused = sum(admission.first_overload(demands, 400 * MS) is not None for demands in constrained
                  if admission.fits_formula(demands))
    assert refused > 30
    assert all(0 < demand.runtime <= demand.deadline <= demand.period
               for demands in sets + constrained for demand in demands)
    dense = [admission.random_dense(rng, Fraction(949, 1000)) for _ in range(50)]
    assert all(Fraction(9, 10) < admission.density(demands) <= Fraction(949, 1000) for demands in dense)


# ---- eligibility -----------------------------------------------------------------------------------


def test_eligible_cases():
    """Both answers come, at the very edge, and products that 64 bits do not hold."""
    cases = fairness.eligible_cases(random.Random(3), 2000)
    ahead = [(fairness.signed(vruntime - zero), weight, weighted) for zero, weight, weighted, vruntime in cases]
    answers = [a * w <= s for a, w, s in ahead]
    assert 400 < sum(answers) < 1600
    assert sum(a * w == s for a, w, s in ahead) > 100 and sum(a * w == s + 1 for a, w, s in ahead) > 50
    assert sum(abs(a * w) >= 1 << 63 for a, w, _ in ahead) > 50
