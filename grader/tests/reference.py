"""What a lab's page promises about its grading, for the tests of each lab.

The submission is the starters, then the reference's files, one task after the other in the order of
the page: each adds exactly its points.  Latencies are the same on a host that has other work.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from course import labs, starters

from grader.core.job import ROOT, load_lab

LONGEST_GRADING_S = 300


def is_here(number: int) -> bool:
    """A handout has no reference, and none of the later labs."""
    folders = ROOT.glob(f"labs/{number:02}-*/lab.toml")
    return any(folders) and labs.has_reference(load_lab(ROOT, number))


class Graded:
    """One run of `grader/run grade`: its exit status, its table, and the points by task."""

    def __init__(self, lab: int, out: Path, *options: str):
        command = [ROOT / "grader/run", "grade", "--lab", str(lab), "--out", out, *options]
        done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_GRADING_S,
                              env={**os.environ, "PYTHON": sys.executable})
        assert (out / "results.json").exists(), done.stderr
        self.status, self.table = done.returncode, done.stdout
        self.results = json.loads((out / "results.json").read_text())
        self.points: Counter[int] = Counter()
        for test in self.results["tests"]:
            self.points[int(test["tags"][0].removeprefix("task "))] += test["score"]

    def criteria(self) -> dict[int, list[str]]:
        """The names of those that ran, by task."""
        names: dict[int, list[str]] = {}
        for test in self.results["tests"]:
            names.setdefault(int(test["tags"][0].removeprefix("task ")), []).append(test["name"])
        return names

    def figures(self) -> dict[str, int]:
        """The latencies, by criterion."""
        return {figure["name"]: figure["value"]
                for test in self.results["tests"] for figure in test["extra_data"]["figures"]}


def write_starters(lab: labs.Lab, folder: Path) -> Path:
    """The untouched starters, as a submission."""
    for file, text in starters.render(lab).items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(text)
    return folder


def check_tasks_in_page_order(number: int, folder: Path) -> None:
    """The starters earn nothing; each task, once solved, adds exactly its points; then status 0.

    All criteria run on the untouched starters; from then on those of the task that was solved last and of the next
    one. That all answers earn everything is `make grade-labN SOLUTION=1`.
    """
    lab = load_lab(ROOT, number)
    submission = write_starters(lab, folder / "submission")
    earned: dict[int, int] = {task.id: 0 for task in lab.tasks}
    criteria: dict[int, list[str]] = {}

    def grade(*asked: int) -> Graded:
        options = [word for at in asked for name in criteria[at] for word in ("--test", name)]
        return Graded(number, folder / "out", "--shadow", str(submission), *options)

    for before, task in zip([None, *lab.tasks], lab.tasks):
        asked = [at.id for at in (before, task) if before]
        graded = grade(*asked)
        criteria = criteria or graded.criteria()
        holes = [hole for hole in lab.holes if hole.task == task.id]
        wanted = {at: points for at, points in earned.items() if at in (asked or earned)}
        assert {at: graded.points[at] for at in wanted} == wanted, f"before task {task.id}:\n{graded.table}"
        assert graded.status == 1
        assert graded.results["extra_data"]["next"] == {
            "file": f"{lab.folder}/{holes[0].file}", "function": holes[0].name, "task": task.id}
        assert f"to write next: {holes[0].name} in {lab.folder}/{holes[0].file}" in graded.table
        for hole in holes:
            (submission / hole.file).write_text((ROOT / "solution" / hole.file).read_text())
        earned[task.id] = task.points
    graded = grade(task.id)
    assert graded.points[task.id] == earned[task.id] and graded.status == 0, graded.table
    assert "to write next" not in graded.table


@contextmanager
def busy_host() -> Iterator[None]:
    """A process a core, and one more, that do nothing but compute."""
    hogs = [subprocess.Popen([sys.executable, "-c", "while True: pass"])
            for _ in range((os.cpu_count() or 1) + 1)]
    try:
        yield
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()


def check_latencies_on_a_busy_host(number: int, folder: Path, names: Sequence[str]) -> None:
    """A host with other work measures the same instructions, and writes the same results.json."""
    options = ("--solution", *(word for name in names for word in ("--test", name)))
    quiet = Graded(number, folder / "out", *options)
    with busy_host():
        busy = Graded(number, folder / "out", *options)
    assert set(quiet.figures()) == set(names) and quiet.status == 0, quiet.table
    assert busy.figures() == quiet.figures() and busy.results == quiet.results
