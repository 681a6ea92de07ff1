"""Lab 2: what is graded, and how it is known.

Every criterion stops the kernel in code that the student did not write, drives the student's
function from there on structures of the grader's own (an allocator, a tree of tables, a set of
areas), and reads them back from memory.  The models are in lab02/, written independently.

Tasks are graded in the order in which a boot reaches them.  Task 1 stops at `page_init`, before
there is an allocator at all; task 2 and most of task 3 at `init_run_tasks`, where memory is shared
out and translation is off; from then on the kernel must boot to its prompt, `console_serve`.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache

import pytest

from grader.core import sv39
from grader.core.batch import Batch
from grader.core.declare import graded
from grader.core.dwarf import Layout
from grader.core.structures import Structures
from grader.core.verdict import expect, expect_equal
from grader.lab02 import areas, buddy, tables
from grader.lab02.buddy import CHUNK, ORDER_MAX, ORDERS
from grader.lab02.fences import fences_of
from grader.lab02.kernel_map import MEMORY, expect_map
from grader.lab02.program import OPERATIONS, USER_CALL, Ending, Program

SCRATCH = 0x8400_0000  # memory that the kernel does not use before page_init
OK, ERR_INVAL, ERR_NOENT, ERR_NOMEM, ERR_EXIST, ERR_FAULT = 0, 1, 2, 3, 8, 16
PAGE = 4096

TASK1 = "02-paging#task-1-the-buddy-system-cut-and-join"
TASK2 = "02-paging#task-2-page-tables-walk-map-unmap"
TASK3 = "02-paging#task-3-superpages-split-while-you-stand-on-them"
TASK4 = "02-paging#task-4-page-faults-what-happened"
TASK5 = "02-paging#task-5-permission-may-this-program-do-that"


@cache
def layout_of(path) -> Layout:
    """Read once a process: it takes longer than most criteria."""
    return Layout(path)


@pytest.fixture
def layout(symbols) -> Layout:
    return layout_of(symbols.path)


def expect_as_built(machine) -> None:
    """The code that is not the student's, and the tables, are what the linker put there."""
    machine.expect_intact_between("_text_start", "_text_end")
    machine.expect_intact_between("_rodata_start", "_rodata_end")


# ---- Task 1: the buddy system ----------------------------------------------------------------------


@pytest.fixture
def guest(gdb, layout) -> buddy.Guest:
    """Room for an allocator of four chunks."""
    machine = gdb(stop="page_init")
    expect_as_built(machine)
    return buddy.Guest(machine, layout, SCRATCH)


@graded("buddy.split", points=6, task=1, hint=TASK1)
def test_buddy_split(guest):
    """Each order is cut from the smallest free block that is large enough, and the rest is free."""
    for order in ORDERS:
        guest.start((0, 2 * CHUNK))
        guest.drive(("alloc", order))
        guest.drive(("alloc", order))
        guest.drive(*(("alloc", smaller) for smaller in range(order)))
    guest.start((0, 4 * CHUNK))
    guest.drive(*(("alloc", order) for order in (0, 10, 3, 3, 9, 0, 1, 2, 10, 4)))


@graded("buddy.merge", points=6, task=1, needs=["buddy.split"], seeds=range(2), hint=TASK1)
def test_buddy_merge(guest, rng):
    """A freed block joins its buddy as often as that is free and whole, and never anything else."""
    for order in range(ORDER_MAX):
        guest.start((0, CHUNK))
        pair = [guest.drive(("alloc", order))[0] for _ in range(1 << min(ORDER_MAX - order, 3))]
        rng.shuffle(pair)
        for first in pair:
            guest.drive(("free", first))
        expect_whole(guest)
    guest.start((0, 4 * CHUNK))
    for first in guest.drive(*[("alloc", ORDER_MAX)] * 4):
        guest.drive(("free", first))
    guest.start((CHUNK, CHUNK))
    pages = guest.drive(*[("alloc", 0)] * CHUNK)
    rng.shuffle(pages)
    for at in range(0, CHUNK, 64):
        guest.drive(*(("free", page) for page in pages[at : at + 64]))
    expect_whole(guest)


def expect_whole(guest) -> None:
    expect(guest.model.whole_chunks() and not guest.model.held, "everything joined again", "the grader's own mistake")


RAGGED = ((3, 1), (7, 500), (900, 1100), (2000, 48), (2 * CHUNK + 1, 2 * CHUNK - 1))  # what holes leave over


@graded("buddy.random", points=6, task=1, needs=["buddy.merge"], seeds=range(4), hint=TASK1)
def test_buddy_random(guest, rng):
    """Random steps, on memory with holes, agree with a model in each block, list, count and state."""
    guest.start(*RAGGED, rng=rng)
    for round_ in range(30):
        share = rng.choice((0.3, 0.5, 0.8))
        held = list(guest.model.held)
        rng.shuffle(held)
        steps = [("free", held.pop()) if held and rng.random() > share else ("alloc", random_order(rng))
                 for _ in range(30)]
        guest.drive(*steps)
    held = list(guest.model.held)
    rng.shuffle(held)
    guest.drive(*(("free", first) for first in held))
    given = buddy.Model()
    for run in RAGGED:
        given.give(*run)
    expect_equal(guest.model.frames, given.frames, "free frames when everything is free again")


def random_order(rng: random.Random) -> int:
    return rng.choice((0, 0, 0, 1, 2, 3, rng.randrange(ORDER_MAX + 1)))


