"""Lab 1 is graded as its page promises: task by task, and the same on every host.

The submission here is the starters, then the reference's files, one after the other in the order of
the page.  Takes about a minute on two cores, most of it in the kernels that come furthest.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest
from course import labs, starters

from grader.core.job import ROOT, load_lab

LAB = 1
LONGEST_GRADING_S = 300
LATENCIES = ("fmt.latency", "trap.latency", "boot.latency")

pytestmark = pytest.mark.skipif(
    not labs.has_reference(load_lab(ROOT, LAB)), reason="a handout has no reference"
)


class Graded:
    """One run of `grader/run grade`: its exit status, its table, and the points by task."""

    def __init__(self, out: Path, *options: str):
        command = [ROOT / "grader/run", "grade", "--lab", str(LAB), "--out", out, *options]
        done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_GRADING_S,
                              env={**os.environ, "PYTHON": sys.executable})
        assert (out / "results.json").exists(), done.stderr
        self.status, self.table = done.returncode, done.stdout
        self.results = json.loads((out / "results.json").read_text())
        self.points: Counter[int] = Counter()
        for test in self.results["tests"]:
            self.points[int(test["tags"][0].removeprefix("task "))] += test["score"]

    def figures(self) -> dict[str, int]:
        """The latencies, by criterion."""
        return {figure["name"]: figure["value"]
                for test in self.results["tests"] for figure in test["extra_data"]["figures"]}


@pytest.fixture(scope="module")
def lab() -> labs.Lab:
    return load_lab(ROOT, LAB)


@pytest.fixture
def submission(lab, tmp_path) -> Path:
    """The untouched starters."""
    folder = tmp_path / "submission"
    for file, text in starters.render(lab).items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(text)
    return folder


def test_tasks_in_page_order(lab, submission, tmp_path):
    """The starters earn nothing; each task, once solved, adds exactly its points; then status 0."""
    earned: dict[int, int] = {task.id: 0 for task in lab.tasks}
    for task in lab.tasks:
        graded = Graded(tmp_path / "out", "--shadow", str(submission))
        holes = [hole for hole in lab.holes if hole.task == task.id]
        assert dict(graded.points) == earned, f"before task {task.id}:\n{graded.table}"
        assert graded.status == 1
        assert graded.results["extra_data"]["next"] == {
            "file": f"{lab.folder}/{holes[0].file}", "function": holes[0].name, "task": task.id}
        assert f"to write next: {holes[0].name} in {lab.folder}/{holes[0].file}" in graded.table
        for hole in holes:
            (submission / hole.file).write_text((ROOT / "solution" / hole.file).read_text())
        earned[task.id] = task.points
    graded = Graded(tmp_path / "out", "--shadow", str(submission))
    assert dict(graded.points) == earned and graded.status == 0, graded.table
    assert "to write next" not in graded.table


@contextmanager
def busy_host():
    """A process a core, and one more, that do nothing but compute."""
    hogs = [subprocess.Popen([sys.executable, "-c", "while True: pass"])
            for _ in range((os.cpu_count() or 1) + 1)]
    try:
        yield
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()


def test_latencies_on_a_busy_host(tmp_path):
    """A host with other work measures the same instructions, and writes the same results.json."""
    options = ("--solution", *(word for name in LATENCIES for word in ("--test", name)))
    quiet = Graded(tmp_path / "out", *options)
    with busy_host():
        busy = Graded(tmp_path / "out", *options)
    assert set(quiet.figures()) == set(LATENCIES) and quiet.status == 0
    assert busy.figures() == quiet.figures() and busy.results == quiet.results
