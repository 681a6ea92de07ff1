"""lab.toml into checked tables, every mistake named with its line.

SCHEMA is the whole format: a table, its keys, and for each key its type, whether it may be left
out, what a good value is and how a message says so. What needs more than one key is checked in
`_together`. What needs other files (the holes' sources, the page) is lint.py's.
docs/course.md describes the format to authors, with a full sample.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from course.errors import CourseError, Problem, fail

STAGE_MAX = 8
PATH = r"(?:[A-Za-z0-9_][A-Za-z0-9_.-]*/)*[A-Za-z0-9_][A-Za-z0-9_.-]*"


@dataclass(frozen=True)
class Key:
    type: type
    says: str  # completes "must be"
    good: Callable[[Any], bool]
    optional: bool = False

    def accepts(self, value: object) -> bool:
        wanted = (int, float) if self.type is float else self.type
        return isinstance(value, wanted) and not isinstance(value, bool) and self.good(value)


def _like(pattern: str) -> Callable[[str], bool]:
    return lambda value: re.fullmatch(pattern, value) is not None


def _is_line(value: str) -> bool:
    return value.isprintable() and value == value.strip() != ""


def _is_hint(value: str) -> bool:
    plain = value.replace("\n", "").replace("\t", "")
    return plain.isprintable() and value.strip() != "" and "/*" not in value and "*/" not in value


LINE = Key(str, "one line of text", _is_line)
COUNT = Key(int, "a whole number above 0", lambda value: value > 0)
STAGE = Key(int, f"a number from 1 to {STAGE_MAX}", lambda value: 1 <= value <= STAGE_MAX)
GLOBS = Key(list, "a list of paths below solution/, such as [\"net/\", \"drivers/virtio/net.c\"], or "
                  "from the top, such as [\"/tools/trace\"]",
            lambda value: all(isinstance(glob, str) and _like(r"[\w.*?/-]+")(glob)
                              and glob.strip("/") and ".." not in glob.split("/")
                              for glob in value), optional=True)

SCHEMA: dict[str, dict[str, Key]] = {
    "lab": {
        "number": STAGE,
        "name": Key(str, "lower-case words joined by `-`", _like(r"[a-z0-9]+(-[a-z0-9]+)*")),
        "title": LINE,
        "stage": STAGE,
        "adds": GLOBS,
    },
    "task": {
        "id": COUNT,
        "title": LINE,
        "points": COUNT,
        "anchor": Key(str, "an anchor of the lab's page, without its `#`", _like(r"[\w-]+")),
    },
    "hole": {
        "file": Key(str, "a .c or .S file below solution/, such as \"kernel/init_sort.c\"",
                    _like(PATH + r"\.[cS]")),
        "name": Key(str, "an identifier", _like(r"[A-Za-z_][A-Za-z0-9_]*")),
        "task": COUNT,
        "hint": Key(str, "text for a comment, without comment marks", _is_hint),
    },
    "limit": {
        "criterion": Key(str, "a criterion such as \"trap.roundtrip\"",
                         _like(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")),
        "reference": COUNT,
        "margin": Key(float, "a factor from 1.0 to 10.0", lambda value: 1 <= value <= 10),
    },
}
ONCE = {"lab"}
NEEDED = {"lab", "task"}


@dataclass(frozen=True)
class Table:
    """One table of the file, with what is needed to name a line of it."""

    values: dict[str, Any]
    where: Callable[[str], str]  # a key, or "" for the table itself, to "path:line"


Tables = dict[str, list[Table]]


def read(text: str, path: str) -> Tables:
    """The checked tables by name; CourseError with every mistake of the file."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r" \(at line (\d+), column \d+\)$", str(error))
        where = f"{path}:{line.group(1)}" if line else path
        raise fail(where, f"is not TOML: {re.sub(r' [(]at .*[)]$', '', str(error))}") from None
    tables, problems = _tables(raw, text, path)
    problems += [problem for name, of in tables.items() for table in of
                 for problem in _keys(name, table)]
    problems += [] if problems else _together(tables)
    if problems:
        raise CourseError(sorted(set(problems), key=_by_line))
    return tables


