"""Starters kept equal to what the reference and lab.toml give, and never over somebody's work.

labs/NN-name/.starters is the tool's memory: `sha256  path` of each starter as it was last written
(so `sha256sum -c .starters` reads it too). A file on disk that is neither what is wanted nor what
the memory holds was edited by somebody, and only `--force` replaces it. Everything is planned
before anything is written: one edited file, and the tree stays as it is.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from course import ctags
from course.errors import CourseError, Problem, fail
from course.files import lf, read_text, write
from course.holes import HoleError, locate
from course.labs import Lab
from course.render import starter
from course.scan import is_assembly

MANIFEST = ".starters"
REFERENCE = "solution"


@dataclass(frozen=True)
class Change:
    """One file below the lab's folder that is not as it should be; `text` is None for removal."""

    path: str
    text: str | None
    is_edited: bool


def render(lab: Lab) -> dict[str, str]:
    """Every starter of the lab by path, fresh from the reference."""
    tags = ctags.functions(lab.root, (f"{REFERENCE}/{file}" for file in lab.files
                                      if not is_assembly(file) and _reference(lab, file).is_file()))
    out: dict[str, str] = {}
    problems: list[Problem] = []
    for file in lab.files:
        try:
            out[file] = _render(lab, file, tags.get(f"{REFERENCE}/{file}", []))
        except CourseError as error:
            problems += error.problems
    if problems:
        raise CourseError(problems)
    return out


def _render(lab: Lab, file: str, tags: list[ctags.Tag]) -> str:
    path = f"{REFERENCE}/{file}"
    if not _reference(lab, file).is_file():
        raise fail(path, f"is missing, write it or correct `file` in {lab.folder}/lab.toml")
    text = read_text(lab.root / path, path)
    places, problems = {}, []
    for hole in lab.holes_of(file):
        try:
            places[hole.name] = place = locate(text, file, hole.name)
            if not is_assembly(file):
                ctags.confirm(place, hole.name, tags)
        except HoleError as error:
            problems.append(Problem(path, str(error)))
    if problems:
        raise CourseError(problems)
    return starter(lab, file, text, places)


def _reference(lab: Lab, file: str) -> Path:
    return lab.root / REFERENCE / file


def plan(lab: Lab, wanted: dict[str, str]) -> list[Change]:
    """What would make the lab's folder hold exactly the wanted starters, sorted by path."""
    memory = read_manifest(lab)
    changes = []
    for file in sorted({*wanted, *memory}):
        text, now = wanted.get(file), _on_disk(lab, file)
        if now != (None if text is None else text.encode()):
            is_edited = now is not None and memory.get(file) != _hash(now)
            changes.append(Change(file, text, is_edited))
    return changes


def _on_disk(lab: Lab, file: str) -> bytes | None:
    """What lies where the starter belongs, with LF; a symbolic link is somebody's doing."""
    path = lab.directory / file
    if path.is_symlink():
        return os.readlink(path).encode(errors="replace")
    if path.is_dir():
        raise fail(lab.named(file), "is a folder where a starter belongs, move it away")
    return lf(path.read_bytes()) if path.exists() else None


def update(labs: Iterable[Lab], force: bool = False) -> list[str]:
    """Write what is out of date, a line for each file. Edited ones only with force."""
    work = [(lab, wanted, plan(lab, wanted)) for lab in labs for wanted in [render(lab)]]
    edited = [Problem(lab.named(change.path), "was edited, move your work away or say "
                                              "`make starters FORCE=1` to overwrite it")
              for lab, _, changes in work for change in changes if change.is_edited]
    if edited and not force:
        raise CourseError(edited)
    return [line for lab, wanted, changes in work for line in _apply(lab, wanted, changes)]


def _apply(lab: Lab, wanted: dict[str, str], changes: list[Change]) -> list[str]:
    said = []
    for change in changes:
        path = lab.directory / change.path
        if change.text is None:
            path.unlink()
            _remove_empty(path.parent, lab.directory)
        else:
            write(path, change.text.encode())
        said.append(f"{lab.named(change.path)}: {'removed' if change.text is None else 'written'}")
    memory = manifest(wanted)
    if wanted or (lab.directory / MANIFEST).exists():
        if read_manifest_text(lab) != memory:
            write(lab.directory / MANIFEST, memory.encode())
            said.append(f"{lab.named(MANIFEST)}: written")
    return said


def _remove_empty(folder: Path, stop: Path) -> None:
    while folder != stop and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def drift(lab: Lab) -> list[Problem]:
    """What differs from what `update` would leave, for `make lint`; CourseError as `render`."""
    wanted = render(lab)
    problems = []
    for change in plan(lab, wanted):
        what = "is no starter any more" if change.text is None else \
            "is not what the reference and lab.toml give"
        do = "edited since it was written: move that work away, then `make starters FORCE=1`" \
            if change.is_edited else "run `make starters`"
        problems.append(Problem(lab.named(change.path), f"{what}, {do}"))
    if not problems and read_manifest_text(lab) != manifest(wanted):
        problems.append(Problem(lab.named(MANIFEST), "is out of date, run `make starters`"))
    return problems + _strays(lab, wanted)


def _strays(lab: Lab, wanted: dict[str, str]) -> list[Problem]:
    """Sources in the lab's folder that no build takes, such as the starter of a renamed file."""
    known = {*wanted, *read_manifest(lab)}
    there = (path.relative_to(lab.directory).as_posix()
             for path in sorted(lab.directory.rglob("*")) if path.suffix in (".c", ".S", ".h"))
    return [Problem(lab.named(file), "is named by no hole, no build takes it: delete it")
            for file in there if file not in known]


# --- the tool's memory -------------------------------------------------------------------------


def manifest(wanted: dict[str, str]) -> str:
    return "".join(f"{_hash(text.encode())}  {file}\n" for file, text in sorted(wanted.items()))


def read_manifest_text(lab: Lab) -> str:
    path = lab.directory / MANIFEST
    return read_text(path, lab.named(MANIFEST)) if path.exists() else ""


def read_manifest(lab: Lab) -> dict[str, str]:
    """Path to hash; a line that is not one of ours is no memory at all."""
    pairs = (line.split("  ", 1) for line in read_manifest_text(lab).splitlines())
    return {pair[1]: pair[0] for pair in pairs
            if len(pair) == 2 and not pair[1].startswith("/") and ".." not in pair[1].split("/")}


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
