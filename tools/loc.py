#!/usr/bin/env python3
"""Counts the kernel's lines of code, by subsystem: C and assembly without blanks and comments.

    tools/loc            the table, and the README's count brought up to date
    tools/loc --check    whether the README's count is up to date

The kernel is what solution/ holds, without programs, tests, tools and the files of the image.
"""

import re
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOLUTION, README = ROOT / "solution", ROOT / "README.md"
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


def readme_with(total: int) -> str:
    """The README as it should be; the count stands between two marks."""
    text = README.read_text(encoding="utf-8")
    return re.sub(r"(<!-- loc -->).*?(<!-- /loc -->)", rf"\g<1>{total:,}\g<2>", text)


def main() -> None:
    lines = count()
    readme = readme_with(lines.total())
    is_current = readme == README.read_text(encoding="utf-8")
    if sys.argv[1:] == ["--check"]:
        sys.exit(None if is_current else "README.md: the line count is out of date; run make loc")
    for name, number in sorted(lines.items()):
        print(f"{number:7}  {name}")
    print(f"{lines.total():7}  the kernel")
    if not is_current:
        README.write_text(readme, encoding="utf-8")


if __name__ == "__main__":
    main()
