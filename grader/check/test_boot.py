"""The booted system: machines of every shape, and what the shell answers."""

from __future__ import annotations

import os
import re
import select
import subprocess
import time
from datetime import UTC, datetime

import pytest

from grader.check.conftest import PROMPT
from grader.check.kernels import kernel
from grader.core.board import qemu_path
from grader.core.machine import Machine
from grader.core.verdict import expect, expect_equal

PATIENCE_S = 30
COMMANDS = ["crash", "dmesg", "echo", "help", "init", "irq", "kill", "latency", "mem", "ps", "pt",
            "reboot", "sched", "shutdown", "spawn", "time", "trace", "uptime"]
CPU_MAX = 8
TOO_MANY = f"than CONFIG_CPU_MAX={CPU_MAX} harts, ignored"
TIME = re.compile(r"wall +(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC\nmonotonic +(\d+) ns\n"
                  r"timer +\w+, 10000000 Hz")
UPTIME = re.compile(r"up 0 days (\d+):(\d\d):(\d\d\.\d{3})")
UART_LINE = re.compile(r"^ 10 +uart +(\d+) +harts 0x1 ", re.MULTILINE)
UP, DOWN, LEFT = "\x1b[A", "\x1b[B", "\x1b[D"
CTRL_C, CTRL_U, TAB, BELL = "\x03", "\x15", "\t", "\a"
LONGEST_LINE = 255


def shut_down(machine: Machine) -> None:
    machine.console.send("shutdown\n")
    expect_equal(machine.wait_exit(), 0, "QEMU's status after shutdown")


# ---- Machines ------------------------------------------------------------------------------------


def read_until(output: int, wanted: bytes) -> bytes:
    data, give_up = b"", time.monotonic() + PATIENCE_S
    while wanted not in data and time.monotonic() < give_up:
        if select.select([output], [], [], 0.1)[0]:
            data += os.read(output, 65536)
    return data


def test_plain_command():
    """QEMU with -M virt, -nographic and -kernel alone boots to a prompt; shutdown gives 0."""
    command = [qemu_path(), "-M", "virt", "-nographic", "-kernel", str(kernel())]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            said = read_until(process.stdout.fileno(), PROMPT.encode())
            expect(PROMPT.encode() in said, "a prompt", said[-200:])
            process.stdin.write(b"shutdown\r")
            process.stdin.flush()
            expect_equal(process.wait(PATIENCE_S), 0, "QEMU's status")
        finally:
            process.kill()


@pytest.mark.parametrize("harts", range(1, CPU_MAX + 1))
def test_harts(boot, harts):
    """Every number of harts up to CONFIG_CPU_MAX boots, and is counted."""
    machine = boot(harts=harts)
    expect(f", {harts} hart{'s' * (harts > 1)}\n" in machine.console.transcript, f"{harts} harts",
           machine.console.transcript[-300:])
    shut_down(machine)


@pytest.mark.parametrize("harts", [CPU_MAX + 1, 16])
def test_more_harts_than_room(boot, harts):
    """Harts above CONFIG_CPU_MAX are one line, and the others work."""
    machine = boot(harts=harts)
    warnings = re.findall(r"warning: .*", machine.console.transcript)
    expect_equal(warnings, [f"warning: devtree: {harts - CPU_MAX} more {TOO_MANY}"], "the warnings")
    shut_down(machine)


@pytest.mark.parametrize("mebibytes", [64, 65, 100, 1000, 3 << 10, 8 << 10])
def test_memory(boot, mebibytes):
    """Every size of memory boots, and is the one reported."""
    machine = boot(memory=f"{mebibytes}M")
    memory = re.search(r"memory: 0x80000000\.\.0x[0-9a-f]+, (\d+) KiB", machine.console.transcript)
    expect_equal(int(memory[1]) if memory else None, mebibytes << 10, "KiB of memory")
    shut_down(machine)


