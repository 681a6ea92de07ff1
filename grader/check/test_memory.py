"""Memory as a user of the system meets it: any amount of it, with holes, claimed by a liar, or gone.

The kernel's own tests look at the allocators from within; here the machine around them changes.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from grader.check.blob import Node, Tree, cells, numbers
from grader.check.test_devtree import (PLACE, RAM, RAM_SIZE, boot_changed, check_usable, complaints,
                                       go_on, hand_over, own_blob)
from grader.core.machine import Machine
from grader.core.verdict import expect, expect_equal

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
IMAGE = RAM + 2 * MIB
ROM, UART, FLASH = 0x1000, 0x1000_0000, 0x2000_0000
DEVICES = ((0x10_0000, 0x1000), (0x10_1000, 0x1000), (0x200_0000, 0x10000), (0xC00_0000, 0x60_0000),
           (UART, 0x9000), (0x1010_0000, 0x1000))
PLAN = re.compile(r"^1\.\.(\d+)$", re.MULTILINE)
TYPES = re.compile(r"^(\w+) +(\d+) pages", re.MULTILINE)
MOST_ALLOCATIONS = 64  # of a boot
SELFTESTS_S = 60  # of the machine's own time: some of them sleep


def check_tap(machine: Machine, within: float | None = None) -> None:
    """The self-tests ran, all of them passed, and the machine ended with status 0."""
    expect_equal(machine.wait_exit(within), 0, "QEMU's status after the self-tests")
    said = machine.console.transcript
    plan = PLAN.search(said)
    expect(plan, "a plan", said[-400:])
    expect_equal(len(re.findall(r"^ok \d+", said, re.MULTILINE)), int(plan[1]), "tests passed")


def accounts(machine: Machine) -> dict[str, int]:
    """Pages by name, as `mem types` has them: the types, free and total."""
    said = machine.console.command("mem types")
    found = {name.lower(): int(pages) for name, pages in TYPES.findall(said)}
    expect("total" in found and "free" in found, "a total and what is free", said)
    return found


def check_accounts(machine: Machine) -> dict[str, int]:
    found = accounts(machine)
    held = sum(pages for name, pages in found.items() if name != "total")
    expect_equal(held, found["total"], "free and all types together")
    return found


# ---- Any amount ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("memory", "pages"), [("32M", 8192), ("33M", 8448), ("1G", 1 << 18),
                                               ("8G", 1 << 21)])
def test_accounts_add_up(boot, memory, pages):
    """Every page of the machine is free or somebody's, before and after it is used."""
    machine = boot(memory=memory)
    expect_equal(check_accounts(machine)["total"], pages, "pages")
    for command in ("mem", "mem slabs", "mem blocks"):
        expect(machine.console.command(command).strip(), f"an answer to {command}", "none")
    check_accounts(machine)
    check_usable(machine)


def test_pt(boot):
    """pt says where an address leads, that it leads nowhere, or how it is asked."""
    console = boot().console
    said = console.command(f"pt {IMAGE + 5}")
    for fact in (f"physical  {IMAGE + 5:#x}", f"page      4 KiB at {IMAGE:#x}", "read, execute"):
        expect(fact in said, fact, said)
    expect("2 MiB at 0x84000000" in console.command("pt 0x84001234"), "a large page",
           console.last_line)
    for address in ("0", f"{RAM:#x}", "0x3fffffffff"):
        expect("nothing is mapped" in console.command(f"pt {address}"), f"nothing at {address}",
               console.last_line)
    for nonsense in ("pt", "pt x", "pt -1", "pt 0x4000000000", "pt 1 2", "mem x", "mem types x"):
        expect(console.command(nonsense).startswith("usage: "), f"how to use {nonsense}",
               console.last_line)
    unmapped = boot(append="failalloc=1").console.command("pt 0x80200000")
    expect("translation is off" in unmapped, "that translation is off", unmapped)


# ---- A tree with holes, and worse ----------------------------------------------------------------


def with_memory(*ranges: tuple[int, int]) -> Callable[[Tree], None]:
    def change(tree: Tree) -> None:
        memory = tree.root.child("memory")
        memory.properties["reg"] = b"".join(numbers(start, size) for start, size in ranges)
    return change


def with_reserved(*ranges: tuple[int, int]) -> Callable[[Tree], None]:
    def change(tree: Tree) -> None:
        reserved = tree.root.child("reserved-memory")
        for start, size in ranges:
            reserved.children.append(Node(f"hole@{start:x}", {"reg": numbers(start, size)}))
    return change


def with_initrd(start: int, end: int) -> Callable[[Tree], None]:
    def change(tree: Tree) -> None:
        tree.root.child("chosen").properties |= {"linux,initrd-start": numbers(start),
                                                 "linux,initrd-end": numbers(end)}
    return change


def with_reservations(*ranges: tuple[int, int]) -> Callable[[Tree], None]:
    """In the block in front of the tree."""
    def change(tree: Tree) -> None:
        tree.reservations += ranges
    return change


