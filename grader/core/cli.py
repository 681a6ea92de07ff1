"""The verbs of grader/run, and its exit statuses: 0 full marks, 1 less, 3 the host is at fault."""

from __future__ import annotations

import argparse
import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path

from grader.core import bench, classroom, mutants
from grader.core.job import ROOT, WORKERS, Job, criteria_file, run
from grader.core.sandbox import notice
from grader.core.verdict import Infra, infra_from
from grader.report.files import write_reports
from grader.report.table import print_grade, shown

FULL, LESS, USAGE, INFRA = 0, 1, 2, 3


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _terminate)
    try:
        return options.verb(options)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 128 + signal.SIGINT
    except (Infra, OSError, MemoryError, ImportError) as error:
        infra = infra_from(error)
        if infra is None:
            raise
        print(
            f"infra: {infra.reason}\n       {infra.remedy}\n       this is no grade",
            file=sys.stderr,
        )
        return INFRA


def grade(options: argparse.Namespace) -> int:
    """Grade one lab and print the table."""
    if text := notice():
        say(text)
    job = job_of(options)
    result = run(job, say)
    write_reports(result, job.out)
    print_grade(result)
    if not result.partial:
        print(f"report: {shown(str(job.out / 'report.html'))}")
    return FULL if result.score == result.maximum else LESS


def replay(options: argparse.Namespace) -> int:
    """One test, one seed, again and identically, under the debugger."""
    options.gdb = sys.stdin.isatty() if options.gdb is None else options.gdb
    return grade(options)


def check(options: argparse.Namespace) -> int:
    """The integration tests against a booted system."""
    command = [sys.executable, "-m", "pytest", "-q", "-c", str(ROOT / "grader/pytest.ini"),
               str(ROOT / "grader/check")]
    command += ["-k", options.test] if options.test else []
    if options.live:
        command += ["-s"]
    elif importlib.util.find_spec("xdist"):
        command += ["-n", str(WORKERS)]
    return subprocess.run(command, cwd=ROOT).returncode


def job_of(options: argparse.Namespace) -> Job:
    tree = options.tree.resolve()
    out = options.out or tree / f"build/grade/lab{options.lab:02}"
    return Job(
        options.lab,
        tree,
        out.resolve(),
        (options.criteria or criteria_file(options.lab)).resolve(),
        options.solution,
        options.carry,
        options.shadow and options.shadow.resolve(),
        options.refobj and options.refobj.resolve(),
        tuple(options.test),
        options.seed,
        bool(options.gdb),
        options.live,
        options.jobs,
    )


def say(text: str) -> None:
    """Progress, which is not part of the result."""
    print(text, file=sys.stderr, flush=True)


def _terminate(*_: object) -> None:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="grader/run", description="Grades the labs of Mazu.")
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    for name, verb in (("grade", grade), ("replay", replay)):
        _grading_options(verbs.add_parser(name, help=verb.__doc__), verb)
    _class_options(
        verbs.add_parser(
            "class", aliases=["grade-class"], help=classroom.grade_class.__doc__.splitlines()[0]
        )
    )
    sub = verbs.add_parser("mutants", help="show that wrong answers are caught")
    sub.add_argument("--lab", type=int, help="default: every lab that has mutants")
    sub.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="one patch, without .patch"
    )
    sub.add_argument("--jobs", type=int, default=WORKERS)
    sub.add_argument(
        "--check-applies", action="store_true", help="only see whether every patch applies"
    )
    sub.add_argument("--tree", type=Path, default=ROOT)
    sub.add_argument("--criteria", type=Path)
    sub.add_argument("--patches", type=Path)
    sub.set_defaults(verb=mutants.mutants)
    sub = verbs.add_parser("check", help=check.__doc__)
    sub.add_argument("--test", metavar="NAME", help="only tests whose name contains this")
    sub.add_argument("-v", "--live", action="store_true", help="show consoles as they come")
    sub.set_defaults(verb=check)
    sub = verbs.add_parser("bench", help="run the benchmarks against their limits")
    sub.add_argument("--tree", type=Path, default=ROOT)
    sub.add_argument("--limits", type=Path, default=ROOT / "grader/bench_limits.toml")
    sub.set_defaults(verb=bench.bench)
    return parser


def _grading_options(sub: argparse.ArgumentParser, verb) -> None:
    sub.add_argument("--lab", type=int, required=True)
    sub.add_argument("--solution", action="store_true", help="grade the reference")
    sub.add_argument("--carry", action="store_true", help="on the student's own earlier labs")
    sub.add_argument(
        "--test", action="append", default=[], metavar="NAME", help="only this criterion"
    )
    sub.add_argument("--seed", type=int, help="only this seed")
    sub.add_argument("--gdb", action="store_true", default=None if verb is replay else False)
    sub.add_argument("-v", "--live", action="store_true", help="show the console as it comes")
    sub.add_argument("--jobs", type=int, default=WORKERS, help="criteria at a time")
    sub.add_argument("--tree", type=Path, default=ROOT, help="the tree to build")
    sub.add_argument("--out", type=Path, help="where reports and builds go")
    sub.add_argument("--shadow", type=Path, help="where the student's files are")
    sub.add_argument("--refobj", type=Path, help="objects to take instead of compiling")
    sub.add_argument("--criteria", type=Path, help="another file of criteria")
    sub.set_defaults(verb=verb)


def _class_options(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--lab", type=int, required=True)
    sub.add_argument("--submissions", type=Path, required=True)
    sub.add_argument("--jobs", type=int, default=max(1, (os.cpu_count() or 1) // WORKERS))
    sub.add_argument(
        "--slurm", action="store_true", help="print an sbatch script, one job a submission"
    )
    sub.add_argument("--only", metavar="ID", help="one submission (a job of the array)")
    sub.add_argument(
        "--merge", action="store_true", help="only gather grades.csv from finished jobs"
    )
    sub.add_argument("--tree", type=Path, default=ROOT)
    sub.add_argument("--out", type=Path, help="default: build/class/labNN")
    sub.add_argument("--criteria", type=Path)
    sub.set_defaults(verb=classroom.grade_class)


if __name__ == "__main__":
    sys.exit(main())
