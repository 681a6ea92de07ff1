"""Reading the kernel's event ring, and the pictures made of it.

Criterion of each test: what the ring says comes out, to the tick; what it does not say is not made up.
"""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP))

from solution.tools.trace import events, memory, perfetto, timeline  # noqa: E402
from solution.tools.trace.events import (HELD, READY, RUNNING, Block, Deadline, Event, Policy,  # noqa: E402
                                         Ready, Run, Span, Task, Trace, Type)

# Task 7 has periods; 8 is woken, preempted by 7, held, released; at 60 nobody wants the hart.
STORY = [
    Event(1, Type.NONE, 0), Event(5, Type.TASK, 8, Policy.OTHER), Event(5, Type.READY, 8, Ready.NEW),
    Event(6, Type.SWITCH, 8), Event(10, Type.TASK, 7, Policy.FIFO), Event(10, Type.READY, 7, Ready.NEW),
    Event(11, Type.SWITCH, 7), Event(15, Type.DEADLINE, 7, Deadline.DONE),
    Event(15, Type.BLOCK, 7, Block.PERIOD), Event(16, Type.SWITCH, 8), Event(20, Type.READY, 7, Ready.WOKEN),
    Event(19, Type.IRQ, 9, 2), Event(22, Type.SWITCH, 7), Event(22, Type.DEADLINE, 7, Deadline.JOB),
    Event(30, Type.DEADLINE, 7, Deadline.DONE), Event(30, Type.DEADLINE, 7, Deadline.MISS),
    Event(30, Type.BLOCK, 7, Block.PERIOD), Event(31, Type.SWITCH, 8),
    Event(40, Type.BLOCK, 8, Block.HELD), Event(41, Type.SWITCH, 0), Event(45, Type.MODE, 0, 1),
    Event(50, Type.READY, 8, Ready.RELEASED), Event(51, Type.SWITCH, 8), Event(55, Type.MODE, 0, 0),
    Event(60, Type.BLOCK, 8, Block.ENDED), Event(61, Type.SWITCH, 0), Event(70, Type.MARK, 3, 4),
]
TASKS = {7: Task(7, "clock & <co>", Policy.FIFO, 5, 500, 800, 1000), 8: Task(8, "worker")}
TRACE = Trace(STORY, TASKS, 10_000_000)


def ring(written: list[Event], room: int) -> bytes:
    """A struct trace_ring into which these were written."""
    slots = [bytes(16)] * room
    for number, event in enumerate(written):
        slots[number % room] = struct.pack("<QHHI", event.ticks, event.type, event.extra, event.id)
    return struct.pack("<Q", len(written)) + b"".join(slots)


def dump(trace: Trace) -> str:
    """What `trace dump` prints."""
    lines = [f"@trace 1 {trace.hz} {trace.zero + 500} 50000"]
    lines += [f"@task {task.id} {task.policy} {task.priority} {task.runtime_ns} {task.deadline_ns} "
              f"{task.period_ns} {task.name}" for task in trace.tasks.values()]
    lines += [f"@event {event.hart} {event.ticks} {event.type:d} {event.id} {event.extra}"
              for event in trace.events]
    return "\r\n".join(["mazu> trace dump", *lines, f"@end {len(trace.events)}", "mazu> "])


# ---- Reading --------------------------------------------------------------------------------------


def test_decode_oldest_first():
    assert events.decode(ring(STORY, 32)) == STORY
    assert events.decode(ring(STORY, 8)) == STORY[-8:]
    assert events.decode(ring(STORY[:8], 8)) == STORY[:8]
    assert events.decode(ring([], 8)) == []
    assert events.decode(ring(STORY, 32), hart=3) == [event._replace(hart=3) for event in STORY]


def test_decode_fields_do_not_mix():
    event = Event(2**64 - 1, 65534, 2**32 - 1, 65535)
    assert events.decode(ring([event], 1)) == [event]


@pytest.mark.parametrize("size", [0, 8, 8 + 16 * 3, 8 + 16 * 4 + 1])
def test_decode_no_ring(size):
    with pytest.raises(events.Unreadable):
        events.decode(bytes(size))


