"""What the kernel's event ring says (solution/include/mazu/trace.h), without any opinion.

    events = decode(memory)         a struct trace_ring as it lies in memory
    events = merge(rings)           those of several harts as one
    trace = read_console(text)      what `trace dump` printed, among whatever else the console printed
    runs = schedule(events)         who had the hart, from when to when

Times are ticks of the machine's timer.  Events are in the order in which they were written; an interrupt
and what it woke carry the moment at which they were due, so their times may lie a little before that of
the event written last.  Those of several harts are merged by time.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

NEXT_BYTES, EVENT_BYTES = 8, 16


class Type(IntEnum):
    """enum trace_type."""

    NONE = 0
    READY = 1
    SWITCH = 2
    BLOCK = 3
    IRQ = 4
    SYSCALL = 5
    DEADLINE = 6
    DOMAIN = 7
    MODE = 8
    LOCK = 9
    MARK = 10
    TASK = 11
    WATCHDOG = 12


class Ready(IntEnum):
    """Why a task became ready."""

    WOKEN = 1
    RELEASED = 2
    NEW = 3


class Block(IntEnum):
    """Why it is not any more."""

    PARKED = 1
    ASLEEP = 2
    HELD = 3
    ENDED = 4
    PERIOD = 5


class Deadline(IntEnum):
    """enum trace_deadline."""

    JOB = 0
    MISS = 1
    OVERRUN = 2
    REPLENISH = 3
    DONE = 4


class Policy(IntEnum):
    """enum sched_policy."""

    OTHER = 0
    FIFO = 1
    RR = 2
    DEADLINE = 6


class Event(NamedTuple):
    """struct trace_event, and whose ring it was in."""

    ticks: int
    type: int  # a Type, if we know it
    id: int = 0
    extra: int = 0
    hart: int = 0


class Run(NamedTuple):
    """A task that had the hart."""

    task: int
    start: int
    end: int
    hart: int = 0

    @property
    def ticks(self) -> int:
        return self.end - self.start


RUNNING, READY, HELD = "running", "ready", "held"


class Span(NamedTuple):
    """A task in one state: running, ready for the hart, or held though it is ready."""

    task: int
    state: str
    start: int
    end: int
    hart: int = 0


class Task(NamedTuple):
    """What is known of a task besides its events; times in nanoseconds."""

    id: int
    name: str
    policy: int = Policy.OTHER
    priority: int = 0
    runtime_ns: int = 0
    deadline_ns: int = 0
    period_ns: int = 0


class Trace(NamedTuple):
    """Events with all that a reader wants to know beside them."""

    events: list[Event]
    tasks: dict[int, Task]
    hz: int
    zero: int = 0  # ticks at the kernel's moment 0

    def us(self, ticks: int) -> float:
        """A moment in microseconds of the kernel's monotonic clock."""
        return (ticks - self.zero) * 1_000_000 / self.hz

    def name(self, task: int) -> str:
        known = self.tasks.get(task)
        return known.name if known else "idle" if task == 0 else f"task {task}"


class Unreadable(Exception):
    """This is no trace, or not a whole one."""


# ---- Memory ---------------------------------------------------------------------------------------


def decode_event(data: bytes, hart: int = 0) -> Event:
    """One struct trace_event."""
    word = int.from_bytes(data[8:EVENT_BYTES], "little")
    return Event(int.from_bytes(data[:8], "little"), word & 0xffff, word >> 32, word >> 16 & 0xffff, hart)


def decode(memory: bytes, hart: int = 0) -> list[Event]:
    """The events of a struct trace_ring, oldest first.  How many it has room for follows from its size."""
    room, rest = divmod(len(memory) - NEXT_BYTES, EVENT_BYTES)
    if rest or room <= 0 or room & room - 1:
        raise Unreadable(f"{len(memory)} bytes are no ring: a count, and 2^n events")
    written = int.from_bytes(memory[:NEXT_BYTES], "little")
    numbers = range(max(0, written - room), written)
    slots = (NEXT_BYTES + number % room * EVENT_BYTES for number in numbers)
    events = (decode_event(memory[at:at + EVENT_BYTES], hart) for at in slots)
    return [event for event in events if event.ticks or event.type]


def merge(rings: Iterable[list[Event]]) -> list[Event]:
    """By time; what one hart has written stays in its order, and of equals the first ring's come first."""
    return list(heapq.merge(*rings, key=lambda event: event.ticks))


# ---- The console ----------------------------------------------------------------------------------

NUMBER = r"(\d+)"
HEAD = re.compile(rf"@trace 1 {NUMBER} {NUMBER} {NUMBER}")
TASK = re.compile(rf"@task {' '.join([NUMBER] * 6)} (.*)")
EVENT = re.compile(rf"@event {' '.join([NUMBER] * 5)}")
END = re.compile(rf"@end {NUMBER}")


