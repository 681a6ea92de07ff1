"""Where a hole lies in a source file.

In C a hole is the body of a function, found by name: exactly one definition, at file level, outside
of #if, written out and not made by a macro. In assembly it is what lies between the lines
`/* HOLE name */` and `/* END HOLE name */`, by the same rules. `locate` finds it or says in one
sentence why it is not there.

The finder needs no other program, so it works on any machine and on a student's half-written file,
in time linear in the text. For the reference it is not trusted alone: see ctags.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import NamedTuple

from course.scan import COMMENT, DIRECTIVE, WORD, Token, condition, is_assembly, line_of, scan

NAMED_MAX = 4  # definitions of one name that a message lists
ATTRIBUTES_MAX = 8  # words between a parameter list and the body


class HoleError(Exception):
    """Why a name is not a hole of its file, as the end of a sentence that begins with the path."""


@dataclass(frozen=True)
class Place:
    """text[start:end] is what a starter replaces; `line` has the name, `last` is its last line."""

    start: int
    end: int
    line: int
    last: int


class Part(NamedTuple):
    """A stretch of text that a hole may not lie in, such as #if to #endif."""

    start: int
    end: int
    what: str


def locate(text: str, path: str, name: str) -> Place:
    """The one hole `name` of the file `path`; HoleError when there is none, or more than one."""
    return (_region if is_assembly(path) else _function)(text, name)


def is_unwritten(text: str, path: str, name: str) -> bool:
    """Does the hole still hold LAB_TODO( as code? Where no such hole is found: does the file?"""
    try:
        place = locate(text, path, name)
        text = text[place.start : place.end]
    except HoleError:
        pass
    code = (token for token in scan(text, is_assembly(path)) if token.kind != COMMENT)
    return any(a.text == "LAB_TODO" and b.text == "(" for a, b in pairwise(code))


# --- functions ---------------------------------------------------------------------------------


def _function(text: str, name: str) -> Place:
    tokens = [token for token in scan(text) if token.kind != COMMENT]
    code = [token for token in tokens if token.kind != DIRECTIVE]
    directives = [token for token in tokens if token.kind == DIRECTIVE]
    pairs = _brackets(text, code)
    level = list(_file_level(code, pairs))
    every = ((at, _body(code, pairs, at, name)) for at in level)
    found = list(islice(((at, body) for at, body in every if body is not None), NAMED_MAX))
    macro = rf"#\s*define\s+{name}\b"
    if not found or any(re.match(macro, directive.text) for directive in directives):
        raise HoleError(_why_absent(text, code, pairs, level, directives, name))
    parts = list(_parts(directives, condition, "#if", len(text)))
    places = []
    for at, body in found:
        start, end = code[body].start, code[pairs[body]].end
        place = Place(start, end, line_of(text, code[at].start), line_of(text, end - 1))
        _refuse_inside(text, parts, name, code[at].start, place)
        places.append(place)
    _refuse_many(name, [place.line for place in places])
    return places[0]


def _brackets(text: str, code: list[Token]) -> dict[int, int]:
    """The index of each opening bracket to that of its closing one."""
    closer = {"(": ")", "[": "]", "{": "}"}
    pairs: dict[int, int] = {}
    still_open: list[int] = []
    for index, token in enumerate(code):
        if token.text in closer:
            still_open.append(index)
        elif token.text in closer.values():
            if not still_open or closer[code[still_open[-1]].text] != token.text:
                line = line_of(text, token.start)
                raise HoleError(f"`{token.text}` on line {line} closes nothing")
            pairs[still_open.pop()] = index
    if still_open:
        token = code[still_open[-1]]
        raise HoleError(f"`{token.text}` on line {line_of(text, token.start)} is not closed")
    return pairs


def _file_level(code: list[Token], pairs: dict[int, int]) -> Iterator[int]:
    """The indexes of the tokens outside of all brackets, and of the outermost opening brackets."""
    index = 0
    while index < len(code):
        yield index
        index = pairs.get(index, index) + 1


def _body(code: list[Token], pairs: dict[int, int], index: int, name: str) -> int | None:
    """The index of the brace that opens the body, when code[index] is `name` being defined."""
    if code[index].text != name or code[index].kind != WORD or not _is(code, index + 1, "("):
        return None
    at = pairs[index + 1] + 1
    for _ in range(ATTRIBUTES_MAX):  # such as __noreturn or __attribute__((noinline))
        if _is(code, at, "{"):
            return at
        if at >= len(code) or code[at].kind != WORD:
            return None
        at += 1
        if _is(code, at, "("):
            at = pairs[at] + 1
    return None


def _is(code: list[Token], index: int, text: str) -> bool:
    return index < len(code) and code[index].text == text


