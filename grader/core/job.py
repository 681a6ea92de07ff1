"""One grading: lock the output, build, run pytest, merge.  No printing, so that a class can use it.

`Job` says what to grade, `run` does it and returns a `Grade`; host trouble is raised as `Infra`.
Everything a run leaves goes below `job.out`: results.json and its kin, bundles/, logs, and the
build directories, which stay for the next run's incremental build.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from course import labs
from course.errors import CourseError

from grader.core.build import Request, build
from grader.core.declare import Criterion, load_criteria
from grader.core.board import qemu_path
from grader.core.plan import Plan, load_results
from grader.core.score import Grade, build_outcomes, check_points, outcomes_of
from grader.core.verdict import Infra, raise_grader_error

ROOT = Path(__file__).resolve().parents[2]
WORKERS = 2


@dataclass(frozen=True)
class Job:
    """What to grade."""

    lab: int
    tree: Path
    out: Path
    criteria: Path
    solution: bool = False
    carry: bool = False
    shadow: Path | None = None
    refobj: Path | None = None  # objects to take instead of compiling, a folder a profile
    tests: tuple[str, ...] = ()
    seed: int | None = None
    gdb: bool = False
    live: bool = False
    workers: int = WORKERS

    @property
    def flags(self) -> str:
        """What a command needs, to grade the same sources again."""
        shadow = f" SHADOW={self.shadow}" if self.shadow else ""
        return " SOLUTION=1" * self.solution + " CARRY=1" * self.carry + shadow


def criteria_file(lab: int) -> Path:
    path = ROOT / f"grader/test_lab{lab:02}.py"
    if not path.exists():
        raise_grader_error(f"lab {lab} has no criteria ({path.name})")
    return path


def run(job: Job, say: Callable[[str], None] = lambda text: None) -> Grade:
    """Grade, and return what came of it."""
    qemu_path()
    lab = load_lab(job.tree, job.lab)
    criteria = load_criteria(job.criteria)
    check_points(lab, criteria)
    chosen = choose(criteria, job.tests)
    with locked(job.out, say):
        forget(job.out)
        plan, error = _build(job, lab, chosen, say)
        if error:
            outcomes = build_outcomes(chosen, error)
        else:
            say(f"running {len(chosen)} criteria")
            _pytest(job, plan)
            outcomes = outcomes_of(
                chosen, load_results(plan.results), one_seed=job.seed is not None
            )
    missing = () if job.solution else labs.unwritten(lab, job.shadow)
    return Grade(lab, outcomes, job.flags, missing, bool(job.tests))


def load_lab(tree: Path, number: int) -> labs.Lab:
    try:
        return labs.load(tree, number)
    except CourseError as error:
        raise Infra(str(error), "mend lab.toml") from error


def choose(criteria: Sequence[Criterion], names: Sequence[str]) -> list[Criterion]:
    """The criteria of these names, or all of them."""
    known = {criterion.name for criterion in criteria}
    if unknown := [name for name in names if name not in known]:
        raise Infra(
            f"there is no criterion {unknown[0]}", "the criteria are: " + ", ".join(sorted(known))
        )
    return [criterion for criterion in criteria if not names or criterion.name in names]


@contextmanager
def locked(out: Path, say: Callable[[str], None]) -> Iterator[None]:
    """One grading at a time in one folder: a second one waits."""
    out.mkdir(parents=True, exist_ok=True)
    with (out / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another grading in the same folder to end")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def forget(out: Path) -> None:
    """Remove what an earlier run reported; its builds stay."""
    for folder in ("results", "bundles", "timelines"):
        shutil.rmtree(out / folder, ignore_errors=True)
    for name in ("results.json", "junit.xml", "report.html", "plan.json", "pytest.log"):
        (out / name).unlink(missing_ok=True)


def _build(job: Job, lab: labs.Lab, chosen: Sequence[Criterion],
           say: Callable[[str], None]) -> tuple[Plan, str | None]:
    """Build each profile that is needed; the plan, and the first error if there is one."""
    plan = Plan(
        job.lab,
        str(job.tree),
        str(job.out),
        str(job.criteria),
        {},
        {limit.criterion: (limit.reference, limit.margin, limit.bound) for limit in lab.limits},
        list(job.tests),
        job.seed,
        job.gdb,
        job.live,
    )
    if absent := _absent(job, lab):
        return plan, f"no {absent} (where is it? `make starters` brings back the starter)"
    for profile in sorted({criterion.profile for criterion in chosen}):
        say(f"building lab {job.lab}, {profile}")
        built = build(
            Request(
                job.tree,
                job.lab,
                profile,
                job.out / profile,
                job.solution,
                job.carry,
                job.shadow,
                job.refobj and job.refobj / profile,
            )
        )
        if built.error:
            return plan, built.error
        plan.kernels[profile] = str(built.elf)
    plan.save(job.out / "plan.json")
    return plan, None


def _absent(job: Job, lab: labs.Lab) -> str | None:
    """The first of the student's files that is not there: a build would take the reference's."""
    base = labs.base_of(lab, job.shadow)
    files = () if job.solution else lab.files
    return next((f"{lab.folder}/{file}" for file in files if not (base / file).is_file()), None)


def _pytest(job: Job, plan: Plan) -> None:
    """Run the criteria in a pytest of their own, with a temporary folder of its own."""
    command = [sys.executable, "-m", "pytest", "-q", "-c", str(ROOT / "grader/pytest.ini"),
               "-p", "grader.core.plugin", "--plan", str(job.out / "plan.json"), str(job.criteria)]
    interactive = job.gdb or job.live
    if interactive:
        command.append("-s")
    elif job.workers > 1 and len(job.tests) != 1 and importlib.util.find_spec("xdist"):
        command += ["-n", str(job.workers)]
    with private_tmp() as tmp, (job.out / "pytest.log").open("wb") as log:
        output = None if interactive else log
        process = subprocess.Popen(command, cwd=ROOT, env=_environment(tmp), stdout=output,
                                   stderr=subprocess.STDOUT if output else None,
                                   stdin=None if interactive else subprocess.DEVNULL)
        try:
            process.wait()
        except BaseException:
            process.terminate()
            process.wait(timeout=30)
            raise


@contextmanager
def private_tmp() -> Iterator[Path]:
    """A temporary folder that goes with the run, whatever the workers left in it."""
    base = tempfile.gettempdir() if len(tempfile.gettempdir()) < 40 else "/tmp"
    folder = Path(tempfile.mkdtemp(prefix="mazu-", dir=base))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _environment(tmp: Path) -> dict[str, str]:
    path = [str(ROOT), str(ROOT / "tools")]
    quiet = {
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTEST_ADDOPTS": "",
        "PYTHONPATH": os.pathsep.join(path),
    }
    return {**os.environ, **quiet, "TMPDIR": str(tmp)}
