"""Harts that the grader moves, one instruction at a time.

Where the kernel begins, every hart but one waits in the firmware.  Here they are given a program of the grader's, in
machine mode, with a stack and a struct pcpu each, and stepped in whatever order a criterion
likes: so what can happen between any two instructions does happen, and the same again with the same
seed.  Between two steps everything stands still and can be looked at.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from grader.core.dwarf import Layout
from grader.core.gdb import Gdb
from grader.core.verdict import expect

STAGE = 0x8400_0000  # memory that nobody uses before the kernel has looked for any
STACK = 4096
SEIP = 1 << 9

# s0 is the lock, s1 and s3 take and release it, s2 is a counter, s4 how often.
COUNTING = struct.pack(
    "<10I",
    0x00040513,  # 1: mv   a0, s0
    0x000480E7,  #    jalr s1
    0x00093283,  #    ld   t0, 0(s2)
    0x00128293,  #    addi t0, t0, 1
    0x00593023,  #    sd   t0, 0(s2)
    0x00040513,  #    mv   a0, s0
    0x000980E7,  #    jalr s3
    0xFFFA0A13,  #    addi s4, s4, -1
    0xFE0A10E3,  #    bnez s4, 1b
    0x0000006F,  # 2: j    2b
)
TAKES = 4  # offsets: where the lock is taken,
INSIDE = range(8, 28)  # and where it is held
END = len(COUNTING) - 4


@dataclass
class Puppet:
    """One hart, by its thread in the stub."""

    machine: Gdb
    thread: int
    cpu: int  # its struct pcpu

    def begin(self, pc: int, stack_top: int, **registers: int) -> None:
        self.machine.select(self.thread)
        for name, value in {"pc": pc, "sp": stack_top, "gp": self.cpu, "ra": 0, "fp": 0, **registers}.items():
            self.machine.write(name, value)

    def step(self) -> int:
        """One instruction; the pc behind it."""
        self.machine.select(self.thread)
        return self.machine.step()


def puppets(machine: Gdb, layout: Layout, count: int) -> list[Puppet]:
    """So many of the harts that wait."""
    others = [thread for thread in machine.harts() if thread != machine.thread]
    expect(len(others) >= count, f"a machine with {count + 1} harts", f"{len(others) + 1}")
    base, size = machine.address("pcpus"), layout.field("struct pcpu").size
    found = [Puppet(machine, thread, base + size * (1 + number)) for number, thread in enumerate(others[:count])]
    for number, puppet in enumerate(found):
        _wake(puppet)
        machine.write_int(puppet.cpu + layout.field("struct pcpu", "index").offset, 1 + number, 4)
    return found


def _wake(puppet: Puppet) -> None:
    """A hart that came after the firmware had called sleeps in its wfi, and QEMU steps nobody who sleeps.

    An interrupt that is pending, enabled and, in machine mode, never taken keeps it awake.
    """
    machine = puppet.machine
    machine.select(puppet.thread)
    for register in ("mie", "mip"):
        machine.write(register, machine.read(register) | SEIP)
