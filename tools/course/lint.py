"""What `make lint` holds against the labs, beyond the schema that every load checks.

In a full clone: each hole is where lab.toml says, each starter is what the reference gives, each
marker of a holed assembly file is a hole, and what `adds` names exists. Everywhere: each task's
anchor is on the lab's page. All problems of all labs are reported in one run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from course.errors import CourseError, Problem
from course.files import read_text
from course.globs import matches
from course.holes import markers
from course.labs import Lab, has_reference, load_all
from course.scan import is_assembly, line_of
from course.starters import REFERENCE, drift


def check(root: Path) -> None:
    """CourseError with everything that is wrong with the labs of the tree."""
    problems: list[Problem] = []
    for lab in load_all(root):
        for part in (_page, *((_markers, _adds, drift) if has_reference(lab) else ())):
            problems += _collect(part, lab)
    if problems:
        raise CourseError(problems)


def _collect(part: Callable[[Lab], object], lab: Lab) -> list[Problem]:
    try:
        return list(part(lab))
    except CourseError as error:
        return list(error.problems)


def _page(lab: Lab) -> Iterator[Problem]:
    page = lab.named("README.md")
    known = anchors(read_text(lab.root / page, page))
    for task in lab.tasks:
        if task.anchor not in known:
            yield Problem(page, f"has no heading for task {task.id}, write one whose anchor is "
                                f"#{task.anchor} or put <a id=\"{task.anchor}\"></a> before one")


def anchors(page: str) -> set[str]:
    """The anchors of a Markdown page: its headings' as GitHub makes them, and explicit ids."""
    page = re.sub(r"^(```|~~~).*?^\1", "", page, flags=re.MULTILINE | re.DOTALL)
    found = set(re.findall(r"<[^>]*\b(?:id|name)=[\"']([^\"']+)[\"']", page))
    times: dict[str, int] = {}
    for title in re.findall(r"^#{1,6}[ \t]+(.+?)[ \t#]*$", page, flags=re.MULTILINE):
        shown = re.sub(r"\[([^]]*)\]\([^)]*\)|<[^>]*>", r"\1", title)
        slug = re.sub(r"[^\w\- ]", "", shown.lower()).strip().replace(" ", "-")
        times[slug] = times.get(slug, -1) + 1
        found.add(f"{slug}-{times[slug]}" if times[slug] else slug)
    return found


def _markers(lab: Lab) -> Iterator[Problem]:
    for file in filter(is_assembly, lab.files):
        path = f"{REFERENCE}/{file}"
        text = read_text(lab.root / path, path)
        declared = {hole.name for hole in lab.holes_of(file)}
        for token, _, name in markers(text):
            if name not in declared:
                yield Problem(f"{path}:{line_of(text, token.start)}",
                              f"marks a hole {name}, name it in {lab.folder}/lab.toml")


def _adds(lab: Lab) -> Iterator[Problem]:
    reference = lab.root / REFERENCE
    sources = [path.relative_to(reference).as_posix()
               for path in reference.rglob("*") if path.is_file()]
    for glob in lab.adds:
        is_there = (any(lab.root.glob(glob.strip("/"))) if glob.startswith("/")
                    else any(matches(source, glob) for source in sources))
        if not is_there:
            where = "the tree" if glob.startswith("/") else f"{REFERENCE}/"
            yield Problem(f"{lab.folder}/lab.toml", f"`adds` names {glob}, and nothing below "
                                                    f"{where} matches it: correct it")
