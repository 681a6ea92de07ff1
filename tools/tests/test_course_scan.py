"""Criteria of scan.py: text into tokens, whatever the text."""

import random
import time

import pytest

from course.scan import COMMENT, DIRECTIVE, TEXT, bare, scan


def texts(source, kind, assembly=False):
    return [token.text for token in scan(source, assembly) if token.kind == kind]


def test_comment_marks_in_strings_are_no_comments():
    """A string or character that looks like a comment, and the other way round."""
    source = 'a = "/* no */"; b = \'"\'; /* "yes */ c = "\\"//";'
    assert texts(source, COMMENT) == ['/* "yes */']
    assert texts(source, TEXT) == ['"/* no */"', "'\"'", '"\\"//"']


def test_directive_takes_its_continuations_and_comments():
    """A directive ends with its logical line, and a comment in it may span lines."""
    source = "#define A(x) \\\n\t{ x /* {\n { */ }\nint b;\n  # if 1 // {\nint c;\n"
    assert [bare(token) for token in scan(source) if token.kind == DIRECTIVE] == [
        "#define A(x) { x }", "#if 1"]


def test_hash_in_assembly():
    """In assembly a `#` first on its line is a directive, and elsewhere a comment."""
    source = "#ifdef A\n\tli a0, 'x' # don't {\n\t.asciz \"#\"\n"
    assert texts(source, DIRECTIVE, True) == ["#ifdef A"]
    assert texts(source, COMMENT, True) == ["# don't {"]


@pytest.mark.parametrize("assembly", [False, True])
@pytest.mark.parametrize("piece", ["/*", '"\\', "'", "#", '\\"', "//", "#/*", "'\\", '"', "/*/"])
def test_time_is_linear_in_hostile_text(piece, assembly):
    """256 KiB of one awkward piece take no longer than ordinary text would."""
    start = time.monotonic()
    list(scan(piece * (256 * 1024 // len(piece)), assembly))
    assert time.monotonic() - start < 5


def test_nothing_is_lost_in_random_text():
    """Tokens are in order, do not overlap, and what lies between them is blank."""
    chance = random.Random(1)
    for _ in range(300):
        source = "".join(chance.choice("a1_ \t\n\\\"'/*#{}().é\0") for _ in range(60))
        for assembly in (False, True):
            at = 0
            for token in scan(source, assembly):
                assert source[at : token.start].replace("\\\n", "").strip() == ""
                assert source[token.start : token.end] == token.text
                at = token.end
