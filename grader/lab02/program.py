"""A user program of the grader's own in an address space that the kernel made, at its prompt."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from grader.core import sv39
from grader.core.dwarf import Layout
from grader.core.gdb import SSTATUS_SIE, Gdb
from grader.core.structures import Structures
from grader.core.verdict import expect_equal
from grader.lab02 import tables
from grader.lab02.areas import EXEC, READ, WRITE

ECALL, USER_CALL = 0x00000073, 8  # the program's end, and its cause
OPERATIONS = {  # on the address in a0, and what the first access there is
    "ld": (0x00053583, READ), "lbu": (0x00054583, READ), "lr.d": (0x100535AF, READ),
    "sd": (0x00B53023, WRITE), "sb": (0x00B50023, WRITE),
    "amoadd.d": (0x00B535AF, READ),  # QEMU with one hart makes it a load and a store
    "jr": (0x00050067, EXEC),
    "ebreak": (0x00100073, 0), "an illegal instruction": (0, 0),
}
ENTRY = 16  # bytes from one operation to the next
CODE = (1 << 38) - 0x10_0000  # far from where the kernel puts areas


@dataclass(frozen=True)
class Ending:
    """The trap that ended a run."""

    cause: int
    value: int

    @property
    def is_normal(self) -> bool:
        return self.cause == USER_CALL

    def __repr__(self) -> str:
        return "no fault" if self.is_normal else f"cause {self.cause}, address {self.value:#x}"


class Program:
    """One page of code, mapped by pt_map() behind the areas' back, so that it needs none."""

    def __init__(self, machine: Gdb, layout: Layout, limit: int = 64):
        self.machine, self.layout = machine, layout
        self.fields = Structures(machine, layout)
        self.saved, self.sstatus = machine.registers(), machine.read("sstatus") & ~SSTATUS_SIE
        self.space = self.value("addrspace_create", limit)
        self.switch(self.space)
        self.code = machine.call("page_alloc_zero", layout.constant("PAGE_TEST")).a0
        words = b"".join(struct.pack("<II8x", word, ECALL) for word, _ in OPERATIONS.values())
        machine.write_memory(self.code, words)
        mapped = machine.call("pt_map", self.table, CODE, self.code, 0, READ | EXEC | tables.USER)
        expect_equal(mapped.a0 & 0xFFFFFFFF, 0, "pt_map of a program's code: the error")

    @property
    def table(self) -> int:
        return self.space + self.layout.field("struct addrspace", "pt").offset

    def value(self, function: str, *arguments: int) -> int:
        """What a function that must succeed returns."""
        returned = self.machine.call(function, *arguments)
        expect_equal(returned.a1 & 0xFFFFFFFF, 0, f"{function}: the error")
        return returned.a0

    def switch(self, space: int) -> None:
        self.machine.call("addrspace_switch", space)

    # -- running ------------------------------------------------------------------------------------

    def begin(self, operation: str, address: int) -> None:
        """The hart enters user mode in front of an operation on `address`."""
        machine = self.machine
        for name, value in {**self.saved, "a0": self.entry(operation), "a1": 0, "a2": address}.items():
            machine.write(name, value)
        machine.write("sstatus", self.sstatus)
        machine.write("pc", machine.address("arch_user_call"))

    def entry(self, operation: str) -> int:
        return CODE + ENTRY * list(OPERATIONS).index(operation)

    def run(self, operation: str, address: int) -> Ending:
        """Until the trap that nobody answers, of a program or its end."""
        self.begin(operation, address)
        self.machine.run_to("trap_fault")
        ending = self.ending(self.machine.read("a0"))
        self.stop()
        return ending

    def ending(self, frame: int) -> Ending:
        return Ending(*(self.fields.read("struct trap_frame", name, frame) for name in ("cause", "value")))

    def stop(self) -> None:
        """Back to where the kernel stood."""
        for name, value in self.saved.items():
            self.machine.write(name, value)
        self.machine.write("sstatus", self.sstatus)
        self.machine.write("sscratch", 0)

    # -- its memory ---------------------------------------------------------------------------------

    def physical(self, address: int) -> int | None:
        """Where the hart would find `address`; None: nowhere."""
        try:
            return self.machine.walk(address).translate(address)
        except sv39.PageFault:
            return None

    def quota_used(self) -> int:
        return self.fields.read("struct addrspace", "quota.used", self.space)

    def close(self) -> None:
        """Everything goes back; the code first, which the space does not know of."""
        self.value("pt_unmap", self.table, CODE)
        self.machine.call("page_free", self.code, 0)
        self.machine.call("pt_prune", self.table, CODE, CODE + tables.PAGE)
        self.switch(0)
        self.machine.call("addrspace_destroy", self.space)
