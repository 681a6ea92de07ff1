"""Lab 4: what is graded, and how it is known.

Two harts that meet at the wrong moment are rare, so the grader makes the moments.  The lock and the
interrupts are stepped through, instruction by instruction, with the harts in every order that a seed gives
(lab04/puppets.py); what no order can show on this host, a missing fence, is read off the
instructions that were executed (lab04/order.py).  Decisions (which lock follows which, whose task goes
where) are compared with models.  Then the kernel runs as a whole, on 1, 2, 4 and 8 harts.

Tasks are graded in the order of the page, which is the order in which a boot needs them.
"""

from __future__ import annotations

import random
from functools import cache

import pytest

from grader.core.batch import Batch
from grader.core.declare import graded
from grader.core.dwarf import Layout
from grader.core.verdict import expect, expect_equal
from grader.lab03.workshop import Workshop
from grader.lab04 import idle, lockdep, memory, order
from grader.lab04.bell import Bell
from grader.lab04.harts import Coming, expect_arrivals
from grader.lab04.lock import Lock, Race
from grader.lab04.lockdep import Chain, Report
from grader.lab04.memory import Forgetting, Told
from grader.lab04.puppets import STAGE

TASK1 = "04-smp#task-1-a-lock-that-is-fair"
TASK2 = "04-smp#task-2-locks-in-a-circle"
TASK3 = "04-smp#task-3-waking-the-others"
TASK4 = "04-smp#task-4-forgetting"
TASK5 = "04-smp#task-5-work-for-idle-hands"

START = "kernel_main"
PROMPT = "console_serve"


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


# ---- Task 1: a lock that is fair -----------------------------------------------------------------------


@graded("lock.turns", points=9, task=1, seeds=range(4), hint=TASK1)
def test_lock_turns(gdb, layout, rng):
    """Two and three harts, moved instruction by instruction: one has the lock at a time, and who came first first."""
    for harts, rounds in ((2, 4), (3, 3)):
        machine = gdb(stop=START, harts=harts + 1)
        expect_as_built(machine)
        Race(machine, layout, rng, harts, rounds).run()


@graded("lock.order", points=8, task=1, hint=TASK1)
def test_lock_order(gdb, layout, rng):
    """Taking the lock is an acquire and releasing it a release, in the instructions that are executed."""
    machine = gdb(stop=START)
    lock = Lock(machine, layout)
    lock.fill(rng, 7)
    serving = lock.at + lock.offset("serving")
    taken = order.events_of(machine, "ticket_lock", lock.at)
    order.expect_acquire(taken, order.last(taken, serving, 8, True, "the ticket that is served"), "ticket_lock")
    released = order.events_of(machine, "ticket_unlock", lock.at)
    order.expect_release(released, order.last(released, serving, 8, False, "the ticket that is served"),
                         "ticket_unlock")
    for name in ("next", "serving"):
        expect_equal(lock.read(name), 8, f"the lock's `{name}` after one turn")


@graded("lock.latency", points=5, task=1, needs=["lock.turns"], profile="release", hint=TASK1)
def test_lock_latency(icount, layout, latency):
    """Taking a lock that is free, and releasing it, is within its limit of instructions."""

    def measure() -> int:
        machine = icount(stop=START)
        lock = Lock(machine, layout)
        lock.fill(random.Random(0), 0)
        return sum(machine.call(name, lock.at).cycles for name in ("ticket_lock", "ticket_unlock"))

    latency(measure)


# ---- Task 2: locks in a circle --------------------------------------------------------------------------


@graded("lockdep.ways", points=6, task=2, seeds=range(3), hint=TASK2)
def test_lockdep_ways(gdb, layout, rng):
    """Who follows whom in random graphs, in the longest way, in circles: as the transitive closure says."""
    machine, classes = gdb(stop=START), layout.constant("LOCK_CLASSES")
    expect_as_built(machine)
    batch, at = Batch(machine, STAGE), STAGE + (1 << 20)
    for edges in lockdep.graphs(rng, classes):
        machine.write_memory(at, lockdep.pack(edges))
        reached = lockdep.closure(edges)
        pairs = [(rng.randrange(classes), rng.randrange(classes)) for _ in range(60)]
        came = batch.run([("lockdep_follows", at, *pair) for pair in pairs], within=2)
        for (start, end), returned in zip(pairs, came):
            wanted = end in reached[start]
            expect(bool(returned.a0 & 0xFF) == wanted, f"class {end} {'to follow' if wanted else 'not to follow'} {start}"
                   f" where {sum(map(len, edges))} edges are", f"{returned.a0 & 0xFF}")
        expect(machine.read_memory(at, 4 * classes) == lockdep.pack(edges), "the edges to stay as they are", "a change")


