"""What a call does to memory, instruction by instruction, and in which order others may see it.

No run on a host that keeps stores in order can show that a fence is missing.  So the call is stepped
through, each instruction is decoded, and the rules of the memory model are looked for in what was
executed: an acquire is an access with .aq, or a read and then a fence before anything else; a
release is an access with .rl, or a fence and then the write.

Source: Unprivileged ISA 20191213, chapters 8 (A), 14 (RVWMO) and 16 (C), section 2.7 (FENCE).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grader.core.gdb import SSTATUS_SIE, Gdb
from grader.core.registers import ABI_NAMES
from grader.core.verdict import Failure, Verdict, expect

LOAD, STORE, AMO, FENCE = 0x03, 0x23, 0x2F, 0x0F
SWAP, LR, SC = 1, 2, 3
R, W = 2, 1  # of a fence's two sets
MASK64 = (1 << 64) - 1
LONGEST = 2000  # instructions of a call that is stepped through


@dataclass(frozen=True)
class Access:
    """One load, store, or both in one."""

    address: int
    size: int
    reads: bool
    writes: bool
    acquires: bool = False
    releases: bool = False
    conditional: bool = False  # a store that fails if somebody else has written meanwhile

    @property
    def loses_nothing(self) -> bool:
        """What others write while a value is changed is not undone."""
        return self.reads or self.conditional

    def touches(self, address: int, size: int) -> bool:
        return self.address < address + size and address < self.address + self.size


@dataclass(frozen=True)
class Fence:
    before: int  # what of R and W comes before ...
    after: int  # ... what of R and W

    def orders(self, before: int, after: int) -> bool:
        return self.before & before == before and self.after & after == after


Event = Access | Fence


def decode(word: int, read) -> Event | None:
    """What the instruction at hand is about to do; `read(number)` gives a register."""
    return _decode_short(word & 0xFFFF, read) if word & 3 != 3 else _decode_word(word, read)


def _decode_word(word: int, read) -> Event | None:
    opcode, kind, base = word & 0x7F, word >> 12 & 7, word >> 15 & 31
    size = 1 << (kind & 3)
    if opcode == FENCE and kind == 0:
        return Fence(word >> 24 & 3, word >> 20 & 3)
    if opcode == LOAD:
        return Access(_at(read(base), word >> 20, 12), size, True, False)
    if opcode == STORE:
        return Access(_at(read(base), word >> 25 << 5 | word >> 7 & 31, 12), size, False, True)
    if opcode == AMO:
        what, target = word >> 27, word >> 7 & 31
        reads = what != SC and (what != SWAP or target != 0)  # a swap that drops what it read is a store
        return Access(read(base), size, reads, what != LR, bool(word >> 26 & 1), bool(word >> 25 & 1), what == SC)
    return None


def _decode_short(half: int, read) -> Event | None:
    """c.lw, c.ld, c.sw, c.sd and the four by the stack pointer."""
    kind, quadrant = half >> 13, half & 3
    if kind & 3 not in (2, 3) or quadrant == 1:
        return None
    size, writes = 4 << (kind & 1), bool(kind & 4)
    if quadrant == 0:
        high = half >> 10 & 7
        offset = high << 3 | (half >> 5 & 3) << 6 if size == 8 else high << 3 | half >> 4 & 4 | (half & 0x20) << 1
        return Access((read(8 + (half >> 7 & 7)) + offset) & MASK64, size, not writes, writes)
    if writes:
        field = half >> 7 & 63
        offset = field & 0x38 | (field & 7) << 6 if size == 8 else field & 0x3C | (field & 3) << 6
    else:
        field = half >> 12 << 5 & 32 | half >> 2 & 31
        offset = field & 0x38 | (field & 7) << 6 if size == 8 else field & 0x3C | (field & 3) << 6
    return Access((read(2) + offset) & MASK64, size, not writes, writes)


def _at(base: int, offset: int, bits: int) -> int:
    return (base + offset - (offset >> bits - 1 << bits)) & MASK64


def instruction(machine: Gdb) -> Event | None:
    """What the selected hart does to memory next."""
    word = int.from_bytes(machine.read_memory(machine.pc, 4), "little")
    return decode(word, lambda number: machine.read(ABI_NAMES[number]) if number else 0)


def events_of(machine: Gdb, function: str, *arguments: int, leave: Sequence[str] = ()) -> list[Event]:
    """Every access and fence of a call, interrupts off; functions of `leave` return at once.

    Accesses to the stack are nobody else's, and left out.
    """
    saved, sstatus, back = machine.registers(), machine.read("sstatus"), machine.pc
    machine.write("sstatus", sstatus & ~SSTATUS_SIE)
    for name, value in (*((f"a{i}", value) for i, value in enumerate(arguments)), ("ra", back),
                        ("pc", machine.address(function))):
        machine.write(name, value)
    left, found, stack = set(map(machine.address, leave)), [], saved["sp"]
    machine.machine.tracing = False
    for _ in range(LONGEST):
        event = instruction(machine)
        if event and not (isinstance(event, Access) and stack - 4096 <= event.address < stack):
            found.append(event)
        here = machine.step()
        if here in left:
            machine.write("pc", here := machine.read("ra"))
        if here == back and machine.read("sp") == stack:
            break
    else:
        raise Failure(f"{function} to return within {LONGEST} instructions", "no return", Verdict.HANG)
    machine.machine.tracing = True
    for name, value in saved.items():
        machine.write(name, value)
    machine.write("sstatus", sstatus)
    return found


def last(events: Sequence[Event], address: int, size: int, reads: bool, what: str) -> int:
    """The index of the last read, or write, of a variable."""
    found = [index for index, event in enumerate(events) if isinstance(event, Access)
             and event.touches(address, size) and (event.reads if reads else event.writes)]
    expect(bool(found), f"{what} to be {'read' if reads else 'written'}", "it was not")
    return found[-1]


def expect_acquire(events: Sequence[Event], index: int, what: str) -> None:
    """Nothing that comes behind this read may be done before it."""
    event = events[index]
    assert isinstance(event, Access)
    if event.acquires:
        return
    behind = events[index + 1] if index + 1 < len(events) else None
    expect(isinstance(behind, Fence) and behind.orders(R, R | W), f"{what}: an acquire (.aq, or fence r, rw behind it)",
           "nothing that keeps what comes behind from being done first")


def expect_release(events: Sequence[Event], index: int, what: str) -> None:
    """Everything that came before this write is visible when it is."""
    event = events[index]
    assert isinstance(event, Access)
    if event.releases:
        return
    before = index - 1
    while before >= 0 and isinstance(events[before], Access) and events[before].touches(event.address, event.size) \
            and not events[before].writes:
        before -= 1  # the old value of the same variable, for a release that is read, changed and written
    fence = events[before] if before >= 0 else None
    expect(isinstance(fence, Fence) and fence.orders(R | W, W), f"{what}: a release (.rl, or fence rw, w before it)",
           "nothing that keeps what came before from being seen later")


def expect_fence(events: Sequence[Event], before: int, after: int, start: int, end: int, what: str) -> None:
    """Between two places a fence orders these kinds of accesses."""
    expect(any(isinstance(event, Fence) and event.orders(before, after) for event in events[start:end]), what,
           "no such fence")