@graded("buddy.exhaust", points=3, task=1, needs=["buddy.merge"], seeds=range(2), hint=TASK1)
def test_buddy_exhaust(guest, rng):
    """Nothing left is ERR_NOMEM and changes nothing; each frame is given once; then it recovers."""
    guest.start((5, 700), (CHUNK, CHUNK))
    frames = guest.model.frames
    guest.drive(*(("alloc", order) for order in reversed(ORDERS) for _ in range(3)))
    pages = guest.drive(*[("alloc", 0)] * guest.model.frames)
    expect(None not in pages, f"{frames} frames to be given", "ERR_NOMEM before")
    guest.drive(*(("alloc", order) for order in ORDERS))
    pages = list(guest.model.held)
    rng.shuffle(pages)
    guest.drive(*(("free", first) for first in pages))
    expect_equal(guest.model.frames, frames, "free frames when everything is free again")
    guest.drive(("alloc", ORDER_MAX), ("alloc", ORDER_MAX))


STATISTICS = "struct page_statistics"

class Pages:
    """The kernel's own pages: page_alloc, page_free and what page_statistics says."""

    ORDER = 5  # of a block of our own

    def __init__(self, machine, layout):
        self.machine, self.fields = machine, Structures(machine, layout)
        self.test = layout.constant("PAGE_TEST")
        self.at = machine.call("page_alloc", self.ORDER, self.test).a0
        self.batch = Batch(machine, self.at + 0x1000)

    def counts(self) -> dict[str, int]:
        """The statistics, which must add up; pages at hand go back first, to where they can be joined."""
        self.machine.call("page_cache_drain")
        self.machine.call("page_statistics", self.at)
        types = self.fields.layout.constant("PAGE_TYPE_COUNT")
        paths = ["total", "free", *(f"held[{i}]" for i in range(types)), *(f"blocks[{k}]" for k in ORDERS)]
        found = {path: self.fields.read(STATISTICS, path, self.at) for path in paths}
        held = sum(found[f"held[{i}]"] for i in range(types))
        expect_equal(found["free"] + held, found["total"], "free pages and those of all types, together,")
        return found

    def expect_counts(self, before: dict[str, int], when: str) -> None:
        """As many pages of each type, and as many free blocks of each order, as before."""
        for path, count in self.counts().items():
            expect_equal(count, before[path], f"{when}: page_statistics, {path},")

    def take_all(self, rng: random.Random) -> list[tuple[int, int]]:
        """Everything that there is, large blocks after some small ones; (address, order) of each."""
        taken = [block for _ in range(4) for block in self.take([rng.randrange(5) for _ in range(64)])]
        for order in reversed(ORDERS):
            while more := self.take([order] * 64):
                taken += more
        return taken

    def take(self, orders: list[int]) -> list[tuple[int, int]]:
        came = self.batch.run([("page_alloc", order, self.test) for order in orders])
        for one in came:
            expect(one.a1 & 0xFFFFFFFF in (OK, ERR_NOMEM), "page_alloc to be OK or ERR_NOMEM", one.a1 & 0xFFFFFFFF)
        return [(one.a0, order) for one, order in zip(came, orders) if not one.a1 & 0xFFFFFFFF]

    def give_back(self, taken: list[tuple[int, int]]) -> None:
        for at in range(0, len(taken), 64):
            self.batch.run([("page_free", address, order) for address, order in taken[at : at + 64]])


@graded("page.exhaust", points=4, task=1, needs=["buddy.exhaust"], hint=TASK1)
def test_page_exhaust(gdb, layout, rng):
    """All memory of odd machines is handed out, each page once; the counts add up, then and after."""
    for memory in ("64M", "129M"):
        machine = gdb(stop="init_run_tasks", memory=memory)
        pages = Pages(machine, layout)
        before = pages.counts()
        taken = pages.take_all(rng)
        during = pages.counts()
        expect_equal(during["free"], 0, f"-m {memory}: free pages when no more can be had")
        expect_equal(during[f"held[{pages.test}]"], before[f"held[{pages.test}]"] + before["free"],
                     f"-m {memory}: pages of type TEST")
        expect_disjoint(taken, machine, pages.at, memory)
        rng.shuffle(taken)
        pages.give_back(taken)
        pages.expect_counts(before, f"-m {memory}, everything given back")
        expect_as_built(machine)


def expect_disjoint(taken: list[tuple[int, int]], machine, scratch: int, memory: str) -> None:
    """Blocks are aligned, in memory, apart from each other, from the kernel's image and from ours."""
    end = 0x8000_0000 + (int(memory[:-1]) << 20)
    ours = [("the kernel's image", machine.symbols["_kernel_start"], machine.symbols["_kernel_end"]),
            ("a block that the grader has", scratch, scratch + (PAGE << Pages.ORDER))]
    ranges = [(f"a block of order {order}", at, at + (PAGE << order)) for at, order in taken]
    for what, start, stop in ranges:
        expect(start % (stop - start) == 0 and 0x8000_0000 <= start and stop <= end,
               f"-m {memory}: {what} to be aligned and in memory", start)
    spans = sorted(ranges + ours, key=lambda span: span[1])
    for (one, _, stop), (other, start, _) in zip(spans, spans[1:]):
        expect(stop <= start, f"-m {memory}: {one} and {other} to be apart", f"an overlap at {start:#x}")


@graded("buddy.latency", points=3, task=1, needs=["buddy.merge"], profile="release", hint=TASK1)
def test_buddy_latency(icount, layout, latency):
    """The slowest of single allocs and frees of every order, from whole and from split memory, is within its limit."""

    def measure() -> int:
        machine = icount(stop="page_init")
        guest = buddy.Guest(machine, layout, SCRATCH, count=CHUNK)
        guest.start((0, CHUNK))
        worst = 0
        for order in ORDERS:
            got = machine.call("buddy_alloc", guest.buddy, order)
            more = machine.call("buddy_alloc", guest.buddy, 0) if order < ORDER_MAX else None
            if more:
                worst = max(worst, more.cycles, machine.call("buddy_free", guest.buddy, more.a0, 0).cycles)
            worst = max(worst, got.cycles, machine.call("buddy_free", guest.buddy, got.a0, order).cycles)
        return worst

    latency(measure)


# ---- Task 2: walk, map, unmap ------------------------------------------------------------------------