@graded("lockdep.contexts", points=4, task=2, hint=TASK2)
def test_lockdep_contexts(gdb, layout, rng):
    """Which context it is, and with which others it does not go together."""
    machine, classes = gdb(stop=START), layout.constant("LOCK_CLASSES")
    expect_as_built(machine)
    handler, interruptible, shielded = (layout.constant(f"LOCK_{name}")
                                        for name in ("IN_INTERRUPT", "INTERRUPTIBLE", "SHIELDED"))
    for in_interrupt, irqs_on in ((0, 0), (0, 1), (1, 0), (1, 1)):
        wanted = handler if in_interrupt else interruptible if irqs_on else shielded
        expect_equal(machine.call("lockdep_context", in_interrupt, irqs_on).a0 & 0xFFFFFFFF, wanted,
                     f"lockdep_context(in_interrupt = {in_interrupt}, irqs_on = {irqs_on})")
    batch, at = Batch(machine, STAGE), STAGE + (1 << 20)
    against = {handler: interruptible, interruptible: handler}
    for _ in range(20):
        seen = [rng.getrandbits(32) & rng.getrandbits(32) for _ in range(3)]
        machine.write_memory(at, b"".join(word.to_bytes(4, "little") for word in seen))
        questions = [(rng.randrange(classes), rng.choice((handler, interruptible, shielded))) for _ in range(20)]
        came = batch.run([("lockdep_conflicts", at, *question) for question in questions])
        for (class_, context), returned in zip(questions, came):
            wanted = context in against and bool(seen[against[context]] >> class_ & 1)
            expect(bool(returned.a0 & 0xFF) == wanted, f"lockdep_conflicts to be {wanted} in context {context}, seen "
                   f"{[word >> class_ & 1 for word in seen]}", f"{returned.a0 & 0xFF}")


@graded("lockdep.reports", points=6, task=2, needs=["lockdep.ways", "lockdep.contexts", "lock.turns"], hint=TASK2)
def test_lockdep_reports(gdb, layout):
    """A planted inversion and a planted lock that interrupts share: reported, with what was done and what was done before."""
    outer, inner = (layout.constant(f"LOCK_{name}") for name in ("QUARANTINE", "SLABS"))
    wanted = {
        "crash_lock_inversion": (Chain("inverted", (inner, outer), False), Chain("in-order", (outer, inner), False)),
        "crash_lock_irq": (Chain("shell", (outer,), False), Chain("shell", (outer,), True)),
    }
    for planted, (now, before) in wanted.items():
        machine = gdb(stop=PROMPT, may_panic=True)
        expect_as_built(machine)
        machine.write("ra", machine.pc)
        machine.write("pc", machine.address(planted))
        machine.run_to("panic_from", within=10)
        report = Report(machine, layout)
        expect_equal(report.now, now, f"{planted}: what is done now")
        found = report.before
        if planted == "crash_lock_irq" and found:  # a timer interrupts whoever runs
            found = Chain(before.task, found.ranks[-1:], found.in_interrupt)
        expect_equal(found, before, f"{planted}: what was done before")


# ---- Task 3: waking the others --------------------------------------------------------------------------


@graded("harts.given", points=5, task=3, hint=TASK3)
def test_harts_given(gdb, layout):
    """Each hart has two stacks, an idle task and a ring before it is asked for; one that is refused leaves nothing."""
    machine = gdb(stop="harts_start", harts=4)
    expect_as_built(machine)
    coming = Coming(machine, layout, refused=frozenset((2,)))
    coming.run()
    expect_equal(sorted(coming.started), [1, 2, 3], "the harts that were asked for")
    coming.expect_stacks()
    coming.expect_nothing_lost()
    expect_equal(coming.state(2), layout.constant("HART_ABSENT"), "the state of a hart that was refused")
    expect_equal(coming.online(), 0b1011, "the harts that are online (a bit each)")


