"""Fixtures of the integration tests: machines that are at a prompt, or stopped at kernel entry."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Iterator

import pytest

from grader.check.kernels import kernel
from grader.core.dwarf import Layout
from grader.core.elf import Symbols
from grader.core.gdb import Gdb
from grader.core.board import Board
from grader.core.machine import Machine

PROMPT = "mazu> "
SHOWN = 3000  # characters of a console in the report on a failed test
MACHINES: pytest.StashKey[list[Machine]] = pytest.StashKey()


@pytest.fixture
def machine(request: pytest.FixtureRequest) -> Iterator[Callable[..., Machine]]:
    """`machine(variant="release", paused=True, **board)`: started, and gone after the test."""
    started = request.node.stash.setdefault(MACHINES, [])
    live = request.config.getoption("capture") == "no"

    def start(variant: str = "debug", paused: bool = False, **board: object) -> Machine:
        found = Machine(Board(kernel(variant), **board), live=live)
        started.append(found)
        if not paused:
            found.run()
        return found

    yield start
    for one in started:
        one.close()


@pytest.fixture
def boot(machine: Callable[..., Machine]) -> Callable[..., Machine]:
    """`boot(**board)`: a machine that has shown its first prompt."""

    def start(variant: str = "debug", **board: object) -> Machine:
        found = machine(variant, **board)
        found.console.expect(PROMPT)
        return found

    return start


@pytest.fixture
def entry(machine: Callable[..., Machine]) -> Callable[..., Gdb]:
    """`entry(**board)`: a machine stopped at the kernel's first instruction, under GDB."""

    def start(variant: str = "debug", **board: object) -> Gdb:
        gdb = machine(variant, paused=True, **board).gdb
        gdb.run_to("_start")
        return gdb

    return start


@pytest.fixture
def symbols() -> Symbols:
    return Symbols(kernel())


@pytest.fixture
def layout() -> Iterator[Layout]:
    found = Layout(kernel())
    yield found
    found.close()


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """A generator that repeats with the test's name."""
    return random.Random(zlib.crc32(request.node.name.encode()))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """A failed test shows the end of its last console."""
    report = (yield).get_result()
    if report.failed and (machines := item.stash.get(MACHINES, [])):
        report.sections.append(("console", machines[-1].console.transcript[-SHOWN:]))
