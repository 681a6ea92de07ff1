"""Several harts: what a seed finds it finds again, and a lock that is never released is somebody's."""

from __future__ import annotations

import re

import pytest

from grader.core.verdict import Failure, Verdict, expect, expect_equal

SEEDS = 8  # that are enough to find a race on a counter
RACE = "selftest=smp_lock_counts unlocked=CONSOLE seed={}"  # the class of the counter's lock
LOST = re.compile(r"^not ok .* smp_lock_counts", re.MULTILINE)


def run_race(machine, harts: int, seed: int) -> tuple[str, int]:
    """A boot with a counter that nobody locks: all that it printed, and its status."""
    guest = machine(harts=harts, icount=True, metronome=False, append=RACE.format(seed))
    status = guest.wait_exit(20)
    return guest.console.transcript, status


def test_race_is_found(machine):
    """A counter without a lock is caught by one of the first seeds, on 2 and on 4 harts, and by that seed always."""
    for harts in (2, 4):
        seeds = (seed for seed in range(1, SEEDS + 1) if LOST.search(run_race(machine, harts, seed)[0]))
        found = next(seeds, None)
        expect(found is not None, f"a race on {harts} harts to be found by the seeds up to {SEEDS}", "none")
        first, second = run_race(machine, harts, found), run_race(machine, harts, found)
        expect_equal(second, first, f"what seed {found} shows once more")


def test_lock_is_no_race(machine):
    """The same seeds find nothing where the lock is taken."""
    for seed in range(1, 4):
        guest = machine(harts=4, icount=True, metronome=False, append=f"selftest=smp_lock_counts seed={seed}")
        expect_equal(guest.wait_exit(20), 0, f"the status with seed {seed}")


def test_console_storm(machine):
    """Lines that four harts print at once come out whole, all of them, and those of a hart in its order."""
    for seed in (1, 2):
        guest = machine(harts=4, icount=True, metronome=False, append=f"selftest=smp_console seed={seed}")
        expect_equal(guest.wait_exit(20), 0, f"the status with seed {seed}")
        lines = re.findall(r"^# storm.*?$", guest.console.transcript.replace("\r", ""), re.MULTILINE)
        for hart in range(4):
            expect_equal([line for line in lines if line.split()[2] == str(hart)],
                         [f"# storm {hart} {number} {hart} {number}" for number in range(25)], f"the lines of hart {hart}")


# What finds out that a lock is not taken; each within this many seeds.
STORMS = {
    "PAGES": "smp_pages*", "SLABS": "smp_kmalloc*", "QUARANTINE": "smp_kmalloc*", "KLOG": "smp_klog",
    "CALLOUT": "smp_callouts", "TASKS": "smp_*", "STACKS": "smp_*", "SCHED": "smp_wakes", "ADMISSION": "change_*",
}
STORM_SEEDS = 8


@pytest.mark.parametrize("lock", STORMS)
def test_storm_notices(machine, lock):
    """The self-tests with several harts fail, one way or another, when a lock is left out."""
    for seed in range(1, STORM_SEEDS + 1):
        guest = machine(harts=4, icount=True, metronome=False, may_panic=True,
                        append=f"selftest={STORMS[lock]} unlocked={lock} seed={seed}")
        try:
            if guest.wait_exit(30):
                return
        except Failure as failure:  # it hangs: that is noticed, too
            expect_equal(failure.verdict, Verdict.HANG, f"what becomes of a machine without {lock}")
            return
    expect(False, f"a seed up to {STORM_SEEDS} to notice that {lock} is left out", "none")


def test_left_out_lock_is_a_lock(machine):
    """A name that is none is said to be none, and nothing is left out."""
    guest = machine(icount=True, metronome=False, append="selftest=str_* unlocked=PAGE")
    expect_equal(guest.wait_exit(20), 0, "the status")
    expect("unlocked=PAGE: there is no such lock" in guest.console.transcript, "a warning", guest.console.transcript)


def test_stuck_lock(boot):
    """Who waits and who has the lock are named, with where each of them took what it holds."""
    guest = boot("impatient", harts=2, may_panic=True)
    guest.console.send("crash lock-stuck\n")
    guest.wait_exit(20)
    said = guest.console.transcript.partition("PANIC: ")[2]
    first = said.splitlines()[0]
    expect(re.match(r"lockdep: hart \d waits for QUARANTINE, which hart \d does not release at spin_", first),
           "both harts and the lock", first)
    chains = (r"now: task \d+ \(shell\)", r"QUARANTINE .* at crash_lock_stuck\+", r"owner: task \d+ \(keeper\)",
              r"QUARANTINE .* at keep_lock\+", r"\bbacktrace:", "crash_lock_stuck")
    expect(re.search(".*".join(chains), said, re.DOTALL), f"{chains}, in this order", said)


IRQ = re.compile(r"^ *(\d+) +uart +(\d+) +(\d+) +harts (0x[0-9a-f]+)", re.MULTILINE)


def test_steering(boot):
    """The console's interrupts come where they are steered to; a hart that is not there is refused."""
    guest = boot(harts=2)
    number, first, second, harts = IRQ.search(guest.console.command("irq")).groups()
    expect_equal((int(second), harts), (0, "0x1"), "interrupts at hart 1, and who may take them")
    expect_equal(guest.console.command(f"irq {number} 2"), "", "what steering says")
    guest.console.command("time")
    _, later, second, harts = IRQ.search(guest.console.command("irq")).groups()
    expect(int(second) > 0 and harts == "0x2", "interrupts at hart 1", f"{second}, harts {harts}")
    for wrong, said in (("0", "invalid argument"), ("0x4", "no such device"), ("x", "usage: irq [NUMBER HARTS]")):
        expect(said in guest.console.command(f"irq {number} {wrong}"), said, wrong)
    expect(IRQ.search(guest.console.command("irq"))[4] == "0x2", "a refusal to change nothing", "a change")


def test_views_of_harts(boot):
    """sched and mem tell of each hart, ps says where a task is."""
    guest = boot(harts=4)
    expect_equal(re.findall(r"^hart +(\d)$", guest.console.command("sched"), re.MULTILINE), list("0123"), "harts in sched")
    expect_equal(re.findall(r"^hart (\d) ", guest.console.command("mem harts"), re.MULTILINE), list("0123"),
                 "harts in mem harts")
    for _ in range(4):
        guest.console.command("spawn hog")
    where = {int(hart) for hart in re.findall(r"hog +\w+ +other +0 +(\d) ", guest.console.command("ps"))}
    expect_equal(where, {0, 1, 2, 3}, "the harts of four hogs")