def read_console(text: str) -> Trace:
    """The last whole dump that `trace dump` printed; other lines between are passed over."""
    found, dump = None, None
    for line in map(str.strip, text.splitlines()):
        if match := HEAD.fullmatch(line):
            hz, ticks, ns = map(int, match.groups())
            dump = Trace([], {}, hz, ticks - ns * hz // 1_000_000_000)
        elif dump is None:
            continue
        elif match := EVENT.fullmatch(line):
            hart, ticks, kind, task, extra = map(int, match.groups())
            dump.events.append(Event(ticks, kind, task, extra, hart))
        elif match := TASK.fullmatch(line):
            task = task_of(*match.groups())
            dump.tasks[task.id] = task
        elif match := END.fullmatch(line):
            found, count, dump = dump, int(match[1]), None
            if count != len(found.events):
                raise Unreadable(f"the dump has {len(found.events)} events and says it has {count}")
    if found is None:
        raise Unreadable("no dump that is whole: type `trace dump` at the kernel's prompt")
    return found


def task_of(number: str, policy: str, priority: str, runtime: str, deadline: str, period: str,
            name: str) -> Task:
    return Task(int(number), name, int(policy), int(priority), int(runtime), int(deadline), int(period))


# ---- Who ran --------------------------------------------------------------------------------------


def harts(events: Iterable[Event]) -> list[int]:
    return sorted({event.hart for event in events})


def schedule(events: Iterable[Event], until: int | None = None) -> list[Run]:
    """Who had the hart when, in order; of several harts, one after the other.

    What was before a hart's first switch is unknown, unless the ring begins with who ran then.  The last
    task runs until `until` (default: the last event).  Runs of no length are there, too: a task may
    begin and be replaced within one tick.
    """
    events = list(events)
    return [run for hart in harts(events)
            for run in _of_hart([event for event in events if event.hart == hart], hart, until)]


def _of_hart(events: list[Event], hart: int, until: int | None) -> list[Run]:
    runs, running, since, last = [], None, 0, 0
    for event in events:
        if event.type not in (Type.SWITCH, Type.NONE):
            last = max(last, event.ticks)
            continue
        if running is not None:  # where writing began anew, it ran as long as anything was seen
            runs.append(Run(running, since, event.ticks if event.type == Type.SWITCH else last, hart))
        running, since = event.id, event.ticks
        last = max(last, event.ticks)
    if running is not None:
        runs.append(Run(running, since, max(since, last if until is None else until), hart))
    return runs


def shares(runs: Iterable[Run]) -> dict[int, int]:
    """How many ticks each task had."""
    total: dict[int, int] = {}
    for run in runs:
        total[run.task] = total.get(run.task, 0) + run.ticks
    return total


def states(events: Iterable[Event]) -> list[Span]:
    """What each task was doing, span after span; of the time when it waits for something there is none.

    The idle task is no task here.  A span that was not over at the last event ends there, as does one before
    a gap in the writing.
    """
    book = _Book()
    for event in events:
        if event.type == Type.NONE:
            book.end_all(event.hart)
        book.last = max(book.last, event.ticks)
        if event.type in (Type.SWITCH, Type.NONE):
            before = book.running.pop(event.hart, None)
            if book.runs(before, event.hart):
                book.become(before, READY, event)
            if event.id:
                book.running[event.hart] = event.id
                book.become(event.id, RUNNING, event)
        elif event.type == Type.READY and event.id not in book.running.values():
            book.become(event.id, READY, event)
        elif event.type == Type.BLOCK:
            book.become(event.id, HELD if event.extra == Block.HELD else None, event)
    book.end_all()
    return sorted(book.spans, key=lambda span: (span.start, span.end, span.task))


class _Book:
    """What is so now, and since when."""

    def __init__(self):
        self.spans: list[Span] = []
        self.now: dict[int, tuple[str, Event]] = {}
        self.running: dict[int, int] = {}  # by hart
        self.last = 0

    def runs(self, task: int | None, hart: int) -> bool:
        """There, and not on another hart already."""
        state, since = self.now.get(task, (None, None))
        return state == RUNNING and since.hart == hart

    def become(self, task: int, state: str | None, event: Event) -> None:
        if task in self.now:
            old, since = self.now.pop(task)
            end = max(since.ticks, event.ticks)
            if old == state and (state != RUNNING or since.hart == event.hart):
                event = since
            elif end > since.ticks or old == RUNNING:
                self.spans.append(Span(task, old, since.ticks, end, since.hart))
        if state:
            self.now[task] = (state, event)

    def end_all(self, hart: int | None = None) -> None:
        for task, (_, since) in list(self.now.items()):
            if hart in (None, since.hart):
                self.become(task, None, Event(self.last, Type.NONE))


def releases(events: Iterable[Event]) -> list[Event]:
    """Where a job of a task with periods was released: a wait for the period ended, or the task began."""
    found, block, new = [], {}, {}
    for event in events:
        if event.type == Type.BLOCK:
            block[event.id] = event.extra
        elif event.type == Type.READY:
            if event.extra == Ready.NEW:
                new[event.id] = event
            elif block.get(event.id) == Block.PERIOD:
                found.append(event)
        elif event.type == Type.DEADLINE and event.extra == Deadline.DONE and event.id in new:
            found.append(new.pop(event.id))  # it has jobs, so this was the first
    return sorted(found, key=lambda event: event.ticks)