READ, WRITE, EXEC, USER = tables.READ, tables.WRITE, tables.EXEC, tables.USER
SIZES = tables.SIZES


@pytest.fixture
def tree(gdb, layout) -> tables.Guest:
    """An empty tree of page tables of our own, while translation is off."""
    machine = gdb(stop="init_run_tasks")
    expect_as_built(machine)
    return tables.Guest(machine, layout)


class Handmade:
    """Tables that the grader writes itself, into pages behind those that the tree's guest uses."""

    def __init__(self, tree: tables.Guest):
        self.tree, self.next = tree, tree.at + 16 * PAGE
        self.entries: dict[int, int] = {}
        self.root = self.page()

    def page(self) -> int:
        self.next += PAGE
        return self.next - PAGE

    def plant(self, address: int, level: int, entry: int) -> None:
        """`entry` at `level`, with tables down to there; where a walk ends earlier already, nothing."""
        table = self.root
        for above in range(2, level, -1):
            at = table + 8 * index(address, above)
            if at not in self.entries:
                self.entries[at] = self.page() >> 12 << 10 | sv39.V
            if self.entries[at] & 0xF != sv39.V:
                return
            table = self.entries[at] >> 10 << 12
        self.entries.setdefault(table + 8 * index(address, level), entry)

    def write(self) -> None:
        image = bytearray(self.next - self.root)
        for at, entry in self.entries.items():
            image[at - self.root : at - self.root + 8] = entry.to_bytes(8, "little")
        self.tree.machine.write_memory(self.root, bytes(image))

    def walk(self, address: int) -> tuple[int, int]:
        """Where a walk ends: the entry's address and its level."""
        table = self.root
        for level in (2, 1, 0):
            at = table + 8 * index(address, level)
            entry = self.entries.get(at, 0)
            if level == 0 or entry & 0xF != sv39.V:
                return at, level
            table = entry >> 10 << 12
        raise AssertionError


def index(address: int, level: int) -> int:
    return address >> 12 + 9 * level & 511


def random_address(rng: random.Random, level: int = 0) -> int:
    """Within a few areas of each level, so that tables are shared; first and last entries often."""
    parts = [rng.choice((0, 1, 2, 511, rng.randrange(512))) for _ in range(2)]
    return (rng.choice((0, 1, 130, 255)) << 30 | parts[0] << 21 | parts[1] << 12) & -SIZES[level]


def random_entry(rng: random.Random, level: int) -> int:
    """A leaf of any kind, an entry without V whatever else it says, or, at the end, what looks like a table."""
    ends = [sv39.R, sv39.X, sv39.R | sv39.W, sv39.R | sv39.X | sv39.U | sv39.A]
    number = rng.getrandbits(44) & -(1 << 9 * level)
    choice = rng.random()
    if choice < 0.2:
        return rng.getrandbits(54) & ~(sv39.V if choice < 0.1 else sv39.V | sv39.R | sv39.W | sv39.X)
    return number << 10 | sv39.V | (0 if level == 0 and choice < 0.4 else rng.choice(ends))


@graded("walk.levels", points=5, task=2, needs=["buddy.merge"], seeds=range(3), hint=TASK2)
def test_walk_levels(tree, rng):
    """In tables made by hand every walk ends at the right entry, of the right level."""
    for round_ in range(10):
        made = Handmade(tree)
        planted = [random_address(rng) | rng.randrange(PAGE) for _ in range(14)]
        for address in planted:
            level = rng.randrange(3)
            made.plant(address, level, random_entry(rng, level))
        made.write()
        tree.machine.write_int(tree.at + tree.layout.field("struct pagetable", "root").offset, made.root)
        asked = [address ^ bit for address in planted for bit in (0, 0xFFF, 1 << 12, 1 << 21, 1 << 30)]
        for address, got in zip(asked, tree.batch.run([("pt_walk", tree.at, address) for address in asked])):
            entry, level = made.walk(address)
            expect_equal(got.a1 & 0xFFFFFFFF, level, f"tables {round_}: the level where the walk for {address:#x} ends")
            expect_equal(got.a0, entry, f"tables {round_}: the entry where the walk for {address:#x} ends")


@graded("map.entries", points=6, task=2, needs=["walk.levels"], hint=TASK2)
def test_map_entries(tree):
    """Pages of every size and all rights: the leaf is exact to the bit, the tables are those that it needs."""
    for asid in (0, 5):
        tree.start(asid)
        for number, rights in enumerate(tables.VALID_RIGHTS):
            for level in range(3):
                address = (16 * level + number << 30) + (number + 1) * (SIZES[level] if level < 2 else 0)
                tree.step(("map", address, 0x80_0000_0000 * (number + 1) + SIZES[level], level, rights))
        top = tables.ADDRESS_END - PAGE
        tree.step(("map", top, (1 << 56) - PAGE, 0, READ | WRITE | USER), ("map", top - PAGE, 0, 0, READ))
        tree.step(("map", tables.ADDRESS_END - 2 * SIZES[2], 0, 2, READ | EXEC))


