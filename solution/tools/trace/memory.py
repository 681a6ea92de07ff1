"""Rings in a dump of the machine's memory, found through the kernel's ELF file."""

from __future__ import annotations

from pathlib import Path

from .events import EVENT_BYTES, NEXT_BYTES, Trace, Unreadable, decode, merge

RAM = 0x8000_0000
HZ = 10_000_000  # QEMU's virt board
POINTER = 8


def read(memory: bytes, elf: Path, base: int = RAM, hz: int = HZ) -> Trace:
    """The events of all harts; names are not looked for."""
    rings, harts, size = _places(elf)
    found = []
    for hart in range(harts):
        ring = int.from_bytes(_part(memory, base, rings + POINTER * hart, POINTER), "little")
        if ring:
            found.append(decode(_part(memory, base, ring, size), hart))
    return Trace(merge(found), {}, hz)


def _places(elf: Path) -> tuple[int, int, int]:
    """Where the pointers to the rings are, how many, and the size of a ring."""
    from elftools.elf.elffile import ELFFile  # for this alone: the rest needs nothing but Python

    with elf.open("rb") as file:
        table = ELFFile(file).get_section_by_name(".symtab")
        found = {symbol.name: symbol.entry for symbol in table.iter_symbols()
                 if symbol.name in ("trace_rings", "boot_ring")}
    if len(found) != 2:
        raise Unreadable(f"{elf} keeps no events (CONFIG_TRACE)")
    size = found["boot_ring"].st_size
    assert (size - NEXT_BYTES) % EVENT_BYTES == 0
    return found["trace_rings"].st_value, found["trace_rings"].st_size // POINTER, size


def _part(memory: bytes, base: int, address: int, size: int) -> bytes:
    at = address - base
    if at < 0 or at + size > len(memory):
        raise Unreadable(f"{address:#x} is not in the dump, which begins at {base:#x} (--base)")
    return memory[at:at + size]
