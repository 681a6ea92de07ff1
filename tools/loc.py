#!/usr/bin/env python3
"""Counts the kernel's lines of code, by subsystem: C and assembly without blanks and comments.

    tools/loc            the table
    tools/loc --total    the sum alone

The kernel is what solution/ holds, without programs, tests, tools and the files of the image.
"""

import re
import sys
from collections import Counter
from pathlib import Path

SOLUTION = Path(__file__).resolve().parents[1] / "solution"
NOT_KERNEL = {"user", "tests", "tools", "rootfs"}
SPLIT = {"kernel", "drivers", "arch"}  # their subdirectories are subsystems of their own

# Strings come first, so that "/*" in one is no comment.
TOKEN = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'|/\*.*?\*/|//[^\n]*', re.DOTALL)


def without_comment(match: re.Match[str]) -> str:
    text = match.group()
    return "\n" * text.count("\n") if text.startswith(("/*", "//")) else text


def code_lines(source: str) -> int:
    return sum(1 for line in TOKEN.sub(without_comment, source).splitlines() if line.strip())


def subsystem(path: Path) -> str:
    depth = 2 if path.parts[0] in SPLIT and len(path.parts) > 2 else 1
    return "/".join(path.parts[:depth])


def count() -> Counter[str]:
    lines: Counter[str] = Counter()
    for path in sorted(SOLUTION.rglob("*.[chS]")):
        relative = path.relative_to(SOLUTION)
        if relative.parts[0] not in NOT_KERNEL:
            lines[subsystem(relative)] += code_lines(path.read_text(encoding="utf-8"))
    return lines


def main() -> None:
    lines = count()
    if sys.argv[1:] == ["--total"]:
        print(lines.total())
        return
    for name, number in sorted(lines.items()):
        print(f"{number:7}  {name}")
    print(f"{lines.total():7}  the kernel")


if __name__ == "__main__":
    main()
