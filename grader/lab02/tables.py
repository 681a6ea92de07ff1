"""Trees of page tables: a model of our own, and the guest's, read entry by entry.

The model knows leaves and which tables there must be for them.  It promises what pagetable.h does:
entries to the bit, tables to the page.  Where a failed call may have left a table behind, the model
asks the guest which.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from grader.core import sv39
from grader.core.batch import Batch
from grader.core.dwarf import Layout
from grader.core.gdb import Gdb, Returned
from grader.core.structures import Structures
from grader.core.verdict import expect, expect_equal

OK, ERR_INVAL, ERR_NOENT, ERR_NOMEM, ERR_EXIST = 0, 1, 2, 3, 8
ERRORS = {OK: "OK", ERR_INVAL: "ERR_INVAL", ERR_NOENT: "ERR_NOENT", ERR_NOMEM: "ERR_NOMEM", ERR_EXIST: "ERR_EXIST"}
READ, WRITE, EXEC, USER = 1, 2, 4, 8  # VM_*
VALID_RIGHTS = [r | u for r in (READ, READ | WRITE, READ | EXEC, EXEC) for u in (0, USER)]
LEVELS = sv39.LEVELS
PAGE = sv39.PAGE
SIZES = [PAGE << 9 * level for level in range(LEVELS)]
ADDRESS_END = 1 << 38
LIMITLESS = 1 << 40
MOST_TABLES = 2000  # a tree of ours needs far fewer, and a hostile one may be endless


def leaf_entry(physical: int, rights: int) -> int:
    """A leaf as the privileged architecture has it (4.3.1), accessed, dirty, and global unless a user's."""
    flags = sv39.V | sv39.A | sv39.D | rights << 1 | (0 if rights & USER else sv39.G)
    return physical >> 12 << 10 | flags


def is_table(entry: int) -> bool:
    """Valid, and without a right: it leads to a table, above level 0."""
    return entry & (sv39.V | sv39.R | sv39.W | sv39.X) == sv39.V


def rights_of(entry: int) -> int:
    return entry >> 1 & (READ | WRITE | EXEC | USER)


def name_error(err: int) -> str:
    return ERRORS.get(err, f"error {err}")


def show_rights(rights: int) -> str:
    return "".join(c if rights & bit else "-" for c, bit in zip("rwxu", (READ, WRITE, EXEC, USER)))


def show_leaf(address: int, level: int, entry: int) -> str:
    return f"{address:#x} (level {level}) -> {entry >> 10 << 12:#x} {show_rights(rights_of(entry))}, entry {entry:#x}"


# ---- the model ------------------------------------------------------------------------------------


@dataclass
class Model:
    """Leaves by (level, address), and the tables below the root by (level of their entries, address)."""

    leaves: dict[tuple[int, int], int] = field(default_factory=dict)
    tables: set[tuple[int, int]] = field(default_factory=set)

    def find(self, address: int) -> tuple[int, int] | None:
        """The key of the leaf that translates `address`."""
        keys = ((level, address & -SIZES[level]) for level in range(LEVELS))
        return next((key for key in keys if key in self.leaves), None)

    def map(self, address: int, physical: int, level: int, rights: int) -> int:
        size = SIZES[level] if level < LEVELS else 0
        if not size or (address | physical) % size or address >= ADDRESS_END:
            return ERR_INVAL
        if not rights & (READ | WRITE | EXEC) or rights & WRITE and not rights & READ:
            return ERR_INVAL
        if self.find(address) or (level - 1, address) in self.tables:
            return ERR_EXIST
        self.leaves[level, address] = leaf_entry(physical, rights)
        self.tables |= {(above, address & -SIZES[above + 1]) for above in range(level, LEVELS - 1)}
        return OK

    def split(self, address: int) -> int:
        """Until `address` has a leaf of level 0."""
        key = self.find(address)
        if key is None:
            return ERR_NOENT
        for level in range(key[0], 0, -1):
            base = address & -SIZES[level]
            entry = self.leaves.pop((level, base))
            for index in range(sv39.ENTRIES):
                offset = index * SIZES[level - 1]
                self.leaves[level - 1, base + offset] = entry + (offset >> 12 << 10)
            self.tables.add((level - 1, base))
        return OK

    def unmap(self, address: int) -> tuple[int, int]:
        """The error, and the page that was there."""
        if self.split(address):
            return ERR_NOENT, 0
        return OK, self.leaves.pop((0, address)) >> 10 << 12

    def protect(self, address: int, rights: int) -> int:
        if self.split(address):
            return ERR_NOENT
        self.leaves[0, address] = leaf_entry(self.leaves[0, address] >> 10 << 12, rights)
        return OK

    def prune(self) -> None:
        """Only the tables that leaves need are left."""
        self.tables = {(above, address & -SIZES[above + 1])
                       for level, address in self.leaves for above in range(level, LEVELS - 1)}


