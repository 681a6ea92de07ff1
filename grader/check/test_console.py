"""The console under load: what is typed too fast, and what nobody would type."""

from __future__ import annotations

import os
import random
import re
import time

import pytest

from grader.check.conftest import PROMPT
from grader.core.machine import Machine
from grader.core.verdict import Failure, Verdict, expect, expect_equal

CTRL_C = b"\x03"
FLOOD = 64 << 10
WITHIN_S = 10
FOREVER = b"\x01\xa0"  # c.j to itself
PIECE = 4096  # what a pipe takes whole or not at all


def type_raw(machine: Machine, data: bytes) -> None:
    """Types bytes as they are, as fast as QEMU takes them."""
    deadline = machine.deadline(WITHIN_S)
    keyboard = os.open(machine.folder / "console.in", os.O_WRONLY | os.O_NONBLOCK)
    try:
        for at in range(0, len(data), PIECE):
            while not _write(keyboard, data[at : at + PIECE]):
                if deadline.passed() or not machine.alive:
                    raise machine.failure("the console to take input", f"no more after {at} bytes",
                                          Verdict.HANG)
                time.sleep(0.005)
    finally:
        os.close(keyboard)


def _write(keyboard: int, piece: bytes) -> bool:
    try:
        return os.write(keyboard, piece) == len(piece)
    except BlockingIOError:
        return False


def check_answers(machine: Machine, word: str = "still here") -> None:
    """After whatever was typed: ^C clears the line, and the next command works."""
    type_raw(machine, CTRL_C + f"echo {word}\r".encode())
    machine.console.expect(f"\n{word}\n", WITHIN_S)
    machine.console.expect(PROMPT, WITHIN_S)


def lines_of(rng: random.Random, total: int) -> list[str]:
    """Different texts of all lengths that the editor holds; `total` bytes of echo commands."""
    lines: list[str] = []
    size = 0
    while size < total:
        lines.append(f"{len(lines)}:" + rng.choice("abcxyz") * rng.choice((0, 3, 40, 200, 240)))
        size += len(lines[-1]) + 6
    return lines


def answers(machine: Machine, start: int) -> list[str]:
    """Lines that are answers of echo: those that do not begin with the prompt."""
    printed = machine.console.transcript[start:].splitlines()
    return [line for line in printed if re.match(r"\d+:", line)]


def test_flood_of_lines(boot, rng):
    """64 KiB of commands typed at once are all carried out, in order, byte for byte."""
    machine = boot()
    start = len(machine.console.transcript)
    lines = lines_of(rng, FLOOD)
    type_raw(machine, "".join(f"echo {line}\r" for line in lines).encode())
    check_answers(machine)
    expect_equal(answers(machine, start), lines, "the answers")


