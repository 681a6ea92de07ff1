"""What a lab is: the values of its lab.toml, and where its files lie.

`load(root, number)` is the way in, for this package and for the grader. A Lab is immutable and
knows its tree, so everything else about it is a function of it. The order of `holes` is the page's:
by task, then as lab.toml lists them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import floor
from pathlib import Path

from course import schema
from course.errors import CourseError, Problem, fail
from course.files import read_text
from course.holes import is_unwritten
from course.scan import is_assembly

ROOT = Path(__file__).resolve().parents[2]
FOLDER = re.compile(r"(\d\d)-(.+)")


@dataclass(frozen=True)
class Task:
    id: int
    title: str
    points: int
    anchor: str


@dataclass(frozen=True)
class Hole:
    file: str  # below solution/, and below the lab's folder
    name: str
    task: int
    hint: str

    @property
    def kind(self) -> str:
        return "part" if is_assembly(self.file) else "function"


@dataclass(frozen=True)
class Limit:
    """A latency limit, in guest instructions: what the reference takes, and the margin over it."""

    criterion: str
    reference: int
    margin: float

    @property
    def bound(self) -> int:
        return floor(self.reference * self.margin + 1e-9)


@dataclass(frozen=True)
class Lab:
    root: Path
    number: int
    name: str
    title: str
    stage: int
    adds: tuple[str, ...]
    tasks: tuple[Task, ...]
    holes: tuple[Hole, ...]
    limits: tuple[Limit, ...]

    @property
    def folder(self) -> str:
        return f"labs/{self.number:02}-{self.name}"

    @property
    def directory(self) -> Path:
        return self.root / self.folder

    @property
    def files(self) -> tuple[str, ...]:
        """The files that a student hands in, in page order."""
        return tuple(dict.fromkeys(hole.file for hole in self.holes))

    @property
    def points(self) -> int:
        return sum(task.points for task in self.tasks)

    def holes_of(self, file: str) -> list[Hole]:
        return [hole for hole in self.holes if hole.file == file]

    def task(self, number: int) -> Task:
        return self.tasks[number - 1]

    def named(self, file: str) -> str:
        """The student's file as messages and archives call it."""
        return f"{self.folder}/{file}"


def load(root: Path, number: int) -> Lab:
    """Lab `number` of the tree; CourseError when there is none, or its lab.toml is wrong."""
    folders = _folders(root)
    if number not in folders:
        there = ", ".join(map(str, folders)) or "none"
        raise fail("labs", f"there is no lab {number}, the labs of this tree are: {there}")
    return _read(root, folders[number])


def load_all(root: Path) -> list[Lab]:
    """Every lab of the tree, in order; CourseError with the mistakes of all of them."""
    labs: list[Lab] = []
    problems: list[Problem] = []
    for folder in _folders(root).values():
        try:
            labs.append(_read(root, folder))
        except CourseError as error:
            problems += error.problems
    problems += _shared_paths(labs)
    if problems:
        raise CourseError(problems)
    return labs


def unwritten(lab: Lab, where: Path | None = None) -> list[Hole]:
    """The holes that still hold LAB_TODO, in page order; a file that is missing counts.

    `where` is the root of a tree with a labs/ folder, or a folder that stands for the lab's own
    (SHADOW); without it, the lab's tree.
    """
    base = base_of(lab, where)
    return [hole for hole in lab.holes if _is_unwritten(base, hole)]


def base_of(lab: Lab, where: Path | None) -> Path:
    """The folder that the student's files of this lab lie below."""
    if where is None:
        return lab.directory
    return where / lab.folder if (where / lab.folder).is_dir() else where


def handout_of(root: Path) -> int | None:
    """The number of the lab that this tree was handed out for; None in a full clone."""
    path = root / ".handout"
    if not path.is_file():
        return None
    match = re.fullmatch(r"LAB=(\d+)\n?", read_text(path, ".handout"))
    if not match:
        raise fail(".handout", "must hold one line such as LAB=1, unpack the handout again")
    return int(match.group(1))


def has_reference(lab: Lab) -> bool:
    """Is the reference of the lab's holes in this tree? A handout has it for earlier labs only."""
    handout = handout_of(lab.root)
    return handout is None or lab.number < handout


def _is_unwritten(base: Path, hole: Hole) -> bool:
    path = base / hole.file
    if not path.is_file():
        return True
    text = path.read_bytes().decode("utf-8", errors="replace")
    return is_unwritten(text, hole.file, hole.name)


def _folders(root: Path) -> dict[int, str]:
    """Lab numbers to their folders, of every labs/NN-name that has a lab.toml."""
    folders: dict[int, str] = {}
    for path in sorted((root / "labs").glob("*/lab.toml")):
        match = FOLDER.fullmatch(path.parent.name)
        folder = f"labs/{path.parent.name}"
        if not match:
            raise fail(folder, "must be named NN-name, such as labs/01-boot")
        if int(match.group(1)) in folders:
            raise fail(folder, f"has the number of {folders[int(match.group(1))]}, renumber one")
        folders[int(match.group(1))] = folder
    return folders


def _read(root: Path, folder: str) -> Lab:
    path = f"{folder}/lab.toml"
    tables = schema.read(read_text(root / path, path), path)
    head = tables["lab"][0]
    holes = (Hole(**table.values) for table in tables["hole"])
    lab = Lab(
        root=root,
        tasks=tuple(Task(**table.values) for table in tables["task"]),
        holes=tuple(sorted(holes, key=lambda hole: hole.task)),
        limits=tuple(Limit(**table.values) for table in tables["limit"]),
        **{**head.values, "adds": tuple(head.values.get("adds", ()))},
    )
    if lab.folder != folder:
        raise fail(head.where("name"), f"number and name are those of {lab.folder}, "
                                       f"and the folder is {folder}")
    return lab


def _shared_paths(labs: list[Lab]) -> Iterator[Problem]:
    owner: dict[str, Lab] = {}
    for lab in labs:
        for file in lab.files:
            first = owner.setdefault(file, lab)
            if first is not lab:
                yield Problem(f"{lab.folder}/lab.toml", f"{file} belongs to lab {first.number} "
                                                        "already, a path belongs to one lab")
