"""Planted faults: each is reported with cause, place and callers, and ends QEMU with a status."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from grader.core.verdict import expect, expect_equal

STATUS = 70
CALLERS = ("shell_crash", "shell_execute", "kernel_main")
LINE = re.compile(r"^  0x([0-9a-f]{16}) (?:\?|(\w+)\+0x([0-9a-f]+)(?: \((\d+) times\))?)$",
                  re.MULTILINE)
FAULT = r"\(cause {}, address 0x{}\) in {} mode"
LONGEST_REPORT = 40  # lines; registers, backtrace and all


@dataclass(frozen=True)
class Kind:
    cause: str  # a pattern for what the first line says
    function: str
    place: str = "at"  # or "called from"
    has_registers: bool = True
    callers: tuple[str, ...] = CALLERS


KINDS = {
    "null-call": Kind("instruction page fault " + FAULT.format(12, 0, "kernel"),
                      "crash_null_call", "called from"),
    "bad-load": Kind("load page fault " + FAULT.format(13, "3000000010", "kernel"),
                     "crash_bad_load"),
    "bad-store": Kind("store page fault " + FAULT.format(15, "3000000010", "kernel"),
                      "crash_bad_store"),
    "misaligned": Kind("load address misaligned " + FAULT.format(4, "[0-9a-f]+[13579bdf]",
                                                                 "kernel"),
                       "crash_misaligned"),
    "illegal": Kind("illegal instruction " + FAULT.format(2, 0, "kernel"), "crash_illegal"),
    "breakpoint": Kind("breakpoint " + FAULT.format(3, "[0-9a-f]+", "kernel"), "crash_breakpoint"),
    "smash": Kind("stack smashed: .*", "crash_smash", has_registers=False),
    "recursion": Kind(r"stack overflow in task shell \(sp 0x[0-9a-f]+\)", "crash_recurse"),
    "panic": Kind("on purpose", "crash_panic", has_registers=False),
    "double": Kind("the first of two", "crash_double", has_registers=False),
    "assert": Kind(r"assertion failed at \S+:\d+: nowhere == 0", "crash_assert",
                   has_registers=False),
    "user": Kind("instruction page fault " + FAULT.format(12, "[0-9a-f]+", "user"),
                 "crash_in_user_mode", callers=()),  # a program's frames lead nowhere
}

OBJECT = r"kmalloc: object 0x[0-9a-f]+ of 24 bytes: "


@dataclass(frozen=True)
class AllocKind:
    """Memory that was misused: who had it stands in front of the PANIC line."""

    message: str  # a pattern
    planter: str  # the function that broke the rule, and freed it if it was freed
    was_freed: bool = True
    allocator: str = "crash_allocate"


ALLOC_KINDS = {
    "kmalloc-overrun": AllocKind(OBJECT + r"overrun\W+1 byte\b.*\boffset 24\b.*",
                                 "crash_kmalloc_overrun", was_freed=False),
    "kmalloc-underrun": AllocKind(OBJECT + r"underrun\W+1 byte\b.*offset -1\b.*",
                                  "crash_kmalloc_underrun", was_freed=False),
    "double-free": AllocKind(OBJECT + "double free", "crash_double_free"),
    "use-after-free": AllocKind(OBJECT + r"use after free\W+1 byte\b.*\boffset 1\b.*",
                                "crash_use_after_free"),
    "wrong-size": AllocKind(OBJECT + "freed with size 25", "crash_wrong_size", was_freed=False),
    "page-double-free": AllocKind("page: double free of 0x[0-9a-f]+000, order 0",
                                  "crash_page_double_free", allocator="crash_allocate_page"),
    "page-use-after-free": AllocKind("page: 0x[0-9a-f]+000 was written to after it was freed: "
                                     "0x[0-9a-f]+", "crash_page_use_after_free",
                                     allocator="crash_allocate_page"),
}


def report_of(machine) -> str:
    """From the first PANIC line on, after the machine has ended as it should."""
    expect_equal(machine.wait_exit(), STATUS, "QEMU's status")
    _, panic, rest = machine.console.transcript.partition("PANIC: ")
    return panic + rest


def check_backtrace(report: str, symbols) -> list[str]:
    """The functions named, innermost first, each of which must be where the image has it."""
    named = []
    for address, name, offset, _ in LINE.findall(report.partition("backtrace:\n")[2]):
        if name:
            symbol = symbols.symbol(name)
            expect_equal(symbol.address + int(offset, 16), int(address, 16),
                         f"the address of {name}+0x{offset}")
            expect(int(offset, 16) <= symbol.size,
                   f"an offset within {name} ({symbol.size:#x} bytes)", offset)
            named.append(name)
    return named


# What lockdep says, how many harts that takes, and what stands in its chains: of now and, behind it, of then.
LOCK_KINDS = {
    "lock-inversion": (1, "QUARANTINE is taken while SLABS is held, which others do the other way round",
                       ["task \\d+ \\(inverted\\)", "SLABS .* take_inverted", "QUARANTINE .* take_inverted",
                        "task \\d+ \\(in-order\\)", "QUARANTINE .* take_in_order", "SLABS .* take_in_order"]),
    "lock-twice": (1, "QUARANTINE is taken twice",
                   ["task \\d+ \\(shell\\)", "QUARANTINE .* crash_lock_twice", "QUARANTINE .* crash_lock_twice"]),
    "lock-sleep": (1, "task shell waits while it holds a lock",
                   ["task \\d+ \\(shell\\)", "QUARANTINE .* crash_lock_sleep"]),
    "lock-end": (1, "task forgetful ends while it holds a lock",
                 ["task \\d+ \\(forgetful\\)", "QUARANTINE .* end_with_lock"]),
    "lock-irq": (1, "QUARANTINE is taken in interrupts, and with interrupts on",
                 ["task \\d+ \\(shell\\)", "QUARANTINE .* crash_lock_irq",
                  "in an interrupt", "QUARANTINE .* take_in_interrupt"]),
}
ELSEWHERE = ("lock-stuck",)  # test_smp.py


@pytest.mark.parametrize("name", LOCK_KINDS)
def test_misused_lock(boot, name):
    """lockdep names the lock, the tasks, and where each lock of both chains was taken."""
    harts, message, chains = LOCK_KINDS[name]
    machine = boot(may_panic=True, harts=harts)
    machine.console.send(f"crash {name}\n")
    report = report_of(machine)
    expect(report.startswith(f"PANIC: lockdep: {message} at "), message, report.splitlines()[0])
    said = report.partition("hart 0, task")[0]
    expect(re.search(".*".join(chains), said, re.DOTALL), f"{chains}, in this order", said)


def test_every_kind_is_here(boot):
    """crash without a kind lists exactly the kinds that are tested here."""
    said = boot().console.command("crash")
    expect_equal(sorted(line.split()[1] for line in said.splitlines()),
                 sorted([*KINDS, *ALLOC_KINDS, *LOCK_KINDS, *ELSEWHERE]), "the kinds")


@pytest.mark.parametrize("name", KINDS)
def test_fault(boot, symbols, name):
    """The report names cause, function and callers, by the image's symbols; the status is 70."""
    kind = KINDS[name]
    machine = boot(may_panic=True, harts=1 + len(name) % 2)
    machine.console.send(f"crash {name}\n")
    report = report_of(machine)
    first = report.splitlines()[0]
    expect(re.fullmatch(rf"PANIC: {kind.cause} {kind.place} {kind.function}\+0x[0-9a-f]+", first),
           f"{kind.cause} {kind.place} {kind.function}", first)
    named = check_backtrace(report, symbols)
    expect(kind.function in named[:2], f"{kind.function} innermost", named)
    expect([n for n in named if n in CALLERS] == list(kind.callers),
           f"the callers {', '.join(kind.callers)}", named)
    expect_equal("\n  status " in report, kind.has_registers, "registers in the report")
    expect(len(report.splitlines()) <= LONGEST_REPORT, f"at most {LONGEST_REPORT} lines",
           len(report.splitlines()))


