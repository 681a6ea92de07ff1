"""Proof that a handout holds no answers.

An answer's line is one of at least LENGTH non-blank characters that stands in a hole's body and
nowhere in the reference text that is handed out (the handed-out part of solution/, and what lies
around the holes of the starters). No such line may be part of any line of any file of the handout:
not in documentation, not in a test, not in a configuration. Blanks are ignored on both sides, so an
answer that was merely indented otherwise is found as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from course.errors import CourseError, Problem
from course.files import read_text
from course.labs import Lab, handout_of
from course.render import places_of
from course.starters import REFERENCE

LENGTH = 20
BLANKS = b" \t\r\v\f"
SHOWN = 20


def prove(secret: Iterable[Lab], tree: Path) -> None:
    """CourseError with the file and line of each answer to the labs `secret` found in the tree."""
    answers, public = _answers(list(secret), tree)
    hidden = {line: where for line, where in answers.items() if line not in public}
    problems = [problem for path in sorted(tree.rglob("*"))
                if path.is_file() and not path.is_symlink()
                for problem in _leaks(path, path.relative_to(tree).as_posix(), hidden)]
    if problems:
        raise CourseError(problems[:SHOWN])


def _answers(secret: list[Lab], tree: Path) -> tuple[dict[bytes, str], bytes]:
    """The long lines of all bodies, with where they stand; the text that is handed out anyway."""
    handed = handout_of(tree)
    answers: dict[bytes, str] = {}
    public = [_squeeze(path.read_bytes()) for path in sorted((tree / REFERENCE).rglob("*"))
              if path.is_file() and not path.is_symlink()]
    for lab in secret:
        for file in lab.files:
            where = f"{REFERENCE}/{file}"
            text = read_text(lab.root / where, where)
            outside, end = [], 0
            places = sorted(places_of(lab, file, text).items(), key=lambda item: item[1].start)
            for name, place in places:
                for line in _long_lines(text[place.start : place.end]):
                    answers.setdefault(line, f"{where}:{name}")
                outside.append(text[end : place.start])
                end = place.end
            if lab.number == handed:
                public += [_squeeze(part.encode()) for part in (*outside, text[end:])]
    return answers, b"\n".join(public)


def _long_lines(body: str) -> Iterator[bytes]:
    for line in body.split("\n"):
        squeezed = _squeeze(line.encode())
        if len(squeezed.decode()) >= LENGTH:
            yield squeezed


def _squeeze(data: bytes) -> bytes:
    return data.translate(None, BLANKS)


def _leaks(path: Path, name: str, hidden: dict[bytes, str]) -> Iterator[Problem]:
    text = _squeeze(path.read_bytes())
    for line, where in hidden.items():
        at = text.find(line)
        if at >= 0:
            yield Problem(f"{name}:{text.count(10, 0, at) + 1}",
                          f"holds a line of the answer {where}, take it out or say it otherwise")