def test_reboot(boot):
    """After reboot it boots again, twice; after shutdown the status is 0."""
    machine = boot(reboots=True)
    for _ in range(2):
        machine.console.send("reboot\n")
        machine.console.expect(", stage ")
        machine.console.expect(PROMPT)
        expect_equal(machine.console.command("echo again"), "again\n", "the echo")
    shut_down(machine)


# ---- Commands ------------------------------------------------------------------------------------


def test_help(boot):
    """help lists every command, a line each, in order; those of the release lack crash alone."""
    for variant, commands in (("debug", COMMANDS),
                              ("release", [c for c in COMMANDS if c != "crash"])):
        lines = boot(variant).console.command("help").splitlines()
        expect_equal([line.split()[0] for line in lines], commands, "the commands")
        expect(all(len(line.split()) > 1 for line in lines), "words about each", lines)


def test_time(boot):
    """The wall time is the host's, within seconds; the monotonic time grows."""
    console = boot().console
    said = console.command("time")
    found = TIME.search(said)
    expect(found, "a date, nanoseconds and a timer", said)
    wall = datetime.strptime(found[1], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    expect(abs((datetime.now(UTC) - wall).total_seconds()) < 10, "the host's time", found[1])
    later = int(re.search(r"monotonic +(\d+)", console.command("time"))[1])
    expect(later > int(found[2]), f"more than {found[2]} ns", later)


def test_uptime(boot):
    """uptime counts seconds as the host does."""
    console = boot().console

    def up() -> float:
        h, m, s = UPTIME.search(console.command("uptime")).groups()
        return int(h) * 3600 + int(m) * 60 + float(s)

    before, started = up(), time.monotonic()
    time.sleep(1.2)
    passed = up() - before
    expect(1.1 < passed < time.monotonic() - started + 0.1, "a second and a bit", passed)


def test_irq(boot):
    """irq names the controller and the UART's line, whose count grows as one types."""
    console = boot().console

    def count() -> int:
        return int(UART_LINE.search(console.command("irq"))[1])

    expect("controller plic, 0 claims for nothing" in console.command("irq"), "the PLIC",
           console.last_line)
    before = count()
    console.command("echo more")
    expect(count() > before, f"more than {before} interrupts", before)


def test_init(boot):
    """init lists what was started, each after what it needs, all done."""
    rows = [re.match(r" ?(\d+) +(\S+) +done +\d+ us +needs ?(.*)$", line)
            for line in boot().console.command("init").splitlines()]
    expect(all(rows), "rows of tasks that are done", rows)
    place = {row[2]: int(row[1]) for row in rows}
    expect({"plic", "uart", "rtc", "shell"} <= set(place), "plic, uart, rtc and shell",
           sorted(place))
    for row in rows:
        expect(all(place[need] < place[row[2]] for need in row[3].split()),
               f"{row[2]} after its needs", place)


def test_dmesg(boot):
    """dmesg has the first line and details that the console did not show, in order of time."""
    said = boot().console.command("dmesg")
    rows = [re.match(r"\[ *(\d+\.\d{6})\] \d (.+)$", line) for line in said.splitlines()]
    expect(all(rows), "time, level and text in every line", said)
    expect(re.match(r"Mazu \S+, stage \d$", rows[0][2]), "the kernel's first line", rows[0][0])
    expect(any("uart: ns16550a at" in row[2] for row in rows), "the UART's details", said)
    times = [float(row[1]) for row in rows]
    expect_equal(times, sorted(times), "the times")


@pytest.mark.parametrize("line, want", [
    ("echo", "\n"), ("echo a  b", "a  b\n"), ("  echo  x  ", "x\n"),
    ("echo %s %n %99999d", "%s %n %99999d\n"),
    ("", ""), ("   ", ""), ("nosuch one", "nosuch: no such command; try help\n"),
    ("ech", "ech: no such command; try help\n"),
    ("%s%s%s", "%s%s%s: no such command; try help\n"), ("echo ä€𝄞", "ä€𝄞\n"),
    ("e" * 250, "e" * 250 + ": no such command; try help\n"), ("crash nosuch", None)])
def test_answers(boot, line, want):
    """Lines of many kinds get the answer that is due, and no more."""
    said = boot().console.command(line)
    if want is None:
        expect(all(row.startswith("crash ") for row in said.splitlines()) and said,
               "the kinds of crash", said)
    else:
        expect_equal(said, want, f"the answer to {line[:20]!r}")


# ---- Editing -------------------------------------------------------------------------------------


@pytest.mark.parametrize("keys, want", [
    (f"upt{TAB}", "up "),  # completed, and its blank
    (f"e{TAB}tabbed", "tabbed"),
    (f"echo abcx\b{LEFT}{LEFT}{LEFT}>", ">abc"),
    (f"nonsense{CTRL_U}echo anew", "anew"),
    (f"crash panic{CTRL_C}echo alive", "alive"),
    (f"echo first\n{UP}", "first"),
    (f"echo first\necho second\n{UP}{UP}{DOWN} again", "second again"),
    (f"echo draft{UP}{DOWN} kept", "draft kept"),
    (f"{UP * 20}echo none", "none"),
    ("echo " + "x" * 300, "x" * (LONGEST_LINE - 5)),
])
def test_editing(boot, keys, want):
    """Completion, history, ^C, ^U and the arrows leave the line that one sees."""
    machine = boot()
    machine.console.send(keys)
    machine.console.command("")
    lines = machine.console.transcript.split(PROMPT)[-2].splitlines()
    expect(len(lines) == 2 and lines[1].startswith(want.rstrip()), f"an answer {want!r}", lines)


def test_completion_lists(boot):
    """Tab after what several commands begin with lists them, and the line goes on."""
    console = boot().console
    console.send(f"{TAB}ec{TAB}listed\n")
    console.expect(re.compile(r"\n" + r"\s+".join(COMMANDS) + r"\s*\n"))
    console.expect("\nlisted\n")


# ---- The kernel's command line -------------------------------------------------------------------


@pytest.mark.parametrize("level, shows",
                         [(0, ""), (1, ", stage "), (2, "uart: ns16550a"), (3, "uart: ns16550a")])
def test_loglevel(boot, level, shows):
    """loglevel says how much reaches the console; the log has it all."""
    console = boot(append=f"loglevel={level}").console
    booted = console.transcript.rpartition("Boot HART MEDELEG")[2]
    hidden = [text for text in (", stage ", "uart: ns16550a")[level:] if text in booted]
    expect(shows in booted and not hidden, f"{shows!r} and nothing below level {level}", booted)
    said = console.command("dmesg")
    expect(", stage " in said and "uart: ns16550a" in said, "all of it in dmesg", said)


@pytest.mark.parametrize("append", [
    "a" * 30000, "loglevel", "loglevel=", "loglevel=-1", "loglevel=abc",
    "loglevel=18446744073709551616",
    "=" * 500, " " * 1000 + "x", "\udcff\udcfe\x01\x1b[2J\x7f=\udc80",
    "selftes selftestx xselftest",
    " ".join(f"k{i}={i}" for i in range(2000))])
def test_absurd_bootargs(boot, append):
    """Whatever the command line says, it boots to a prompt."""
    machine = boot(append=append)
    expect_equal(machine.console.command("echo fine"), "fine\n", "the echo")
    shut_down(machine)


@pytest.mark.parametrize("pattern, status", [("nosuch", 1), ("%n%s", 1), ("fmt_*", 0)])
def test_selftest_status(machine, pattern, status):
    """selftest=PATTERN ends with 0 when all that match pass, with 1 when nothing matches."""
    booted = machine(append=f"selftest={pattern}")
    expect_equal(booted.wait_exit(30), status, "QEMU's status")
    expect("TAP version 14" in booted.console.transcript, "a report in TAP",
           booted.console.last_line)


def test_typed_before_the_prompt(entry):
    """What is typed while the kernel boots is there at the prompt."""
    gdb = entry()
    console = gdb.machine.console
    console.send("echo bird\n")
    gdb.run_to("uart_init")
    gdb.detach()
    console.expect("\nbird\n")