def test_console_round_trip():
    assert events.read_console(dump(TRACE)) == TRACE


def test_console_other_lines_between():
    text = dump(TRACE).replace("@event 0 40", "[    1.000000] something else\r\n@event 0 40")
    assert events.read_console("[    0.1] boot\n" + text) == TRACE


def test_console_last_whole_dump():
    other = TRACE._replace(events=STORY[:3], zero=1000)
    assert events.read_console(dump(TRACE) + dump(other)) == other
    assert events.read_console(dump(other) + dump(TRACE) + dump(other)[:150]) == TRACE


def test_console_incomplete():
    lost = dump(TRACE).replace("@event 0 40 3 8 3\r\n", "")
    for text in ("", "mazu> ", dump(TRACE).partition("@end")[0], lost):
        with pytest.raises(events.Unreadable):
            events.read_console(text)


def test_moments():
    trace = Trace([], TASKS, 10_000_000, zero=1000)
    assert trace.us(1000) == 0
    assert trace.us(1015) == 1.5
    assert (trace.name(7), trace.name(0), trace.name(9)) == ("clock & <co>", "idle", "task 9")


# ---- What follows ---------------------------------------------------------------------------------


def test_schedule():
    assert events.schedule(STORY) == [
        Run(0, 1, 6), Run(8, 6, 11), Run(7, 11, 16), Run(8, 16, 22), Run(7, 22, 31), Run(8, 31, 41),
        Run(0, 41, 51), Run(8, 51, 61), Run(0, 61, 70)]
    assert events.shares(events.schedule(STORY)) == {0: 24, 8: 31, 7: 14}


def test_schedule_begins_where_it_is_known():
    """Without the beginning, who ran before the first switch is unknown."""
    assert events.schedule(STORY[4:9]) == [Run(7, 11, 15)]
    assert events.schedule(STORY[4:9], until=18) == [Run(7, 11, 18)]
    assert events.schedule([Event(5, Type.READY, 8, Ready.NEW)]) == []


def test_schedule_gap():
    """Where writing was off, nobody is said to have run or to have waited."""
    gap = [Event(1, Type.SWITCH, 4), Event(2, Type.READY, 3, Ready.WOKEN), Event(9, Type.MARK, 4),
           Event(100, Type.NONE, 5), Event(110, Type.SWITCH, 6)]
    assert events.schedule(gap) == [Run(4, 1, 9), Run(5, 100, 110), Run(6, 110, 110)]
    assert events.states(gap) == [Span(4, RUNNING, 1, 9), Span(3, READY, 2, 9), Span(5, RUNNING, 100, 110),
                                  Span(6, RUNNING, 110, 110)]


def test_schedule_harts_apart():
    two = [Event(1, Type.SWITCH, 4, hart=0), Event(2, Type.SWITCH, 5, hart=1),
           Event(3, Type.SWITCH, 6, hart=0), Event(9, Type.SWITCH, 4, hart=1)]
    assert events.schedule(two, until=10) == [Run(4, 1, 3, 0), Run(6, 3, 10, 0), Run(5, 2, 9, 1),
                                              Run(4, 9, 10, 1)]


def test_states():
    spans = events.states(STORY)
    assert [span for span in spans if span.task == 7] == [
        Span(7, READY, 10, 11), Span(7, RUNNING, 11, 15), Span(7, READY, 20, 22), Span(7, RUNNING, 22, 30)]
    assert [span for span in spans if span.task == 8] == [
        Span(8, READY, 5, 6), Span(8, RUNNING, 6, 11), Span(8, READY, 11, 16), Span(8, RUNNING, 16, 22),
        Span(8, READY, 22, 31), Span(8, RUNNING, 31, 40), Span(8, HELD, 40, 50), Span(8, READY, 50, 51),
        Span(8, RUNNING, 51, 60)]
    assert not [span for span in spans if span.task == 0]


def test_releases():
    """The first job's is the task's beginning; later ones end the wait for the period."""
    assert [(event.id, event.ticks) for event in events.releases(STORY)] == [(7, 10), (7, 20)]


