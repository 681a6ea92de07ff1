"""The GDB tour of every lab page, run as it stands there, so that it cannot rot.

A page's ```gdb blocks are one session.  A line `(gdb) COMMAND` is typed; the lines up to the next
are what GDB prints, in this order, perhaps with others between.  `...` stands for anything, runs of
blanks are as good as one, and what follows the last expected line is not looked at.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from grader.check.kernels import ROOT, VARIANTS, kernel
from grader.core.debugger import NAMES
from grader.core.verdict import Failure, expect, quote, shorten

PAGES = sorted(ROOT.glob("labs/[0-9][0-9]-*/README.md"))
BLOCK = re.compile(r"^```gdb\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"`make SOLUTION=1 LAB=\d((?: \w+=\S+)*) gdb`")
TYPED = "(gdb) "
WITHIN_S = 60
MARK = "--- step "
SETTINGS = ("set prompt", "set pagination off", "set width 0", "set height 0")


@dataclass
class Step:
    command: str
    expected: list[str] = field(default_factory=list)


def steps_of(page: str) -> list[Step]:
    steps: list[Step] = []
    for line in "".join(BLOCK.findall(page)).splitlines():
        if line.startswith(TYPED):
            steps.append(Step(line.removeprefix(TYPED).strip()))
        elif line.strip():
            expect(steps, "a command before any output", line)
            steps[-1].expected.append(line.strip())
    return steps


def machine_of(page: str) -> dict[str, str]:
    """The machine that the page's command names: SMP=2, for instance."""
    found = COMMAND.search(page)
    expect(found, "the command that starts the tour", "none")
    return dict(option.split("=", 1) for option in found[1].split())


def pattern_of(expected: str) -> re.Pattern[str]:
    """A regular expression for one line: `...` is anything, blanks are blanks."""
    parts = re.split(r"(\.\.\.|\s+)", expected)
    return re.compile(r"\s*" + "".join(map(_pattern_of_part, parts)) + r"\s*")


def _pattern_of_part(part: str) -> str:
    return ".*" if part == "..." else r"\s+" if part.isspace() else re.escape(part)


def first_missing(expected: list[str], output: str) -> str | None:
    """The first expected line that does not come, in its order."""
    lines = iter(output.splitlines())
    for line in expected:
        pattern = pattern_of(line)
        if not any(pattern.fullmatch(printed) for printed in lines):
            return line
    return None


def run_tour(elf: Path, commands: list[str], folder: Path, machine: Mapping[str, str] = {}) -> list[str]:
    """What each command printed; fewer answers than commands when GDB did not come to the end."""
    script = [*SETTINGS]
    for index, command in enumerate(commands):
        script += [f"echo \\n{MARK}{index}\\n", command]
    script += [f"echo \\n{MARK}{len(commands)}\\n", ""]
    (folder / "commands").write_text("\n".join(script))
    _run_gdb(elf, folder, machine)
    printed = (folder / "gdb.log").read_text("utf-8", "replace")
    return re.split(rf"^{MARK}\d+\n", printed, flags=re.MULTILINE)[1:-1]


def _run_gdb(elf: Path, folder: Path, machine: Mapping[str, str]) -> None:
    """`make gdb`, with GDB's own input and output apart from the kernel's console."""
    gdb = next((path for name in NAMES if (path := shutil.which(name))), None)
    expect(gdb, "a GDB for RISC-V (tools/setup installs one)", "none")
    wrapper = folder / "gdb"
    streams = f'<"{folder}/commands" >"{folder}/gdb.log" 2>&1'
    wrapper.write_text(f'#!/bin/sh\nexec {gdb} "$@" {streams}\n')
    wrapper.chmod(0o755)
    with (folder / "console.log").open("wb") as console:
        process = subprocess.Popen([ROOT / "tools/gdb", elf],
                                   env={**os.environ, **machine, "GDB_PROGRAM": str(wrapper)},
                                   stdin=subprocess.DEVNULL, stdout=console, stderr=console,
                                   start_new_session=True)
        try:
            process.wait(WITHIN_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGTERM)  # tools/gdb then ends its QEMU
            process.wait(10)


@pytest.mark.parametrize("page", PAGES, ids=[page.parent.name for page in PAGES])
def test_tour(page, tmp_path):
    """Every command of the page's tour prints what the page says."""
    text = page.read_text()
    steps, machine = steps_of(text), machine_of(text)
    variant = f"lab{page.parent.name[:2]}"
    expect(steps and variant in VARIANTS, "a tour, and a kernel of the lab to take it with",
           [page.name, variant])
    outputs = run_tour(kernel(variant), [step.command for step in steps], tmp_path, machine)
    for step, output in zip(steps, outputs):
        if missing := first_missing(step.expected, output):
            raise Failure(f"after (gdb) {step.command}: {quote(missing)}",
                          shorten(repr(output), 600))
    if len(outputs) < len(steps):
        command = steps[len(outputs)].command
        printed = (tmp_path / "gdb.log").read_text("utf-8", "replace")
        raise Failure(f"an end of (gdb) {command} within {WITHIN_S} s", quote(printed[-160:]))


def test_matching():
    """A tour that is not true is noticed: the matching itself, on examples."""
    assert first_missing(["a0 0x0 0", "...<pcpus>"], "x\na0   0x0\t0\ngp  0x8 <pcpus>\n") is None
    assert first_missing(["b", "a"], "a\nb\n") == "a"
    assert first_missing(["$1 = 0"], "$1 = 01\n") == "$1 = 0"
    assert first_missing(["#0 f (...) at ..."], "#0  f (arg=0x0) at x.c:1\n") is None
    assert first_missing(["a..."], "b\n") == "a..."
