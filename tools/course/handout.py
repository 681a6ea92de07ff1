"""The tree that students of lab N may have: it builds, runs and grades by itself.

It is the project's tracked files as they stand, less what `_is_private` names: answers to lab N and
later, later labs and what they add, mutants, the instructor's guide, the tools' own tests. Lab N's
starters are rendered fresh, whatever a working copy holds; those of earlier labs too, or with
`carry` the student's own files are kept. `.handout` tells make which lab it is.

The tree is made beside its place, proven free of answers (proof.py), and only then moved there.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from course.errors import CourseError, Problem, fail
from course.files import write
from course.globs import matches
from course.labs import FOLDER, Lab, handout_of, load_all
from course.proof import prove
from course.starters import MANIFEST, REFERENCE, manifest, render

PRIVATE = ("/.git", "/.ci/", "/docs/instructor.md", "/grader/check/", "/grader/mutants/",
           "/grader/tests/", "/tools/tests/", "/.handout")
UNTRACKED = ("__pycache__/", "*.pyc", "/.git", "/build/", ".pytest_cache/")


@dataclass(frozen=True)
class Plan:
    """What a handout of lab `number` is made from."""

    root: Path
    number: int
    labs: tuple[Lab, ...]
    carry: bool

    @property
    def here(self) -> list[Lab]:
        return [lab for lab in self.labs if lab.number <= self.number]

    @property
    def later(self) -> list[Lab]:
        return [lab for lab in self.labs if lab.number > self.number]

    @property
    def secret(self) -> list[Lab]:
        """The labs whose answers must not be in it."""
        return [lab for lab in self.labs if lab.number >= self.number]


def handout(root: Path, number: int, out: Path, carry: bool = False) -> int:
    """Make the handout of lab `number` in `out`; returns the number of its files."""
    if handout_of(root) is not None:
        raise fail(".handout", "this tree is a handout itself, make one in a full clone")
    labs = tuple(load_all(root))
    if number not in [lab.number for lab in labs]:
        raise fail("labs", f"there is no lab {number}")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise fail(out, "is there and not empty, name a new folder")
    plan = Plan(root, number, labs, carry)
    starters = {lab.number: render(lab) for lab in labs}
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as temporary:
        tree = Path(temporary) / "tree"
        tree.mkdir()
        _copy(plan, tree)
        _write_starters(plan, starters, tree)
        write(tree / ".handout", f"LAB={number}\n".encode())
        prove(plan.secret, tree)
        if out.exists():
            out.rmdir()
        tree.rename(out)
    return sum(path.is_file() for path in out.rglob("*"))


def _copy(plan: Plan, tree: Path) -> None:
    for path in sorted(tracked(plan.root)):
        if not _is_private(plan, path):
            target = tree / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(plan.root / path, target, follow_symlinks=False)
    needed = [lab.named(name) for lab in plan.here for name in ("lab.toml", "README.md")]
    if absent := [path for path in needed if not (tree / path).is_file()]:
        raise CourseError(Problem(path, "is not among the tracked files, `git add` it")
                          for path in absent)


def _write_starters(plan: Plan, starters: dict[int, dict[str, str]], tree: Path) -> None:
    for lab in plan.here:
        wanted = starters[lab.number]
        for file, text in wanted.items():
            own = lab.directory / file
            is_kept = plan.carry and lab.number < plan.number and own.is_file()
            write(tree / lab.folder / file, own.read_bytes() if is_kept else text.encode())
        write(tree / lab.folder / MANIFEST, manifest(wanted).encode())


def _is_private(plan: Plan, path: str) -> bool:
    return (any(matches("/" + path, pattern) for pattern in PRIVATE)
            or _is_of_later_lab(plan.number, path)
            or path in {f"{REFERENCE}/{file}" for lab in plan.secret for file in lab.files}
            or _is_starter(plan, path)
            or any(_is_added(path, glob) for lab in plan.later for glob in lab.adds))


def _is_added(path: str, glob: str) -> bool:
    return matches("/" + path, glob if glob.startswith("/") else f"/{REFERENCE}/{glob}")


def _is_of_later_lab(number: int, path: str) -> bool:
    """labs/04-smp/..., grader/test_lab04.py, configs/lab4: a part of the path says so."""
    first, *parts = path.split("/")
    if first == "labs" and parts and (match := FOLDER.fullmatch(parts[0])):
        return int(match.group(1)) > number
    labs = (re.search(r"(?<![a-z])lab0*(\d+)(?!\d)", part) for part in (first, *parts))
    return any(match and int(match.group(1)) > number for match in labs)


def _is_starter(plan: Plan, path: str) -> bool:
    """Files that `_write_starters` writes, or that are left of a starter which is none any more."""
    sources = (f"{lab.folder}/" for lab in plan.here)
    return path.startswith(tuple(sources)) and path.endswith((".c", ".S", f"/{MANIFEST}"))


# --- what belongs to the project ---------------------------------------------------------------


def tracked(root: Path) -> Iterator[str]:
    """The project's files: what git tracks, or without git what .gitignore does not name."""
    for path in _git_files(root) or _walk(root):
        if (root / path).is_symlink() or (root / path).is_file():
            yield path


def _git_files(root: Path) -> list[str]:
    """Nothing when the tree is no clone of its own, or a new one in which nothing is tracked."""
    if not (root / ".git").exists():
        return []
    try:
        run = subprocess.run(["git", "-C", str(root), "ls-files", "-z"], capture_output=True)
    except FileNotFoundError:
        return []
    if run.returncode != 0:
        message = run.stderr.decode(errors="replace").strip().split("\n")[0]
        raise fail(".git", f"git cannot list the files: {message}")
    return run.stdout.decode(errors="surrogateescape").split("\0")[:-1]


def _walk(root: Path) -> Iterator[str]:
    patterns = [*UNTRACKED, *_gitignore(root)]
    for path in root.rglob("*"):
        name = path.relative_to(root).as_posix()
        if not any(_is_ignored(name, pattern) for pattern in patterns):
            yield name


def _gitignore(root: Path) -> list[str]:
    path = root / ".gitignore"
    lines = path.read_text("utf-8").splitlines() if path.is_file() else []
    return [line.strip() for line in lines if line.strip() and line[0] not in "#!"]


def _is_ignored(name: str, pattern: str) -> bool:
    """A pattern with a `/` before its end counts from the root, another at any depth."""
    if "/" in pattern.rstrip("/"):
        return matches(name, pattern.removeprefix("/"))
    parts = name.split("/")
    return any(matches("/".join(parts[at:]), pattern) for at in range(len(parts)))