def without_reservations(tree: Tree) -> None:
    tree.root.child("reserved-memory").children.clear()
    tree.reservations.clear()


def with_reg(reg: bytes) -> Callable[[Tree], None]:
    def change(tree: Tree) -> None:
        tree.root.child("memory").properties["reg"] = reg
    return change


def with_cells(address: int, size: int) -> Callable[[Tree], None]:
    def change(tree: Tree) -> None:
        tree.root.properties |= {"#address-cells": cells(address), "#size-cells": cells(size)}
    return change


HOLES = {
    "pieces": with_memory((RAM, 12 * MIB), (RAM + 16 * MIB, 20 * MIB), (RAM + 64 * MIB, 64 * MIB)),
    "ragged": with_memory((RAM + 5, 9 * MIB + 77), (RAM + 13 * MIB + 4095, 50 * MIB + 3),
                          (RAM + 64 * MIB + 12 * KIB, 31 * MIB)),
    "crumbs": with_memory((RAM, 12 * MIB), *((RAM + (16 + 6 * i) * MIB, (i + 1) * 300 * KIB)
                                            for i in range(14))),
    "shuffled": with_memory((RAM + 96 * MIB, 32 * MIB), (RAM, 16 * MIB), (RAM + 32 * MIB, 8 * MIB)),
    "overlapping": with_memory((RAM, 40 * MIB), (RAM + 20 * MIB, 60 * MIB), (RAM, RAM_SIZE),
                               (RAM + 127 * MIB, MIB)),
    "reserved": with_reserved((RAM + 20 * MIB, 4 * MIB), (RAM + 40 * MIB + 4096, 4096),
                              (RAM + 64 * MIB - 1, 2), (RAM + 126 * MIB, 2 * MIB)),
}

LIES = {
    "nothing there": with_memory((RAM, RAM_SIZE), (0x30_0000_0000, 64 * MIB)),
    "more than there is": with_memory((RAM, 64 * GIB)),
    "the whole address space": with_memory((0, (1 << 64) - 1)),
    "wrapping": with_memory((RAM, RAM_SIZE), ((1 << 64) - 4096, 8192)),
    "out of reach": with_memory((RAM, RAM_SIZE), (1 << 40, GIB)),
    "none": with_memory((RAM, 0)),
    "elsewhere": with_memory((RAM + 64 * MIB, 64 * MIB)),
    "a page": with_memory((RAM + 2 * MIB, 4096)),
    "only devices": with_memory((0x1000_0000, 0x1000)),
    "all reserved": with_reserved((RAM, RAM_SIZE)),
    "everything reserved": with_reserved((0, (1 << 64) - 1)),
    "reserved in a circle": with_reserved(((1 << 64) - 4096, 8192)),
    "the image reserved": with_reserved((IMAGE - 5, 4 * MIB)),
    "the tree reserved": with_reserved((PLACE + 1, 1)),
    "nothing reserved": without_reservations,
    "every second page reserved": with_reserved(*((RAM + 32 * MIB + i * 8192, 1)
                                                  for i in range(64))),
    "a thousand reservations": with_reservations(*((RAM + 16 * MIB + i * 64 * KIB, 4096)
                                                   for i in range(1000))),
    "reservations that wrap": with_reservations(((1 << 64) - 1, 1), ((1 << 64) - 8, 16), (0, 0xFFF)),
    "64 ranges": with_memory(*((RAM + i * 2 * MIB, MIB) for i in range(64))),
    "64 crumbs": with_memory((RAM, 12 * MIB), *((RAM + 16 * MIB + i * 12 * KIB, 4096 + i)
                                                for i in range(63))),
    "less than a page each": with_memory(*((RAM + i * 8192 + 1, 4095) for i in range(16))),
    "all below the memory": with_memory((0x1000, RAM - 0x1000), (RAM, RAM_SIZE)),
    "a device's page": with_memory((RAM, RAM_SIZE), (UART, 0x1000)),
    "devices' pages": with_memory((RAM, RAM_SIZE), *DEVICES),
    "read-only memory": with_memory((RAM, RAM_SIZE), (ROM, 0xF000)),
    "flash": with_memory((RAM, RAM_SIZE), (FLASH, 64 * MIB)),
    "windows of a bus": with_memory((RAM, RAM_SIZE), (0x4000_0000, GIB), (0x4_0000_0000, 16 * GIB)),
    "a hole in the middle": with_memory((FLASH, RAM + RAM_SIZE - FLASH)),
    "the last page within reach": with_memory((RAM, RAM_SIZE), ((1 << 37) - 4096, 8192)),
    "the last page of all": with_memory((RAM, RAM_SIZE), ((1 << 64) - 4096, 4095)),
    "without the image": with_memory((RAM + 32 * MIB, 96 * MIB)),
    "up to the image": with_memory((RAM, IMAGE - RAM)),
    "from the image on": with_memory((IMAGE, RAM_SIZE - (IMAGE - RAM))),
    "half a range": with_reg(numbers(RAM) + cells(0)),
    "one cell each": with_cells(1, 1),
    "no cells": with_cells(0, 0),
    "three cells each": with_cells(3, 3),
    "initrd that ends before it begins": with_initrd(RAM + 48 * MIB, RAM + 40 * MIB),
    "initrd up to the end": with_initrd(RAM + 48 * MIB, (1 << 64) - 1),
    "initrd outside of memory": with_initrd(RAM + 2 * RAM_SIZE, RAM + 2 * RAM_SIZE + MIB),
    "initrd at a device": with_initrd(UART, UART + 4096),
    "initrd over the image": with_initrd(IMAGE - 4096, IMAGE + 8 * MIB),
    "initrd over the tree": with_initrd(PLACE + 8, PLACE + 16),
    "initrd over the firmware": with_initrd(RAM, RAM + 4096),
    "initrd over everything": with_initrd(IMAGE, RAM + RAM_SIZE),
    "initrd of a byte": with_initrd(RAM + 48 * MIB + 5, RAM + 48 * MIB + 6),
}