# ---- Pictures -------------------------------------------------------------------------------------


def test_perfetto():
    entries = json.loads(perfetto.convert(TRACE))["traceEvents"]
    slices = [(e["tid"], e["name"], e["ts"], e["dur"]) for e in entries
              if e["ph"] == "X" and e["pid"] == perfetto.TASKS and e["tid"] == 7]
    assert slices == [(7, READY, 1.0, pytest.approx(0.1)), (7, RUNNING, 1.1, pytest.approx(0.4)),
                      (7, READY, 2.0, pytest.approx(0.2)), (7, RUNNING, 2.2, pytest.approx(0.8))]
    names = {(e["pid"], e["tid"]): e["args"]["name"] for e in entries if e["name"] == "thread_name"}
    assert names[perfetto.TASKS, 7] == "clock & <co>"
    assert names[perfetto.HARTS, 0] == "hart 0"
    assert [(e["ts"], e["args"]["HI"]) for e in entries if e["name"] == "mode"] == [(4.5, 1), (5.5, 0)]
    assert [e["ts"] for e in entries if e["name"] == "deadline missed"] == [3.0]
    assert [(e["ts"], e["dur"]) for e in entries if e["name"] == "interrupt 9"] == [(1.9, pytest.approx(0.2))]


def test_perfetto_slices_of_a_track_do_not_overlap():
    entries = json.loads(perfetto.convert(TRACE))["traceEvents"]
    for track in {(e["pid"], e["tid"]) for e in entries if e["ph"] == "X"}:
        end = 0
        for entry in [e for e in entries if e["ph"] == "X" and (e["pid"], e["tid"]) == track]:
            assert entry["ts"] >= end - 1e-9
            end = entry["ts"] + entry["dur"]


def words(svg: str) -> list[str]:
    return [element.text for element in ElementTree.fromstring(svg).iter() if element.text]


def bars(svg: str, state: str) -> list[ElementTree.Element]:
    return [element for element in ElementTree.fromstring(svg).iter()
            if any((child.text or "").startswith(state + " ") for child in element)]


def test_timeline():
    svg = timeline.draw(TRACE, title="a < b")
    assert "a < b" in words(svg)
    assert "clock & <co>" in words(svg)
    assert "worker" in words(svg)
    assert len(bars(svg, RUNNING)) == 6
    assert len(bars(svg, HELD)) == 1
    assert words(svg).count("deadline missed") == 1
    assert words(svg).count("HI") == 1


def test_timeline_proportions():
    """Twice as long is twice as wide."""
    widths = [float(bar.get("width")) for bar in bars(timeline.draw(TRACE), RUNNING)]
    ticks = [span.end - span.start for task in (7, 8) for span in events.states(STORY)
             if span.task == task and span.state == RUNNING]
    assert widths == [pytest.approx(length * widths[0] / ticks[0], abs=0.02) for length in ticks]


def test_timeline_cut():
    svg = timeline.draw(TRACE, 12, 21)
    assert len(bars(svg, RUNNING)) == 2
    assert not bars(svg, HELD)
    assert "HI" not in words(svg)


@pytest.mark.parametrize("story", [[], [Event(5, Type.MARK, 1)], [Event(5, Type.SWITCH, 1)],
                                   [Event(1, 99, 9, 9)]])
def test_pictures_of_next_to_nothing(story):
    trace = Trace(story, {}, 10_000_000)
    ElementTree.fromstring(timeline.draw(trace))
    json.loads(perfetto.convert(trace))


def test_axis_steps():
    assert [timeline.round_step(least) for least in (0.01, 1, 1.01, 3, 900)] == [
        pytest.approx(step) for step in (0.1, 1, 2, 5, 1000)]


# ---- The command ----------------------------------------------------------------------------------


def run(*arguments: str | Path) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, TOP / "tools/trace", *arguments], capture_output=True, text=True)


