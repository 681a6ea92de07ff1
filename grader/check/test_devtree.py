"""The device tree as an enemy: put in place at kernel entry, through GDB.

Whatever the firmware hands over, the kernel says in one `devtree:` line what is wrong and goes on
to a prompt.  The trees are the firmware's own, changed as a tree (blob.py), or spoilt byte by byte.
"""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Callable

import pytest

from grader.check.blob import (BEGIN_NODE, END_NODE, NOP, PROP, Node, Tree, cells, damaged,
                               numbers, patched,
                               text)
from grader.check.conftest import PROMPT
from grader.core.gdb import Gdb
from grader.core.machine import Machine
from grader.core.structures import Structures
from grader.core.verdict import expect, expect_equal

PLACE = 0x8400_0000  # memory that only a tree that is handed over uses
RAM, RAM_SIZE = 0x8000_0000, 128 << 20
NOWHERE = 0x30_0000_0000  # no device and no memory is there
LARGEST = 2 << 20
DEEPEST, LONGEST_NAME, MOST_RANGES = 16, 255, 16
PROBLEM = re.compile(r"error: devtree: .*; assuming QEMU's virt machine$", re.MULTILINE)
COMPLAINT = re.compile(r"(?:error|warning): .*")
UNKNOWN_HART = "warning: devtree: hart {}, which we run on, is not in the tree"
TOO_MANY = "warning: devtree: 1 more than CONFIG_CPU_MAX=8 harts, ignored"
ROUNDS, DAMAGES_A_ROUND = 8, 10


# ---- Handing over a tree -------------------------------------------------------------------------


def own_blob(gdb: Gdb) -> bytes:
    """The tree that the firmware hands over, with a random seed that does not change."""
    at = gdb.read("a1")
    blob = gdb.read_memory(at, int.from_bytes(gdb.read_memory(at + 4, 4), "big"))
    tree = Tree.parse(blob)
    seed = tree.root.child("chosen").properties.get("rng-seed")
    return blob.replace(seed, bytes(range(len(seed)))) if seed else blob


def hand_over(gdb: Gdb, blob: bytes, at: int = PLACE) -> None:
    if blob:
        gdb.write_memory(at, blob)
    gdb.write("a1", at)


def go_on(gdb: Gdb) -> Machine:
    """Let it boot without a debugger, to the prompt."""
    machine = gdb.machine
    gdb.detach()
    machine.console.expect(PROMPT)
    return machine


def complaints(machine: Machine) -> list[str]:
    """The warnings and errors of the boot."""
    return COMPLAINT.findall(machine.console.transcript)


def devtree_lines(machine: Machine) -> list[str]:
    return [line for line in complaints(machine) if "devtree:" in line]


def check_usable(machine: Machine, status: int = 0) -> None:
    expect_equal(machine.console.command("echo one two"), "one two\n", "the echo")
    machine.console.send("shutdown\n")
    expect_equal(machine.wait_exit(), status, "QEMU's status after shutdown")


def boot_changed(entry: Callable[..., Gdb], change: Callable[[Tree], object], **board) -> Machine:
    """A machine at the prompt, whose tree `change` has changed."""
    gdb = entry(**board)
    tree = Tree.parse(own_blob(gdb))
    change(tree)
    hand_over(gdb, tree.flatten())
    return go_on(gdb)


def boot_without(entry: Callable[..., Gdb], compatible: bytes, **board) -> Machine:
    """A machine at the prompt, in whose tree nothing is compatible with this any more."""
    gdb = entry(**board)
    blob = own_blob(gdb)
    expect(compatible in blob, f"{compatible!r} in the firmware's tree", "none")
    hand_over(gdb, blob.replace(compatible, b"x" + compatible[1:]))
    return go_on(gdb)


def test_own_tree_rewritten(entry):
    """The firmware's tree, written again by blob.py and elsewhere, boots without a complaint."""
    machine = boot_changed(entry, lambda tree: None)
    expect_equal(complaints(machine), [], "warnings and errors")
    check_usable(machine)


# ---- Devices that are not there ------------------------------------------------------------------


def test_no_uart(entry):
    """Without a UART the firmware's console serves, input too, and the boot says so."""
    machine = boot_without(entry, b"ns16550a")
    expect_equal(len(complaints(machine)), 3,
                 "warnings: no UART, its task, and who is asked for input")
    check_usable(machine)


def test_no_plic(entry):
    """Without an interrupt controller input is polled through the firmware."""
    machine = boot_changed(entry, lambda t: t.root.find("riscv,plic0").properties.pop("compatible"))
    said = "\n".join(complaints(machine))
    for what in ("devtree: no PLIC", "uart"):
        expect(what in said, f"a warning with {what!r}", said)
    check_usable(machine)


