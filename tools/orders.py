"""
Looks whether each operation that orders memory says with which it is paired (atomic.h): an order without a partner
orders nothing, and one whose partner is not known cannot be checked by who reads it.

It does in one of two ways: a comment in its function, or right above it, says `pairs with NAME()`, where NAME is a
function (or a label in assembly) that has such operations, too, or `pairs with the hardware`; or the essay at the beginning of its file has a
paragraph `Order:`.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path("solution")
PARTS = ("include", "kernel", "arch", "drivers", "services", "lib")
THE_OPERATIONS = "atomic.h"
ORDERS = re.compile(
    r"\batomic_\w+_(?:acquire|release|acq_rel|full)\(|\b__ATOMIC_(?:ACQUIRE|RELEASE|ACQ_REL|SEQ_CST)\b|^\s+fence\s+\w+,"
)
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
PAIRS = re.compile(r"[Pp]airs\s+with\s+(the hardware|(?:\w+\(\)(?:,\s+)?)+)")
HARDWARE = "the hardware"
NAME = re.compile(r"(\w+)\(")


def pieces(text: str) -> list[str]:
    """A file in pieces: each function or label with the comment above it, and all that stands outside of them."""
    return re.split(r"(?<=\n\})\n|\n(?=\n*(?:/\*(?:(?!\*/).)*\*/\n)?\w+:\n)", text, flags=re.DOTALL)


def name_of(piece: str) -> str:
    """The function that ends the piece: C's begins at the beginning of a line."""
    code = COMMENT.sub("", piece)
    label = re.search(r"^(\w+):", code, re.MULTILINE)
    heads = [line for line in code.splitlines() if re.match(r"[a-z].*\(", line) and not line.endswith(";")]
    return label[1] if label else NAME.search(heads[-1])[1] if heads else ""


def orders(piece: str) -> bool:
    return any(ORDERS.search(line) for line in COMMENT.sub("", piece).splitlines())


def partners(piece: str) -> list[str]:
    comments = " ".join(re.sub(r"\n\s*\*", "\n", comment) for comment in COMMENT.findall(piece))
    return [name for list_ in PAIRS.findall(comments) for name in NAME.findall(list_) or [list_]]


def main() -> int:
    files = {path: path.read_text() for part in PARTS for path in sorted((ROOT / part).rglob("*.[chS]"))
             if path.name != THE_OPERATIONS}
    found = [(path, piece) for path, text in files.items() for piece in pieces(text) if orders(piece)]
    names = {name_of(piece) for _, piece in found} | {HARDWARE}
    bad = []
    for path, piece in found:
        named = partners(piece)
        essay = COMMENT.match(files[path])
        if not named and not (essay and re.search(r"^ \* Order\b[^\n]*:", essay[0], re.MULTILINE)):
            bad.append(f"{path}: {name_of(piece)}: an order that does not say what it pairs with")
        bad += [f"{path}: {name_of(piece)}: pairs with {name}(), which orders nothing" for name in named if name not in names]
    print("\n".join(bad), end="\n" if bad else "")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
