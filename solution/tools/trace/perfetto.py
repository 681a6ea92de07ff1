"""A trace as the Trace Event Format's JSON, for ui.perfetto.dev and chrome://tracing.

A process "tasks" with a thread for each task: slices of running, of waiting for the hart and of being held,
and instants for what happened to its jobs.  A process "harts" with what each ran, and its interrupts.  Two
counters: how many tasks want the hart, and the criticality mode.

Format: Trace Event Format, the document of Chrome's catapult project; times are microseconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from .events import HELD, READY, Block, Deadline, Event, Span, Trace, Type, harts, schedule, states

TASKS, HARTS = 1, 2
INTERRUPTS = 1000  # added to a hart's number: the thread of its interrupts
JOB = {Deadline.JOB: "job", Deadline.MISS: "deadline missed", Deadline.OVERRUN: "overrun",
       Deadline.REPLENISH: "replenished", Deadline.DONE: "job done"}
OTHERS = {Type.MARK: "mark", Type.WATCHDOG: "starved", Type.TASK: "created", Type.SYSCALL: "system call"}


def convert(trace: Trace) -> str:
    entries = [*_names(trace), *_runs(trace), *_states(trace), *_interrupts(trace), *_instants(trace),
               *_wanting(trace), *_modes(trace)]
    return json.dumps({"displayTimeUnit": "ns", "traceEvents": entries}, separators=(",", ":")) + "\n"


def _slice(trace: Trace, pid: int, tid: int, name: str, start: int, end: int, **more) -> dict:
    at = trace.us(start)
    return {"ph": "X", "pid": pid, "tid": tid, "name": name, "ts": at, "dur": trace.us(end) - at} | more


def _names(trace: Trace) -> Iterator[dict]:
    def name(kind: str, pid: int, tid: int, words: str) -> dict:
        return {"ph": "M", "pid": pid, "tid": tid, "name": kind, "args": {"name": words}}

    yield name("process_name", TASKS, 0, "tasks")
    yield name("process_name", HARTS, 0, "harts")
    for task in sorted({span.task for span in states(trace.events)}):
        yield name("thread_name", TASKS, task, trace.name(task))
    for hart in harts(trace.events):
        yield name("thread_name", HARTS, hart, f"hart {hart}")
        yield name("thread_name", HARTS, INTERRUPTS + hart, f"hart {hart}: interrupts")


def _runs(trace: Trace) -> Iterator[dict]:
    for run in schedule(trace.events):
        if run.task:
            yield _slice(trace, HARTS, run.hart, trace.name(run.task), run.start, run.end)


def _states(trace: Trace) -> Iterator[dict]:
    for span in states(trace.events):
        colour = {READY: {"cname": "grey"}, HELD: {"cname": "terrible"}}.get(span.state, {})
        yield _slice(trace, TASKS, span.task, span.state, span.start, span.end,
                     args={"hart": span.hart}, **colour)


def _interrupts(trace: Trace) -> Iterator[dict]:
    for event in trace.events:
        if event.type == Type.IRQ:
            yield _slice(trace, HARTS, INTERRUPTS + event.hart, f"interrupt {event.id}", event.ticks,
                         event.ticks + event.extra)


def _instants(trace: Trace) -> Iterator[dict]:
    for event in trace.events:
        if words := _words(event):
            yield {"ph": "i", "s": "t", "pid": TASKS, "tid": event.id, "name": words,
                   "ts": trace.us(event.ticks), "args": {"number": event.extra}}
        elif event.type in (Type.DOMAIN, Type.LOCK):
            kind = "domain" if event.type == Type.DOMAIN else "lock of rank"
            yield {"ph": "i", "s": "t", "pid": HARTS, "tid": event.hart, "name": f"{kind} {event.id}",
                   "ts": trace.us(event.ticks), "args": {"number": event.extra}}


def _words(event: Event) -> str | None:
    if event.type == Type.DEADLINE:
        return JOB.get(event.extra, "job ?")
    if event.type == Type.BLOCK and event.extra == Block.ENDED:
        return "ended"
    return OTHERS.get(event.type)


def _wanting(trace: Trace) -> Iterator[dict]:
    """How many tasks run or want to."""
    def wants(span: Span) -> bool:
        return span.state != HELD

    steps = sorted([(span.start, 1) for span in states(trace.events) if wants(span)] +
                   [(span.end, -1) for span in states(trace.events) if wants(span)])
    count, counts = 0, {}
    for ticks, step in steps:
        count += step
        counts[ticks] = count
    for ticks, value in counts.items():
        yield _counter(trace, ticks, "want the hart", "tasks", value)


def _modes(trace: Trace) -> Iterator[dict]:
    for event in trace.events:
        if event.type == Type.MODE:
            yield _counter(trace, event.ticks, "mode", "HI", event.extra)


def _counter(trace: Trace, ticks: int, name: str, series: str, value: int) -> dict:
    return {"ph": "C", "pid": HARTS, "name": name, "ts": trace.us(ticks), "args": {series: value}}