def test_command(tmp_path):
    log = tmp_path / "console.log"
    log.write_text(dump(TRACE))
    made = run(log, "-o", tmp_path / "a.svg", "-o", tmp_path / "a.json", "--from", "0.001", "--to", "0.002")
    assert made.returncode == 0, made.stderr
    assert len(bars((tmp_path / "a.svg").read_text(), RUNNING)) == 3
    assert json.loads((tmp_path / "a.json").read_text())["traceEvents"]


def test_command_on_a_ring(tmp_path):
    (tmp_path / "ring").write_bytes(ring(STORY, 32))
    made = run(tmp_path / "ring", "-o", tmp_path / "a.svg")
    assert made.returncode == 0, made.stderr
    assert "task 7" in words((tmp_path / "a.svg").read_text())


def test_command_says_what_is_wrong(tmp_path):
    (tmp_path / "log").write_text("mazu> \n")
    for file in ("log", "none"):
        made = run(tmp_path / file, "-o", tmp_path / "a.svg")
        assert made.returncode == 1
        assert file in made.stderr and "Traceback" not in made.stderr


RINGS = """
struct { unsigned long next; struct { unsigned long ticks, word; } events[32]; } boot_ring;
void *trace_rings[4] = { &boot_ring };
int main(void) { return 0; }
"""


@pytest.mark.skipif(not shutil.which("cc"), reason="no compiler for this machine")
def test_memory_through_the_elf(tmp_path):
    """The ring is found by its names in a dump that begins at another address."""
    (tmp_path / "rings.c").write_text(RINGS)
    subprocess.run(["cc", "-no-pie", "-o", tmp_path / "elf", tmp_path / "rings.c"], check=True)
    listed = subprocess.run(["nm", tmp_path / "elf"], check=True, capture_output=True, text=True).stdout
    at = {line.split()[2]: int(line.split()[0], 16) for line in listed.splitlines() if len(line.split()) == 3}
    base = min(at["boot_ring"], at["trace_rings"]) - 64
    ram = bytearray(64 * 1024)
    pointer, stored = at["trace_rings"] - base, ring(STORY, 32)
    ram[pointer:pointer + 8] = at["boot_ring"].to_bytes(8, "little")
    ram[at["boot_ring"] - base:at["boot_ring"] - base + len(stored)] = stored
    assert memory.read(bytes(ram), tmp_path / "elf", base).events == STORY
    with pytest.raises(events.Unreadable):
        memory.read(bytes(ram), tmp_path / "elf", base + 4096 * 1024)


def test_merged_by_time():
    """Events of two rings come by time; each ring's own order is kept, and of equals the first ring's come first."""
    first = [Event(1, Type.SWITCH, 4), Event(5, Type.SWITCH, 5), Event(4, Type.IRQ, 5)]
    second = [Event(1, Type.SWITCH, 6, hart=1), Event(4, Type.SWITCH, 7, hart=1)]
    merged = events.merge([first, second])
    assert [event.id for event in merged] == [4, 6, 7, 5, 5]
    assert [event for event in merged if event.hart == 0] == first


def test_task_that_moves():
    """A task that runs on another hart at the tick at which the first one switches away from it keeps running."""
    moves = [Event(0, Type.SWITCH, 4), Event(5, Type.SWITCH, 4, hart=1), Event(5, Type.SWITCH, 0),
             Event(9, Type.SWITCH, 0, hart=1)]
    spans = [(span.task, span.state, span.start, span.end, span.hart) for span in events.states(moves)]
    assert ("ready" not in {state for _, state, *_ in spans}), spans
    assert sum(end - start for _, _, start, end, _ in spans) == 9


def test_picture_of_several_harts():
    """Each hart has a row with the colours of those who had it; one hart has none."""
    one = [Event(0, Type.SWITCH, 4), Event(10, Type.SWITCH, 5), Event(20, Type.SWITCH, 0)]
    two = events.merge([one, [Event(3, Type.SWITCH, 6, hart=1), Event(20, Type.SWITCH, 0, hart=1)]])
    picture = timeline.draw(events.Trace(two, {}, 1000))
    assert ">hart 0</text>" in picture and ">hart 1</text>" in picture
    assert "hart 0" not in timeline.draw(events.Trace(one, {}, 1000))