def test_flood_while_nobody_reads(boot, rng):
    """What comes while the shell is busy waits, first in the kernel and then with the sender."""
    machine = boot()
    start = len(machine.console.transcript)
    gdb = machine.gdb
    type_raw(machine, b" ")
    here = gdb.run_to("shell_feed")
    code = gdb.read_memory(here, len(FOREVER))
    gdb.write_memory(here, FOREVER)
    gdb.resume()
    lines = lines_of(rng, FLOOD // 4)
    type_raw(machine, "".join(f"echo {line}\r" for line in lines).encode())
    time.sleep(0.3)
    gdb.interrupt()
    expect_equal(gdb.pc, here, "where the busy shell is")
    gdb.write_memory(here, code)
    gdb.detach()
    check_answers(machine)
    expect_equal(answers(machine, start), lines, "the answers")


def test_flood_during_output(boot):
    """Commands typed while much is printed wait for their turn."""
    machine = boot()
    start = len(machine.console.transcript)
    type_raw(machine, b"".join(b"dmesg\rhelp\recho %d:\r" % i for i in range(40)))
    check_answers(machine)
    expect_equal(answers(machine, start), [f"{i}:" for i in range(40)], "the answers")


GARBAGE = {
    "random": lambda rng: rng.randbytes(FLOOD).replace(b"crash", b"crush"),
    "nul": lambda rng: bytes(FLOOD),
    "one long line": lambda rng: b"x" * FLOOD,
    "escapes": lambda rng: b"".join(b"\x1b" + rng.choice((b"[", b"O", b"", b"[1;5")) + bytes(
        [rng.randrange(32, 127)]) for _ in range(FLOOD // 4)),
    "an endless sequence": lambda rng: b"\x1b[" + b"9;" * (FLOOD // 2),
    "broken UTF-8": lambda rng: bytes(rng.choices((0xC3, 0xE2, 0xF0, 0x80, 0xFF, 0x41),
                                                  k=FLOOD // 4)),
    "controls": lambda rng: bytes(rng.choice((1, 2, 5, 6, 8, 9, 11, 12, 14, 16, 21, 23, 127, 65))
                                  for _ in range(FLOOD // 16)),
    "interrupts": lambda rng: CTRL_C * (FLOOD // 16),
    "ends of file": lambda rng: b"\x04" * (FLOOD // 16),
    "tabs": lambda rng: b"\t" * (FLOOD // 64),
}


@pytest.mark.parametrize("kind", GARBAGE)
def test_flood_of_garbage(boot, rng, kind):
    """Rubbish of every kind, tens of KiB at once, is survived; the next command works."""
    machine = boot(flood_limit=16 << 20)
    type_raw(machine, GARBAGE[kind](rng))
    check_answers(machine)
    machine.console.send("shutdown\n")
    expect_equal(machine.wait_exit(), 0, "QEMU's status after shutdown")


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_line_ends(boot, end):
    """CR, LF and CR LF each end one line, and an empty line is one prompt more."""
    machine = boot()
    start = len(machine.console.transcript)
    type_raw(machine, end.join((b"echo 1:", b"", b"echo 2:", b"echo 3:")) + end)
    machine.console.expect(re.compile(r"\n3:\nmazu> "))
    time.sleep(0.1)
    said = machine.console.transcript[start:]
    expect_equal(said, "echo 1:\n1:\nmazu> \nmazu> echo 2:\n2:\nmazu> echo 3:\n3:\nmazu> ",
                 "the session")


def test_mixed_line_ends(boot):
    """CR LF LF is two lines, LF CR as well, and the LF of a CR may come late."""
    machine = boot()
    start = len(machine.console.transcript)
    type_raw(machine, b"echo 1:\r\n\necho 2:\n\recho 3:\r")
    machine.console.expect("\n3:\n")
    type_raw(machine, b"\necho 4:\r")
    machine.console.expect("\n4:\nmazu> ")
    prompts = machine.console.transcript[start:].count(PROMPT)
    expect_equal(prompts, 6, "prompts after four lines and two empty ones")


def test_flood_of_output(boot):
    """dmesg a hundred times over: every run whole and the same."""
    machine = boot()
    start = len(machine.console.transcript)
    type_raw(machine, b"dmesg\r" * 100)
    check_answers(machine)
    runs = machine.console.transcript[start:].split("dmesg\n")[1:101]
    logs = {run.partition(PROMPT)[0] for run in runs}
    expect(len(runs) == 100 and len(logs) == 1, "a hundred equal logs", [len(runs), len(logs)])


def test_reader_that_is_slow(boot):
    """Output that the terminal does not take yet is neither lost nor a reason to stop."""
    machine = boot()
    machine.pause()
    type_raw(machine, b"help\r" * 20 + b"echo 1:\r")
    machine.run()
    try:
        machine.console.expect("\n1:\n", WITHIN_S)
    except Failure:
        expect(False, "the end of the output", machine.console.last_line)
    expect_equal(machine.console.transcript.count("end QEMU with status 0"), 20,
                 "times that help was whole")