def _why_absent(text: str, code: list[Token], pairs: dict[int, int], level: list[int],
                directives: list[Token], name: str) -> str:
    for directive in directives:
        if re.match(r"#\s*define\b", directive.text) and re.search(rf"\b{name}\b", directive.text):
            line = line_of(text, directive.start)
            return f"{name} comes from the macro on line {line}, write the function out"
    made = next((at for at in level if _is_macro_made(code, pairs, at, name)), None)
    if made is not None:
        line = line_of(text, code[made].start)
        return f"{name} is made by the macro on line {line}, write the function out"
    first = next((at for at in level if code[at].text == name), None)
    if first is not None and _is_old_style(code, first):
        line = line_of(text, code[first].start)
        return f"{name} (line {line}) declares its parameters after the list, use a prototype"
    return f"no function {name} is defined here, correct the name in lab.toml or write the function"


def _is_macro_made(code: list[Token], pairs: dict[int, int], at: int, name: str) -> bool:
    """MACRO(..., name, ...) { : the name is an argument of something that is followed by a body."""
    if code[at].text != "(" or not _is(code, pairs[at] + 1, "{"):
        return False
    return any(token.text == name for token in code[at : pairs[at]])


def _is_old_style(code: list[Token], index: int) -> bool:
    """int name(a) int a; { : the next brace of the file follows a semicolon."""
    brace = next((at for at in range(index, len(code)) if code[at].text == "{"), 0)
    return brace > 0 and code[brace - 1].text == ";"


# --- marked parts of assembly ------------------------------------------------------------------

_MARKER = re.compile(r"/\* (?P<end>END )?HOLE (?P<name>\w+) \*/")


def markers(text: str) -> list[tuple[Token, bool, str]]:
    """Every marker of an assembly file: its token, is it an END, its name."""
    comments = (token for token in scan(text, assembly=True) if token.kind == COMMENT)
    matches = ((token, _MARKER.fullmatch(token.text)) for token in comments)
    return [(token, bool(match["end"]), match["name"]) for token, match in matches if match]


def _region(text: str, name: str) -> Place:
    every = markers(text)
    begins = [token for token, is_end, of in every if of == name and not is_end]
    ends = [token for token, is_end, of in every if of == name and is_end]
    if not begins:
        raise HoleError(f"no line `/* HOLE {name} */` is here, mark the hole or correct lab.toml")
    _refuse_many(name, [line_of(text, token.start) for token in begins])
    begin = begins[0]
    line = line_of(text, begin.start)
    if len(ends) != 1 or ends[0].start < begin.start:
        raise HoleError(f"one line `/* END HOLE {name} */` must follow the marker on line {line}")
    if any(begin.start < token.start < ends[0].start for token, _, _ in every):
        raise HoleError(f"the hole {name} (line {line}) holds another marker, holes do not nest")
    place = Place(_whole_line(text, begin)[1], _whole_line(text, ends[0])[0], line,
                  line_of(text, ends[0].start))
    if not text[place.start : place.end].strip():
        raise HoleError(f"the hole {name} (line {line}) is empty")
    tokens = list(scan(text, assembly=True))
    directives = [token for token in tokens if token.kind == DIRECTIVE]
    statements = [Token(WORD, f".{b.text}", a.start) for a, b in pairwise(tokens) if a.text == "."]
    parts = [*_parts(directives, condition, "#if", len(text)),
             *_parts(statements, _block, "an assembler macro, repeat or .if", len(text))]
    _refuse_inside(text, parts, name, begin.start, place)
    return place


def _whole_line(text: str, marker: Token) -> tuple[int, int]:
    """The bounds of the marker's line, which must hold nothing else."""
    start = text.rfind("\n", 0, marker.start) + 1
    end = text.find("\n", marker.start) + 1 or len(text)
    if text[start:end].strip() != marker.text:
        raise HoleError(f"the marker on line {line_of(text, start)} must stand alone on its line")
    return start, end


def _block(statement: Token) -> str | None:
    """`if` or `endif` for an assembler statement that opens or closes a block."""
    if re.fullmatch(r"\.(macro|rept|irpc?|if\w*)", statement.text):
        return "if"
    return "endif" if statement.text in (".endm", ".endr", ".endif") else None


# --- what both kinds must meet -----------------------------------------------------------------


def _parts(tokens: Iterable[Token], edge: Callable[[Token], str | None], what: str,
           end: int) -> Iterator[Part]:
    """The stretches between matching edges; one that is never closed runs to the end."""
    open_at: list[int] = []
    for token in tokens:
        side = edge(token)
        if side == "if":
            open_at.append(token.start)
        elif side == "endif" and open_at:
            yield Part(open_at.pop(), token.end, what)
    yield from (Part(start, end, what) for start in open_at)


def _refuse_inside(text: str, parts: list[Part], name: str, head: int, place: Place) -> None:
    """A part may lie before, after or wholly within the body; nothing else is safe to cut."""
    for part in parts:
        is_apart = part.end <= head or part.start >= place.end
        is_within = place.start <= part.start and part.end <= place.end
        if not is_apart and not is_within:
            where = f"{part.what} of line {line_of(text, part.start)}"
            raise HoleError(f"{name} (line {place.line}) lies in or across {where}, move it out")


def _refuse_many(name: str, lines: list[int]) -> None:
    if len(lines) > 1:
        where = ", ".join(map(str, lines[:NAMED_MAX]))
        raise HoleError(f"{name} is there more than once (lines {where}), keep one")
