"""The pytest side: order, parameters, fixtures, and one result file for each test that ends.

Used with `--plan FILE` by the runner, or with `--lab N` by hand after a run has built the kernels.
Without either, only the grader's own tests are collected.  Everything here holds in an xdist
worker as well: workers share nothing but the results folder.
"""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grader.core.console import Console
from grader.core.declare import Criterion, blocker_of, in_order
from grader.core.elf import Symbols
from grader.core.plan import Plan, Result, load_results
from grader.core.verdict import Failure, Verdict, infra_from, shorten
from grader.core.workbench import Workbench

ROOT = Path(__file__).resolve().parents[2]
STUB_FIXTURES = {"gdb", "icount", "latency"}
PLAN: pytest.StashKey[Plan | None] = pytest.StashKey()
BENCH: pytest.StashKey[Workbench] = pytest.StashKey()


# -- configuration ------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("mazu")
    group.addoption("--plan", help="the plan of a run, written by grader/run")
    group.addoption("--lab", type=int, help="grade what the last `make grade-labN` has built")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "graded(criterion): a graded criterion, see core/declare.py")
    config.stash[PLAN] = _load_plan(config)
    signal.signal(signal.SIGTERM, _terminate)


def _load_plan(config: pytest.Config) -> Plan | None:
    path, lab = config.getoption("plan"), config.getoption("lab")
    if lab and not path:
        path = ROOT / f"build/grade/lab{lab:02}/plan.json"
    if path is None:
        return None
    path = Path(path)
    if not path.exists():
        raise pytest.UsageError(
            f"{path} is not there: run `make grade-lab{lab or 'N'}` first, which builds"
        )
    return Plan.load(path)


def _terminate(*_: object) -> None:
    raise KeyboardInterrupt


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Criteria are collected for their lab only, the grader's own tests only without one."""
    plan = config.stash[PLAN]
    if collection_path.suffix != ".py" or collection_path.name in ("conftest.py", "__init__.py"):
        return None
    in_tests = collection_path.parent.name == "tests"
    is_criteria = collection_path.name.startswith("test_lab") and not in_tests
    return is_criteria if plan is None else collection_path != Path(plan.criteria)


# -- order and parameters -----------------------------------------------------------------------


