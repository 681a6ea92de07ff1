"""The bundle of a failure: what an engineer would ask for, gathered while the machine is alive.

Console, what the grader did, the exact QEMU command, registers and backtrace of each hart, the
kernel's event ring as text and as a picture, how QEMU ended, packets and disks.  Gathering never fails a criterion twice: what cannot be had is
named in the file where it would stand.
"""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

from grader.core import timeline
from grader.core.machine import Machine
from grader.core.registers import GENERAL

CSRS = ("sstatus", "sepc", "scause", "stval", "stvec", "satp", "sie", "sip")
LARGEST_IMAGE = 64 << 20
EVENTS, TIMELINE = "events.log", "timeline.svg"


def gather(machine: Machine, folder: Path) -> None:
    """Write everything about one machine into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "qemu.txt").write_text(shlex.join(machine.command) + "\n")
    (folder / "harts.txt").write_text(_harts(machine), "utf-8")
    _write_events(machine, folder)
    if machine.alive:
        machine.kill()
        status = "the grader ended it"
    else:
        machine.console.settle()
        status = f"it ended with status {machine.status}"
    (folder / "exit.txt").write_text(f"{status}\n{machine.errors()}\n", "utf-8")
    (folder / "console.log").write_text(machine.console.transcript, "utf-8")
    (folder / "trace.log").write_text("".join(f"{event}\n" for event in machine.trace), "utf-8")
    images = [wire.pcap for wire in machine.board.wires] + [
        disk.path for disk in machine.board.disks
    ]
    for image in images:
        if image.exists() and image.stat().st_size <= LARGEST_IMAGE:
            shutil.copy(image, folder / image.name)


def _harts(machine: Machine) -> str:
    if not machine.alive:
        return "the machine had ended\n"
    try:
        gdb = machine.gdb
        return "\n".join(_hart(gdb, thread) for thread in gdb.harts())
    except Exception as error:  # the guest may have left it in any state: say so, and go on
        return f"not to be had: {error}\n"


def _write_events(machine: Machine, folder: Path) -> None:
    """What the criterion kept, which knows the tasks' names; else what the ring holds now."""
    kept = machine.kept
    if not kept and machine.alive and timeline.RINGS in machine.symbols:
        try:
            trace = timeline.read(machine.gdb)
            kept = {EVENTS: timeline.listing(trace), TIMELINE: timeline.draw(trace)}
        except Exception as error:  # as above
            kept = {EVENTS: f"not to be had: {error}\n"}
    for name, text in kept.items():
        if text:
            (folder / name).write_text(text, "utf-8")


def _hart(gdb, thread: int) -> str:
    gdb.select(thread)
    lines = [f"hart {thread - 1} at {gdb.where()}"]
    values = [f"{name:>8} {value:016x}" for name, value in gdb.registers((*GENERAL, *CSRS)).items()]
    lines += ["".join(values[i : i + 4]) for i in range(0, len(values), 4)]
    lines += [f"  #{depth} {place}" for depth, place in enumerate(gdb.backtrace())]
    return "\n".join(lines) + "\n"
