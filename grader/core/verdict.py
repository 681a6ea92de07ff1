"""Verdicts, and the two exceptions that carry one.

Every criterion ends in exactly one of seven verdicts.  Six of them grade; `infra` never does:
it says that the host, not the student, is at fault, stops the run and tells what to do.

A criterion speaks by raising.  `Failure` is a judgement on the kernel under test and carries one
sentence of the form "expected X, got Y"; `Infra` is a judgement on the host and carries a remedy.
Use `expect` rather than a bare assert, so that the sentence is written by whoever knows what the
figures mean.  Everything that came from a guest is text of a stranger: `quote` makes it printable,
short and one line.
"""

from __future__ import annotations

import errno
from enum import Enum
from typing import Any, NoReturn

LONGEST_QUOTE = 160


class Verdict(str, Enum):
    """How a criterion ended; the order is that of `worst_of`, mildest first."""

    PASS = "pass"
    BLOCKED = "blocked"
    FAIL = "fail"
    PANIC = "panic"
    HANG = "hang"
    BUILD = "build"
    INFRA = "infra"

    def __str__(self) -> str:
        return self.value


class Failure(AssertionError):
    """The kernel did not do what the criterion asks; `str()` is the one sentence."""

    def __init__(self, expected: str, got: str, verdict: Verdict = Verdict.FAIL):
        super().__init__(f"expected {expected}, got {got}")
        self.expected, self.got, self.verdict = expected, got, verdict


class Infra(Exception):
    """The host cannot grade: `reason` is what is wrong, `remedy` what to do about it."""

    def __init__(self, reason: str, remedy: str):
        super().__init__(f"{reason}; {remedy}")
        self.reason, self.remedy = reason, remedy


def expect(condition: object, expected: str, got: Any) -> None:
    """Fail with "expected …, got …" unless `condition` holds."""
    if not condition:
        raise Failure(expected, describe(got))


def expect_equal(got: Any, want: Any, what: str = "") -> None:
    """Fail unless `got == want`; `what` names the thing compared."""
    expect(got == want, f"{what} to be {describe(want)}" if what else describe(want), got)


def describe(value: Any) -> str:
    """A value as a reader of a one-line report wants it: hex for addresses, text quoted."""
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, int):
        return f"{value:#x}" if abs(value) >= 1 << 16 else str(value)
    return quote(value) if isinstance(value, (str, bytes)) else shorten(repr(value))


def quote(text: str | bytes) -> str:
    """Text from a guest, safe to print: one line, no control characters, bounded."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "backslashreplace")
    printable = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return f"'{shorten(printable)}'"


def shorten(text: str, limit: int = LONGEST_QUOTE) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def infra_from(error: BaseException) -> Infra | None:
    """The host's own troubles among Python's exceptions, or None when it is not one."""
    if isinstance(error, Infra):
        return error
    if isinstance(error, MemoryError):
        return Infra(
            "the host ran out of memory", "close other programs or grade with fewer workers"
        )
    if isinstance(error, ModuleNotFoundError):
        return Infra(f"the Python package {error.name} is missing", "run tools/setup")
    if isinstance(error, OSError) and error.errno in HOST_TROUBLE:
        return Infra(f"the host refused: {error}", HOST_TROUBLE[error.errno])
    return None


HOST_TROUBLE = {
    errno.ENOMEM: "close other programs or grade with fewer workers",
    errno.ENOSPC: "free some disk space",
    errno.EDQUOT: "free some disk space",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
    errno.ENFILE: "close other programs",
    errno.EADDRINUSE: "end the program that holds the port, then grade again",
    errno.EAGAIN: "close other programs: no process could be started",
    errno.EROFS: "choose a folder that can be written with --out",
    errno.EACCES: "make the folder accessible to this user",
}


def raise_grader_error(what: str) -> NoReturn:
    """The grader contradicts itself (a lab.toml that does not match its criteria, say)."""
    raise Infra(f"the grader itself is wrong: {what}", "report it to the course's maintainers")
