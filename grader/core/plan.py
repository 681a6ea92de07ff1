"""The plan of a run: one JSON file that tells every pytest process what the runner decided.

The runner writes it, conftest.py (in each xdist worker) reads it.  It also says where results go:
`results/` holds one file a criterion and seed, written whole and renamed, so that processes see
each other's results without a lock.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Plan:
    lab: int
    root: str  # the tree under test
    out: str  # build/grade/labNN
    criteria: str  # the test file
    kernels: dict[str, str]  # profile -> ELF
    limits: dict[str, tuple[int, float, int]] = field(
        default_factory=dict
    )  # reference, margin, bound
    only: list[str] = field(default_factory=list)
    seed: int | None = None
    gdb: bool = False
    live: bool = False

    @property
    def results(self) -> Path:
        return Path(self.out) / "results"

    @property
    def bundles(self) -> Path:
        return Path(self.out) / "bundles"

    @property
    def timelines(self) -> Path:
        return Path(self.out) / "timelines"

    def save(self, path: Path) -> None:
        write_whole(path, json.dumps(asdict(self), indent=1))

    @classmethod
    def load(cls, path: Path) -> Plan:
        return cls(**json.loads(path.read_text()))


@dataclass
class Result:
    """How one run of one criterion ended (one seed, where it has seeds)."""

    criterion: str
    verdict: str
    sentence: str = ""
    remedy: str = ""
    seed: int | None = None
    bundle: str = ""
    console: str = ""
    trace: str = ""
    timeline: str = ""
    figures: list[dict[str, Any]] = field(default_factory=list)

    def save(self, folder: Path) -> None:
        name = self.criterion + (f"@{self.seed}" if self.seed is not None else "")
        write_whole(folder / f"{name}.json", json.dumps(asdict(self), indent=1))


def load_results(folder: Path) -> list[Result]:
    """Everything that the processes of a run have finished so far, in order of name and seed."""
    found = [Result(**json.loads(path.read_text())) for path in folder.glob("*.json")]
    return sorted(found, key=lambda r: (r.criterion, r.seed if r.seed is not None else -1))


def write_whole(path: Path, text: str) -> None:
    """Write a file so that no reader ever sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text, "utf-8")
    draft.replace(path)
