"""What the kernel's own page table should say, from the image, the machine and its device tree."""

from __future__ import annotations

from dataclasses import dataclass

from grader.core import sv39
from grader.core.gdb import Gdb
from grader.core.structures import Structures
from grader.core.verdict import expect
from grader.lab02.tables import PAGE, Shown

READ, WRITE, EXEC = sv39.R, sv39.W, sv39.X
ALWAYS = sv39.V | sv39.A | sv39.D | sv39.G
MEMORY = 0x8000_0000
STACKS = ("boot_stack", "emergency_stack", "idle_stack")  # of the image; a page below each is its guard
Span = tuple[int, int, int]  # start, end, rights; rights of 0: nothing


def up(address: int) -> int:
    return -(-address // PAGE) * PAGE


def down(address: int) -> int:
    return address & -PAGE


@dataclass
class Expected:
    """Spans painted one over the other: the last one counts."""

    spans: list[Span]

    def flat(self) -> list[Span]:
        edges = sorted({edge for start, end, _ in self.spans for edge in (start, end)})
        found: list[Span] = []
        for start, end in zip(edges, edges[1:]):
            rights = next((r for s, e, r in reversed(self.spans) if s <= start and end <= e), 0)
            if rights and found and found[-1][1:] == (start, rights):
                found[-1] = (found[-1][0], end, rights)
            elif rights:
                found.append((start, end, rights))
        return found


def expected(machine: Gdb, fields: Structures, size: int, hidden: list[int]) -> list[Span]:
    """The contract of kernel_map.h, for a machine with `size` bytes and these pages hidden."""
    at, board = machine.symbols, lambda path: fields.read("board", path)
    spans = [(MEMORY, MEMORY + size, READ | WRITE)]
    for what in ("tree", "initrd"):
        start = board(f"{what}.base")
        spans.append((down(start), up(start + board(f"{what}.size")), READ))
    for index in range(board("reserved.count")):
        start = board(f"reserved.at[{index}].base")
        spans.append((down(start), up(start + board(f"reserved.at[{index}].size")), 0))
    spans += [
        (at["_kernel_start"], at["boot_stack"], READ | EXEC),
        *((at[stack], at[stack] + PAGE, 0) for stack in STACKS if stack in at),
        (at["_text_start"], at["_rodata_start"], READ | EXEC),
        (at["_rodata_start"], at["_data_start"], READ),
    ]
    devices = ["uart", "plic", "rtc", "test", *(f"virtio[{i}]" for i in range(board("virtio_count")))]
    for device in devices:
        start = board(f"{device}.reg.base")
        if board(f"{device}.present"):
            spans.append((down(start), up(start + board(f"{device}.reg.size")), READ | WRITE))
    return Expected(spans + [(page, page + PAGE, 0) for page in hidden]).flat()


def expect_map(machine: Gdb, fields: Structures, size: int, hidden: list[int], when: str) -> None:
    """The live table, page by page: exactly what is expected, everything once and at its own address."""
    spans: list[Span] = []
    for leaf in machine.mappings():
        name = f"{when}: the page at {leaf.virtual:#x}"
        rights = leaf.flags & (READ | WRITE | EXEC)
        expect(leaf.virtual == leaf.physical, f"{name} to be the physical one", f"{leaf.physical:#x}: a second view")
        expect(rights & (WRITE | EXEC) != WRITE | EXEC, f"{name} to be writable or executable, not both", "both")
        expect(leaf.flags & ~rights == ALWAYS, f"{name} to be valid, accessed, dirty, global, and not a user's",
               f"flags {leaf.flags:#x}")
        if spans and spans[-1][1:] == (leaf.virtual, rights):
            spans[-1] = (spans[-1][0], leaf.virtual + leaf.size, rights)
        else:
            spans.append((leaf.virtual, leaf.virtual + leaf.size, rights))
    want = expected(machine, fields, size, hidden)
    for one, other in zip([*want, None], [*spans, None]):
        expect(one == other, f"{when}: {show(one, machine)}", Shown(show(other, machine)))


def show(span: Span | None, machine: Gdb) -> str:
    if span is None:
        return "no more pages"
    rights = "".join(c if span[2] & bit else "-" for c, bit in zip("rwx", (READ, WRITE, EXEC)))
    return f"[{span[0]:#x}, {span[1]:#x}) {rights}"