def test_plic_by_its_other_name(entry):
    """A PLIC that is only compatible with riscv,plic0 is one as well."""
    machine = boot_without(entry, b"sifive,plic-1.0.0")
    expect_equal(complaints(machine), [], "warnings and errors")
    check_usable(machine)


def test_no_test_device(entry):
    """Without a test device the firmware ends the machine: shutdown with status 0, and reboot."""
    machine = boot_without(entry, b"sifive,test0", reboots=True)
    machine.console.send("reboot\n")
    machine.console.expect(", stage ")
    machine.console.expect(PROMPT)
    check_usable(machine)
    check_usable(boot_without(entry, b"sifive,test0"))


def test_no_rtc(entry):
    """Without a real-time clock the wall time is unknown, and the rest of `time` is there."""
    machine = boot_without(entry, b"google,goldfish-rtc")
    said = machine.console.command("time")
    expect("wall       unknown" in said and "monotonic" in said,
           "an unknown wall time, and the rest", said)
    check_usable(machine)


def test_disabled_devices(entry):
    """A device whose status is not okay is not there."""
    def disable(tree: Tree) -> None:
        tree.root.find("ns16550a").properties["status"] = text("disabled")

    machine = boot_changed(entry, disable)
    expect("devtree: no UART" in "\n".join(complaints(machine)), "no UART", complaints(machine))
    check_usable(machine)


@pytest.mark.parametrize("where", [NOWHERE, RAM + (32 << 20)])
@pytest.mark.parametrize("device",
                         ["ns16550a", "riscv,plic0", "google,goldfish-rtc", "sifive,test0"])
def test_device_elsewhere(entry, device, where):
    """A device at an address where there is none costs that device, not the system."""
    def move(tree: Tree) -> None:
        node = tree.root.find(device)
        node.properties["reg"] = numbers(where) + node.properties["reg"][8:]

    machine = boot_changed(entry, move)
    expect_equal(machine.console.command("echo one two"), "one two\n", "the echo")
    expect(complaints(machine), "a warning", "none")


# ---- Harts and time ------------------------------------------------------------------------------


@pytest.mark.parametrize("hart", [1, 8, 0xFFFF_FFFF, (1 << 64) - 1])
def test_unknown_hart(entry, hart):
    """A hart that the tree does not know is named in one line, and boots to a prompt."""
    gdb = entry()
    gdb.write("a0", hart)
    machine = go_on(gdb)
    expect_equal(devtree_lines(machine), [UNKNOWN_HART.format(hart)], "devtree's lines")
    check_usable(machine)


def test_boot_hart_behind_many(entry):
    """With more harts than CONFIG_CPU_MAX, ours is known also when it is the last of them."""
    def turn(tree: Tree) -> None:
        cpus = tree.root.child("cpus")
        harts = [node for node in cpus.children if node.name.startswith("cpu@")]
        cpus.children = [*harts[1:], harts[0]]

    machine = boot_changed(entry, turn, harts=9)
    expect_equal(complaints(machine), [TOO_MANY], "warnings and errors")
    check_usable(machine)


def test_no_harts(entry):
    """A tree without harts boots on the one that there must be."""
    machine = boot_changed(entry, lambda t: t.root.child("cpus").children.clear())
    expect_equal(devtree_lines(machine), [UNKNOWN_HART.format(0)], "devtree's lines")
    check_usable(machine)


@pytest.mark.parametrize("frequency", [b"", cells(0), cells(1), cells(999), numbers(10**10 + 1),
                                       numbers((1 << 64) - 1), b"\1\2\3"])
def test_absurd_timebase(entry, frequency):
    """A timebase that no hart has is replaced, in one line."""
    def change(tree: Tree) -> None:
        tree.root.child("cpus").properties["timebase-frequency"] = frequency

    machine = boot_changed(entry, change)
    expect_equal([line.partition(",")[0] for line in complaints(machine)],
                 ["warning: devtree: no credible timebase-frequency"], "warnings and errors")
    expect("10000000 Hz" in machine.console.command("time"), "10 MHz", machine.console.last_line)
    check_usable(machine)


@pytest.mark.parametrize("hz", [1000, 1001, 10**10])
def test_odd_timebase(entry, hz):
    """At the edges of what is credible, the clock runs and the console answers."""
    def change(tree: Tree) -> None:
        tree.root.child("cpus").properties["timebase-frequency"] = numbers(hz)

    machine = boot_changed(entry, change)
    expect(f"{hz} Hz" in machine.console.command("time"), f"{hz} Hz", machine.console.last_line)
    expect("up " in machine.console.command("uptime"), "an uptime", machine.console.last_line)
    check_usable(machine)


# ---- Memory --------------------------------------------------------------------------------------


