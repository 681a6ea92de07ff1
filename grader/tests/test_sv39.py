"""The page-table walk, on tables made here: no machine."""

from __future__ import annotations

import pytest

from grader.core import sv39
from grader.core.sv39 import (
    A,
    D,
    PAGE,
    R,
    U,
    V,
    W,
    X,
    Mapping,
    PageFault,
    canonical,
    leaves,
    root_of,
    walk,
)

ROOT, MIDDLE, LEAF = 0x80001000, 0x80002000, 0x80003000
SATP = sv39.MODE_SV39 << 60 | ROOT // PAGE


class Memory(dict):
    """Entries by physical address; the rest reads as zero."""

    def read(self, address: int, size: int) -> bytes:
        return b"".join(
            self.get(a, 0).to_bytes(8, "little") for a in range(address, address + size, 8)
        )


def entry(physical: int, flags: int) -> int:
    return physical // PAGE << 10 | flags


@pytest.fixture
def memory() -> Memory:
    return Memory(
        {
            ROOT: entry(MIDDLE, V),
            ROOT + 8 * 2: entry(0x80000000, V | R | X | A),
            ROOT + 8 * 511: entry(0xC0000000, V | R | W | A | D),
            MIDDLE: entry(LEAF, V),
            MIDDLE + 8: entry(0x80200000, V | R | W),
            LEAF + 8 * 3: entry(0x9000_0000, V | R | U),
            LEAF + 8 * 4: entry(0x9000_1000, V | W),
            MIDDLE + 16: entry(0x80201000, V | R),
            LEAF: entry(LEAF, V),
            MIDDLE + 24: entry(LEAF, V | U),
        }
    )


@pytest.mark.parametrize("address, physical, size, permissions", [
    (0x3123, 0x9000_0000, PAGE, "r--u"), (0x20_0000, 0x8020_0000, 2 << 20, "rw--"),
    (0x8012_3456, 0x8000_0000, 1 << 30, "r-x-"), (-1 % 2**64, 0xC000_0000, 1 << 30, "rw--")])
def test_leaves_of_each_size(memory, address, physical, size, permissions):
    """4 KiB, 2 MiB and 1 GiB leaves are found, the highest address of all included."""
    mapping = walk(memory.read, SATP, address)
    assert (mapping.physical, mapping.size, mapping.permissions) == (physical, size, permissions)
    assert mapping.translate(address) == physical + address % size


@pytest.mark.parametrize(
    "address, level, why",
    [
        (0x5000, 0, "not valid"),
        (0x4000, 0, "writable but not readable"),
        (0x40_0000, 1, "not aligned"),
        (0x1000_0000_0000, 2, "not canonical"),
        (0x0, 0, "a pointer stands"),
        (0x60_0000, 1, "A, D or U"),
    ],
)
def test_faults(memory, address, level, why):
    """Every defect of an entry faults at its level, as on the hart."""
    with pytest.raises(PageFault, match=why) as caught:
        walk(memory.read, SATP, address)
    assert caught.value.level == level


def test_translation_off(memory):
    """Without a mode, an address is itself."""
    assert (
        root_of(0) is None and walk(memory.read, 0, 0x80200010).translate(0x80200010) == 0x80200010
    )


def test_all_mappings(memory):
    """`leaves` lists exactly the valid leaves, in order, though tables point at themselves."""
    found = list(leaves(memory.read, SATP))
    assert [m.virtual for m in found] == [0x3000, 0x200000, 0x80000000, canonical(511 << 30)]
    memory[ROOT + 8] = entry(ROOT, V)
    assert len(list(leaves(memory.read, SATP))) < 512 ** 2
    assert Mapping(0, 0, PAGE, V | R | W | X).permissions == "rwx-"
