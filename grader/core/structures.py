"""The kernel's variables by name, in the memory of a stopped machine."""

from __future__ import annotations

from grader.core.dwarf import Layout
from grader.core.gdb import Gdb
from grader.core.verdict import expect

LONGEST_TEXT = 4096  # a length is the guest's, and may be anything


class Structures:
    """Fields of variables and of `struct name`, read through the stub."""

    def __init__(self, gdb: Gdb, layout: Layout):
        self.gdb, self.layout = gdb, layout

    def read(self, variable: str, path: str = "", base: int | None = None) -> int:
        found = self.layout.field(variable, path)
        start = self.gdb.symbols[variable] if base is None else base
        return self.gdb.read_int(start + found.offset, found.size)

    def text(self, variable: str, path: str = "", base: int | None = None) -> str:
        """What a struct str holds."""
        data, length = (self.read(variable, f"{path}.{part}", base) for part in ("data", "len"))
        expect(length <= LONGEST_TEXT, f"{variable}{path and '.'}{path} to be a text", f"a length of {length}")
        return self.gdb.read_memory(data, length).decode("latin-1")
