"""Sv39 page tables, walked in Python: the grader's own model, for comparing with the guest's.

Pure functions over a reader of physical memory, so that the tests need no machine.  `walk`
answers one address as the hart would; `leaves` lists every mapping of a table, with bounded work
whatever the table holds (a hostile table may point at itself: depth ends it).

Source: The RISC-V Instruction Set Manual, volume II, 4.3.2 and 4.4 (Sv39).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

V, R, W, X, U, G, A, D = (1 << bit for bit in range(8))
PAGE = 4096
LEVELS = 3
ENTRIES = 512
MODE_SV39 = 8

ReadPhysical = Callable[[int, int], bytes]


class PageFault(Exception):
    """The walk ends without a leaf; `level` is where, 2 being the root."""

    def __init__(self, address: int, level: int, why: str):
        super().__init__(f"{address:#x}: {why} at level {level}")
        self.address, self.level, self.why = address, level, why


@dataclass(frozen=True)
class Mapping:
    """One leaf: `size` is 4 KiB, 2 MiB or 1 GiB; `flags` are the low eight bits of the entry."""

    virtual: int
    physical: int
    size: int
    flags: int

    @property
    def permissions(self) -> str:
        return "".join(c if self.flags & bit else "-" for c, bit in zip("rwxu", (R, W, X, U)))

    def translate(self, address: int) -> int:
        return self.physical + (address - self.virtual)


def root_of(satp: int) -> int | None:
    """The physical address of the root table, or None when translation is off."""
    return (satp & ((1 << 44) - 1)) * PAGE if satp >> 60 == MODE_SV39 else None


def canonical(address: int) -> int:
    """Sign-extend bit 38, as every Sv39 address must be."""
    address &= (1 << 39) - 1
    return address | (0x1FFFFFF << 39) if address >> 38 else address


def walk(read: ReadPhysical, satp: int, address: int) -> Mapping:
    """The mapping that covers `address`; `PageFault` when there is none."""
    table = root_of(satp)
    if table is None:
        return Mapping(address & -PAGE, address & -PAGE, PAGE, V | R | W | X)
    if canonical(address) != address:
        raise PageFault(address, LEVELS - 1, "the address is not canonical")
    for level in reversed(range(LEVELS)):
        index = (address >> (12 + 9 * level)) % ENTRIES
        entry = int.from_bytes(read(table + 8 * index, 8), "little")
        if (fault := _defect(entry, level)) is not None:
            raise PageFault(address, level, fault)
        if entry & (R | X):
            size = PAGE << (9 * level)
            return Mapping(address & -size, _frame(entry), size, entry & 0xFF)
        table = _frame(entry)
    raise AssertionError("unreachable: _defect refuses a pointer at level 0")


def leaves(read: ReadPhysical, satp: int) -> Iterator[Mapping]:
    """Every mapping of the table, in order of virtual address; defective entries are skipped."""
    if (root := root_of(satp)) is not None:
        yield from _leaves(read, root, LEVELS - 1, 0)


def _leaves(read: ReadPhysical, table: int, level: int, base: int) -> Iterator[Mapping]:
    page = read(table, PAGE)
    size = PAGE << (9 * level)
    for index in range(ENTRIES):
        entry = int.from_bytes(page[8 * index : 8 * index + 8], "little")
        if _defect(entry, level) is None:
            virtual = base + index * size
            if entry & (R | X):
                yield Mapping(canonical(virtual), _frame(entry), size, entry & 0xFF)
            else:
                yield from _leaves(read, _frame(entry), level - 1, virtual)


def _frame(entry: int) -> int:
    return ((entry >> 10) & ((1 << 44) - 1)) * PAGE


def _defect(entry: int, level: int) -> str | None:
    """What makes the hart fault on this entry, or None."""
    if not entry & V:
        return "the entry is not valid"
    if entry & W and not entry & R:
        return "the entry is writable but not readable"
    if entry >> 54:
        return "reserved bits are set"
    if not entry & (R | X):
        if level == 0:
            return "a pointer stands where a leaf must"
        return "a pointer has A, D or U set" if entry & (A | D | U) else None
    if _frame(entry) % (PAGE << (9 * level)):
        return "the superpage is not aligned"
    return None