AT_THE_END, BEHIND_THE_IMAGE = -1, 0
# Where the tree is, and memory that may have a hole there.
PLACES = {
    "at the very end": (AT_THE_END, None),
    "in a hole": (RAM + 72 * MIB, with_memory((RAM, 64 * MIB), (RAM + 80 * MIB, 48 * MIB))),
    "behind all memory": (RAM + 120 * MIB, with_memory((RAM, 64 * MIB))),
    "half in a hole": (RAM + 64 * MIB - 4096, with_memory((RAM, 64 * MIB))),
    "right behind the image": (BEHIND_THE_IMAGE, None),
}


@pytest.mark.parametrize("shape", HOLES)
def test_selftests_with_holes(entry, shape):
    """The self-tests pass on memory that is in pieces."""
    gdb = entry(append="selftest", icount=True)
    tree = Tree.parse(own_blob(gdb))
    HOLES[shape](tree)
    hand_over(gdb, tree.flatten(), at=RAM + 7 * MIB)
    machine = gdb.machine
    gdb.detach()
    check_tap(machine, SELFTESTS_S)


@pytest.mark.parametrize("shape", HOLES)
def test_accounts_with_holes(entry, shape):
    """What is in a hole is nobody's page, and what is left adds up."""
    gdb = entry()
    tree = Tree.parse(own_blob(gdb))
    HOLES[shape](tree)
    hand_over(gdb, tree.flatten(), at=RAM + 7 * MIB)
    machine = go_on(gdb)
    check_accounts(machine)
    expect_equal(complaints(machine), [], "warnings and errors")
    check_usable(machine)


@pytest.mark.parametrize("lie", LIES)
def test_lies(entry, lie):
    """Whatever the tree says of memory, the boot ends at a prompt that answers."""
    machine = boot_changed(entry, LIES[lie])
    check_accounts(machine)
    check_usable(machine)


@pytest.mark.parametrize("where", PLACES)
def test_place_of_the_tree(entry, where):
    """Wherever the tree lies, its command line can be read when translation is on."""
    gdb = entry(append="loglevel=1 selftest=bootargs*")
    at, change = PLACES[where]
    tree = Tree.parse(own_blob(gdb))
    if change:
        change(tree)
    blob = tree.flatten()
    if at == AT_THE_END:
        at = RAM + RAM_SIZE - (len(blob) + 7 & ~7)
    hand_over(gdb, blob, at=at or gdb.symbols["_kernel_end"] + 7 & ~7)
    machine = gdb.machine
    gdb.detach()
    check_tap(machine, SELFTESTS_S)


# ---- No memory -----------------------------------------------------------------------------------


def test_boot_with_each_allocation_failing(boot):
    """A boot survives each of its allocations failing: a prompt, and accounts that add up."""
    for nth in range(1, MOST_ALLOCATIONS):
        machine = boot(append=f"failalloc={nth}")
        expect("PANIC" not in machine.console.transcript, f"no panic at allocation {nth}", "one")
        check_accounts(machine)
        failed = "out of memory" in machine.console.transcript
        machine.console.send("shutdown\n")
        expect_equal(machine.wait_exit(), 0, "QEMU's status after shutdown")
        if not failed:
            expect(nth > 1, "the first allocation of a boot to fail", "none did")
            return
    raise AssertionError(f"a boot makes more than {MOST_ALLOCATIONS} allocations")


def test_kernel_without_its_map(boot):
    """Without memory for its page tables the kernel says so, and programs cannot be run."""
    machine = boot(append="failalloc=1")
    expect("memory is not protected" in machine.console.transcript, "a word of it",
           machine.console.transcript[-300:])
    status = machine.console.command("init")
    expect(re.search(r"kernel_map +failed", status), "kernel_map to have failed", status)
    check_usable(machine)
