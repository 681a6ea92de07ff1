"""Which fences a call executes, and what the tables hold at that moment.

QEMU forgets everything at any sfence.vma, and on many other occasions, so that a run cannot show
that a fence comes too early or names the wrong address.  This stops at every one in the kernel.
"""

from __future__ import annotations

from dataclasses import dataclass

from grader.core import sv39
from grader.core.gdb import SSTATUS_SIE, Gdb
from grader.core.registers import ABI_NAMES
from grader.lab02.tables import Entry, Guest

SFENCE, SFENCE_MASK = 0x12000073, 0xFE007FFF


@dataclass(frozen=True)
class Fence:
    """An sfence.vma: None where x0 stands, which means all; and the entries on a walk at that moment."""

    address: int | None
    asid: int | None
    path: list[Entry]

    def covers(self, address: int, asid: int) -> bool:
        """One page's leaf; those of asid 0 are global, which no identifier covers."""
        return (self.address is None or self.address // sv39.PAGE == address // sv39.PAGE) and self._spans(asid)

    def covers_tables(self, asid: int) -> bool:
        return self.address is None and self._spans(asid)

    def _spans(self, asid: int) -> bool:
        return self.asid is None or asid != 0 and self.asid == asid

    def __str__(self) -> str:
        address, asid = ("all" if value is None else f"{value:#x}" for value in (self.address, self.asid))
        return f"sfence.vma ({address}, asid {asid})"


def places(machine: Gdb) -> list[int]:
    """Where an sfence.vma stands, or what looks like one: a breakpoint too many does no harm."""
    start, text = machine.address("_text_start"), machine.symbols.bytes_between("_text_start", "_text_end")
    words = ((at, int.from_bytes(text[at : at + 4], "little")) for at in range(0, len(text) - 3, 2))
    return [start + at for at, word in words if word & SFENCE_MASK == SFENCE]


def fences_of(tree: Guest, address: int, function: str, *arguments: int) -> list[Fence]:
    """Every fence of a call on a tree, with what a walk for `address` would then meet."""
    machine = tree.machine
    saved, sstatus, back = machine.registers(), machine.read("sstatus"), machine.pc
    machine.write("sstatus", sstatus & ~SSTATUS_SIE)
    for index, value in enumerate((tree.at, *arguments)):
        machine.write(f"a{index}", value)
    machine.write("ra", back)
    machine.write("pc", machine.address(function))
    found: list[Fence] = []
    with machine.breakpoints(back, *places(machine)):
        while machine.cont(f"{function} to return") != back:
            word = machine.read_int(machine.pc, 4)
            operands = [_operand(machine, word >> 15 & 31), _operand(machine, word >> 20 & 31)]
            found.append(Fence(*operands, tree.path(address)))
    for name, value in saved.items():
        machine.write(name, value)
    machine.write("sstatus", sstatus)
    return found


def _operand(machine: Gdb, number: int) -> int | None:
    return machine.read(ABI_NAMES[number]) if number else None