@graded("map.errors", points=5, task=2, needs=["map.entries"], hint=TASK2)
def test_map_errors(tree):
    """What is there already, misaligned, without rights, or without memory is refused, and changes no translation."""
    at, page = 3 << 30, 0x8800_0000
    tree.step(("map", at, page, 0, READ | WRITE), ("map", at + SIZES[1], page, 1, READ),
              ("map", at + SIZES[2], 0x8000_0000, 2, READ | EXEC))
    taken = [(at, 0), (at + SIZES[1], 0), (at + SIZES[1] + 5 * PAGE, 0), (at + SIZES[2] + 7 * PAGE, 0),
             (at, 1), (at + SIZES[1], 1), (at + SIZES[2] + 4 * SIZES[1], 1), (at, 2), (at + SIZES[2], 2)]
    for address, level in taken:
        tree.step(("map", address, 0x1_0000_0000, level, READ | WRITE))
    inside = 7 << 30  # a page in the middle of what a superpage would cover
    tree.step(("map", inside + 3 * PAGE, page, 0, READ))
    tree.step(("map", inside, 0x8000_0000, 1, READ), ("map", inside, 0x8000_0000, 2, READ))
    free = 9 << 30
    for arguments in ((free + 8, page, 0, READ), (free, page + 8, 0, READ), (free + PAGE, page, 1, READ),
                      (free, page + PAGE, 1, READ), (free + SIZES[1], 0, 2, READ), (free, SIZES[1], 2, READ),
                      (free, page, 0, 0), (free, page, 0, USER), (free, page, 0, WRITE), (free, page, 0, WRITE | EXEC),
                      (free, 0, 3, READ), (free, 0, 1 << 31, READ), (tables.ADDRESS_END, page, 0, READ),
                      (1 << 63, page, 0, READ), (at + SIZES[1] + 8, page, 0, READ)):
        tree.step(("map", *arguments))
    for level, missing in ((0, 0), (0, 1), (1, 0)):
        expect_no_memory(tree, free, page, level, missing)
    tree.step(("map", free, page, 0, READ | USER))
    tree.step(("unmap", free), ("unmap", at))


def expect_no_memory(tree: tables.Guest, address: int, physical: int, level: int, pages: int) -> None:
    """A map that needs more tables than the quota has pages left."""
    what = f"pt_map of a page of level {level} with {pages} pages left"
    tree.limit(tree.used() + pages)
    tree.expect_error(tree.call("pt_map", address, physical, level, READ).a0, ERR_NOMEM, what)
    tree.check(f"after {what}", exact_tables=False)
    tree.limit(tables.LIMITLESS)
    tree.machine.call("pt_prune", tree.at, address, address + SIZES[2], within=20)
    tree.model.prune()


@graded("unmap.pages", points=4, task=2, needs=["map.entries"], hint=TASK2)
def test_unmap_pages(tree, rng):
    """One page goes and is returned, its neighbours stay; what is not there is ERR_NOENT; no page is lost."""
    base = 140 << 30
    pages = [base + PAGE * i for i in (0, 1, 2, 255, 510, 511, 512, 1023)] + [base + SIZES[2] - PAGE]
    for number, address in enumerate(pages):
        tree.step(("map", address, 0x8000_0000 + 0x10_0000_1000 * number, 0, rng.choice(tables.VALID_RIGHTS)))
    for absent in (base + 3 * PAGE, base + 3 * SIZES[1], base + SIZES[2], 0, tables.ADDRESS_END - PAGE):
        tree.step(("unmap", absent))
    rng.shuffle(pages)
    for address in pages:
        tree.step(("unmap", address))
        tree.step(("unmap", address))
    tree.expect_all_given_back()


@graded("map.fences", points=3, task=2, needs=["unmap.pages"], hint=TASK2)
def test_map_fences(tree):
    """Each changed entry is followed by the fence that covers it, before the function returns."""
    for asid in (0, 7):
        tree.start(asid)
        address, rights = 0x21_4030_7000, READ | WRITE | (USER if asid else 0)
        expect_fenced(tree, asid, address, "pt_map", address, 0x8800_0000, 0, rights)
        expect_fenced(tree, asid, address + PAGE, "pt_map", address + PAGE, 0x8800_1000, 0, rights)
        expect_fenced(tree, asid, address, "pt_unmap", address)


def expect_fenced(tree: tables.Guest, asid: int, address: int, function: str, *arguments: int) -> None:
    """Each entry on the way to `address` that the call changes has a fence behind it."""
    before = [(entry.at, entry.value) for entry in tree.path(address)]
    fences = fences_of(tree, address, function, *arguments)
    after = tree.path(address)
    what = f"{function} of {address:#x}, asid {asid}"
    expect(before != [(entry.at, entry.value) for entry in after], f"{what} to change an entry", "no change")
    for entry in after:
        if (entry.at, entry.value) in before:
            continue
        behind = [fence for fence in fences if entry in fence.path]
        is_new_table = entry is not after[-1] and (entry.at, 0) in before
        good = any(f.covers_tables(asid) if is_new_table else f.covers(address, asid) for f in behind)
        wanted = f"sfence.vma for {'all addresses' if is_new_table else hex(address)}, asid {asid or 'any'}"
        expect(good, f"{what}: {wanted}, after the entry of level {entry.level} has changed",
               tables.Shown(", ".join(map(str, behind)) or "none"))


def random_steps(rng: random.Random, model: tables.Model, count: int, split: bool) -> Iterator[tuple]:
    """Calls that the model has an opinion on: superpages are mapped, and changed only if `split`.

    A superpage where an empty table was left is not tried: pagetable.h leaves open what happens.
    """
    while count:
        choice = rng.random()
        if choice < 0.5:
            level = rng.choice((0, 0, 0, 0, 1, 1, 2))
            address = random_address(rng, level)
            if level and (level - 1, address) in model.tables and not has_leaves(model, level, address):
                continue
            physical = rng.getrandbits(55) & -SIZES[level]
            yield "map", address, physical, level, rng.choice(tables.VALID_RIGHTS)
        else:
            address = random_mapped(rng, model)
            if (leaf := model.find(address)) and leaf[0] and not split:
                continue
            yield ("unmap", address) if choice < 0.8 else ("protect", address, rng.choice(tables.VALID_RIGHTS))
        count -= 1


