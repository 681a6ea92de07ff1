r"""C and assembly text into tokens, as far as the course needs them.

A token here is a comment, a whole preprocessor line (with its continuations), a string or
character, a word (identifier or number) or one mark of punctuation. Blanks are dropped; every token
knows its offset, so the text between two tokens can still be cut out byte for byte.

The scanner accepts any text: a student's half-written file, and a hostile one. What is not closed
runs to the end of its line (strings) or of the text (comments). Quantifiers are possessive (`*+`)
or cannot overlap, so the time is linear in the text.

Left out: raw strings, trigraphs and digraphs, which the kernel does not use.
Spec: ISO/IEC 9899:2011, 5.1.1.2 and 6.4; GNU as manual, 3.3 "Comments" (RISC-V: `#` to line end).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

COMMENT, DIRECTIVE, TEXT, WORD, MARK = "comment", "directive", "text", "word", "mark"


class Token(NamedTuple):
    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


_COMMENT = r"/\*(?s:.*?)(?:\*/|\Z)|//(?:\\\n|[^\n])*+"
_STRING = r'"(?:\\[\s\S]|[^"\\\n])*+"?'
_C_CHARACTER = r"'(?:\\[\s\S]|[^'\\\n])*+'?"
_S_CHARACTER = r"'(?:\\.|[^\\\n])?'?"
_DIRECTIVE = rf"#(?:\\[\s\S]|{_COMMENT}|{_STRING}|{_C_CHARACTER}|[^\\\n])*+"
_REST = r"(?P<word>\w++)|(?P<blank>\n|\\\n|[^\S\n]++)|(?P<mark>.)"

# In C a `#` outside of a directive is not legal, so each one begins a directive. In assembly a `#`
# that is not the first thing on its line begins a comment.
_C = re.compile(
    rf"(?P<comment>{_COMMENT})|(?P<directive>{_DIRECTIVE})"
    rf"|(?P<text>{_STRING}|{_C_CHARACTER})|{_REST}"
)
_S = re.compile(
    rf"(?P<directive>(?m:^)[ \t]*{_DIRECTIVE})|(?P<comment>{_COMMENT}|#[^\n]*)"
    rf"|(?P<text>{_STRING}|{_S_CHARACTER})|{_REST}"
)
_IN_DIRECTIVE = re.compile(rf"(?P<keep>{_STRING}|{_C_CHARACTER})|{_COMMENT}|\\\n")


def scan(text: str, assembly: bool = False) -> Iterator[Token]:
    """The tokens of a source file, in order; what is in none of them is blank."""
    for match in (_S if assembly else _C).finditer(text):
        kind = match.lastgroup
        if kind != "blank":
            yield Token(kind, match.group(), match.start())


def is_assembly(path: str) -> bool:
    return path.endswith(".S")


def line_of(text: str, offset: int) -> int:
    """The number, from 1, of the line that `offset` lies on."""
    return text.count("\n", 0, offset) + 1


def bare(token: Token) -> str:
    """A token as the compiler sees it: a directive loses its comments, splices and spare blanks."""
    if token.kind != DIRECTIVE:
        return token.text
    plain = _IN_DIRECTIVE.sub(lambda match: match.group("keep") or " ", token.text)
    return "#" + " ".join(plain.strip()[1:].split())


def condition(directive: Token) -> str | None:
    """`if` or `endif` for a directive that opens or closes a conditional part, else None."""
    word = re.match(r"#\s*(if|ifdef|ifndef|endif)\b", bare(directive))
    return None if not word else "endif" if word.group(1) == "endif" else "if"