@graded("harts.memory", points=4, task=3, needs=["harts.given"], seeds=range(4), hint=TASK3)
def test_harts_memory(gdb, layout, seed):
    """Without memory for a stack, the first or the second, that hart is not asked for, and the others come."""
    machine = gdb(stop="harts_start", harts=4)
    missing = frozenset(((1,), (2,), (2, 3), (4, 5))[seed])
    coming = Coming(machine, layout, missing=missing)
    coming.run()
    absent = 1 + min(missing) // 2
    expect_equal(sorted(coming.started), [hart for hart in (1, 2, 3) if hart != absent], "the harts that were asked for")
    coming.expect_stacks()
    coming.expect_nothing_lost()
    expect_equal(coming.online(), 0b1111 & ~(1 << absent), "the harts that are online (a bit each)")


@graded("harts.entry", points=5, task=3, hint=TASK3)
def test_harts_entry(gdb, layout):
    """Where C begins each hart has its own struct pcpu and stack, and nothing can interrupt it; and it has read in order."""
    machine = gdb(stop="harts_start", harts=3)
    expect_as_built(machine)
    expect_arrivals(machine, layout, Coming(machine, layout), 2)


@graded("harts.online", points=4, task=3, needs=["harts.entry", "harts.given"], seeds=range(3), hint=TASK3)
def test_harts_online(gdb, layout, seed):
    """2, 4 and 8 harts: all come, and all are told apart."""
    count = (2, 4, 8)[seed]
    machine = gdb(stop="harts_start", harts=count)
    coming = Coming(machine, layout)
    coming.run()
    expect_equal(coming.online(), (1 << count) - 1, "the harts that are online (a bit each)")
    for hart in range(1, count):
        expect_equal(coming.state(hart), layout.constant("HART_ONLINE"), f"the state of hart {hart}")
    coming.expect_stacks()
    coming.expect_nothing_lost()


@graded("ipi.moments", points=6, task=3, hint=TASK3)
def test_ipi_moments(gdb, layout):
    """A reason that is sent between any two instructions of the handler is served, once; and so are those before."""
    machine = gdb(stop=START, harts=3)
    expect_as_built(machine)
    bell = Bell(machine, layout)
    machine.machine.tracing = False
    handler, sender = bell.lengths()
    for first in range(handler + 1):
        for between in range(sender + 1):
            bell.mix(first, between)
    events = order.events_of(machine, "ipi_send", 1, layout.constant("IPI_CALL"), leave=("arch_ipi_send",))
    order.expect_release(events, order.last(events, bell.reasons, 4, False, "the hart's reasons"), "ipi_send")


@graded("ipi.latency", points=2, task=3, needs=["ipi.moments"], profile="release", hint=TASK3)
def test_ipi_latency(icount, layout, latency):
    """From ipi_send to the end of its handler, the firmware's part included, is within its limit."""

    def measure() -> int:
        machine = icount(stop=PROMPT)
        return machine.call("ipi_send", 0, layout.constant("IPI_CALL"), interrupts=True).cycles

    latency(measure)


# ---- Task 4: forgetting ----------------------------------------------------------------------------------

ALL = (1 << 64) - 1


@graded("shoot.told", points=6, task=4, needs=["harts.online", "ipi.moments", "lockdep.contexts"], hint=TASK4)
def test_shoot_told(gdb, layout, rng):
    """Exactly the other harts that have used the space are told, of exactly what changed; nobody where there is nobody."""
    machine = memory.boot(gdb, 4)
    known = Forgetting(machine, layout)
    own, asid = 1 << known.here, 5
    for users in range(16):
        known.set_users(asid, users)
        page, counted = rng.randrange(1 << 27) << 12, known.machine.call("tlb_shootdowns", known.here).a0
        for size in (1, ALL):
            wanted = [Told(users & ~own, page, size, asid)] if users & ~own else []
            expect_equal(known.told("tlb_flush_all_harts", page, size, asid), wanted,
                         f"who is told, when harts {users:#06b} use it and hart {known.here} changes it")
        expect_equal(known.machine.call("tlb_shootdowns", known.here).a0 - counted, 2 if users & ~own else 0,
                     "the shootdowns of this hart's that were counted")
    expect_equal(known.told("tlb_flush_all_harts", 0x8000_0000, 1, 0), [Told(0b1111 & ~own, 0x8000_0000, 1, 0)],
                 "who is told of a page of the kernel's")
    known.set_users(asid, 0b1111)
    pages = [rng.randrange(1 << 20) << 12 for _ in range(5)]
    told = known.told("tlb_defer", asid)
    for page in pages:
        told += known.told("tlb_flush_all_harts", page, 1, asid)
    told += known.told("tlb_deferred_flush", asid) + known.told("tlb_deferred_flush", asid)
    wanted = Told(0b1111 & ~own, min(pages), max(pages) + 1 - min(pages), asid)
    expect_equal(told, [wanted], "who is told of five pages that are gone together")


