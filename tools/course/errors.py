"""How the course tool says that something is wrong: one line a problem, `where: what, what to do`.

Code below the command line raises CourseError and never prints. A check that can find several
problems collects them and raises once, so that an author mends a file in one go.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Problem:
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


class CourseError(Exception):
    """One or more problems that stop the verb."""

    def __init__(self, problems: Iterable[Problem]):
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


def fail(where: object, what: str) -> CourseError:
    """The error of a single problem, for `raise fail(path, "is missing, ...")`."""
    return CourseError([Problem(str(where), what)])
