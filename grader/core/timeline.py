"""Who had the hart, and when: the kernel's event ring, for a bundle and as the picture of a report.

From lab 3 on a kernel keeps its latest events in a ring (include/mazu/trace.h).  What it holds when a
criterion ends is read from the stopped machine's memory.  A guest may have left anything there, so
whatever is read is only drawn, never believed; criteria have readers of their own.

The format is known to solution/tools/trace, which a tree of an earlier lab does not have: it is
asked only about a kernel that has a ring.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from grader.core.gdb import Gdb

if TYPE_CHECKING:
    from solution.tools.trace.events import Trace

RINGS, RING = "trace_rings", "boot_ring"  # pointers to the rings of all harts; a ring, for its size
POINTER = 8
TICKS_A_SECOND = 10_000_000  # QEMU's virt board
MOST_TASKS = 40  # a picture with more rows tells nobody anything
WIDTH = 1000


def read(gdb: Gdb, tasks: Mapping[int, Any] | None = None, zero: int = 0) -> Trace:
    """The rings of all harts; `tasks` by number (events.Task), and the tick that counts as 0."""
    from solution.tools.trace import events

    rings, size = gdb.symbols.symbol(RINGS), gdb.symbols.symbol(RING).size
    found: list[list[Any]] = []
    for hart in range(rings.size // POINTER):
        if at := gdb.read_int(rings.address + POINTER * hart):
            found.append(events.decode(gdb.read_memory(at, size), hart))
    return events.Trace(events.merge(found), dict(tasks or {}), TICKS_A_SECOND, zero)


def draw(trace: Trace, start: int | None = None, end: int | None = None, title: str = "") -> str:
    """A picture from one tick to another; nothing when nobody could read it."""
    from solution.tools.trace import timeline
    from solution.tools.trace.events import Type

    switches = sum(event.type == Type.SWITCH for event in trace.events)
    if switches < 2 or len({event.id for event in trace.events}) > MOST_TASKS:
        return ""
    return timeline.draw(trace, start, end, WIDTH, title)


def listing(trace: Trace) -> str:
    """A line an event: its moment, its hart, what it is, whose, and what else it says."""
    from solution.tools.trace.events import Type

    known = {int(type_): type_.name.lower() for type_ in Type}
    lines = (f"{trace.us(event.ticks):16.1f} us  hart {event.hart}  {known.get(event.type, event.type):8}  "
             f"{trace.name(event.id):16}  {event.extra}\n" for event in trace.events)
    return "".join(lines) or "no events\n"
