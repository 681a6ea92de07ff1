"""The event ring (include/mazu/trace.h), read from the memory of a stopped machine.

The ring is pristine code's: switches, releases and ends are written by the kernel's core, not by what a
student wrote.  Times are raw ticks of 100 ns.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from grader.core.dwarf import Layout
from grader.core.gdb import Gdb
from grader.core.verdict import expect

EVENT = struct.Struct("<QHHI")
READY, SWITCH, BLOCK, IRQ, SYSCALL, DEADLINE, DOMAIN, MODE, LOCK, MARK = range(1, 11)
JOB, MISS, OVERRUN, REPLENISH, DONE = range(5)  # extra of DEADLINE
TICKS_A_MS = 10_000


@dataclass(frozen=True)
class Event:
    ticks: int
    type: int
    extra: int
    id: int


@dataclass(frozen=True)
class Segment:
    """Somebody has the hart from `start` to `end`."""

    who: str
    start: float
    end: float


def read_events(machine: Gdb, layout: Layout) -> list[Event]:
    """All that the boot hart's ring holds, oldest first; it must hold all that happened."""
    at = machine.read_int(machine.address("pcpus") + layout.field("struct pcpu", "trace").offset)
    expect(at, "a ring of events", "none")
    size = layout.field("struct trace_ring").size // EVENT.size
    written = machine.read_int(at)
    expect(written <= size, f"at most {size} events", f"{written}")
    data = machine.read_memory(at + layout.field("struct trace_ring", "events").offset, written * EVENT.size)
    return [Event(*fields) for fields in EVENT.iter_unpack(data)]


def segments(events: list[Event], names: dict[int, str], zero: int, end: int) -> list[Segment]:
    """Who had the hart when, in ms since `zero`; those without a name are not anybody's time."""
    found: list[Segment] = []
    switches = [event for event in events if event.type == SWITCH]
    ends = [event.ticks for event in switches[1:]] + [end]
    for event, until in zip(switches, ends):
        start, until = max(event.ticks, zero), min(until, end)
        if event.id in names and start < until:
            found.append(Segment(names[event.id], (start - zero) / TICKS_A_MS, (until - zero) / TICKS_A_MS))
    return found


def rounded(found: list[Segment]) -> list[Segment]:
    """To whole units: what is no unit long goes, and what goes on is one piece."""
    pieces: list[Segment] = []
    for segment in found:
        start, end = round(segment.start), round(segment.end)
        if start == end:
            continue
        if pieces and pieces[-1].who == segment.who and pieces[-1].end == start:
            start = pieces.pop().start
        pieces.append(Segment(segment.who, start, end))
    return pieces


def picture(pieces: list[Segment]) -> str:
    """`A0-2 B2-5`: short enough for a verdict."""
    return " ".join(f"{piece.who} {piece.start:g}-{piece.end:g}" for piece in pieces) or "nobody"
