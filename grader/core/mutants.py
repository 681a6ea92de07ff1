"""The graders are graded: every wrong answer in grader/mutants/labNN must be caught.

A mutant is a patch against the reference with two header lines or three:

    Criteria: trap.cause, trap.address
    Hole: trap_dispatch          (or  Task: 4)

It is applied to a private copy of the tree whose build directory stays warm, so that one object is
compiled; the criteria that it names run, and each of them must fail by itself: one that another
blocks shows nothing.  A mutant that does not apply, does not compile, or that a named criterion
lets pass, fails the check; so does a hole without one.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

from course import labs

from grader.core.job import ROOT, Job, criteria_file, load_lab, run
from grader.core.verdict import Verdict, raise_grader_error

HEADER = re.compile(r"^(Criteria|Task|Hole):\s*(.+)$", re.MULTILINE)
COPIED = ("Makefile", "solution", "tools", "labs")
CATCHES = (Verdict.FAIL, Verdict.PANIC, Verdict.HANG)


@dataclass(frozen=True)
class Mutant:
    path: Path
    criteria: tuple[str, ...]
    hole: str
    task: int | None

    @property
    def name(self) -> str:
        return self.path.stem


@dataclass(frozen=True)
class Judged:
    mutant: Mutant
    trouble: str  # empty when it was caught
    verdicts: str = ""


def mutants(options: argparse.Namespace) -> int:
    """Check the mutants of one lab, or of every lab that there is; one without any fails."""
    base = options.patches or ROOT / "grader/mutants"
    every = [lab.number for lab in labs.load_all(options.tree.resolve())]
    numbers = [options.lab] if options.lab else every
    return max(_lab(options, n, options.patches or base / f"lab{n:02}") for n in numbers)


def _lab(options: argparse.Namespace, number: int, folder: Path) -> int:
    lab = load_lab(options.tree.resolve(), number)
    chosen = [m for m in read_mutants(folder) if not options.only or m.name in options.only]
    if options.check_applies:
        judged = [Judged(m, trouble) for m in chosen if (trouble := apply(m, lab.root, "--check"))]
        judged += _uncovered(lab, chosen, folder)
        return _print(number, judged, f"all {len(chosen)} apply")
    judged = _judge_all(
        lab, chosen, options.criteria or criteria_file(number), max(1, options.jobs)
    )
    if not options.only:
        judged += _uncovered(lab, chosen, folder)
    return _print(number, judged, f"all {len(chosen)} caught")


def read_mutants(folder: Path) -> list[Mutant]:
    """The patches of a folder, by name."""
    found = []
    for path in sorted(folder.glob("*.patch")):
        text = path.read_text()
        header = dict(HEADER.findall(text.partition("\n--- ")[0]))
        criteria = tuple(filter(None, re.split(r"[,\s]+", header.get("Criteria", ""))))
        if not criteria or not ("Hole" in header or "Task" in header):
            raise_grader_error(
                f"{path.name} needs the header lines `Criteria:` and `Hole:` or `Task:`"
            )
        task = int(header["Task"]) if "Task" in header else None
        found.append(Mutant(path, criteria, header.get("Hole", "").strip(), task))
    return found


def apply(mutant: Mutant, tree: Path, *options: str) -> str:
    """Apply a patch to a tree, which need be no repository; what went wrong, or nothing."""
    command = ["git", "apply", *options, str(mutant.path.resolve())]
    # Never as a part of a repository around it, where git skips paths outside in silence.
    environment = {**os.environ, "GIT_DIR": str(tree / ".no-repository")}
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True)
    return (
        ""
        if done.returncode == 0
        else "does not apply: " + (done.stderr.strip().splitlines() or ["?"])[-1]
    )


def _judge_all(lab, chosen: Sequence[Mutant], criteria: Path, jobs: int) -> list[Judged]:
    """Each worker has a copy of the tree and its builds; mutants go to whichever is free."""
    with tempfile.TemporaryDirectory(prefix="mazu-mutants-") as work:
        copies: Queue[Path] = Queue()
        for index in range(min(jobs, len(chosen))):
            copies.put(_copy_tree(lab.root, Path(work) / f"{index}"))

        def judge(mutant: Mutant) -> Judged:
            tree = copies.get()
            try:
                return _judge(
                    mutant,
                    Job(
                        lab.number,
                        tree,
                        tree / "build/grade",
                        criteria,
                        solution=True,
                        tests=mutant.criteria,
                        workers=1,
                    ),
                )
            finally:
                copies.put(tree)

        with ThreadPoolExecutor(jobs) as pool:
            try:
                return list(pool.map(judge, chosen))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise


def _copy_tree(root: Path, target: Path) -> Path:
    for name in COPIED:
        source = root / name
        if source.is_dir():
            shutil.copytree(source, target / name, symlinks=True)
        elif source.exists():
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target / name)
    return target


def _judge(mutant: Mutant, job: Job) -> Judged:
    if trouble := apply(mutant, job.tree):
        return Judged(mutant, trouble)
    try:
        outcomes = run(job).outcomes
    finally:
        apply(mutant, job.tree, "-R")
    verdicts = ", ".join(f"{o.criterion.name} {o.verdict}" for o in outcomes)
    if any(o.verdict is Verdict.BUILD for o in outcomes):
        return Judged(mutant, f"does not compile: {outcomes[0].sentence}", verdicts)
    missed = [o.criterion.name for o in outcomes if o.verdict not in CATCHES]
    return Judged(mutant, "not caught by " + ", ".join(missed) if missed else "", verdicts)


def _uncovered(lab, chosen: Sequence[Mutant], folder: Path) -> list[Judged]:
    """Holes that no mutant is about."""
    covered = {m.hole for m in chosen} | {
        h.name for m in chosen if m.task for h in lab.holes if h.task == m.task
    }
    return [
        Judged(
            Mutant(folder / f"({hole.name})", (), hole.name, hole.task), "this hole has no mutant"
        )
        for hole in lab.holes
        if hole.name not in covered
    ]


def _print(lab: int, judged: Sequence[Judged], good: str) -> int:
    """One line a mutant, then the sum; the exit status."""
    width = max([len(j.mutant.name) for j in judged] + [6])
    for one in judged:
        print(f"  {one.mutant.name:{width}}  {'caught' if not one.trouble else 'MISSED'}  "
              f"{one.verdicts}{' - ' if one.trouble and one.verdicts else ''}{one.trouble}")
    missed = sum(bool(one.trouble) for one in judged)
    print(f"lab {lab}: {f'{missed} mutants in trouble' if missed else good}")
    return 1 if missed else 0
