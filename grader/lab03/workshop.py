"""Run queues and tasks of our own, in memory of the guest's, before anybody is switched to.

The machine stands where the boot's tasks would be run (`init_run_tasks`): memory is shared out,
translation is off, and the boot's context is the only one there is.  Pristine functions of the classes
fill ours; what the student wrote is called from a batch.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from grader.core.batch import Batch, Call
from grader.core.dwarf import Layout
from grader.core.gdb import Gdb, Returned
from grader.core.structures import Structures

PLACE = "init_run_tasks"
ORDER = 10  # of the block: 4 MiB
BATCH_SIZE = 1 << 20
MASK64 = (1 << 64) - 1


class Workshop:
    def __init__(self, machine: Gdb, layout: Layout):
        self.machine, self.layout, self.fields = machine, layout, Structures(machine, layout)
        start = machine.call("page_alloc", ORDER, layout.constant("PAGE_TEST")).a0
        self.batch = Batch(machine, start)
        self.next = start + BATCH_SIZE
        self.end = start + (4096 << ORDER)
        self.batch.run([("memset", self.next, 0, self.end - self.next)])

    def room(self, size: int) -> int:
        """Zeroed memory, aligned, with a gap behind it."""
        at = self.next
        self.next += (size + 127) & -64
        assert self.next <= self.end
        return at

    def run(self, calls: Sequence[Call]) -> list[Returned]:
        return self.batch.run(calls, within=5)

    def offset(self, structure: str, path: str) -> int:
        return self.layout.field(f"struct {structure}", path).offset

    def size(self, structure: str) -> int:
        return self.layout.field(f"struct {structure}").size

    def write(self, at: int, structure: str, **values: int) -> None:
        """Fields of a structure; `__` in a name is a dot."""
        for name, value in values.items():
            place = self.layout.field(f"struct {structure}", name.replace("__", "."))
            self.machine.write_int(at + place.offset, value, place.size)

    def method(self, class_: str, name: str) -> int:
        """A function of a scheduling class."""
        return self.fields.read(class_, name)

    def runqueue(self) -> int:
        """A queue of a hart that does not exist, so that nobody switches."""
        rq, cpu = self.room(self.size("runqueue")), self.room(self.size("pcpu"))
        self.run([("runqueue_init", rq, 0)])
        self.write(rq, "runqueue", cpu=cpu)
        self.write(cpu, "pcpu", preempt=1)
        return rq

    def tasks(self, count: int) -> list[int]:
        return [self.room(self.size("task")) for _ in range(count)]


def word(data: bytes, offset: int, size: int = 8) -> int:
    return int.from_bytes(data[offset : offset + size], "little")


def put(data: bytearray, offset: int, value: int) -> None:
    struct.pack_into("<Q", data, offset, value & MASK64)
