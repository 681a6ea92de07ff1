"""Threads of our own, to be switched between: each with a context, a stack, and a few instructions."""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass

from grader.core.gdb import SSTATUS_SIE, Gdb
from grader.core.verdict import Failure, expect, expect_equal
from grader.lab03.workshop import Workshop

# The registers that a switch keeps, by their offset in struct context.
KEPT = {"ra": 0, "sp": 8, "fp": 16, **{f"s{n}": 16 + 8 * n for n in range(1, 12)}}
SIZE = 112
STACK = 1024
NOP = struct.pack("<I", 0x13)

# s0 is the thread's context, s1 the next one's, s2 counts rounds up to s4, and s3 is arch_switch.
THREAD = struct.pack(
    "<14I",
    0xFE010113,  # 1: addi sp, sp, -32
    0x01213423,  #    sd   s2, 8(sp)
    0x00813823,  #    sd   s0, 16(sp)
    0x00040513,  #    mv   a0, s0
    0x00048593,  #    mv   a1, s1
    0x000980E7,  #    jalr s3
    0x00813283,  #    ld   t0, 8(sp)
    0x01229C63,  #    bne  t0, s2, 2f
    0x01013283,  #    ld   t0, 16(sp)
    0x00829863,  #    bne  t0, s0, 2f
    0x02010113,  #    addi sp, sp, 32
    0x00190913,  #    addi s2, s2, 1
    0xFD4918E3,  #    bne  s2, s4, 1b
    0x00000013,  # 2: nop
)
END = len(THREAD) - 4
CALLED = 24  # where arch_switch comes back to


@dataclass
class Context:
    """One in memory, and a stack for it; both with rubbish around."""

    at: int
    stack_top: int
    values: dict[str, int]

    def pack(self) -> bytes:
        data = bytearray(SIZE)
        for name, offset in KEPT.items():
            data[offset : offset + 8] = self.values[name].to_bytes(8, "little")
        return bytes(data)


def make_context(shop: Workshop, rng: random.Random) -> Context:
    at = shop.room(SIZE + 256) + 128
    stack = shop.room(STACK)
    shop.machine.write_memory(at - 128, rng.randbytes(SIZE + 256))
    shop.machine.write_memory(stack, rng.randbytes(STACK))
    top = stack + STACK // 2
    return Context(at, top, {name: rng.getrandbits(64) for name in KEPT} | {"sp": top})


def expect_one_switch(shop: Workshop, rng: random.Random) -> None:
    """From a context that never ran to one that never ran: both whole, and nothing else touched."""
    machine = shop.machine
    landing = shop.room(16)
    machine.write_memory(landing, NOP * 2)
    leaving, entering = make_context(shop, rng), make_context(shop, rng)
    leaving.values["ra"] = shop.room(16)  # a place where nobody should arrive
    entering.values["ra"] = landing
    machine.write_memory(entering.at, entering.pack())
    machine.write("sstatus", machine.read("sstatus") & ~SSTATUS_SIE)
    apart = {"gp": machine.read("gp"), "tp": rng.getrandbits(64)}
    before = {name: machine.read(name) for name in ("sstatus", "sie", "sscratch", "stvec", "satp")}
    around = [(context, read_around(shop, context)) for context in (leaving, entering)]
    for name, value in {**leaving.values, **apart, "a0": leaving.at, "a1": entering.at}.items():
        machine.write(name, value)
    machine.write("pc", machine.address("arch_switch"))
    arrive(machine, landing, "arch_switch to return to where the context that it enters says")
    found = machine.registers([*KEPT, *apart])
    for name in KEPT:
        expect_equal(found[name], entering.values[name], f"{name} after a switch")
    for name, value in {**apart, **before}.items():
        expect_equal(machine.read(name), value, f"{name}, which is the hart's, after a switch")
    saved = machine.read_memory(leaving.at, SIZE)
    for name, offset in KEPT.items():
        expect_equal(int.from_bytes(saved[offset : offset + 8], "little"), leaving.values[name],
                     f"{name} in the context that was left")
    for context, (outside, stack) in around:
        now = read_around(shop, context)
        expect(now[0] == outside, "memory around a context to stay as it is", "a change")
        expect(now[1] == stack, "a stack to stay as it is", "a change")
    expect(machine.read_memory(entering.at, SIZE) == entering.pack(), "the context that is entered to stay as it is",
           "a change")


def arrive(machine: Gdb, place: int, expected: str) -> None:
    """Run there; what keeps it from coming is said in words."""
    try:
        machine.run_to(place)
    except Failure as failure:
        raise Failure(expected, failure.got, failure.verdict) from failure


def read_around(shop: Workshop, context: Context) -> tuple[bytes, bytes]:
    outside = shop.machine.read_memory(context.at - 128, 128) + shop.machine.read_memory(context.at + SIZE, 128)
    return outside, shop.machine.read_memory(context.stack_top - STACK // 2, STACK)


def expect_threads(shop: Workshop, rng: random.Random, count: int, rounds: int) -> None:
    """Threads in a ring, each with frames on a stack of its own, get all back that they had."""
    machine = shop.machine
    code = shop.room(len(THREAD))
    machine.write_memory(code, THREAD)
    threads = [make_context(shop, rng) for _ in range(count)]
    machine.write("sstatus", machine.read("sstatus") & ~SSTATUS_SIE)
    for thread, follower in zip(threads, threads[1:] + threads[:1]):
        thread.values |= {"ra": code, "fp": thread.at, "s1": follower.at, "s2": 0,
                          "s3": machine.address("arch_switch"), "s4": rounds}
        machine.write_memory(thread.at, thread.pack())
    for name, value in threads[0].values.items():
        machine.write(name, value)
    machine.write("pc", code)
    arrive(machine, code + END, f"{rounds} rounds of {count} threads that switch to each other")
    expect_equal(machine.read("s2"), rounds, f"rounds of {count} threads that switch to each other")
    for name in KEPT:
        if name not in ("ra", "s2"):
            expect_equal(machine.read(name), threads[0].values[name], f"{name} of a thread after {rounds} rounds")
    for thread in threads[1:]:
        wanted = thread.values | {"s2": rounds - 1, "sp": thread.stack_top - 32, "ra": code + CALLED}
        saved = machine.read_memory(thread.at, SIZE)
        for name, offset in KEPT.items():
            expect_equal(int.from_bytes(saved[offset : offset + 8], "little"), wanted[name],
                         f"{name} in the context of a thread that waits, after {rounds} rounds")