def history(said: str, header: str, symbols) -> list[str]:
    """The functions behind "allocated by:" or "freed by:", innermost first; kfree() may be among them."""
    found = re.search(rf"^{header} by:\n((?:  0x.*\n)+)", said, re.MULTILINE)
    return check_backtrace("backtrace:\n" + found[1], symbols) if found else []


@pytest.mark.parametrize("name", ALLOC_KINDS)
def test_misused_memory(boot, symbols, name):
    """The panic says what was done to which memory, behind who allocated and who freed it."""
    kind = ALLOC_KINDS[name]
    machine = boot(may_panic=True, harts=1 + len(name) % 2)
    machine.console.send(f"crash {name}\n")
    report = report_of(machine)
    first = report.splitlines()[0]
    expect(re.fullmatch(rf"PANIC: {kind.message} at \w+\+0x[0-9a-f]+", first), kind.message, first)
    said = machine.console.transcript.partition("PANIC: ")[0]
    expect_equal(history(said, "allocated", symbols)[:3],
                 [kind.allocator, kind.planter, CALLERS[0]], "allocated by")
    freed = history(said, "freed", symbols)
    expect([kind.planter, CALLERS[0]] in (freed[:2], freed[1:3]) if kind.was_freed else not freed,
           f"freed by {kind.planter}" if kind.was_freed else "no freed by", freed)
    named = check_backtrace(report, symbols)
    expect(kind.planter in named, f"{kind.planter} in the backtrace", named)
    expect([n for n in named if n in CALLERS] == list(CALLERS),
           f"the callers {', '.join(CALLERS)}", named)
    expect(len(report.splitlines()) <= LONGEST_REPORT, f"at most {LONGEST_REPORT} lines",
           len(report.splitlines()))