def _by_line(problem: Problem) -> tuple[int, Problem]:
    line = problem.where.rpartition(":")[2]
    return (int(line) if line.isdigit() else 0, problem)


def _tables(raw: dict[str, Any], text: str, path: str) -> tuple[Tables, list[Problem]]:
    tables: Tables = {name: [] for name in SCHEMA}
    problems = [Problem(path, f"has an unknown table or key `{name}`, the tables are "
                              "[lab], [[task]], [[hole]] and [[limit]]")
                for name in raw if name not in SCHEMA]
    for name in SCHEMA:
        value = raw.get(name, [])
        shape = f"[{name}]" if name in ONCE else f"[[{name}]]"
        of = [value] if name in ONCE and name in raw else value
        if not isinstance(of, list) or not all(isinstance(table, dict) for table in of):
            problems.append(Problem(path, f"`{name}` must be written as {shape}"))
        elif name in NEEDED and not of:
            problems.append(Problem(path, f"has no {shape}, write one"))
        else:
            tables[name] = [Table(table, _locator(text, path, name, index))
                            for index, table in enumerate(of)]
    return tables, problems


def _locator(text: str, path: str, name: str, index: int) -> Callable[[str], str]:
    """Finds the line of a key of the index-th table `name`, as a reader would: by looking."""
    lines = text.split("\n")
    heads = [at for at, line in enumerate(lines) if re.match(r"\s*\[\[?\w+\]\]?\s*(#.*)?$", line)]
    mine = [at for at in heads if re.match(rf"\s*\[\[?{name}\]", lines[at])]

    def where(key: str) -> str:
        if index >= len(mine):
            return path
        start = mine[index]
        end = next((at for at in heads if at > start), len(lines))
        at = (at for at in range(start, end) if key and re.match(rf"\s*{key}\s*=", lines[at]))
        return f"{path}:{next(at, start) + 1}"

    return where


def _keys(name: str, table: Table) -> Iterator[Problem]:
    keys = SCHEMA[name]
    for key, value in table.values.items():
        if key not in keys:
            yield Problem(table.where(""), f"`{key}` is not a key of {name}, the keys are "
                                           f"{', '.join(keys)}")
        elif not keys[key].accepts(value):
            yield Problem(table.where(key), f"`{key}` must be {keys[key].says}")
    for key, rule in keys.items():
        if key not in table.values and not rule.optional:
            yield Problem(table.where(""), f"{name} lacks `{key}`, {rule.says}")


def _together(tables: Tables) -> Iterator[Problem]:
    """What no key can be blamed for alone."""
    lab = tables["lab"][0]
    if lab.values["stage"] != lab.values["number"]:
        yield Problem(lab.where("stage"), "`stage` must be the lab's number: "
                                         "lab N is built at stage N")
    for index, task in enumerate(tables["task"], 1):
        if task.values["id"] != index:
            yield Problem(task.where("id"), f"`id` must be {index}: tasks are numbered from 1 "
                                            "in page order")
    owner: dict[str, int] = {}
    for hole in tables["hole"]:
        file, task = hole.values["file"], hole.values["task"]
        if task > len(tables["task"]):
            yield Problem(hole.where("task"), f"there is no task {task}, there are "
                                              f"{len(tables['task'])}")
        if owner.setdefault(file, task) != task:
            yield Problem(hole.where("file"), f"{file} belongs to task {owner[file]} already, "
                                              "a path belongs to one task")
    yield from _twice(tables["hole"], "file", "name")
    yield from _twice(tables["limit"], "criterion")
    yield from _twice(tables["task"], "anchor")


def _twice(tables: list[Table], *keys: str) -> Iterator[Problem]:
    seen: set[tuple[object, ...]] = set()
    for table in tables:
        value = tuple(table.values[key] for key in keys)
        if value in seen:
            yield Problem(table.where(keys[-1]), f"{' '.join(map(str, value))} is there twice, "
                                                 "keep one")
        seen.add(value)
