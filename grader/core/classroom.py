"""Grading a class: each submission on a fresh handout, in a process of its own.

`prepare` makes the handout once, and the reference's objects for the tasks.  Each submission is
then one process (`--only ID`): the same whether this machine runs a few at a time or a cluster runs an
array of them.  A job writes <id>/{results.json,report.html,row.json}; `merge` makes grades.csv.

Every task is graded twice: in the student's whole kernel, and alone, with the reference's objects
for the other tasks, so that one wrong task does not hide the rest.  The better counts; both
columns are shown.  A task's own reference object is never in reach of its submission.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from course.errors import CourseError
from course.handout import handout
from course.unpack import unpack

from grader.core.build import Request, build
from grader.core.declare import load_criteria
from grader.core.job import Job, ROOT, criteria_file, load_lab, run
from grader.core.plan import write_whole
from grader.core.score import Grade
from grader.core.verdict import Infra, Verdict, raise_grader_error
from grader.report.files import write_reports

IDENTITY = re.compile(r"[\w][\w .@+-]{0,99}")
ARCHIVE = ".tar.gz"


def grade_class(options: argparse.Namespace) -> int:
    """Grade every submission of a folder."""
    lab = load_lab(options.tree.resolve(), options.lab)
    out = (options.out or lab.root / f"build/class/lab{lab.number:02}").resolve()
    submissions = find_submissions(options.submissions)
    criteria = options.criteria or criteria_file(options.lab)
    if options.only:
        grade_one(lab, criteria, submissions[options.only], options.only, out)
        return 0
    if not options.merge:
        prepare(lab, criteria, out)
        if options.slurm:
            print(slurm_script(options, sorted(submissions), out))
            return 0
        run_all(options, sorted(submissions))
    return merge(lab, sorted(submissions), out)


def find_submissions(folder: Path) -> dict[str, Path]:
    """Submissions by id: a folder or a tar.gz each; names that could harm are refused."""
    if not folder.is_dir():
        raise Infra(f"{folder} is no folder", "give the folder that holds the submissions")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        name = path.name.removesuffix(ARCHIVE)
        if (
            path.name.startswith(".")
            or path.is_symlink()
            or not (path.is_dir() or path.name.endswith(ARCHIVE))
        ):
            continue
        if not IDENTITY.fullmatch(name) or name in found:
            raise Infra(
                f"{path.name!r} is no usable id",
                "rename it: letters, digits, . _ @ + - and blanks, once",
            )
        found[name] = path
    if not found:
        raise Infra(f"{folder} holds no submission", "expected <id>/labs/NN-name/… or <id>.tar.gz")
    return found


# -- once ---------------------------------------------------------------------------------------


def prepare(lab: Any, criteria: Path, out: Path) -> None:
    """The handout, and for each task a folder with the reference's objects of the other tasks."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    print(f"making the handout of lab {lab.number}", file=sys.stderr)
    try:
        handout(lab.root, lab.number, out / ".handout")
    except CourseError as error:
        raise Infra(str(error), "grade a class in a full clone") from error
    for profile in sorted({criterion.profile for criterion in load_criteria(criteria)}):
        print(f"building the reference, {profile}", file=sys.stderr)
        built = build(
            Request(lab.root, lab.number, profile, out / ".reference" / profile, solution=True)
        )
        if built.error:
            raise_grader_error(f"the reference does not compile: {built.error}")
        for task in tasks_with_holes(lab):
            _copy_objects(lab, task, built.elf.parent, out / ".objects" / f"task{task}" / profile)


def tasks_with_holes(lab: Any) -> list[int]:
    return sorted({hole.task for hole in lab.holes})


def _copy_objects(lab: Any, task: int, built: Path, target: Path) -> None:
    target.mkdir(parents=True)
    for hole in lab.holes:
        if hole.task != task:
            path = Path(hole.file).with_suffix(".o")
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(built / path, target / path)


# -- each submission ----------------------------------------------------------------------------


def grade_one(lab: Any, criteria: Path, submission: Path, identity: str, out: Path) -> None:
    """Grade one submission whole, then each task that lost points alone; write its folder."""
    final = out / identity
    shutil.rmtree(final, ignore_errors=True)
    final.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix=".work-", dir=out) as work:
        tree = Path(work) / "tree"
        shutil.copytree(out / ".handout", tree, symlinks=True)
        report = unpack(lab, submission, tree)
        job = Job(lab.number, tree, Path(work) / "grade", criteria)
        whole = _run_and_keep(job, final)
        alone = {task: _run_and_keep(_alone(job, task, out), final / f"task{task}")
                 for task in _worth_a_try(lab, whole)}
    best = combine(whole, alone)
    write_reports(best, final)
    write_whole(final / "unpack.txt", "".join(f"{line}\n" for line in report.lines()))
    write_whole(
        final / "row.json", json.dumps(_row(identity, whole, alone, best, report.is_complete))
    )


def _alone(job: Job, task: int, out: Path) -> Job:
    names = tuple(c.name for c in load_criteria(job.criteria) if c.task == task)
    return replace(job, tests=names, refobj=out / ".objects" / f"task{task}")


