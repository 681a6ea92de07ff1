"""Building the kernel under test: `make -s build …`, in the sandbox, within a wall limit.

The compiler reads what a stranger wrote, so it gets no network, sees only the tree and the
toolchain, and writes only its build directory.  Its log is kept; when it fails, the first line that
names an error is the one sentence of the verdict `build`.

A log is a stranger's text too (`#error Cannot allocate memory`; a #line even writes whole lines), so
a host's fault that it speaks of needs a witness on the host.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grader.core.process import available_memory, end_group
from grader.core.sandbox import Jail, Limits, confine, prefixes
from grader.core.verdict import Infra, shorten

CROSS_PREFIXES = ("riscv64-unknown-elf-", "riscv64-elf-", "riscv64-none-elf-", "riscv64-linux-gnu-")
LONGEST_BUILD_S = 120
ERROR_LINE = re.compile(
    r"(?:error|Error|undefined reference|multiple definition|No rule to make)\b.*"
)
MAKE_ECHO = re.compile(r"^make(\[\d+\])?: ")
SPACE_OF_A_BUILD = 256 << 20
MEMORY_OF_A_BUILD = 512 << 20


@dataclass(frozen=True)
class Request:
    """One kernel to build: whose sources, which profile, where to."""

    tree: Path
    lab: int  # 0: the reference at its highest stage
    profile: str
    out: Path
    solution: bool = False
    carry: bool = False
    shadow: Path | None = None
    refobj: Path | None = None
    fragments: tuple[Path, ...] = field(default=())

    @property
    def elf(self) -> Path:
        return self.out / "mazu.elf"

    def command(self) -> list[str]:
        options = [f"PROFILE={self.profile}", f"O={self.out}"]
        options += [f"LAB={self.lab}"] if self.lab else []
        options += ["SOLUTION=1"] if self.solution else []
        options += ["CARRY=1"] if self.carry else []
        options += [f"SHADOW={self.shadow}"] if self.shadow else []
        options += [f"REFOBJ={self.refobj}"] if self.refobj else []
        options += ["FRAGMENTS=" + " ".join(map(str, self.fragments))] if self.fragments else []
        return ["make", "-s", f"-j{os.cpu_count() or 1}", "-C", str(self.tree), "build", *options]


@dataclass(frozen=True)
class Built:
    """What a build left; `error` is None when there is a kernel."""

    elf: Path
    log: Path
    error: str | None


def require_toolchain() -> None:
    """Infra unless make and a cross compiler are here: not a student's fault."""
    cross = os.environ.get("CROSS_COMPILE")
    if not shutil.which("make"):
        raise Infra("make is not in PATH", "run tools/setup")
    if not any(shutil.which(f"{prefix}gcc") for prefix in ((cross,) if cross else CROSS_PREFIXES)):
        raise Infra("no RISC-V cross compiler is in PATH", "run tools/setup")


def build(request: Request) -> Built:
    """Run make; the log goes beside the build directory."""
    require_toolchain()
    request.out.mkdir(parents=True, exist_ok=True)
    log = request.out.with_name(f"build-{request.out.name}.log")
    status = _run(request.command(), _jail(request), log)
    if status is None:
        return Built(request.elf, log, f"the compilation did not end within {LONGEST_BUILD_S} s")
    text = log.read_text("utf-8", "replace")
    if status == 0 and request.elf.exists():
        return Built(request.elf, log, None)
    for sign, is_true in HOST_SIGNS.items():
        if sign in text and is_true(request):
            raise Infra(f"the build broke on this host ({sign})", f"see {log}, and run tools/setup")
    return Built(request.elf, log, first_error(text, request.tree))


def _lacks_modules(request: Request) -> bool:
    tool = Path(__file__).resolve().parents[2] / "tools/python"
    done = subprocess.run([tool], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return done.returncode != 0


def _lacks_space(request: Request) -> bool:
    return shutil.disk_usage(request.out).free < SPACE_OF_A_BUILD


def _lacks_memory(request: Request) -> bool:
    return available_memory() < MEMORY_OF_A_BUILD


HOST_SIGNS: dict[str, Callable[[Request], bool]] = {
    "ModuleNotFoundError": _lacks_modules,
    "No space left on device": _lacks_space,
    "Cannot allocate memory": _lacks_memory,
}


def first_error(log: str, tree: Path) -> str:
    """The first line that says what is wrong, with paths as seen from the tree."""
    lines = [line.replace(f"{tree}/", "") for line in log.splitlines() if line.strip()]
    errors = [line for line in lines if ERROR_LINE.search(line) and not MAKE_ECHO.match(line)]
    return shorten((errors or lines or ["make failed without a word"])[0].strip(), 240)


def _jail(request: Request) -> Jail:
    tools = [f"{prefix}gcc" for prefix in CROSS_PREFIXES] + [
        "make",
        "python3",
        os.environ.get("PYTHON", "python3"),
    ]
    extra = [path for path in (request.shadow, request.refobj, *request.fragments) if path]
    return Jail(read=(request.tree, *prefixes(tools), *extra), write=(request.out,),
                limits=Limits(cpu_s=LONGEST_BUILD_S, file_mib=256, memory_mib=4096))


def _run(command: Sequence[str], jail: Jail, log: Path) -> int | None:
    """The status of a command, or None when it did not end in time; its group is gone after."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            confine(command, jail),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=_environment(),
        )
        try:
            return process.wait(timeout=LONGEST_BUILD_S)
        except subprocess.TimeoutExpired:
            return None
        finally:
            end_group(process)


def _environment() -> dict[str, str]:
    """Ours, without what an outer make would pass down."""
    dropped = (
        "MAKEFLAGS",
        "MAKELEVEL",
        "MFLAGS",
        "MAKEOVERRIDES",
        "LAB",
        "TEST",
        "SEED",
        "GDB",
        "V",
    )
    return {name: value for name, value in os.environ.items() if name not in dropped}