@graded("shoot.seen", points=7, task=4, needs=["shoot.told"], hint=TASK4)
def test_shoot_seen(gdb, layout, rng):
    """A page that is replaced, made smaller, or whose space is another's now: every hart that knew it sees what is there."""
    machine = memory.boot(gdb, 4)
    known = Forgetting(machine, layout)
    memory.expect_current(known, rng)


@graded("shoot.order", points=5, task=4, needs=["shoot.told"], hint=TASK4)
def test_shoot_order(gdb, layout):
    """Full fences: of who changes a table before it looks who uses it, and of who uses it before it reads the table."""
    machine = memory.boot(gdb, 2)
    known, asid = Forgetting(machine, layout), 5
    users = machine.address("tlb_spaces") + layout.field("tlb_spaces", f"[{asid}].harts").offset
    known.set_users(asid, 0)
    events = order.events_of(machine, "tlb_use", asid)
    expect_equal(known.users(asid), 1 << known.here, "who uses the space after tlb_use")
    told = order.last(events, users, 8, False, "who uses the space")
    expect(events[told].loses_nothing, "the hart's bit to be added in one instruction",
           "a store, which may undo what another hart did meanwhile")
    order.expect_fence(events, order.W, order.R, told + 1, len(events), "tlb_use: a fence w, r behind what is said")
    again = order.events_of(machine, "tlb_use", asid)
    expect(not any(isinstance(event, order.Access) and event.writes for event in again),
           "a hart that uses the space already to write nothing", "a write")
    order.events_of(machine, "tlb_use", 0)
    events = order.events_of(machine, "tlb_flush_all_harts", 0x1000, 1, asid, leave=("arch_tlb_flush_remote",))
    looked = order.last(events, users, 8, True, "who uses the space")
    order.expect_fence(events, order.W, order.R, 0, looked, "a shootdown: a fence w, r before it looks who uses the space")


# ---- Task 5: work for idle hands ---------------------------------------------------------------------------


@graded("steal.model", points=6, task=5, seeds=range(3), hint=TASK5)
def test_steal_model(gdb, layout, rng):
    """Of random queues the first task that may go, the most urgent first; and no more looks than allowed."""
    machine = gdb(stop="init_run_tasks")
    expect_as_built(machine)
    idle.expect_picks(Workshop(machine, layout), rng)


@graded("balance.model", points=4, task=5, seeds=range(2), hint=TASK5)
def test_balance_model(gdb, layout, rng):
    """The average and the receiver of random loads, ties and edges, as the rules say."""
    machine = gdb(stop=START)
    expect_as_built(machine)
    idle.expect_balance(Batch(machine, STAGE), STAGE + (1 << 20), rng)


@graded("balance.share", points=4, task=5, needs=["steal.model", "balance.model", "shoot.seen", "shoot.order"],
        seeds=range(3), hint=TASK5)
def test_balance_share(gdb, layout, seed):
    """On 2, 4 and 8 harts tasks that never stop have equal shares, within 10 per cent; one that is tied stays."""
    count = (2, 4, 8)[seed]
    machine = gdb(stop=PROMPT, harts=count, icount=True, append=f"seed={seed + 1}")
    expect_as_built(machine)
    idle.expect_shares(machine, layout, count)


HARTS = (1, 2, 4, 8)


@graded("boot.selftests", points=4, task=5, needs=["balance.share"], seeds=range(4), hint=TASK5)
def test_boot_selftests(gdb, seed):
    """The kernel's own tests of what harts share pass on 1, 2, 4 and 8 harts, and none counts what another has counted."""
    machine = gdb(stop="selftest_run", harts=HARTS[seed], icount=True, append=f"selftest=smp_* seed={seed + 1}")
    machine.finish(within=20)
    expect_as_built(machine)
    expect_equal(machine.read("a0") & 0xFFFFFFFF, 0, "self-tests that failed")
    machine.resume()
    expect_equal(machine.machine.wait_exit(), 0, "QEMU's status")