# ---- the guest's ------------------------------------------------------------------------------------


def entries(read: sv39.ReadPhysical, root: int) -> Iterator[tuple[int, int, int]]:
    """Level, address and value of every entry that is not zero, tables' included, in order."""
    yield from _entries(read, root, LEVELS - 1, 0, [0])


def _entries(read: sv39.ReadPhysical, table: int, level: int, base: int,
             seen: list[int]) -> Iterator[tuple[int, int, int]]:
    seen[0] += 1
    expect(seen[0] <= MOST_TABLES, f"at most {MOST_TABLES} tables", "more: does one lead to itself?")
    for index, entry in enumerate(struct.unpack("<512Q", read(table, PAGE))):
        if not entry:
            continue
        address = base + index * SIZES[level]
        yield level, address, entry
        if level and is_table(entry):
            yield from _entries(read, entry >> 10 << 12, level - 1, address, seen)


@dataclass(frozen=True)
class Entry:
    at: int
    level: int
    value: int


def path_to(read: sv39.ReadPhysical, root: int, address: int) -> list[Entry]:
    """The entries that a walk for `address` meets, from the root on; the last one ends it."""
    path, table = [], root
    for level in reversed(range(LEVELS)):
        at = table + 8 * (address >> 12 + 9 * level & 511)
        path.append(Entry(at, level, int.from_bytes(read(at, 8), "little")))
        if not is_table(path[-1].value):
            break
        table = path[-1].value >> 10 << 12
    return path


Run = tuple[int, int, int, int]  # virtual, size, physical, flags


def runs(mappings: Iterator[sv39.Mapping]) -> list[Run]:
    """Translations without the sizes of their pages: neighbours that continue each other are one."""
    found: list[list[int]] = []
    for one in mappings:
        last = found[-1] if found else None
        if last and last[3] == one.flags and last[0] + last[1] == one.virtual and last[2] + last[1] == one.physical:
            last[1] += one.size
        else:
            found.append([one.virtual, one.size, one.physical, one.flags])
    return [tuple(run) for run in found]


