"""The starter of a holed file, and the stamp of its interface.

A starter is the reference with each hole's body replaced by its hint and LAB_TODO; everything
outside of the bodies is the same byte for byte (lines end in LF), and one line follows:

    /* mazu: lab 1 interface 0123456789ab */

The stamp is a hash of the tokens outside the holes. A student keeps the line with the file; when
the reference's interface changes in a later release, the two differ, and the build can say so
instead of failing somewhere in the middle of a compilation. Comments and blanks do not count.
"""

from __future__ import annotations

import hashlib
import re
import textwrap
from dataclasses import dataclass

from course.holes import HoleError, Place, locate
from course.labs import Hole, Lab
from course.scan import COMMENT, bare, is_assembly, scan

COLUMNS, TAB = 96, 8
STAMP = re.compile(r"^/\* mazu: lab (\d+) interface ([0-9a-f]{12}) \*/[ \t]*$", re.MULTILINE)


@dataclass(frozen=True)
class Stamp:
    lab: int
    hash: str

    def __str__(self) -> str:
        return f"/* mazu: lab {self.lab} interface {self.hash} */"


def starter(lab: Lab, file: str, text: str, places: dict[str, Place]) -> str:
    """The starter of `file`, whose reference is `text` and whose holes lie at `places`."""
    out = text
    for hole in sorted(lab.holes_of(file), key=lambda hole: -places[hole.name].start):
        place = places[hole.name]
        out = out[: place.start] + body(lab.number, hole) + out[place.end :]
    newline = "" if out.endswith("\n") else "\n"
    return f"{out}{newline}{stamp(lab, file, text)}\n"


def body(lab: int, hole: Hole) -> str:
    """What a student finds in place of the answer."""
    lines = ["\t/*", *(f"\t * {line}".rstrip() for line in wrap(hole.hint)), "\t */"]
    if is_assembly(hole.file):
        return "\n".join([*lines, f"\tLAB_TODO({lab}, {hole.task})", ""])
    return "\n".join(["{", *lines, f"\tLAB_TODO({lab}, {hole.task});", "}"])


def wrap(hint: str) -> list[str]:
    """Lines that fit behind `<tab> * `: paragraphs are filled, indented lines stay as they are."""
    width = COLUMNS - TAB - len(" * ")
    out: list[str] = []
    for block in _blocks(textwrap.dedent(hint.expandtabs(TAB)).strip("\n").split("\n")):
        item = re.match(r"(?:[-*]|\d+[.)]) ", block[0])
        if not block[0].strip() or block[0].startswith(" "):
            out += [line.rstrip() for line in block]
        else:
            out += textwrap.wrap(" ".join(block), width, break_long_words=False,
                                 break_on_hyphens=False,
                                 subsequent_indent=" " * len(item.group()) if item else "")
    return out


def _blocks(lines: list[str]) -> list[list[str]]:
    """Lines that are filled together; an item of a list, a blank or an indented line begins one."""
    blocks: list[list[str]] = []
    for line in lines:
        is_own = not line.strip() or re.match(r" |[-*] |\d+[.)] ", line)
        after_text = blocks and blocks[-1][0].strip() and not blocks[-1][0].startswith(" ")
        if is_own or not after_text:
            blocks.append([line])
        else:
            blocks[-1].append(line)
    return blocks


def places_of(lab: Lab, file: str, text: str) -> dict[str, Place]:
    """The holes of a file by name; HoleError for the first that is not as it should be."""
    return {hole.name: locate(text, file, hole.name) for hole in lab.holes_of(file)}


def stamp(lab: Lab, file: str, text: str) -> Stamp:
    """The stamp that a file's text calls for, from what it is and not from what it carries."""
    words = "\0".join(word for _, word in interface(lab, file, text))
    return Stamp(lab.number, hashlib.sha256(words.encode()).hexdigest()[:12])


def carried(text: str) -> Stamp | None:
    """The stamp that a student's file carries, the last when there are several."""
    found = STAMP.findall(text)
    return Stamp(int(found[-1][0]), found[-1][1]) if found else None


def interface(lab: Lab, file: str, text: str) -> list[tuple[int, str]]:
    """The tokens outside of the holes with their offsets; a hole counts as one token.

    A hole that cannot be found in a student's file is no error here: its tokens then count.
    """
    spans: list[tuple[int, int]] = []
    for hole in lab.holes_of(file):
        try:
            place = locate(text, file, hole.name)
        except HoleError:
            continue
        spans.append((place.start, place.end))
    words = [(start, "/* hole */") for start, _ in spans]
    for token in scan(text, is_assembly(file)):
        if token.kind != COMMENT and not any(start <= token.start < end for start, end in spans):
            words.append((token.start, bare(token)))
    return sorted(words)


def declarations(lab: Lab, file: str, text: str) -> list[tuple[int, str]]:
    """The interface line by line: the number of each line and its tokens."""
    lines: dict[int, list[str]] = {}
    at, line = 0, 1
    for offset, word in interface(lab, file, text):
        line += text.count("\n", at, offset)
        at = offset
        lines.setdefault(line, []).append(word)
    return [(line, " ".join(words)) for line, words in lines.items()]