def memory_node(name: str, *ranges: tuple[int, int]) -> Node:
    reg = b"".join(numbers(*one) for one in ranges)
    return Node(name, {"device_type": text("memory"), "reg": reg})


def replace_memory(tree: Tree, nodes: list[Node]) -> None:
    others = [node for node in tree.root.children if not node.name.startswith("memory")]
    tree.root.children = others + nodes


def check_memory(entry, layout, nodes: list[Node], want: list[tuple[int, int]],
                 ignored: int) -> None:
    gdb = entry()
    tree = Tree.parse(own_blob(gdb))
    replace_memory(tree, nodes)
    hand_over(gdb, tree.flatten())
    gdb.run_to("init_run_tasks")
    fields = Structures(gdb, layout)
    got = [tuple(fields.read("board", f"memory.at[{i}].{part}") for part in ("base", "size"))
           for i in range(fields.read("board", "memory.count"))]
    expect_equal(got, want, "the ranges of memory")
    expect_equal(fields.read("board", "memory.ignored"), ignored, "the ranges ignored")
    check_usable(go_on(gdb))


def test_memory_with_holes(entry, layout):
    """Ranges in one node and in several, with holes and empty ones between: all are found."""
    holes = [(RAM, 16 << 20), (RAM + (32 << 20), 8 << 20), (RAM + (64 << 20), 0x3000),
             (1 << 40, 1 << 30)]
    nodes = [memory_node("memory@80000000", holes[0], (0x1000, 0), holes[1]),
             memory_node("memory@x", *holes[2:])]
    check_memory(entry, layout, nodes, holes, 0)


def test_memory_in_many_pieces(entry, layout):
    """More ranges than there is room for are counted."""
    pieces = [(RAM + (i << 21), 1 << 20) for i in range(40)]
    check_memory(entry, layout, [memory_node("memory", *pieces)], pieces[:MOST_RANGES],
                 40 - MOST_RANGES)


def test_memory_that_wraps(entry):
    """A range beyond the last address, half a range, and no memory at all: it boots."""
    nodes = [memory_node("memory@1", ((1 << 64) - 0x1000, 0x2000)), Node("memory@2", {
        "device_type": text("memory"), "reg": numbers(RAM) + b"\0\0"})]
    check_usable(boot_changed(entry, lambda tree: replace_memory(tree, nodes)))
    check_usable(boot_changed(entry, lambda tree: replace_memory(tree, [])))


# ---- The blob's place ----------------------------------------------------------------------------


@pytest.mark.parametrize("at",
                         [0, 4, 0x8400_0001, 0x8400_0004, NOWHERE, RAM, RAM + RAM_SIZE - 8,
                          RAM + RAM_SIZE,
                                0x1000_0000, (1 << 64) - 8, 1 << 63])
def test_no_tree_there(entry, at):
    """An a1 that is null, odd, unmapped, the firmware's or a device's: one line, and it boots."""
    gdb = entry()
    if at in (0x8400_0001, 0x8400_0004):
        hand_over(gdb, own_blob(gdb), at)
    gdb.write("a1", at)
    machine = go_on(gdb)
    expect_equal(len(PROBLEM.findall(machine.console.transcript)), 1, "devtree's lines")
    expect_equal(len(complaints(machine)), 1, f"lines in {complaints(machine)}")
    check_usable(machine)


def test_tree_at_the_end_of_memory(entry):
    """A tree that ends with the memory is read; one that claims a byte more is not."""
    gdb = entry()
    blob = own_blob(gdb)
    blob += bytes(-len(blob) % 8)
    whole, beyond = patched(blob, 4, cells(len(blob))), patched(blob, 4, cells(len(blob) + 1))
    hand_over(gdb, whole, RAM + RAM_SIZE - len(blob))
    machine = go_on(gdb)
    expect_equal(complaints(machine), [], "warnings and errors")
    gdb = entry()
    hand_over(gdb, beyond, RAM + RAM_SIZE - len(blob))
    machine = go_on(gdb)
    expect_equal(len(PROBLEM.findall(machine.console.transcript)), 1, "devtree's lines")
    check_usable(machine)


# ---- The blob itself -----------------------------------------------------------------------------


def with_end(tree: Tree, *tokens: int) -> bytes:
    """The tree with other tokens in place of the last ones."""
    blob = tree.flatten()
    end = int.from_bytes(blob[12:16], "big")
    return patched(blob, end - 4 * len(tokens), cells(*tokens))


def nested(tree: Tree, depth: int) -> bytes:
    """With a chain of nodes as deep as this, the root being at depth 0."""
    tree = copy.deepcopy(tree)
    node = tree.root
    for _ in range(depth):
        node.children.append(child := Node("deeper"))
        node = child
    return tree.flatten()


