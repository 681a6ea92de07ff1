"""What other harts remember of memory, once it has changed.

The emulator remembers translations as a hart does, one memory for each hart, and forgets them when the kernel says
so; but also whenever a hart lets programs' pages be read or stops to (sstatus.SUM).  So each hart here gets that
right once, and then reads with memcpy(), which leaves it alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from grader.core.dwarf import Layout
from grader.core.gdb import SSTATUS_SIE, Gdb
from grader.core.structures import Structures
from grader.core.verdict import Failure, Verdict, expect, expect_equal

SUM = 1 << 18  # of sstatus
SSIP = 1 << 1  # of sip and sie
SUPERVISOR = 1
LONGEST = 200_000  # instructions that the firmware may need to come back
NOTHING = bytes.fromhex("1305000067800000")  # li a0, 0; ret


def boot(gdb, harts: int) -> Gdb:
    """At the prompt; every other hart waits in the kernel.  Nobody takes tasks from another: that is the next task."""
    machine = gdb(stop="kernel_main", harts=harts)
    machine.expect_intact_between("_text_start", "_text_end")
    machine.expect_intact_between("_rodata_start", "_rodata_end")
    machine.write_memory("sched_steal", NOTHING)
    machine.run_to("console_serve")
    shell = machine.thread
    for thread in machine.harts():
        machine.select(thread)
        leave_firmware(machine)
        if thread != shell:
            park(machine)
    machine.select(shell)
    return machine


def park(machine: Gdb) -> None:
    """The selected hart does nothing any more but what the firmware wants of it."""
    machine.write("sstatus", machine.read("sstatus") & ~SSTATUS_SIE)
    machine.write("sie", 0)
    machine.write("pc", machine.address("arch_hart_halt"))


def leave_firmware(machine: Gdb) -> None:
    machine.machine.tracing = False
    for _ in range(LONGEST):
        if machine.read("priv") == SUPERVISOR:
            break
        machine.step()
    else:
        raise Failure("every hart to come back from the firmware", f"hart {machine.thread - 1} does not", Verdict.HANG)
    machine.machine.tracing = True


@dataclass(frozen=True)
class Told:
    """A call of arch_tlb_flush_remote."""

    harts: int
    start: int
    size: int
    asid: int


class Forgetting:
    """Harts at the prompt, known by the kernel's numbers."""

    def __init__(self, machine: Gdb, layout: Layout):
        self.machine, self.layout, self.fields = machine, layout, Structures(machine, layout)
        base, size = machine.address("pcpus"), layout.field("struct pcpu").size
        shell, self.threads = machine.thread, {}
        for thread in machine.harts():
            machine.select(thread)
            self.threads[(machine.read("gp") - base) // size] = thread
        machine.select(shell)
        self.here = next(index for index, thread in self.threads.items() if thread == shell)

    def on(self, hart: int, function: str, *arguments: int) -> int:
        """A call on another hart alone, which waits for an interrupt and gets one; a0."""
        self.machine.select(self.threads[hart])
        self.machine.write("sie", SSIP)
        self.machine.write("sip", SSIP)
        with self.machine.alone():
            returned = self.machine.call(function, *arguments).a0
        self.machine.write("sip", 0)
        self.machine.write("sie", 0)
        self.machine.select(self.threads[self.here])
        return returned

    def call(self, function: str, *arguments: int) -> None:
        self.machine.call(function, *arguments)

    def pointer(self, function: str, *arguments: int) -> int:
        returned = self.machine.call(function, *arguments)
        expect_equal(returned.a1 & 0xFFFFFFFF, 0, f"{function}: the error")
        return returned.a0

    # -- whom it concerns --------------------------------------------------------------------------

    def users(self, asid: int) -> int:
        return self.fields.read("tlb_spaces", f"[{asid}].harts")

    def set_users(self, asid: int, harts: int) -> None:
        place = self.layout.field("tlb_spaces", f"[{asid}].harts")
        self.machine.write_int(self.machine.address("tlb_spaces") + place.offset, harts, place.size)

    def told(self, function: str, *arguments: int) -> list[Told]:
        """Which harts a call has forget what; they need not."""
        machine = self.machine
        saved, back, found = machine.registers(), machine.pc, []
        for name, value in (*((f"a{i}", value) for i, value in enumerate(arguments)), ("ra", back)):
            machine.write(name, value)
        machine.write("pc", machine.address(function))
        with machine.breakpoints(back, "arch_tlb_flush_remote"):
            while machine.cont(f"{function} to return") != back or machine.read("sp") != saved["sp"]:
                if machine.pc == machine.address("arch_tlb_flush_remote"):
                    found.append(Told(*(machine.read(f"a{i}") for i in range(4))))
                    machine.write("pc", machine.read("ra"))
        for name, value in saved.items():
            machine.write(name, value)
        return found

    # -- what they see -----------------------------------------------------------------------------

    def allow(self, hart: int) -> None:
        self.machine.select(self.threads[hart])
        self.machine.write("sstatus", self.machine.read("sstatus") | SUM)
        self.machine.select(self.threads[self.here])

    def write(self, address: int, value: int, buffer: int) -> None:
        """A program's word, which is there afterwards."""
        self.machine.write_int(buffer, value)
        expect_equal(self.machine.call("copy_to_user", address, buffer, 8).a0 & 0xFFFFFFFF, 0, "copy_to_user: the error")

    def see(self, hart: int, address: int, buffer: int) -> int:
        self.machine.write_int(buffer, 0)
        self.on(hart, "memcpy", buffer, address, 8)
        return self.machine.read_int(buffer)

    def expect_seen(self, address: int, buffer: int, value: int, after: str) -> None:
        for hart in self.threads:
            seen = self.see(hart, address, buffer)
            expect(seen == value, f"{after}, hart {hart} to find {value:#x}", f"{seen:#x}")


# ---- Pages that change ---------------------------------------------------------------------------------

PAGE = 4096
READ_WRITE = 3
WORD = 0x1111_0000_0000_0001


def space_of(harts: Forgetting) -> tuple[int, int]:
    """A space that every hart uses; and four pages of it."""
    space = harts.pointer("addrspace_create", 64)
    for hart in harts.threads:
        harts.on(hart, "addrspace_switch", space)
    return space, harts.pointer("addrspace_map", space, 0, 4 * PAGE, READ_WRITE)


def expect_current(harts: Forgetting, rng) -> None:
    """Whatever is done to a page that all harts know, they all see what is there then."""
    buffer = harts.pointer("page_alloc", 0, harts.layout.constant("PAGE_TEST"))
    space, at = space_of(harts)
    for round_ in range(3):
        page = at + rng.randrange(4) * PAGE
        harts.write(page, WORD + round_, buffer)
        for hart in harts.threads:
            harts.allow(hart)
        harts.expect_seen(page, buffer, WORD + round_, "a page is written")
        harts.call("addrspace_unmap", space, page, PAGE)
        harts.call("addrspace_map", space, page, PAGE, READ_WRITE)
        harts.write(page, ~WORD + round_ & (1 << 64) - 1, buffer)
        harts.expect_seen(page, buffer, ~WORD + round_ & (1 << 64) - 1, "a page is replaced by another")
    expect_reuse(harts, space, buffer)


def expect_reuse(harts: Forgetting, space: int, buffer: int) -> None:
    """The space ends, and others get its identifier and its pages."""
    for hart in harts.threads:
        harts.on(hart, "addrspace_switch", 0)
    harts.call("addrspace_destroy", space)
    for round_ in range(3):
        space, at = space_of(harts)
        harts.write(at, round_ + 7, buffer)
        for hart in harts.threads:
            harts.allow(hart)
        harts.expect_seen(at, buffer, round_ + 7, "another space has an identifier that was used before")
        for hart in harts.threads:
            harts.on(hart, "addrspace_switch", 0)
        harts.call("addrspace_destroy", space)
