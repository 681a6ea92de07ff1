"""A second opinion on where a function lies.

Before a starter is written from the reference, what holes.py found is compared with what
universal-ctags sees; a hole on which the two disagree is refused rather than cut in the wrong
place. Only the reference is asked about, never a student's file, and one process serves a lab.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from course.errors import fail
from course.holes import HoleError, Place


@dataclass(frozen=True)
class Tag:
    name: str
    line: int
    last: int


def functions(root: Path, paths: Iterable[str]) -> dict[str, list[Tag]]:
    """The functions that ctags sees in each of these C files."""
    seen: dict[str, list[Tag]] = {path: [] for path in sorted(paths)}
    if not seen:
        return {}
    command = ["ctags", "--options=NONE", "--quiet", "--language-force=C", "--kinds-C=f",
               "--fields=+ne", "--excmd=number", "--sort=no", "-f", "-", *seen]
    try:
        run = subprocess.run(command, cwd=root, capture_output=True, text=True, errors="replace")
    except FileNotFoundError:
        raise fail("ctags", "is not installed, run tools/setup") from None
    if run.returncode != 0:
        raise fail("ctags", f"must be universal-ctags, run tools/setup ({run.stderr.strip()[:80]})")
    for line in run.stdout.splitlines():
        name, path, *rest = line.split("\t")
        fields = dict(field.split(":", 1) for field in rest if ":" in field)
        seen[path].append(Tag(name, int(fields["line"]), int(fields.get("end", 0))))
    return seen


def confirm(place: Place, name: str, tags: list[Tag]) -> None:
    """HoleError unless ctags sees this function once, with the same first and last line."""
    theirs = [f"{tag.line}-{tag.last}" for tag in tags if tag.name == name]
    ours = f"{place.line}-{place.last}"
    if theirs != [ours]:
        raise HoleError(f"ctags sees {name} at lines {', '.join(theirs) or 'none'} and the brace "
                        f"matcher at {ours}, write the definition more plainly")
