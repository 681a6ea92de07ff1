"""Which files of a build are the student's, as a make fragment:

    shadow-kernel/init_sort.c := labs/01-boot/kernel/init_sort.c

A shadow is a file that lab.toml names and that exists; what is not there comes from the reference.
With `carry` the labs before count as well, and each of their files must carry the stamp of the
interface that the reference has now: a file from an older release would fail to compile, or worse,
compile, so it is refused by name with the lines that changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from course.errors import CourseError, Problem, fail
from course.files import read_text
from course.labs import Lab, has_reference, load, load_all
from course.render import carried, declarations, stamp
from course.starters import REFERENCE

LINES_SHOWN = 4


def fragment(root: Path, number: int, carry: bool = False, shadow: str | None = None) -> str:
    """The make fragment for lab `number`; `shadow` stands for the folder of that lab alone."""
    lab = load(root, number)
    lines = list(_lines(lab, shadow or lab.folder))
    if carry:
        earlier = [lab for lab in load_all(root) if lab.number < number]
        _refuse_stale(earlier)
        lines += [line for lab in earlier for line in _lines(lab, lab.folder)]
    return "".join(f"{line}\n" for line in sorted(lines))


def _lines(lab: Lab, folder: str) -> Iterator[str]:
    if not re.fullmatch(r"[\w./@+,-]+", folder):
        raise fail(folder, "cannot be written in a makefile, use a path without blanks and "
                           "special characters")
    if not (lab.root / folder).is_dir():
        raise fail(folder, "is not a folder, SHADOW names the one that holds the files of the lab")
    for file in lab.files:
        path = lab.root / folder / file
        if path.is_file() and not path.is_symlink():
            yield f"shadow-{file} := {folder.rstrip('/')}/{file}"
        elif path.exists() or path.is_symlink():
            raise fail(f"{folder}/{file}", "is not a regular file, put the file itself there")


def _refuse_stale(labs: list[Lab]) -> None:
    problems = [problem for lab in labs if has_reference(lab) for file in lab.files
                if (lab.directory / file).is_file() for problem in stale(lab, file)]
    if problems:
        raise CourseError(problems)


def stale(lab: Lab, file: str) -> list[Problem]:
    """Why a student's file does not fit the reference's interface; nothing when it does."""
    path, reference = lab.named(file), f"{REFERENCE}/{file}"
    theirs = read_text(lab.root / path, path)
    ours = read_text(lab.root / reference, reference)
    has, needs = carried(theirs), stamp(lab, file, ours)
    if has == needs:
        return []
    changes = list(_changes(lab, file, theirs, ours))
    if has is None and not changes:
        return [Problem(path, f"has lost its interface stamp, end it with the line {needs}")]
    return [Problem(path, "was made for another interface, move it away, take the new starter of "
                          f"lab {lab.number} and bring your work over"), *changes]


def _changes(lab: Lab, file: str, theirs: str, ours: str) -> Iterator[Problem]:
    """The lines outside the holes that only the reference has, then those that only they have."""
    new, old = declarations(lab, file, ours), declarations(lab, file, theirs)
    yield from _only(new, old, f"{REFERENCE}/{file}", "is not in your file")
    yield from _only(old, new, lab.named(file), "is not in the reference (or is your own)")


def _only(these: list[tuple[int, str]], others: list[tuple[int, str]], path: str,
          what: str) -> Iterator[Problem]:
    known = {words for _, words in others}
    lines = [(line, words) for line, words in these if words not in known]
    for line, words in lines[:LINES_SHOWN]:
        yield Problem(f"{path}:{line}", f"`{words}` {what}")
    if len(lines) > LINES_SHOWN:
        yield Problem(path, f"and {len(lines) - LINES_SHOWN} more lines")
