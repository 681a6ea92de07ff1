"""The kernel's commands in GDB (solution/tools/gdb/mazu.py) that no lab page's tour shows whole."""

from __future__ import annotations

import re

import pytest

from grader.check.kernels import kernel
from grader.check.test_tour import run_tour
from grader.core.verdict import expect, expect_equal

PAGES = re.compile(r"^(\w+) +(\d+) pages", re.MULTILINE)
RUN_TO_A_PROGRAM = ["break arch_user_call", "continue", "hbreak *$a0", "continue"]
ENTRY = re.compile(r"^level (\d)  0x[0-9a-f]+: 0x[0-9a-f]{16}  ([-vrwxugad]{8})  (\w+)", re.MULTILINE)


@pytest.fixture
def session(tmp_path, monkeypatch):
    """`session(commands, variant="debug", append="")`: what each of them printed."""
    def run(commands: list[str], variant: str = "debug", append: str = "") -> list[str]:
        monkeypatch.setenv("APPEND", append)
        outputs = run_tour(kernel(variant), commands, tmp_path)
        expect_equal(len(outputs), len(commands), "commands that GDB came to the end of")
        return outputs

    return run


def check_accounts(said: str) -> None:
    found = {name: int(pages) for name, pages in PAGES.findall(said)}
    total = found.pop("total", 0)
    expect(total > 0, "a total", said)
    expect_equal(sum(found.values()), total, f"free and all types together, in {found}")
    expect("accounted" not in said, "no page on its way", said)


def test_stage_without_memory(session):
    """A kernel of stage 1 has no such thing, and each command says so in a line."""
    commands = ["mazu mem", "mazu pt $pc", "mazu vmas"]
    said = session(["break shell_init", "continue", *commands], "lab01")[-3:]
    for command, lines in zip(commands, said):
        expect_equal(len(lines.strip().splitlines()), 1, f"lines of {command}, {lines!r}")
        expect("Traceback" not in lines and "No symbol" not in lines, "words of ours", lines)


def test_before_memory(session):
    """At the kernel's first instruction nothing is there yet."""
    said = session(["mazu mem", "mazu pt $pc", "mazu vmas"])
    for lines, part in zip(said, ("no memory", "translation is off", "no program")):
        expect(part in lines, part, lines)


@pytest.mark.parametrize("variant", ["debug", "release", "shared"])
def test_mem(session, variant):
    """The types and what is free add up to the total, by the lists of free blocks themselves."""
    check_accounts(session(["break shell_init", "continue", "mazu mem"], variant)[-1])


def test_pt(session):
    """Each level's entry, from satp or a root: text, memory in a large page, a guard, nonsense."""
    text, memory, guard, high, wrong, rooted, usage = session([
        "break shell_init", "continue", "mazu pt $pc", "mazu pt 0x84000000", "mazu pt boot_stack",
        "mazu pt -1", "mazu pt 0x4000000000", "mazu pt $pc kernel_pagetable.root", "mazu pt"])[-7:]
    expect_equal([entry[2] for entry in ENTRY.finditer(text)], ["v-------", "v-------", "vr-x-gad"],
                 "the entries for text")
    expect_equal([entry[3] for entry in ENTRY.finditer(memory)], ["table", "page"],
                 "what the entries for free memory lead to")
    expect("0x84000000 is at 0x84000000" in memory, "the same address", memory)
    for nowhere in (guard, high):
        expect("empty" in nowhere and "is nowhere" in nowhere, "nothing there", nowhere)
    expect("no address" in wrong, "that it is none", wrong)
    expect_equal(ENTRY.findall(rooted), ENTRY.findall(text), "the entries from a root")
    expect("usage" in usage, "a usage line", usage)


@pytest.mark.parametrize("variant", ["debug", "shared"])
def test_program(session, variant):
    """Stopped in a program, with its rights only: its areas, its pages, and the kernel's memory."""
    said = session([*RUN_TO_A_PROGRAM, "mazu vmas", "mazu vmas *pcpus[0].space", "mazu pt $pc",
                    "mazu mem", "mazu klog"], variant, append="selftest=addrspace_runs_a_program")
    vmas, again, page, mem, log = said[-5:]
    expect(re.search(r"^0x[0-9a-f]+\.\.0x[0-9a-f]+  r-x  ", vmas, re.MULTILINE),
           "an area that can be executed", vmas)
    expect(re.search(r"^0x[23][0-9a-f]{9}\.\.0x[23][0-9a-f]{9}  table 0x[0-9a-f]+, asid \d+, \d+ of \d+ "
                     "pages$", vmas, re.MULTILINE), "the space", vmas)
    expect_equal(again, vmas, "the areas by name")
    expect([*ENTRY.finditer(page)][-1][2].startswith("vr-xu-"), "a page of a program's text", page)
    check_accounts(mem)
    expect("Mazu " in log, "the log", log)


def test_locks(session, monkeypatch):
    """`mazu locks` names what a hart has and where it took it, and the lock that it is about to take."""
    monkeypatch.setenv("SMP", "2")
    said = session(["break console_serve", "continue", "break spin_check_taken", "continue", "up", "mazu locks"])[-1]
    expect(re.search(r"^hart \d: task \w+, [1-9] locks\n    LOCK_\w+ at \w+", said, re.MULTILINE),
           "a hart with a lock", said)
    expect_equal(len(re.findall("^hart", said, re.MULTILINE)), 2, "the harts")
