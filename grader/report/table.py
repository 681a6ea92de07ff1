"""The one screen a student reads: a table, what failed and why, and what to write next."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TextIO

from grader.core.score import Grade, Outcome
from grader.core.verdict import Verdict

COLOURS = {Verdict.PASS: "32", Verdict.BLOCKED: "33", Verdict.FAIL: "31", Verdict.PANIC: "31",
           Verdict.HANG: "31", Verdict.BUILD: "31", Verdict.INFRA: "35"}


def print_grade(grade: Grade, out: TextIO = sys.stdout) -> None:
    colour = out.isatty() and "NO_COLOR" not in os.environ
    lines = [*_rows(grade, colour), *_failures(grade), *_next(grade), *_sum(grade)]
    out.write("\n".join(lines) + "\n")


def _rows(grade: Grade, colour: bool) -> list[str]:
    width = max([len(o.criterion.name) for o in grade.outcomes] + [9])
    lines = [f"lab {grade.lab.number}: {grade.lab.title}", "",
             f"task  {'criterion':{width}}  points  verdict"]
    last = None
    for outcome in grade.outcomes:
        criterion = outcome.criterion
        task = f"{criterion.task:>4}" if criterion.task != last else "    "
        last = criterion.task
        points = f"{outcome.points}/{criterion.points}"
        verdict = str(outcome.verdict)
        if colour:
            verdict = f"\x1b[{COLOURS[outcome.verdict]}m{verdict}\x1b[0m"
        lines.append(f"{task}  {criterion.name:{width}}  {points:>6}  {verdict}{_figures(outcome)}")
    return [*lines, ""]


def _figures(outcome: Outcome) -> str:
    if outcome.verdict is Verdict.BLOCKED:
        return f" by {outcome.sentence.removeprefix('blocked by ')}"
    return "".join(
        f"   {f['value']} instructions, limit {f['limit']} ({f['reference']} x {f['margin']:g})"
        for f in outcome.figures
    )


def _failures(grade: Grade) -> list[str]:
    broken = [o for o in grade.outcomes if o.verdict is Verdict.BUILD]
    if broken:
        return [f"build: {broken[0].sentence}", ""]
    lines = []
    for outcome in grade.outcomes:
        if outcome.verdict in (Verdict.PASS, Verdict.BLOCKED):
            continue
        lines += [
            f"{outcome.criterion.name}: {outcome.sentence}",
            f"    again    {grade.rerun(outcome)}",
        ]
        result = outcome.result
        for label, path in (("console", result.console), ("trace", result.trace), ("timeline", result.timeline)):
            lines += [f"    {label:8} {shown(path)}"] if path else []
        lines += [f"    read     {outcome.criterion.hint}"] if outcome.criterion.hint else []
    return [*lines, ""] if lines else []


def _next(grade: Grade) -> list[str]:
    hole = grade.next_hole
    if hole is None:
        return []
    more = len(grade.unwritten) - 1
    rest = f", and {more} more after it" if more else ""
    return [
        f"to write next: {hole.name} in {grade.lab.named(hole.file)} (task {hole.task}){rest}",
        "",
    ]


def _sum(grade: Grade) -> list[str]:
    chosen = " (of the chosen criteria)" if grade.partial else ""
    return [f"score: {grade.score} of {grade.maximum}{chosen}"]


def shown(path: str) -> str:
    """A path as short as it can be from where the user stands."""
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except ValueError:
        return path
