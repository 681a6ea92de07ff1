"""Symbols of a kernel image: where things are, and what stands at an address.

A submission may define a static function with the name of one of ours.  So a global symbol always
wins over a local one, and a name that only several local symbols carry is refused rather than
guessed.  Text bytes are kept to compare the guest's memory with the image (`bytes_of`).
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from grader.core.verdict import Failure

CODE_SIZE_UNKNOWN = 4096  # how far an assembly label without a size reaches at most


@dataclass(frozen=True)
class Symbol:
    name: str
    address: int
    size: int
    is_function: bool
    is_global: bool


class Symbols:
    """The symbol table of one ELF file."""

    def __init__(self, path: Path | str):
        self.path = Path(path)

    def __getitem__(self, name: str) -> int:
        return self.symbol(name).address

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def symbol(self, name: str) -> Symbol:
        """The one symbol of that name; `Failure` when the kernel has none or several local ones."""
        candidates = self._by_name.get(name, [])
        ours = [symbol for symbol in candidates if symbol.is_global] or candidates
        if not ours:
            raise Failure(f"a symbol {name} in the kernel", "none")
        if len({symbol.address for symbol in ours}) > 1:
            raise Failure(f"one symbol {name} in the kernel", f"{len(ours)} of that name")
        return ours[0]

    def locate(self, address: int) -> str:
        """`function+0x12` for an address of code, `0x…` for anything else."""
        index = bisect.bisect_right(self._code_addresses, address) - 1
        if index >= 0:
            symbol = self._code[index]
            offset = address - symbol.address
            if offset < (symbol.size or CODE_SIZE_UNKNOWN):
                return symbol.name + (f"+{offset:#x}" if offset else "")
        return f"{address:#x}"

    def bytes_of(self, name: str) -> bytes:
        """What the image holds at a symbol: all of it, as loaded."""
        symbol = self.symbol(name)
        return self._loaded(name, symbol.address, symbol.size)

    def bytes_between(self, start: str, end: str) -> bytes:
        """What the image holds from one symbol up to another."""
        return self._loaded(start, self[start], self[end] - self[start])

    def _loaded(self, name: str, start: int, size: int) -> bytes:
        for address, data in self._segments:
            if address <= start < address + len(data):
                return data[start - address : start - address + size]
        raise Failure(f"{name} to have contents in the image", "an address outside of it")

    @cached_property
    def _by_name(self) -> dict[str, list[Symbol]]:
        table: dict[str, list[Symbol]] = {}
        with self.path.open("rb") as file:
            section = ELFFile(file).get_section_by_name(".symtab")
            if isinstance(section, SymbolTableSection):
                for entry in section.iter_symbols():
                    if entry.name and entry["st_shndx"] != "SHN_UNDEF":
                        table.setdefault(entry.name, []).append(_symbol(entry))
        return table

    @cached_property
    def _segments(self) -> list[tuple[int, bytes]]:
        with self.path.open("rb") as file:
            return [(s["p_vaddr"], s.data()) for s in ELFFile(file).iter_segments("PT_LOAD")]

    @cached_property
    def _code(self) -> list[Symbol]:
        every = (symbol for group in self._by_name.values() for symbol in group)
        code = [symbol for symbol in every if symbol.is_function]
        return sorted(code, key=lambda s: (s.address, bool(s.size), s.is_global))

    @cached_property
    def _code_addresses(self) -> list[int]:
        return [symbol.address for symbol in self._code]


def _symbol(entry) -> Symbol:
    kind, bind = entry["st_info"]["type"], entry["st_info"]["bind"]
    is_code = kind == "STT_FUNC" or (kind == "STT_NOTYPE" and not entry.name.startswith(("$", ".")))
    return Symbol(entry.name, entry["st_value"], entry["st_size"], is_code, bind != "STB_LOCAL")
