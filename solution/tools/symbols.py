#!/usr/bin/env python3
"""The kernel's own symbol table: which function lies where, for backtraces.

    symbols.py            > symtab-empty.S   a table of no functions, for the first link
    symbols.py first.elf  > symtab.S         the functions of the first link, for the second
    symbols.py --check mazu.elf first.elf    did the second link leave every function in its place?

The table (kernel/ksym.c reads it) is two sorted arrays and one string pool:

    kernel_symtab_count       u64
    kernel_symtab_offsets     u32[count]  distance from _text_start, ascending
    kernel_symtab_names_at    u32[count]  where the name begins in the pool
    kernel_symtab_names       NUL-terminated names
    kernel_symtab_names_size  u64

A function is a symbol of type STT_FUNC between _text_start and _text_end; an assembly routine says
`.type name, @function`. Of several names for one address the global one wins, then the shortest.
"""

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

from elftools.elf.elffile import ELFFile


class Function(NamedTuple):
    offset: int
    name: str


def functions(elf_path: Path) -> list[Function]:
    with elf_path.open("rb") as stream:
        table = ELFFile(stream).get_section_by_name(".symtab")
        symbols = [(s.name, s["st_value"], s["st_info"]) for s in table.iter_symbols()]
    value = {name: address for name, address, _ in symbols}
    if "__global_pointer$" in value:
        sys.exit(f"{elf_path}: defines __global_pointer$, but gp belongs to the kernel")
    start, end = value["_text_start"], value["_text_end"]
    candidates = sorted(
        (address - start, info["bind"] != "STB_GLOBAL", len(name), name)
        for name, address, info in symbols
        if info["type"] == "STT_FUNC" and start <= address < end
    )
    best: dict[int, str] = {}
    for offset, _, _, name in candidates:
        best.setdefault(offset, name)
    return [Function(*item) for item in best.items()]


def array(label: str, values: list[int]) -> list[str]:
    return [f"{label}:", *(f"\t.word {value}" for value in values)]


def render(table: list[Function]) -> str:
    """The table as assembly source."""
    names_at, size = [], 0
    for function in table:
        names_at.append(size)
        size += len(function.name) + 1
    exported = ("count", "offsets", "names_at", "names", "names_size")
    lines = ["/* Written by tools/symbols.py. */", '\t.section .symtab_kernel, "a"', "\t.balign 8"]
    lines += [f"\t.globl kernel_symtab_{name}" for name in exported]
    lines += ["kernel_symtab_count:", f"\t.quad {len(table)}"]
    lines += ["kernel_symtab_names_size:", f"\t.quad {size}"]
    lines += array("kernel_symtab_offsets", [function.offset for function in table])
    lines += array("kernel_symtab_names_at", names_at)
    lines += ["kernel_symtab_names:", *(f'\t.asciz "{function.name}"' for function in table)]
    return "\n".join(lines) + "\n"


def check(final: Path, first: Path) -> None:
    moved = set(functions(final)) ^ set(functions(first))
    if moved:
        names = ", ".join(sorted({function.name for function in moved})[:3])
        sys.exit(f"{final}: the second link moved {names}; is the symbol table behind .text?")


def main() -> None:
    parser = argparse.ArgumentParser(description="Write or check the kernel's symbol table.")
    parser.add_argument("elf", nargs="?", type=Path)
    parser.add_argument("--check", type=Path, metavar="ELF")
    arguments = parser.parse_args()
    if arguments.check:
        check(arguments.check, arguments.elf)
    else:
        sys.stdout.write(render(functions(arguments.elf) if arguments.elf else []))


if __name__ == "__main__":
    main()