def with_name(tree: Tree, length: int) -> bytes:
    tree = copy.deepcopy(tree)
    tree.root.children.append(Node("n" * length))
    return tree.flatten()


def with_value(tree: Tree, size: int) -> bytes:
    tree = copy.deepcopy(tree)
    tree.root.properties["filler"] = bytes(size)
    return tree.flatten()


BROKEN: dict[str, Callable[[bytes, Tree], bytes]] = {
    "no magic": lambda blob, tree: patched(blob, 0, cells(0xEDFE0DD0)),
    "total size 0": lambda blob, tree: patched(blob, 4, cells(0)),
    "total size 39": lambda blob, tree: patched(blob, 4, cells(39)),
    "truncated": lambda blob, tree: patched(blob, 4, cells(len(blob) // 2)),
    "huge": lambda blob, tree: patched(blob, 4, cells(0xFFFFFFFF)),
    "just too large": lambda blob, tree: patched(blob, 4, cells(LARGEST + 1)),
    "structure is the header": lambda blob, tree: patched(blob, 8, cells(0)),
    "structure outside": lambda blob, tree: patched(blob, 8, cells(0xFFFFFFFC)),
    "structure wraps": lambda blob, tree: patched(blob, 36, cells(0xFFFFFFFC)),
    "strings over structure": lambda blob, tree: patched(blob, 12, blob[8:12]),
    "strings wrap": lambda blob, tree: patched(blob, 32, cells(0xFFFFFFFF)),
    "reservations over structure": lambda blob, tree: patched(blob, 16, cells(
        int.from_bytes(blob[8:12], "big") + 7 & ~7)),
    "reservations without end": lambda blob, tree: patched(blob, 16, cells(len(blob) - 8 & ~7)),
    "version 15": lambda blob, tree: patched(blob, 20, cells(15)),
    "of the future": lambda blob, tree: patched(blob, 24, cells(18)),
    "no end": lambda blob, tree: with_end(tree, NOP),
    "never closed": lambda blob, tree: with_end(tree, NOP, 9),
    "closed twice": lambda blob, tree: with_end(tree, END_NODE),
    "all begin": lambda blob, tree: with_end(tree, *[BEGIN_NODE, 0] * 400),
    "all property": lambda blob, tree: with_end(tree, *[PROP] * 800),
    "all zero": lambda blob, tree: patched(blob, 40, bytes(len(blob) - 40)),
    "too deep": lambda blob, tree: nested(tree, DEEPEST + 1),
    "a name too long": lambda blob, tree: with_name(tree, LONGEST_NAME + 1),
}


@pytest.mark.parametrize("what", BROKEN)
def test_malformed(entry, what):
    """A malformed tree is reported in one line, and the kernel boots on assumptions and works."""
    gdb = entry()
    blob = own_blob(gdb)
    hand_over(gdb, BROKEN[what](blob, Tree.parse(blob)))
    machine = go_on(gdb)
    expect_equal(len(PROBLEM.findall(machine.console.transcript)), 1, "devtree's lines")
    expect_equal(len(complaints(machine)), 1, f"lines in {complaints(machine)}")
    check_usable(machine)


def test_large_and_odd_but_sound(entry):
    """Of the largest size, deepest nesting and longest name; and of version 16: all are read."""
    for make in (lambda tree: with_value(tree, LARGEST - (64 << 10)),
                 lambda tree: with_name(tree, LONGEST_NAME),
                 lambda tree: nested(tree, DEEPEST - 1), lambda tree: tree.flatten(version=16)):
        gdb = entry()
        hand_over(gdb, make(Tree.parse(own_blob(gdb))))
        machine = go_on(gdb)
        expect_equal(complaints(machine), [], "warnings and errors")
        machine.close()


def test_full_of_nothing(entry):
    """Two mebibytes of NOPs in a sound tree are read within the deadline of a boot."""
    gdb = entry()
    tree = Tree.parse(own_blob(gdb))
    tree.root.properties["filler"] = b""
    blob = with_value(tree, LARGEST - (64 << 10))
    at = blob.index(bytes(1024))
    hand_over(gdb, blob)
    gdb.write_memory(PLACE + at - 12 & ~3, cells(NOP) * ((LARGEST - (64 << 10)) // 4))
    check_usable(go_on(gdb))


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_random_damage(entry, round_):
    """Spoilt at random, a tree leads to a prompt, never to a panic or a hang."""
    rng = random.Random(round_)
    for number in range(DAMAGES_A_ROUND):
        gdb = entry()
        blob = own_blob(gdb)
        for _ in range(rng.choice((1, 1, 1, 3))):
            blob = damaged(blob, rng)
        gdb.machine.note(f"damage {number} of round {round_}")
        hand_over(gdb, blob)
        go_on(gdb).close()