@pytest.mark.parametrize("name", ["bad-load", "smash", "recursion"])
def test_fault_under_ubsan(boot, name):
    """With undefined behaviour trapping, the reports are the same."""
    machine = boot("ubsan", may_panic=True)
    machine.console.send(f"crash {name}\n")
    first = report_of(machine).splitlines()[0]
    expect(re.match(rf"PANIC: {KINDS[name].cause} at {KINDS[name].function}\+", first),
           KINDS[name].cause, first)


def test_recursion_counts(boot):
    """Equal frames are one line with their number, so that the stack's other end is seen."""
    machine = boot(may_panic=True)
    machine.console.send("crash recursion\n")
    times = [int(count) for *_, count in LINE.findall(report_of(machine)) if count]
    expect(len(times) == 1 and times[0] > 20, "one line for many frames", times)


def test_panic_inside_a_panic(boot):
    """The first panic is reported in full, the second is the last line, and the machine ends."""
    machine = boot(may_panic=True)
    machine.console.send("crash double\n")
    panics = re.findall(r"^PANIC: .*$", report_of(machine), re.MULTILINE)
    expect_equal(len(panics), 2, "PANIC lines")
    second = r"PANIC: panic inside a panic: the second of two, status 70 at crash_power_off\+0x\w+"
    expect(re.fullmatch(second, panics[1]), "the second panic in one line", panics[1])
    expect_equal(machine.console.last_line, panics[1], "the last line")


def test_panic_behind_output(boot):
    """What was printed before a panic is out before its report: nothing is lost, nothing mixed."""
    machine = boot(may_panic=True)
    machine.console.send("dmesg\nhelp\ncrash panic\n")
    report = report_of(machine)
    before = machine.console.transcript.partition("PANIC")[0]
    expect(before.rstrip().endswith("mazu> crash panic"), "the prompt and its command",
           before[-80:])
    expect("end QEMU with status 0" in before, "all of help", before[-400:])
    expect("kernel_main+0x" in report, "the whole report", report[-200:])


@pytest.mark.parametrize("loglevel", [0, 3])
def test_panic_whatever_the_loglevel(boot, loglevel):
    """A panic is printed at any log level."""
    machine = boot(may_panic=True, append=f"loglevel={loglevel}")
    machine.console.send("crash illegal\n")
    expect("PANIC: illegal instruction" in report_of(machine), "the report",
           machine.console.last_line)
