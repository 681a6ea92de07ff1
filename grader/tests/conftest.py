"""Fixtures of the grader's own tests."""

from __future__ import annotations

import pytest

from grader.core.board import Board
from grader.core.machine import Machine
from grader.tests.kernels import assemble


@pytest.fixture
def boot(tmp_path):
    """`boot(assembly, **board)`: a running stand-in, gone after the test."""
    started: list[Machine] = []

    def start(body: str, paused: bool = False, **board) -> Machine:
        machine = Machine(Board(assemble(tmp_path, body), **board))
        started.append(machine)
        if not paused:
            machine.run()
        return machine

    yield start
    for machine in started:
        machine.close()
