"""What a person sees of the scheduler: the shell's commands, the event ring, GDB's commands."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree

import pytest

from grader.check.kernels import kernel
from grader.check.test_tour import run_tour
from grader.core.machine import Machine
from grader.core.verdict import expect, expect_equal
from solution.tools.trace import events, perfetto, timeline

ROW = re.compile(r"^([ \d]{5})  (.{15}) (.{14})(.{32}) *\d+", re.MULTILINE)
LOADS = {
    "hog": "other 5",
    "hog ": "rr 3 1000 20000 20000",
    "periodic": "dl 1000 5000 10000",
    "overrunner": "fifo 4 1000 5000 20000",
    "storm": "100",
}


def tasks(machine: Machine) -> dict[int, tuple[str, str, str]]:
    """Name, state and policy of each task."""
    rows = ROW.findall(machine.console.command("ps"))
    return {int(number): (name.strip(), state.strip(), " ".join(policy.split()))
            for number, name, state, policy in rows}


def spawn(machine: Machine, words: str) -> int:
    said = machine.console.command(f"spawn {words}")
    number = re.search(r"^task (\d+)$", said, re.MULTILINE)
    expect(number, "the task's number", said)
    return int(number[1])


def spawn_all(machine: Machine) -> dict[int, str]:
    return {spawn(machine, f"{kind.strip()} {words}"): kind.strip() for kind, words in LOADS.items()}


@pytest.mark.parametrize("variant", ["debug", "release"])
def test_loads(boot, variant):
    """Each load is a task with what was asked for; the shell answers beside them; and they end."""
    machine = boot(variant, icount=True)
    before = tasks(machine)
    started = spawn_all(machine)
    there = tasks(machine)
    for number, kind in started.items():
        expect_equal(there.get(number, ("",))[0], kind, f"the name of task {number}")
    policies = [there[number][2] for number in started]
    expect_equal(policies, ["other 5", "rr 3 1000/20000/20000", "deadline 1000/5000/10000",
                            "fifo 4 1000/5000/20000", "other 0"], "policies")
    for number in started:
        machine.console.command(f"kill {number}")
    machine.console.command("echo some time")
    deadline = machine.deadline(None)
    while {number for number, task in tasks(machine).items() if task[1] != "dead"} != \
            {number for number, task in before.items() if task[1] != "dead"}:
        if deadline.passed():
            raise machine.failure("the loads to end", str(tasks(machine)))


def test_refused(boot):
    """What cannot be is said, and nothing is started."""
    machine = boot()
    before = set(tasks(machine))
    for words, answer in (("", "usage"), ("nothing", "usage"), ("hog dl", "invalid"), ("hog dl 1 2", "usage"),
                          ("hog other x", "usage"), ("hog fifo 1 2 3 4 5", "usage"), ("storm 1", "usage"),
                          ("hog other 20", "out of range"), ("hog fifo 99", "out of range"),
                          ("hog dl 99000 100000 100000", "")):
        said = machine.console.command(f"spawn {words}")
        expect(answer in said and "task " not in said, f"a refusal of spawn {words}", said)
    for words, answer in (("", "usage"), ("x", "usage"), ("4294967296", "usage"), ("99", "no task 99"),
                          ("0", "has to live")):
        expect(answer in machine.console.command(f"kill {words}"), answer, words)
    expect_equal(set(tasks(machine)) - before, set(), "new tasks")


def test_sched(boot):
    """What is reserved is what was asked for: a tenth."""
    machine = boot(icount=True)
    expect("reserved  0.000 %" in machine.console.command("sched"), "nothing reserved", "something")
    number = spawn(machine, "periodic dl 1000 10000 10000")
    said = machine.console.command("sched")
    for part in ("hart      0", "reserved  10.000 %", "mode      LO, changed 0 times"):
        expect(part in said, part, said)
    machine.console.command(f"kill {number}")
    machine.console.command("sched reset")
    expect("usage" in machine.console.command("sched x"), "a usage line", "")


def test_latency(boot):
    """Reset forgets what was."""
    machine = boot(icount=True)
    spawn(machine, "hog")
    before, _, after = (machine.console.command(line) for line in ("latency", "latency reset", "latency"))
    longest = [list(map(int, re.search(r"^longest +(\d+) +(\d+) +(\d+)$", said, re.MULTILINE).groups()))
               for said in (before, after)]
    expect(longest[0][0] > 0 and longest[0][2] > 0, "something to forget", before)
    expect("usage" in machine.console.command("latency x"), "a usage line", "")


def test_trace_dump(boot):
    """What `trace dump` prints is a whole schedule, and makes pictures."""
    machine = boot(icount=True)
    started = spawn_all(machine)
    trace = events.read_console(machine.console.command("trace dump"))
    runs = events.schedule(trace.events)
    for run, after in zip(runs, runs[1:]):
        expect_equal(after.start, run.end, f"the start of what follows {run}")
        expect(after.task != run.task, "a switch to another task", run)
    for number, kind in started.items():
        expect_equal(trace.name(number), kind, f"the name of task {number}")
        expect(any(run.task == number for run in runs), f"task {number} to have run", runs)
    ElementTree.fromstring(timeline.draw(trace))
    expect(json.loads(perfetto.convert(trace))["traceEvents"], "something for Perfetto", "nothing")


def test_trace_switched(boot):
    """Off, nothing is added; clear forgets; a number prints so many."""
    machine = boot()
    command = machine.console.command
    expect(command("trace").count("on, hart 0 has "), "on from the boot", command("trace"))
    command("trace off")
    before = command("trace")
    expect("off, hart 0 has " in before, "off", before)
    expect_equal(command("trace"), before, "the events while it is off")
    command("trace clear")
    expect_equal(re.search(r"off \(of at most \d+\)", command("trace")) is not None, True, "empty")
    command("trace on")
    for _ in range(4):
        command("echo")
    rows = re.findall(r"^ +\d+\.\d{7}  0  \w+", command("trace 7"), re.MULTILINE)
    expect_equal(len(rows), 7, "rows")
    expect("usage" in command("trace x"), "a usage line", "")
    expect("on, " in command("trace"), "still on", "off")


# ---- GDB ----

STOP = ["break console_serve", "continue"]


def gdb_spawn(words: str) -> list[str]:
    return [f"mazu type spawn {words}", "tbreak task_detach", "continue"]


def test_gdb(tmp_path):
    """Tasks, queues, stacks and the timeline, with loads of each policy; then what there is none of."""
    picture = tmp_path / "a.svg"
    commands = [*STOP, *gdb_spawn("hog"), *gdb_spawn("periodic dl 1000 5000 10000"),
                *gdb_spawn("hog fifo 3 1000 20000 20000"), "mazu tasks", "mazu runq",
                *(f"mazu bt {number}" for number in range(1, 6)), "mazu bt 99", "mazu bt",
                f"mazu timeline {picture}", f"mazu timeline {tmp_path / 'a.json'}"]
    said = run_tour(kernel("debug"), commands, tmp_path)
    expect_equal(len(said), len(commands), "commands that GDB came to the end of")
    listed, queue, *stacks, none, usage, drawn, _ = said[-11:]
    for name in ("watchdog", "shell", "hog", "periodic", "deadline 1000/5000/10000 us", "fifo 3"):
        expect(name in listed, name, listed)
    expect(re.search(r"^hart 0: \d+ switches, mode LO\nlongest, in cycles: irq-off \d+, .*\ncallouts: .*\n"
                     r" +\d+  shell +running", queue), "the shell on hart 0", queue)
    running, others = ([said for said in stacks if ("has the hart" in said) == has] for has in (True, False))
    expect_equal(len(running), 1, f"tasks that run, {stacks}")
    for stack in others:
        expect("#0 " in stack and re.search(r"task_begin|arch_context_begin", stack), "a whole stack", stack)
    for lines, part in ((none, "no task 99"), (usage, "usage"), (drawn, "events of")):
        expect(part in lines, part, lines)
    ElementTree.fromstring(picture.read_text())
    json.loads((tmp_path / "a.json").read_text())


def test_gdb_before_tasks(tmp_path):
    """At the first instruction, and in a stage that has none: a line each."""
    commands = ["mazu tasks", "mazu runq", "mazu bt 1", "mazu timeline"]
    for variant, part in (("debug", "no tasks yet"), ("lab02", "a stage without tasks")):
        said = run_tour(kernel(variant), commands, tmp_path)
        for lines in said[:3]:
            expect(part in lines, part, lines)
        expect("Traceback" not in said[3] and len(said[3].strip().splitlines()) == 1, "a line", said[3])
