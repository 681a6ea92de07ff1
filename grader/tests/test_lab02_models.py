"""Lab 2's models, which decide over grades: each on cases that can be worked out by hand."""

from __future__ import annotations

import random

import pytest

from grader.core import sv39
from grader.core.verdict import Failure
from grader.lab02 import areas, buddy, tables
from grader.lab02.areas import EXEC, GUARD, READ, TOP, WRITE, Area
from grader.lab02.buddy import CHUNK
from grader.lab02.tables import ERR_EXIST, ERR_INVAL, ERR_NOENT, OK, SIZES


def test_buddy_splits_and_joins():
    """What is cut is free in halves; what is freed joins again, and only with its buddy."""
    model = buddy.Model()
    model.give(0, CHUNK)
    model.alloc(0, 5)
    assert model.free == {(0, 4), (1, 6), (2, 0)} | {(k, 1 << k) for k in range(3, 10)} and model.frames == CHUNK - 1
    model.alloc(0, 4)
    model.release(5)
    assert (0, 5) in model.free and (1, 4) not in model.free
    model.release(4)
    assert model.free == {(10, 0)} and model.whole_chunks() and model.counts()[10] == 1


def test_buddy_gives_runs():
    """Edges are the largest aligned blocks; what lies between are fresh chunks."""
    model = buddy.Model()
    model.give(CHUNK - 3, CHUNK + 5)
    assert model.free == {(0, CHUNK - 3), (1, CHUNK - 2), (1, 2 * CHUNK)} and model.fresh == {CHUNK}


@pytest.mark.parametrize("order, got", [(1, 4), (2, 1), (2, None), (10, 1024)])
def test_buddy_refuses(order, got):
    """A larger block than needed, a misaligned one, none although there is one, one that is not there."""
    model = buddy.Model(free={(1, 2), (2, 4), (3, 8)})
    with pytest.raises(Failure):
        model.alloc(order, got)


def test_tables():
    """Mapping, its errors, a superpage taken apart, and the tables that it takes."""
    model = tables.Model()
    assert model.map(SIZES[2], 0x8000_0000 & -SIZES[2], 2, READ) == OK and not model.tables
    assert model.map(SIZES[2] + 8 * tables.PAGE, 0, 0, READ) == ERR_EXIST
    assert model.map(8, 0, 0, READ) == ERR_INVAL and model.map(0, 0, 0, WRITE) == ERR_INVAL
    assert model.map(0, 0, 3, READ) == ERR_INVAL and model.map(0, 0, 0, tables.USER) == ERR_INVAL
    assert model.unmap(0) == (ERR_NOENT, 0)
    assert model.unmap(SIZES[2] + 5 * tables.PAGE) == (OK, 0x8000_0000 + 5 * tables.PAGE)
    assert len(model.leaves) == 511 + 511 and model.tables == {(1, SIZES[2]), (0, SIZES[2])}
    assert model.leaves[0, SIZES[2]] == 0x8000_0000 >> 2 | 0b11100011
    assert model.map(SIZES[2], 0, 1, READ) == ERR_EXIST
    assert model.protect(SIZES[2], READ | EXEC) == OK and model.leaves[0, SIZES[2]] == 0x8000_0000 >> 2 | 0b11101011
    model.leaves.clear()
    model.prune()
    assert not model.tables


def test_tables_are_read_as_the_hart_does():
    """The guest's tables: the grader's walk of Sv39 and the listing of entries agree on random trees."""
    rng = random.Random(0)
    memory = {0x8000_0000 + at: bytearray(sv39.PAGE) for at in (0, 0x1000, 0x2000)}
    memory[0x8000_0000][16:24] = (0x8000_1000 >> 2 | 1).to_bytes(8, "little")
    memory[0x8000_1000][0:8] = (0x8000_2000 >> 2 | 1).to_bytes(8, "little")
    for _ in range(40):
        at, leaf = 8 * rng.randrange(512), tables.leaf_entry(rng.getrandbits(44) << 12, READ | EXEC)
        memory[0x8000_2000][at : at + 8] = leaf.to_bytes(8, "little")

    def read(address: int, size: int) -> bytes:
        return bytes(memory[address & -sv39.PAGE][address % sv39.PAGE :][:size])

    every = tables.entries(read, 0x8000_0000)
    listed = [(address, entry >> 10 << 12) for level, address, entry in every if not level]
    walked = sv39.leaves(read, sv39.MODE_SV39 << 60 | 0x8000_0000 >> 12)
    assert listed == [(one.virtual, one.physical) for one in walked] != []
    assert [entry.level for entry in tables.path_to(read, 0x8000_0000, 2 << 30)] == [2, 1, 0]


AREAS = [Area(0x1000, 0x3000, READ | WRITE), Area(0x3000, 0x4000, READ), Area(0x4000, 0x5000, 0, GUARD),
         Area(0x6000, 0x7000, READ | EXEC)]


@pytest.mark.parametrize("start, size, access, good", [
    (0x1000, 0x3000, READ, True), (0x1000, 0x2001, WRITE, False), (0x2FFF, 1, READ | WRITE, True), (0xFFF, 2, READ, False),
    (0x3FFF, 2, READ, False), (0x4000, 1, READ, False), (0x6000, 0x1000, EXEC, True), (0x6000, 0x1001, READ, False),
    (0x5000, 0, READ, True), (TOP - 1, 0, WRITE, True), (0x1000, TOP - 1, READ, False), (0x1000, TOP - 0x1000, READ, False)])
def test_areas(start, size, access, good):
    """Edges, neighbours, guards, gaps, nothing, and ranges that wrap."""
    assert areas.allowed(AREAS, start, size, access) == good