def _criterion(item: pytest.Item) -> Criterion | None:
    mark = item.get_closest_marker("graded")
    return mark.kwargs["criterion"] if mark else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    plan = metafunc.config.stash[PLAN]
    mark = next(metafunc.definition.iter_markers("graded"), None)
    if mark and plan and (seeds := mark.kwargs["criterion"].seeds):
        wanted = seeds if plan.seed is None else (plan.seed,)
        metafunc.parametrize("seed", wanted, ids=[f"seed{seed}" for seed in wanted])


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What is needed runs first; a choice of tests (TEST=…) runs only those."""
    plan = config.stash[PLAN]
    if plan is None:
        return
    by_name: dict[str, list[pytest.Item]] = {}
    criteria: dict[str, Criterion] = {}
    for item in items:
        if criterion := _criterion(item):
            by_name.setdefault(criterion.name, []).append(item)
            criteria[criterion.name] = criterion
    ordered = in_order(list(criteria.values()))
    wanted = set(plan.only) if plan.only else set(criteria)
    items[:] = [item for c in ordered if c.name in wanted for item in by_name[c.name]]


# -- one test -----------------------------------------------------------------------------------


def pytest_runtest_setup(item: pytest.Item) -> None:
    plan, criterion = item.config.stash[PLAN], _criterion(item)
    if plan is None or criterion is None:
        return
    bad = {result.criterion: result.verdict for result in load_results(plan.results)
           if result.verdict != Verdict.PASS}
    if Verdict.INFRA in bad.values():
        pytest.skip("the run has stopped: infra")
    if blocker := blocker_of(criterion, bad.__contains__):
        Result(criterion.name, Verdict.BLOCKED, f"blocked by {blocker}", seed=_seed(item)).save(
            plan.results
        )
        pytest.skip(f"blocked by {blocker}")
    uses_stub = bool(STUB_FIXTURES & set(getattr(item, "fixturenames", ())))
    item.stash[BENCH] = Workbench(plan, criterion, _seed(item), uses_stub)


def pytest_runtest_teardown(item: pytest.Item) -> None:
    if BENCH in item.stash:
        item.stash[BENCH].close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    if BENCH in item.stash and (call.excinfo or call.when == "call") and call.when != "teardown":
        bench = item.stash[BENCH]
        result = _judge(bench, call.excinfo.value if call.excinfo else None)
        bench.debug_at_end()
        folder = bench.gather(Verdict(result.verdict))
        result.timeline = bench.keep_timeline(folder)
        if folder:
            result.bundle = str(folder)
            result.console, result.trace = str(folder / "console.log"), str(folder / "trace.log")
        result.save(bench.plan.results)
    yield


def _judge(bench: Workbench, error: BaseException | None) -> Result:
    """A result from how the test function ended."""
    result = Result(bench.criterion.name, Verdict.PASS, seed=bench.seed, figures=bench.figures)
    if error is None:
        return result
    if infra := infra_from(error):
        result.verdict, result.sentence, result.remedy = Verdict.INFRA, infra.reason, infra.remedy
    elif isinstance(error, Failure):
        result.verdict, result.sentence = error.verdict, str(error)
    elif isinstance(error, (AssertionError, pytest.fail.Exception)):
        first = (str(error) or "an assertion to hold").splitlines()[0]
        result.verdict, result.sentence = Verdict.FAIL, f"expected {shorten(first)}, got otherwise"
    else:
        result.verdict = Verdict.INFRA
        result.sentence = f"the grader itself failed: {type(error).__name__}: {shorten(str(error))}"
        result.remedy = "report it to the course's maintainers"
    return result


def _seed(item: pytest.Item) -> int | None:
    callspec = getattr(item, "callspec", None)
    return callspec.params.get("seed") if callspec else None


# -- fixtures -----------------------------------------------------------------------------------


@pytest.fixture
def workbench(request: pytest.FixtureRequest) -> Workbench:
    """The machinery behind the other fixtures."""
    return request.node.stash[BENCH]


@pytest.fixture
def machine(workbench: Workbench) -> Any:
    """`machine(memory="64M", harts=2, append="…", icount=False, paused=False, …)`."""
    return workbench.machine


@pytest.fixture
def console(workbench: Workbench) -> Console:
    """The console of one running machine with the default board."""
    return workbench.machine().console


@pytest.fixture
def gdb(workbench: Workbench) -> Any:
    """`gdb(stop="kernel_main", harts=2, …)`: a machine under the grader's debugger."""
    return workbench.gdb


@pytest.fixture
def icount(workbench: Workbench) -> Any:
    """As `gdb`, with exact instruction counts: `.cycles()`, `.instructions(start, end)`."""
    return workbench.icount


@pytest.fixture
def latency(workbench: Workbench) -> Any:
    """`latency(measure)`: measured twice, must repeat exactly and keep the limit of lab.toml."""
    return workbench.within


@pytest.fixture
def symbols(workbench: Workbench) -> Symbols:
    return Symbols(workbench.kernel)


@pytest.fixture
def disk(workbench: Workbench) -> Any:
    """`disk(size, content)`: a raw image for `machine(disks=(image,))`."""
    return workbench.disk


@pytest.fixture
def wire(workbench: Workbench) -> Any:
    """`wire()`: a cable for `machine(wires=(cable,))`, with the criterion at its near end."""
    return workbench.wire


@pytest.fixture
def seed() -> int:
    """The seed of this run; 0 for criteria without seeds (those with seeds get a parameter)."""
    return 0


@pytest.fixture
def rng(seed: int) -> random.Random:
    """A generator that repeats with the seed."""
    return random.Random(seed)