class Guest:
    """A tree of its own in the guest, in memory that the kernel gave us, and the calls on it."""

    ORDER = 6
    QUOTA, SLOT, BATCH = 0x100, 0x200, 0x1000

    def __init__(self, machine: Gdb, layout: Layout, asid: int = 0):
        self.machine, self.layout = machine, layout
        self.fields = Structures(machine, layout)
        self.at = machine.call("page_alloc", self.ORDER, layout.constant("PAGE_TEST")).a0
        self.batch = Batch(machine, self.at + self.BATCH)
        self.tables_before = self.tables_held()
        self.start(asid)

    def start(self, asid: int = 0) -> None:
        """An empty tree, whose root is charged to a quota of its own."""
        self.machine.write_memory(self.at, bytes(0x200))
        self._write("struct pagetable", "asid", self.at, asid)
        self._write("struct pagetable", "quota", self.at, self.at + self.QUOTA)
        self.limit(LIMITLESS)
        self.root = self.machine.call("pt_table_alloc", self.at).a0
        self._write("struct pagetable", "root", self.at, self.root)
        self.model = Model()

    def _write(self, structure: str, path: str, base: int, value: int) -> None:
        found = self.layout.field(structure, path)
        self.machine.write_int(base + found.offset, value, found.size)

    # -- calls ------------------------------------------------------------------------------------

    def limit(self, pages: int) -> None:
        """The quota's limit; `used` stays."""
        self._write("struct page_quota", "limit", self.at + self.QUOTA, pages)

    def used(self) -> int:
        return self.fields.read("struct page_quota", "used", self.at + self.QUOTA)

    def tables_held(self) -> int:
        """Pages of type TABLE in the whole kernel."""
        statistics = self.at + 0x400
        self.machine.call("page_statistics", statistics)
        return self.fields.read("struct page_statistics", f"held[{self.layout.constant('PAGE_TABLE')}]", statistics)

    def call(self, function: str, *arguments: int) -> Returned:
        return self.machine.call(function, self.at, *arguments)

    def step(self, *operations: tuple) -> None:
        """Do these in the guest and in the model; what they return must agree, then the trees."""
        calls = [(f"pt_{name}", self.at, *arguments) for name, *arguments in operations]
        for (name, *arguments), returned in zip(operations, self.batch.run(calls)):
            what = f"pt_{name}({', '.join(map(hex, arguments))})"
            wanted = getattr(self.model, name)(*arguments)
            if name == "unmap":
                self.expect_error(returned.a1, wanted[0], what)
                if not wanted[0]:
                    expect_equal(returned.a0, wanted[1], f"{what}: the page that was there")
            else:
                self.expect_error(returned.a0, wanted, what)
        self.check(f"after {what}" if len(operations) == 1 else f"after {len(operations)} calls, {what} the last")

    def expect_error(self, register: int, wanted: int, what: str) -> None:
        got = register & 0xFFFFFFFF
        expect(got == wanted, f"{what} to return {name_error(wanted)}", name_error(got))

    # -- looking ----------------------------------------------------------------------------------

    def read(self, address: int, size: int) -> bytes:
        return self.machine.read_physical(address, size)

    @property
    def satp(self) -> int:
        return sv39.MODE_SV39 << 60 | self.root >> 12

    def path(self, address: int) -> list[Entry]:
        return path_to(self.read, self.root, address)

    def mappings(self) -> Iterator[sv39.Mapping]:
        """What the hart would see."""
        return sv39.leaves(self.read, self.satp)

    def check(self, when: str, exact_tables: bool = True) -> None:
        """Leaves are exact to the bit, tables are those that must be there, each charged."""
        leaves, tables = {}, set()
        for level, address, entry in entries(self.read, self.root):
            if level and is_table(entry):
                what = f"the entry of level {level} for {address:#x}, which leads to a table"
                expect_equal(entry & 0x3FF | entry >> 54, sv39.V, f"{when}: the flags of {what}")
                tables.add((level - 1, address))
            else:
                leaves[level, address] = entry
        self._compare_leaves(leaves, when)
        if exact_tables:
            expect_equal(sorted(tables), sorted(self.model.tables), f"{when}: the tables, by level and address,")
        self.model.tables = tables
        self.expect_charged(when)

    def expect_charged(self, when: str) -> None:
        """The quota counts the tables that are in the tree, and no others."""
        count = sum(bool(level) and is_table(entry) for level, _, entry in entries(self.read, self.root))
        expect_equal(self.used(), 1 + count, f"{when}: the tree's quota, used, for a root and its tables,")

    def _compare_leaves(self, got: dict[tuple[int, int], int], when: str) -> None:
        want = self.model.leaves
        if got == want:
            return
        level, address = min(key for key in want.keys() | got.keys() if want.get(key) != got.get(key))
        wanted, found = (show_leaf(address, level, of[level, address]) if (level, address) in of
                         else f"no leaf of level {level} for {address:#x}" for of in (want, got))
        expect(False, f"{when}: {wanted}", Shown(found))

    def expect_all_given_back(self) -> None:
        """Without its leaves and after pt_prune() the tree is its root; then nothing is held."""
        self.machine.call("pt_prune", self.at, 0, ADDRESS_END, within=20)
        self.model.prune()
        self.check("after pt_prune")
        self.machine.call("pt_table_free", self.at, self.root)
        expect_equal(self.tables_held(), self.tables_before, "pages held by page tables when the tree is gone")


class Shown:
    """Text of ours in a sentence, without quotes."""

    def __init__(self, text: str):
        self.text = text

    def __repr__(self) -> str:
        return self.text

