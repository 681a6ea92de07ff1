"""Declarations: what a criterion tests, what it is worth, what it needs.

One pytest function is one criterion:

    @graded("trap.cause", points=4, task=4, needs=["boot.prompt"], seeds=range(8),
            hint="01-boot#task-4")
    def test_trap_cause(gdb, seed): ...

The decorator only records; conftest.py turns records into parameters, order and results, and the
runner reads the same records to check points and to know what to build.  A criterion that has
seeds runs once for each and fails if any does: there is no best-of-N.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from grader.core.verdict import raise_grader_error

PROFILES = ("debug", "release", "ubsan")


@dataclass(frozen=True)
class Criterion:
    """One graded property; `seeds` is empty when the criterion has no randomness."""

    name: str
    points: int
    task: int
    needs: tuple[str, ...]
    seeds: tuple[int, ...]
    profile: str
    hint: str
    summary: str

    @property
    def has_seeds(self) -> bool:
        return bool(self.seeds)


def graded(
    name: str,
    *,
    points: int,
    task: int,
    needs: Sequence[str] = (),
    seeds: Iterable[int] = (),
    profile: str = "debug",
    hint: str = "",
) -> Callable[[Callable[..., Any]], Any]:
    """Declare a pytest function a criterion; its docstring's first line says it in words."""
    if profile not in PROFILES:
        raise ValueError(f"{name}: profile must be one of {', '.join(PROFILES)}")

    def declare(function: Callable[..., Any]) -> Any:
        summary = (function.__doc__ or name).strip().splitlines()[0]
        criterion = Criterion(
            name, points, task, tuple(needs), tuple(seeds), profile, hint, summary
        )
        return pytest.mark.graded(criterion=criterion)(function)

    return declare


def criterion_of(function: Any) -> Criterion | None:
    """The declaration on a pytest function, if it has one."""
    for mark in getattr(function, "pytestmark", ()):
        if mark.name == "graded":
            return mark.kwargs["criterion"]
    return None


def load_criteria(path: Path) -> list[Criterion]:
    """The criteria that a test file declares, in topological order of their needs."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    found = [criterion_of(value) for value in vars(module).values() if callable(value)]
    return in_order([criterion for criterion in found if criterion])


def in_order(criteria: Sequence[Criterion]) -> list[Criterion]:
    """Sort so that every criterion comes after what it needs, otherwise as declared (Kahn)."""
    by_name = {criterion.name: criterion for criterion in criteria}
    if len(by_name) != len(criteria):
        raise_grader_error("two criteria have one name")
    for criterion in criteria:
        for need in criterion.needs:
            if need not in by_name:
                raise_grader_error(f"{criterion.name} needs {need}, which is not declared")
    ordered: list[Criterion] = []
    waiting = list(criteria)
    while waiting:
        done = {criterion.name for criterion in ordered}
        ready = next((c for c in waiting if done.issuperset(c.needs)), None)
        if ready is None:
            raise_grader_error(
                "these criteria need each other: " + ", ".join(c.name for c in waiting)
            )
        ordered.append(ready)
        waiting.remove(ready)
    return ordered


def blocker_of(criterion: Criterion, failed: Callable[[str], bool]) -> str | None:
    """The first need of `criterion` that `failed`, or None."""
    return next((need for need in criterion.needs if failed(need)), None)