def random_mapped(rng: random.Random, model: tables.Model) -> int:
    """A page that is mapped, most of the time."""
    if not model.leaves or rng.random() < 0.2:
        return random_address(rng)
    level, address = rng.choice(list(model.leaves))
    return address + PAGE * rng.randrange(SIZES[level] // PAGE)


def has_leaves(model: tables.Model, level: int, address: int) -> bool:
    return any(address <= at < address + SIZES[level] for _, at in model.leaves)


def run_random(tree: tables.Guest, rng: random.Random, rounds: int, count: int, split: bool) -> None:
    """`rounds` times `count` steps; the model runs ahead, since what to do next depends on it."""
    for _ in range(rounds):
        ahead = tables.Model(dict(tree.model.leaves), set(tree.model.tables))
        steps = []
        for step in random_steps(rng, ahead, count, split):
            getattr(ahead, step[0])(*step[1:])
            steps.append(step)
        tree.step(*steps)


@graded("map.random", points=3, task=2, needs=["map.errors", "unmap.pages"], seeds=range(5), hint=TASK2)
def test_map_random(tree, rng):
    """Ten thousand random map, unmap and protect steps agree with a model, entry by entry."""
    tree.start(rng.choice((0, 9)))
    run_random(tree, rng, rounds=10, count=200, split=False)


@graded("map.latency", points=2, task=2, needs=["map.entries", "unmap.pages"], profile="release", hint=TASK2)
def test_map_latency(icount, layout, latency):
    """Mapping and unmapping a page, the tables being there, is within its limit."""

    def measure() -> int:
        tree = tables.Guest(icount(stop="init_run_tasks"), layout)
        address = 0x21_4030_7000
        tree.step(("map", address + PAGE, 0x8800_0000, 0, READ | WRITE))
        return tree.call("pt_map", address, 0x8800_1000, 0, READ | WRITE).cycles + tree.call("pt_unmap", address).cycles

    latency(measure)


# ---- Task 3: superpages ------------------------------------------------------------------------------


def map_superpages(tree: tables.Guest, rights: int) -> tuple[int, int]:
    """A page of 1 GiB and one of 2 MiB, each between two others; their addresses."""
    giant, large = 130 << 30, (140 << 30) + 77 * SIZES[1]
    for step in (-1, 0, 1):
        tree.step(("map", giant + step * SIZES[2], (70 + step) << 30, 2, rights),
                  ("map", large + step * SIZES[1], 0x40_0000_0000 + step * SIZES[1], 1, rights))
    return giant, large


@graded("split.entries", points=5, task=3, needs=["map.entries"], hint=TASK3)
def test_split_entries(tree):
    """A superpage becomes 512 smaller leaves with its rights, down to 4 KiB at the address; the rest stays."""
    for asid, rights in ((0, READ | WRITE), (3, EXEC | USER), (0, READ | EXEC), (3, READ | WRITE | USER)):
        tree.start(asid)
        giant, large = map_superpages(tree, rights)
        for address in (large - PAGE, large, giant + 300 * SIZES[1] + 511 * PAGE,
                        giant + SIZES[2] - PAGE, giant + 300 * SIZES[1], giant + 1 * SIZES[1] + 0x123):
            tree.step(("split", address))
        for absent in (0, giant + 2 * SIZES[2], large + 2 * SIZES[1]):
            tree.step(("split", absent))


@graded("split.moments", points=4, task=3, needs=["split.entries"], hint=TASK3)
def test_split_moments(tree):
    """Every address translates as before after each store to the tree, and when there is no memory for a table."""
    for place in (0, 1):
        for pages in (2, 1, 0):
            tree.start(asid=4)
            address = map_superpages(tree, READ | WRITE | USER)[place] + 5 * PAGE
            before = tables.runs(tree.mappings())
            needed = 2 - place
            tree.limit(tree.used() + pages)
            what = f"splitting {'1 GiB' if needed == 2 else '2 MiB'} with {pages} pages left"
            expect_split_in_place(tree, address, before, what)
            tree.expect_error(tree.call("pt_split", address).a0, OK if pages >= needed else ERR_NOMEM, what)
            expect_same(tree, before, f"{what}, at the end")
            tree.expect_charged(f"{what}, at the end")
    for asid in (0, 4):
        tree.start(asid)
        address = map_superpages(tree, READ | WRITE | (USER if asid else 0))[1]
        expect_fenced(tree, asid, address, "pt_split", address)


def expect_split_in_place(tree: tables.Guest, address: int, before: list[tables.Run], what: str) -> None:
    """Runs pt_split() from store to store on the entries that a walk for `address` meets."""
    machine = tree.machine
    saved, back = machine.registers(), machine.pc
    for name, value in (("a0", tree.at), ("a1", address), ("ra", back), ("pc", machine.address("pt_split"))):
        machine.write(name, value)
    machine.break_at(back)
    while machine.pc != back:
        entry = tree.path(address)[-1]
        if not entry.level:
            machine.cont(f"{what} to end")
            break
        stop = machine.run_to_store(entry.at)
        if stop != back:
            expect_same(tree, before, f"{what}, when the entry of level {entry.level} has changed")
    machine.clear(back)
    for name, value in saved.items():
        machine.write(name, value)


def expect_same(tree: tables.Guest, before: list[tables.Run], when: str) -> None:
    now = tables.runs(tree.mappings())
    if now == before:
        return
    odd = min(set(now) ^ set(before))
    expect(False, f"{when}: what was mapped, as it was", tables.Shown(f"a change at or behind {odd[0]:#x}"))


@graded("split.random", points=3, task=3, needs=["split.entries", "unmap.pages"], seeds=range(3), hint=TASK3)
def test_split_random(tree, rng):
    """Random steps that take single pages out of superpages, or change their rights, agree with a model."""
    tree.start(rng.choice((0, 9)))
    run_random(tree, rng, rounds=12, count=40, split=True)
    for _, address in list(tree.model.leaves)[:50]:
        tree.step(("unmap", address))


@graded("split.latency", points=2, task=3, needs=["split.entries"], profile="release", hint=TASK3)
def test_split_latency(icount, layout, latency):
    """Splitting a page of 1 GiB down to 4 KiB is within its limit."""

    def measure() -> int:
        tree = tables.Guest(icount(stop="init_run_tasks"), layout)
        return tree.call("pt_split", map_superpages(tree, READ | WRITE)[0]).cycles

    latency(measure)


PROMPT = "console_serve"
SHAPES = (("32M", 1), ("129M", 4), ("5G", 2))


@graded("kernel.map", points=5, task=3, needs=["map.errors", "split.random"], hint=TASK3)
def test_kernel_map(gdb, layout):
    """At the prompt the kernel's own table is right page by page: W^X, guards and firmware absent, each page once.

    And again with pages hidden, which are cut out of superpages, and a stack allocated, also as an address space
    sees it that was made before; and when all is put back.
    """
    for memory, harts in SHAPES:
        machine = gdb(stop=PROMPT, memory=memory, harts=harts)
        fields, size = Structures(machine, layout), int(memory[:-1]) << (30 if memory[-1] == "G" else 20)
        expect_as_built(machine)
        expect_map(machine, fields, size, [], f"-m {memory}")
        space = pointer(machine, "addrspace_create", 8)
        hidden = [pointer(machine, "page_alloc", 9, layout.constant("PAGE_TEST")) + i * 255 * PAGE for i in range(3)]
        hidden.append(MEMORY + size // 2 + 5 * PAGE)  # nobody's; of a machine with 5 GiB, in a page of 1 GiB
        for page in hidden:
            expect_equal(machine.call("kernel_map_hide", page).a0 & 0xFFFFFFFF, OK, "kernel_map_hide: the error")
        stack = pointer(machine, "kstack_alloc")
        expect_map(machine, fields, size, [*hidden, stack], f"-m {memory}, pages hidden, a stack in use")
        machine.call("addrspace_switch", space)
        expect_map(machine, fields, size, [*hidden, stack], f"-m {memory}, the same in an older address space")
        machine.call("addrspace_switch", 0)
        machine.call("kstack_free", stack)
        machine.call("kstack_drain")  # it may be kept for the next task
        for page in hidden:
            machine.call("kernel_map_show", page)
        expect_map(machine, fields, size, [], f"-m {memory}, everything shown again")


def pointer(machine, function: str, *arguments: int) -> int:
    """What a call that must succeed returns."""
    returned = machine.call(function, *arguments)
    expect_equal(returned.a1 & 0xFFFFFFFF, OK, f"{function}: the error")
    return returned.a0


# ---- Task 4: page faults ------------------------------------------------------------------------------

INTERRUPT = 1 << 63
SPP = 1 << 8
FAULTS = {12: EXEC, 13: READ, 15: WRITE}


def absurd_causes() -> list[int]:
    """Every code, as exception and interrupt, and the three that matter with one more bit."""
    near = [cause + (1 << bit) for cause in FAULTS for bit in (*range(4, 8), 16, 31, 32, 33, 62)]
    return [*range(64), *(INTERRUPT | code for code in range(64)), *near, (1 << 64) - 1, INTERRUPT - 1]


@graded("fault.decode", points=6, task=4, needs=["buddy.merge"], seeds=range(2), hint=TASK4)
def test_fault_decode(gdb, layout, rng):
    """Every cause there may be, from both modes: three are page faults with address, kind and mode, no others."""
    pages = Pages(gdb(stop="init_run_tasks"), layout)
    size = layout.field("struct trap_frame").size
    frames, asked, image = pages.at + 0x8000, [], bytearray()
    for cause in absurd_causes():
        status, value = rng.getrandbits(64), rng.choice((0, rng.getrandbits(64), rng.getrandbits(38)))
        frame = bytearray(rng.randbytes(size))
        for name, field in (("cause", cause), ("status", status), ("value", value)):
            at = layout.field("struct trap_frame", name).offset
            frame[at : at + 8] = field.to_bytes(8, "little")
        asked.append((cause, status, value))
        image += frame
    answers = frames + len(image)
    pages.machine.write_memory(frames, bytes(image))
    came = pages.batch.run([("fault_decode", frames + size * i, answers + 64 * i) for i in range(len(asked))])
    expect(pages.machine.read_memory(frames, len(image)) == image, "the frames to stay as they are", "a change")
    for i, ((cause, status, value), returned) in enumerate(zip(asked, came)):
        what = f"{'interrupt' if cause & INTERRUPT else 'exception'} {cause & ~INTERRUPT}"
        expect_equal(returned.a0 & 0xFFFFFFFF, OK if cause in FAULTS else ERR_INVAL, f"{what}: the error")
        if cause in FAULTS:
            expect_fault(pages.fields, answers + 64 * i, value, FAULTS[cause], not status & SPP, what)


def expect_fault(fields: Structures, at: int, address: int, access: int, user: bool, what: str) -> None:
    """A struct fault."""
    expect_equal(fields.read("struct fault", "address", at), address, f"{what}: the address")
    kinds = {READ: "VM_READ", WRITE: "VM_WRITE", EXEC: "VM_EXEC"}
    got = fields.read("struct fault", "access", at)
    expect_equal(kinds.get(got, got), kinds[access], f"{what}: the access")
    expect_equal(bool(fields.read("struct fault", "user", at)), user, f"{what}: whether it was a user's")


@graded("fault.programs", points=4, task=4, needs=["fault.decode", "kernel.map"], hint=TASK4)
def test_fault_programs(gdb, layout, rng):
    """What programs, and copies on their behalf, touch reaches addrspace_fault as what it is; nothing else does."""
    machine = gdb(stop=PROMPT, may_panic=True)
    program = Program(machine, layout)
    for operation, (_, access) in OPERATIONS.items():
        address = (1 << 37) + PAGE * rng.randrange(1 << 20) + 8 * rng.randrange(1, 500)
        program.begin(operation, address)
        machine.run_to("addrspace_fault", "trap_fault")
        what = f"a program's {operation}"
        expect_equal(machine.where(), "addrspace_fault" if access else "trap_fault", f"{what}: where it goes")
        if access:
            expect_fault(program.fields, machine.read("a1"), address, access, True, what)
        program.stop()
    copies = (("arch_user_copy", "a copy from a program", program.code, 1 << 37, READ),
              ("arch_user_copy", "a copy to a program", 1 << 37, program.code, WRITE),
              ("memcpy", "a load by the kernel that is no copy", program.code, 1 << 37, None))
    for function, what, to, source, access in copies:
        for register, value in (("a0", to), ("a1", source), ("a2", 8), ("ra", machine.pc)):
            machine.write(register, value)
        machine.write("pc", machine.address(function))
        machine.run_to("addrspace_fault", "trap_fault", program.saved["pc"])
        expect_equal(machine.where(), "addrspace_fault" if access else "trap_fault", f"{what}: where its fault goes")
        if access:
            expect_fault(program.fields, machine.read("a1"), 1 << 37, access, False, what)
        program.stop()
    expect_as_built(machine)


# ---- Task 5: permission --------------------------------------------------------------------------------


@graded("vma.check", points=5, task=5, needs=["buddy.merge"], seeds=range(4), hint=TASK5)
def test_vma_check(gdb, layout, rng):
    """Random ranges in random areas, with gaps, guards, edges and wraps, are allowed exactly when all of it is."""
    pages = Pages(gdb(stop="init_run_tasks"), layout)
    most, at = areas.most_areas(layout), pages.at + 0x10000
    for _ in range(12):
        some = areas.random_areas(rng, most)
        image = areas.pack(layout, some)
        pages.machine.write_memory(at, image)
        asked = list(areas.random_ranges(rng, some, 250))
        came = pages.batch.run([("vma_check", at, *one) for one in asked])
        expect(pages.machine.read_memory(at, len(image)) == image, "the areas to stay as they are", "a change")
        for (start, size, access), returned in zip(asked, came):
            wanted = OK if areas.allowed(some, start, size, access) else ERR_FAULT
            got = returned.a0 & 0xFFFFFFFF
            what = f"{size:#x} bytes at {start:#x}, access {access}, areas {areas.around(some, start, size)}"
            expect(got == wanted, f"{areas.name(wanted)} for {what}", tables.Shown(areas.name(got)))


class Areas:
    """A program with areas of every kind, side by side, and pages of the kernel's to copy from and to.

        data, 3 pages rw- | constants, 2 pages r-- | a gap | code, a page --x | ... | guard | stack, 2 pages rw-
    """

    BUFFERS = 3  # the order of the block: eight pages

    def __init__(self, machine, layout, limit: int = 64):
        self.machine, self.program = machine, Program(machine, layout, limit)
        self.data = self.map(0, 3, READ | WRITE)
        self.constants = self.map(self.data + 3 * PAGE, 2, READ)
        self.gap = self.constants + 2 * PAGE
        self.code = self.map(self.gap + PAGE, 1, EXEC)
        self.top = self.program.value("addrspace_map_stack", self.program.space, 2 * PAGE)
        self.stack = self.top - 2 * PAGE
        self.buffer = machine.call("page_alloc", self.BUFFERS, layout.constant("PAGE_TEST")).a0

    def map(self, address: int, pages: int, rights: int) -> int:
        return self.program.value("addrspace_map", self.program.space, address, pages * PAGE, rights)

    def copy_from(self, address: int, size: int) -> int:
        return self.machine.call("copy_from_user", self.buffer, address, size).a0 & 0xFFFFFFFF

    def copy_to(self, address: int, size: int) -> int:
        return self.machine.call("copy_to_user", address, self.buffer, size).a0 & 0xFFFFFFFF

    def close(self) -> None:
        self.machine.call("page_free", self.buffer, self.BUFFERS)
        self.program.close()

    def shapes(self) -> list[tuple[str, int, int, int]]:
        """What it is, where, how long, and what a program may do there: READ, WRITE, both or neither."""
        both, end = READ | WRITE, 1 << 38
        return [
            ("a word of data", self.data, 8, both), ("all data", self.data, 3 * PAGE, both),
            ("an odd piece across pages", self.data + PAGE - 3, PAGE + 7, both),
            ("data and constants", self.data + 2 * PAGE, 3 * PAGE, READ), ("constants", self.constants + 1, 99, READ),
            ("the last byte before a gap", self.gap - 1, 1, READ), ("into a gap", self.gap - 1, 2, 0),
            ("across a gap", self.gap - PAGE, 3 * PAGE, 0), ("in a gap", self.gap, 1, 0),
            ("before the first area", self.data - 1, 2, 0), ("code", self.code, 8, 0),
            ("stack", self.stack, 2 * PAGE, both), ("the guard and the stack", self.stack - 1, 2, 0),
            ("the guard", self.stack - PAGE, 1, 0),
            ("past the stack", self.top - 8, 9, 0), ("nothing, anywhere", (1 << 64) - 5, 0, both),
            ("nothing, in the kernel", self.buffer, 0, both), ("NULL", 0, 1, 0), ("NULL, long", 0, 1 << 38, 0),
            ("the kernel's text", self.machine.address("_text_start"), 8, 0),
            ("the kernel's memory", self.buffer, 8, 0), ("a device", 0x1000_0000, 1, 0),
            ("past a program's addresses", end - 4, 8, 0), ("no address", 1 << 39, 8, 0),
            ("the last bytes of all", (1 << 64) - 8, 8, 0),
            ("a length that wraps", self.data, (1 << 64) - self.data + 8, 0),
            ("a length that wraps to where it began", self.data, (1 << 64) - 1, 0),
            ("a length that wraps into data", self.data + 8, (1 << 64) - 8, 0),
        ]


@graded("user.copies", points=4, task=5, needs=["vma.check", "fault.programs"], hint=TASK5)
def test_user_copies(gdb, layout):
    """Copies from and to a program do what its areas allow, all else is ERR_FAULT, and nothing leaks."""
    machine = gdb(stop=PROMPT)
    machine.call("kmalloc_drain")
    pages = Pages(machine, layout)
    before = pages.counts()
    memory = Areas(machine, layout)
    pattern = bytes(i * 7 & 0xFF for i in range(3 * PAGE))
    for what, address, size, may in memory.shapes():
        machine.write_memory(memory.buffer, pattern)
        wanted = [OK if size == 0 or may & access else ERR_FAULT for access in (WRITE, READ)]
        expect_equal(areas.name(memory.copy_to(address, size)), areas.name(wanted[0]), f"a copy to {what}")
        if not wanted[0]:
            machine.write_memory(memory.buffer, bytes(len(pattern)))
        came = memory.copy_from(address, size)
        expect_equal(areas.name(came), areas.name(wanted[1]), f"a copy from {what}")
        if not wanted[0]:
            expect(machine.read_memory(memory.buffer, size) == pattern[:size],
                   f"what was copied to {what} to come back", "other bytes")
    memory.program.switch(0)
    expect_equal(areas.name(memory.copy_from(memory.data, 8)), "ERR_FAULT", "a copy while no program runs")
    memory.close()
    machine.call("kmalloc_drain")
    pages.expect_counts(before, "at the end")


@graded("user.faults", points=2, task=5, needs=["vma.check", "fault.programs"], hint=TASK5)
def test_user_faults(gdb, layout):
    """Programs get pages when they touch what is theirs, up to their limit and the machine's; else they end."""
    machine = gdb(stop=PROMPT, may_panic=True, memory="32M")
    memory = Areas(machine, layout)
    program = memory.program
    cases = [("ld", memory.data + 8, 0), ("sd", memory.data + PAGE, 0), ("amoadd.d", memory.data + 2 * PAGE, 0),
             ("ld", memory.constants, 0), ("sd", memory.constants, 15), ("amoadd.d", memory.constants, 15),
             ("sd", memory.constants + PAGE, 15),
             ("jr", memory.data, 12), ("ld", memory.code, 13), ("ld", memory.gap, 13), ("sd", memory.top - 8, 0),
             ("sb", memory.stack - 1, 15), ("ld", memory.top, 13), ("ld", 0, 13), ("ld", memory.buffer, 13),
             ("sd", machine.address("_data_start"), 15), ("jr", machine.address("_text_start"), 12),
             ("lbu", 0x1000_0000, 13)]
    for operation, address, cause in cases:
        ending = program.run(operation, address)
        what = f"a program's {operation} at {address:#x}"
        expect_equal(ending, Ending(cause, address) if cause else Ending(USER_CALL, 0), what)
        if cause == 0:
            physical = program.physical(address & -PAGE)
            expect(physical, f"{what} to make a page present", "none")
            if operation == "ld":
                expect(not any(machine.read_physical(physical, PAGE)), f"{what} to find zeros", "other bytes")
    expect_recovery(machine, layout, memory)
    program.switch(0)
    small = Areas(machine, layout, limit=7)  # a root, tables for the areas, the code and the stack
    endings = [small.program.run("sd", small.data + PAGE * i) for i in range(3)]
    endings += [small.program.run("sd", small.top - 8)]
    used = small.program.quota_used()
    expect(used <= 7, "a program to stay within its limit of 7 pages", used)
    expect(not all(one.is_normal for one in endings), "a program that wants more than its limit to end", "it went on")
    expect_as_built(machine)


def expect_recovery(machine, layout, memory: Areas) -> None:
    """Without a free page in the machine everything fails as it should, and works again afterwards."""
    fresh = memory.map(memory.gap + 8 * PAGE, 1, READ | WRITE)
    test, taken = layout.constant("PAGE_TEST"), []
    for order in reversed(ORDERS):
        while not (came := machine.call("page_alloc", order, test)).a1 & 0xFFFFFFFF:
            taken.append((came.a0, order))
    expect_equal(machine.call("addrspace_create", 8).a1 & 0xFFFFFFFF, ERR_NOMEM, "addrspace_create without memory")
    expect_equal(memory.program.run("sd", fresh), Ending(15, fresh), "a program's store without memory")
    expect_equal(areas.name(memory.copy_to(fresh, 8)), "ERR_FAULT", "a copy to a program without memory")
    for address, order in taken:
        machine.call("page_free", address, order)
    expect_equal(memory.program.run("sd", fresh), Ending(USER_CALL, 0), "a program's store when there is memory again")


@graded("boot.selftests", points=2, task=5, needs=["user.copies"], hint=TASK5)
def test_boot_selftests(gdb):
    """The kernel's own tests pass: selftest_run returns no failures, and QEMU ends with 0."""
    machine = gdb(stop="selftest_run", append="selftest")
    machine.finish(within=60)
    expect_as_built(machine)
    expect_equal(machine.read("a0") & 0xFFFFFFFF, 0, "self-tests that failed")
    machine.resume()
    expect_equal(machine.machine.wait_exit(), 0, "QEMU's status")


@graded("fault.latency", points=1, task=5, needs=["user.faults"], profile="release", hint=TASK5)
def test_fault_latency(icount, layout, latency):
    """A program's first store to a page, from the trap to the next instruction, is within its limit."""

    def measure() -> int:
        machine = icount(stop=PROMPT)
        memory = Areas(machine, layout)
        memory.program.run("sd", memory.data)
        memory.program.begin("sd", memory.data + PAGE)
        place = memory.program.entry("sd")
        machine.run_to(place)
        return machine.instructions(place, place + 4)

    latency(measure)


@graded("copy.latency", points=1, task=5, needs=["user.copies"], profile="release", hint=TASK5)
def test_copy_latency(icount, layout, latency):
    """A copy of 64 bytes from a program, check and all, is within its limit."""

    def measure() -> int:
        machine = icount(stop=PROMPT)
        memory = Areas(machine, layout)
        memory.copy_from(memory.constants, 64)
        return machine.call("copy_from_user", memory.buffer, memory.constants, 64).cycles

    latency(measure)
