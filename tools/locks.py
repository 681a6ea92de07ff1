"""Writes the table of locks in docs/internals.md from include/mazu/locks.h; with --check only looks whether it is current."""
import pathlib
import re
import sys

SOURCE = pathlib.Path("solution/include/mazu/locks.h")
PAGE = pathlib.Path("docs/internals.md")
ENTRY = re.compile(r'LOCK\((\w+), (\d+), (true|false), (\d+),\s*(?:\\\s*)?"([^"]*)"\)')
PLACE = re.compile(r"(<!-- locks -->\n).*?(<!-- /locks -->)", re.DOTALL)


def table() -> str:
    lines = ["| lock | rank | interrupts | longest hold | guards |", "|---|---|---|---|---|"]
    for name, rank, irq, hold, what in ENTRY.findall(SOURCE.read_text()):
        lines.append(f"| {name} | {rank} | {'off' if irq == 'true' else 'on, preemption off'} | {hold} | {what} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    page = PAGE.read_text()
    if not PLACE.search(page):
        print(f"{PAGE}: has no place for the table of locks")
        return 1
    current = PLACE.sub(lambda found: found[1] + table() + found[2], page)
    if sys.argv[1:] == ["--check"]:
        if current != page:
            print(f"{PAGE}: the table of locks is not that of {SOURCE}; run tools/locks")
        return current != page
    PAGE.write_text(current)
    return 0


if __name__ == "__main__":
    sys.exit(main())