def _worth_a_try(lab: Any, whole: Grade) -> list[int]:
    """Tasks that lost points and are written, when there is another task to take the blame."""
    holes = tasks_with_holes(lab)
    unwritten = {hole.task for hole in whole.unwritten}
    lost = [t for t in holes if whole.task_score(t) < lab.task(t).points and t not in unwritten]
    return lost if len(holes) > 1 else []


def combine(whole: Grade, alone: dict[int, Grade]) -> Grade:
    """Task by task, the outcomes of the better run."""
    outcomes = []
    for task in sorted({o.criterion.task for o in whole.outcomes}):
        better = alone.get(task)
        source = better if better and better.score > whole.task_score(task) else whole
        outcomes += [o for o in source.outcomes if o.criterion.task == task]
    return replace(whole, outcomes=outcomes)


def _row(
    identity: str, whole: Grade, alone: dict[int, Grade], best: Grade, complete: bool
) -> dict[str, Any]:
    row: dict[str, Any] = {"id": identity, "score": best.score, "maximum": best.maximum}
    for task in whole.lab.tasks:
        row[f"task{task.id}"] = best.task_score(task.id)
        row[f"task{task.id}_whole"] = whole.task_score(task.id)
        row[f"task{task.id}_alone"] = alone[task.id].score if task.id in alone else ""
    builds = all(o.verdict is not Verdict.BUILD for o in whole.outcomes)
    notes = ["" if complete else "see unpack.txt", "" if builds else "does not compile"]
    return {**row, "note": "; ".join(filter(None, notes))}


def _run_and_keep(job: Job, final: Path) -> Grade:
    """Grade, and move what the report points to out of the work folder."""
    grade = run(job)
    final.mkdir(exist_ok=True)
    for path in (*job.out.glob("build-*.log"), job.out / "pytest.log"):
        if path.exists():
            shutil.copy(path, final / path.name)
    for folder in ("bundles", "timelines"):
        if (job.out / folder).exists():
            shutil.copytree(job.out / folder, final / folder)
    for outcome in grade.outcomes:
        result = outcome.result
        for name in ("bundle", "console", "trace", "timeline"):
            setattr(result, name, getattr(result, name).replace(str(job.out), str(final), 1))
    return grade


# -- all of them --------------------------------------------------------------------------------


def run_all(options: argparse.Namespace, identities: Sequence[str]) -> None:
    """One process a submission, a few at a time; host trouble stops the rest."""
    stopped = threading.Event()

    def one(identity: str) -> None:
        if not stopped.is_set():
            print(f"grading {identity}", file=sys.stderr)
            if subprocess.run(command_for(options, identity), stdin=subprocess.DEVNULL).returncode:
                stopped.set()

    with ThreadPoolExecutor(options.jobs) as pool:
        try:
            list(pool.map(one, identities))
        except BaseException:
            stopped.set()
            raise


def command_for(options: argparse.Namespace, identity: str) -> list[str]:
    line = [
        str(ROOT / "grader/run"),
        "class",
        "--lab",
        str(options.lab),
        "--only",
        identity,
        "--submissions",
        str(options.submissions.resolve()),
        "--tree",
        str(options.tree.resolve()),
    ]
    line += ["--out", str(options.out.resolve())] if options.out else []
    return line + (["--criteria", str(options.criteria.resolve())] if options.criteria else [])


def slurm_script(options: argparse.Namespace, identities: Sequence[str], out: Path) -> str:
    """An sbatch script: an array with one task a submission, then `--merge`."""
    write_whole(out / ".ids", "".join(f"{identity}\n" for identity in identities))
    job = shlex.join(command_for(options, "ID")).replace(" ID ", ' "$id" ')
    last = shlex.join(command_for(options, "ID")).replace("--only ID", "--merge")
    return (
        f"#!/bin/sh\n#SBATCH --job-name=mazu-lab{options.lab}\n#SBATCH --array=1-{len(identities)}\n"
        "#SBATCH --cpus-per-task=2\n#SBATCH --mem=4G\n#SBATCH --time=00:20:00\n"
        f"# afterwards: {last}\n"
        f"id=$(sed -n \"${{SLURM_ARRAY_TASK_ID}}p\" {shlex.quote(str(out / '.ids'))})\nexec {job}\n"
    )


def merge(lab: Any, identities: Sequence[str], out: Path) -> int:
    """grades.csv from what the jobs left; 3 when one is missing."""
    rows, missing = [], []
    for identity in identities:
        path = out / identity / "row.json"
        if path.exists():
            rows.append(json.loads(path.read_text()))
        else:
            missing.append(identity)
    if rows:
        with (out / "grades.csv").open("w", newline="") as file:
            table = csv.DictWriter(file, rows[0].keys())
            table.writeheader()
            table.writerows(rows)
        for row in rows:
            print(f"{row['id']:30} {row['score']:>4} of {row['maximum']}  {row['note']}")
        print(f"grades: {out / 'grades.csv'}")
    if missing:
        raise Infra("not graded: " + ", ".join(missing), "grade them again")
    return 0
