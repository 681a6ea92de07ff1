"""Hundreds of calls at one stop: a loop of ours in the guest's memory makes them.

    batch = Batch(machine, at=0x8400_0000)
    for returned in batch.run([("buddy_alloc", buddy, 3), ("buddy_free", buddy, head, 3)]): ...

A call of its own costs some seventy packets, most of them registers; here a call costs the bytes of
its record.  The loop wants memory that may be written and executed, so the machine stands where
translation is off.  Interrupts are off meanwhile, and registers are put back.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from grader.core.gdb import SSTATUS_SIE, Gdb, Returned
from grader.core.verdict import Failure, Verdict, expect, raise_grader_error

ARGUMENTS = 5
RECORD = struct.Struct(f"<Q{ARGUMENTS}Q")  # the function, its arguments; later a0 and a1 in their place
LOOP = struct.pack(
    "<13I",
    0x03390863,  # 1: beq  s2, s3, 2f
    0x00093283,  #    ld   t0, 0(s2)
    0x00893503,  #    ld   a0, 8(s2)
    0x01093583,  #    ld   a1, 16(s2)
    0x01893603,  #    ld   a2, 24(s2)
    0x02093683,  #    ld   a3, 32(s2)
    0x02893703,  #    ld   a4, 40(s2)
    0x000280E7,  #    jalr t0
    0x00A93423,  #    sd   a0, 8(s2)
    0x00B93823,  #    sd   a1, 16(s2)
    0x03090913,  #    addi s2, s2, 48
    0xFD5FF06F,  #    j    1b
    0x00000013,  # 2: nop
)
END = len(LOOP) - 4
Call = Sequence["str | int"]  # the function, then its arguments


class Batch:
    """The loop, at an address that is ours, with its records behind it."""

    def __init__(self, machine: Gdb, at: int):
        self.machine, self.at = machine, at
        self.records = at + 64
        machine.write_memory(at, LOOP)

    def run(self, calls: Sequence[Call], within: float | None = None) -> list[Returned]:
        """What each call returned, in their order (without its cycles)."""
        if not calls:
            return []
        for index, (function, *arguments) in enumerate(calls):
            self.machine.machine.note(f"batch: {index}: {function}({', '.join(map(hex, arguments))})")
        data = b"".join(map(self._record, calls))
        self.machine.write_memory(self.records, data)
        self._go(calls, within)
        after = self.machine.read_memory(self.records, len(data))
        return [Returned(a0, a1, 0) for _, a0, a1, *_ in RECORD.iter_unpack(after)]

    def _record(self, call: Call) -> bytes:
        function, *arguments = call
        if len(arguments) > ARGUMENTS:
            raise_grader_error(f"a batch passes {ARGUMENTS} arguments at most")
        words = [self.machine.address(function), *arguments, *[0] * (ARGUMENTS - len(arguments))]
        return RECORD.pack(*(word & (1 << 64) - 1 for word in words))

    def _go(self, calls: Sequence[Call], within: float | None) -> None:
        machine, end = self.machine, self.records + RECORD.size * len(calls)
        towards = f"{len(calls)} calls ({calls[0][0]} first) to return"
        saved, sstatus = machine.registers(), machine.read("sstatus")
        machine.write("sstatus", sstatus & ~SSTATUS_SIE)
        for name, value in (("s2", self.records), ("s3", end), ("sp", saved["sp"] & ~15), ("pc", self.at)):
            machine.write(name, value)
        try:
            with machine.breakpoints(self.at + END):
                stopped = machine.cont(towards, within)
        except Failure as failure:
            raise self._named(calls, failure) from failure
        expect(stopped == self.at + END and machine.read("s2") == end, towards, f"a stop at {machine.where()}")
        for name, value in saved.items():
            machine.write(name, value)
        machine.write("sstatus", sstatus)

    def _named(self, calls: Sequence[Call], failure: Failure) -> Failure:
        """A hang says in which call."""
        if failure.verdict is not Verdict.HANG or not self.machine.machine.alive:
            return failure
        index = (self.machine.read("s2") - self.records) // RECORD.size
        if not 0 <= index < len(calls):
            return failure
        function, *arguments = calls[index]
        expected = f"{function}({', '.join(map(hex, arguments))}), call {index} of a batch, to return"
        return Failure(expected, failure.got, failure.verdict)
