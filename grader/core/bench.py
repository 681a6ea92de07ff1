"""`make bench`: the benchmark image under icount, against the limits of bench_limits.toml.

The image is the release profile with CONFIG_BENCH, for one hart; it prints `bench NAME mean N worst N` lines and
ends itself. A second one is made for several harts, and runs on one: what locks and other harts' queues cost.  Figures are guest instructions, so they decide: status 1 above a limit.  They are
official for Debian 12's GCC 12 and QEMU 7.2; with others the table is a report.

Limits are tables `[name]` with `limit`, or `of` and `times` (another figure), and optionally `stage`
(from which on there is such a figure), `memory` (the board to run on), `smp` (of the second image) and `bench`
(the name that is printed, where the table has another).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from grader.core.build import CROSS_PREFIXES, Built, Request, build
from grader.core.board import Board, qemu_version
from grader.core.machine import Machine
from grader.core.plan import write_whole
from grader.core.verdict import Failure

LINE = re.compile(r"^bench (\S+) mean (\d+) worst (\d+)\s*$", re.MULTILINE)
FRAGMENTS = "solution/configs/fragments"
IMAGES = {False: ("bench.config", "one_hart.config"), True: ("bench.config",)}  # by whether it is for several harts
USUAL_MEMORY = "128M"
WITHIN_S = 60.0
RUNS_AGAIN = 2
OFFICIAL_QEMU, OFFICIAL_GCC = "7.2.", "12."


@dataclass(frozen=True)
class Figure:
    mean: int
    worst: int
    limit: int | None

    @property
    def is_over(self) -> bool:
        return self.limit is not None and self.worst > self.limit


def bench(options: argparse.Namespace) -> int:
    """Build, run, compare, print."""
    tree = options.tree.resolve()
    limits = tomllib.loads(options.limits.read_text()) if options.limits.exists() else {}
    images: dict[bool, Path] = {}
    for smp in IMAGES:
        built = build_image(tree, smp)
        if built.error:
            print(f"the benchmark image does not compile: {built.error}")
            return 1
        images[smp] = built.elf
        limits = of_stage(limits, built.elf.with_name("auto.conf"))
        if not any(table.get("smp") for table in limits.values()):
            break
    try:
        figures = measure_within(images, limits)
    except Failure as failure:
        print(f"the benchmarks did not end: {failure}")
        return 1
    write_whole(
        tree / "build/bench.json",
        json.dumps({n: asdict(f) for n, f in figures.items()}, indent=1) + "\n",
    )
    official = is_official()
    print_figures(figures, official)
    missing = sorted(set(limits) - set(figures))
    if missing:
        print("not measured: " + ", ".join(missing))
    return 1 if missing or (official and any(f.is_over for f in figures.values())) else 0


def of_stage(limits: dict, configuration: Path) -> dict:
    """Those of the stages that the kernel holds: a handout of an early lab has no more."""
    stage = int(re.search(r"^CONFIG_STAGE := (\d+)", configuration.read_text(), re.MULTILINE)[1])
    return {name: table for name, table in limits.items() if table.get("stage", 1) <= stage}


def build_image(tree: Path, smp: bool) -> Built:
    where = tree / ("build/bench-smp" if smp else "build/bench")
    return build(Request(tree, 0, "release", where, fragments=tuple(tree / FRAGMENTS / name for name in IMAGES[smp])))


def measure_within(images: dict[bool, Path], limits: dict) -> dict[str, Figure]:
    """All with their limits. Chance (see one_host_cpu()) only adds: above a limit all run again, and the lower holds."""
    figures = bounded(measure_all(images, limits), limits)
    for _ in range(RUNS_AGAIN):
        if not any(figure.is_over for figure in figures.values()):
            break
        again = measure_all(images, limits)
        figures = bounded({n: min(f, again[n], key=lambda f: f.worst) for n, f in figures.items()}, limits)
    return figures


def measure_all(images: dict[bool, Path], limits: dict) -> dict[str, Figure]:
    """What every image prints, once."""
    return {n: f for smp, elf in images.items() for n, f in measure(elf, limits, smp).items()}


def measure(elf: Path, limits: dict, smp: bool) -> dict[str, Figure]:
    """Every figure that the first image prints, and those that limits ask for on other boards, and of the second."""
    figures: dict[str, Figure] = {}
    limits = {name: table for name, table in limits.items() if table.get("smp", False) == smp}
    for memory in sorted({USUAL_MEMORY, *(t.get("memory", USUAL_MEMORY) for t in limits.values())}):
        printed = parse(transcript(elf, memory))
        wanted = {
            n: t.get("bench", n)
            for n, t in limits.items()
            if t.get("memory", USUAL_MEMORY) == memory
        }
        if memory == USUAL_MEMORY and not smp:
            wanted = {**{name: name for name in printed}, **wanted}
        for name, source in wanted.items():
            if source in printed:
                figures[name] = Figure(*printed[source], None)
    return figures


def bounded(figures: dict[str, Figure], limits: dict) -> dict[str, Figure]:
    """All figures of both images, each with its limit."""
    return {name: replace(figure, limit=bound(name, limits, figures)) for name, figure in figures.items()}


def bound(name: str, limits: dict, figures: dict[str, Figure]) -> int | None:
    """A figure's limit: a number, or so many times what another figure is now."""
    table = limits.get(name, {})
    if (other := figures.get(table.get("of", ""))) is not None:
        return int(other.worst * table["times"])
    return table.get("limit")


@contextmanager
def one_host_cpu() -> Iterator[None]:
    """
    What is started within has one host CPU for all of its threads.

    QEMU's main loop moves the guest's clock on when every hart waits.  On another CPU it can see the hart wait
    while the hart's last instructions are not counted yet, and moves it by so many too far: in one run of four, one
    of 10000 deadlines looked 27 instructions late.  On one CPU that is one run of fifty.
    """
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def transcript(elf: Path, memory: str) -> str:
    """What the image prints on one board; no metronome: nothing stops it."""
    board = Board(elf, memory=memory, append="bench", icount=True, metronome=False)
    with one_host_cpu(), Machine(board) as machine:
        machine.run()
        if machine.wait_exit(WITHIN_S):
            raise machine.failure("the benchmarks to end with status 0", f"status {machine.status}")
        return machine.console.transcript


def parse(text: str) -> dict[str, tuple[int, int]]:
    return {name: (int(mean), int(worst)) for name, mean, worst in LINE.findall(text)}


def print_figures(figures: dict[str, Figure], official: bool) -> None:
    width = max([len(name) for name in figures] + [9])
    print(f"{'benchmark':{width}} {'mean':>10} {'worst':>10} {'limit':>10}")
    for name, figure in figures.items():
        limit = f"{figure.limit:>10}" if figure.limit is not None else f"{'-':>10}"
        print(
            f"{name:{width}} {figure.mean:>10} {figure.worst:>10} {limit}{'  OVER' * figure.is_over}"
        )
    if not official:
        print("limits are official for Debian 12's GCC 12 and QEMU 7.2 only: this is a report")


def is_official() -> bool:
    gcc = next((path for prefix in CROSS_PREFIXES if (path := shutil.which(f"{prefix}gcc"))), None)
    if gcc is None or not qemu_version().startswith(OFFICIAL_QEMU):
        return False
    version = subprocess.run([gcc, "-dumpfullversion"], capture_output=True, text=True).stdout
    return version.startswith(OFFICIAL_GCC)
