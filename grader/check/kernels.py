"""The kernels under test: the tree's own, built in the variants that the tests name.

`build/check/NAME` keeps each build, so that a second run compiles only what changed.  Workers run
side by side: a lock makes the second wait for the first one's build.
"""

from __future__ import annotations

import fcntl
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from grader.core.build import Request, build
from grader.core.plan import write_whole
from grader.core.verdict import Failure

ROOT = Path(__file__).resolve().parents[2]
BUILDS = ROOT / "build/check"


@dataclass(frozen=True)
class Variant:
    """A profile and what differs from it."""

    profile: str = "debug"
    settings: tuple[str, ...] = ()
    lab: int = 0


VARIANTS = {
    "debug": Variant(),
    "release": Variant("release"),
    "ubsan": Variant("ubsan"),
    "lab01": Variant(lab=1),
    "lab02": Variant(lab=2),
    "lab03": Variant(lab=3),
    "lab04": Variant(lab=4),
    "release-lab01": Variant("release", lab=1),
    "shared": Variant(settings=("CONFIG_SPACE_SHARED=y",)),
    "chatty": Variant(settings=("CONFIG_DEBUG_LEVEL=3",)),
    "semihosting": Variant(settings=("CONFIG_SEMIHOSTING=y",)),
    "unprotected": Variant(settings=("# CONFIG_STACKPROTECTOR is not set",)),
    "impatient": Variant(settings=("CONFIG_LOCK_STUCK_MS=100",)),
    "no-crash": Variant(settings=("# CONFIG_CRASH is not set",)),
}


@cache
def kernel(name: str = "debug") -> Path:
    """The ELF of a variant, built at most once a process."""
    return make(request_of(name))


def request_of(name: str, tree: Path = ROOT, builds: Path = BUILDS) -> Request:
    variant = VARIANTS[name]
    fragment = builds / f"{name}.config"
    write_whole(fragment, "".join(f"{line}\n" for line in variant.settings))
    return Request(tree, variant.lab, variant.profile, builds / name, solution=bool(variant.lab),
                   fragments=(fragment,) if variant.settings else ())


def make(request: Request) -> Path:
    request.out.parent.mkdir(parents=True, exist_ok=True)
    with request.out.with_name(f".{request.out.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        built = build(request)
    if built.error:
        raise Failure(f"{request.out.name} to compile", built.error)
    return built.elf
