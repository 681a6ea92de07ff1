"""Harts that start: the way from the firmware to the kernel, watched from outside.

`Coming` runs harts_start(), which is not the student's, and looks at each call that matters; it can have the
firmware refuse a hart, and memory run out.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from grader.core.dwarf import Layout
from grader.core.gdb import Gdb
from grader.core.structures import Structures
from grader.core.verdict import Failure, Verdict, expect, expect_equal
from grader.lab04 import order

ERR_IO = "ERR_IO"
STACK_SIZE = 4096 << 2
LONGEST = 1000  # instructions from the firmware to C


@dataclass
class Coming:
    machine: Gdb
    layout: Layout
    refused: frozenset[int] = frozenset()  # indices of harts that the firmware does not start
    missing: frozenset[int] = frozenset()  # which calls of kstack_alloc find no memory, from 0
    stacks: list[int] = field(default_factory=list)  # what kstack_alloc returned, by call; 0: nothing
    live: set[int] = field(default_factory=set)  # of those, the ones that were not freed
    started: dict[int, tuple[int, int]] = field(default_factory=dict)  # by index: its stacks, as the firmware was asked

    def __post_init__(self) -> None:
        self.fields = Structures(self.machine, self.layout)
        self.cpus, self.size = self.machine.address("pcpus"), self.layout.field("struct pcpu").size

    def run(self) -> None:
        """All of harts_start()."""
        machine = self.machine
        if machine.pc != machine.address("harts_start"):
            machine.run_to("harts_start")
        back, stack, thread = machine.read("ra"), machine.read("sp"), machine.thread
        places = ("kstack_alloc", "kstack_free", "arch_hart_start")
        with machine.breakpoints(back, *places):
            while machine.cont("harts_start to return", within=10) != back or machine.read("sp") != stack:
                for place in places:
                    if machine.pc == machine.address(place):
                        getattr(self, f"_{place}")()
        self.boot = thread

    def state(self, hart: int) -> int:
        return self.fields.read("states", f"[{hart}]")

    def online(self) -> int:
        return self.machine.read_int("harts_on")

    def _return(self, **registers: int) -> None:
        for name, value in registers.items():
            self.machine.write(name, value)
        self.machine.write("pc", self.machine.read("ra"))

    def _kstack_alloc(self) -> None:
        if len(self.stacks) in self.missing:
            self.stacks.append(0)
            error = self.layout.field("struct result_ptr", "err").offset // 8
            return self._return(**{f"a{error}": self.layout.constant("ERR_NOMEM"), f"a{1 - error}": 0})
        self.machine.finish()
        stack = self.machine.read(f"a{self.layout.field('struct result_ptr', 'value').offset // 8}")
        self.stacks.append(stack)
        self.live.add(stack)

    def _kstack_free(self) -> None:
        stack = self.machine.read("a0")
        expect(stack in self.live, "a stack to be freed that kstack_alloc returned, once", f"{stack:#x}")
        self.live.remove(stack)

    def _arch_hart_start(self) -> None:
        cpu, stacks = self.machine.read("a0"), (self.machine.read("a1"), self.machine.read("a2"))
        hart, rest = divmod(cpu - self.cpus, self.size)
        expect(rest == 0 and 0 < hart < 64, "arch_hart_start to be given a hart's struct pcpu", f"{cpu:#x}")
        expect(hart not in self.started, f"hart {hart} to be started once", "a second time")
        expect_equal(self.state(hart), self.layout.constant("HART_COMING"),
                     f"the state of hart {hart}, which may come at once, when the firmware is asked")
        expect(self.fields.read("struct pcpu", "callouts", cpu) != 0, f"hart {hart} to be fit for tasks before it starts",
               "no queue of callouts")
        expect(self.fields.read("trace_rings", f"[{hart}]") != 0, f"hart {hart} to have a ring for its events", "none")
        self.started[hart] = stacks
        if hart in self.refused:
            self._return(a0=self.layout.constant(ERR_IO))

    # -- what must be true afterwards ------------------------------------------------------------

    def expect_stacks(self) -> None:
        """Two of its own for each hart that was started, all different, and none of them free."""
        given = [stack for stacks in self.started.values() for stack in stacks]
        expect(len(set(given)) == len(given), "stacks that are all different", _hex(given))
        strange = [stack for stack in given if stack not in self.stacks]
        expect(not strange, "stacks that kstack_alloc returned", _hex(strange))
        expect(self.kept() <= self.live, "the stacks of a hart that starts to stay its own", "one was freed")

    def kept(self) -> set[int]:
        return {stack for hart in self.started.keys() - self.refused for stack in self.started[hart]}

    def expect_nothing_lost(self) -> None:
        """Every stack is a started hart's, or was freed."""
        lost = sorted(self.live - self.kept())
        expect(not lost, "stacks that nobody uses to be free", f"{_hex(lost)} {'is' if len(lost) == 1 else 'are'} not")


def _hex(values: list[int]) -> str:
    return ", ".join(map(hex, values)) or "none"


def expect_arrivals(machine: Gdb, layout: Layout, coming: Coming, count: int) -> None:
    """So many harts, from hart_entry to hart_main: fit for C, each on its own."""
    arrived: dict[int, int] = {}
    with machine.breakpoints("arch_hart_start", "hart_entry"):
        while len(arrived) < count:
            machine.cont("a hart to begin at hart_entry", within=5)
            if machine.pc == machine.address("arch_hart_start"):
                coming._arch_hart_start()
            elif machine.pc == machine.address("hart_entry"):
                expect_arrival(machine, coming, arrived)
    expect_equal(sorted(arrived), list(range(1, count + 1)), "the harts that arrive")


def expect_arrival(machine: Gdb, coming: Coming, arrived: dict[int, int]) -> None:
    """The selected hart, at hart_entry, is stepped to C's first instruction, and looked at."""
    cpu, events = machine.read("a1"), []
    machine.machine.tracing = False
    for _ in range(LONGEST):
        if event := order.instruction(machine):
            events.append(event)
        if machine.step() == machine.address("hart_main"):
            break
    else:
        raise Failure(f"hart_main within {LONGEST} instructions", machine.where(), Verdict.HANG)
    machine.machine.tracing = True
    hart = (cpu - coming.cpus) // coming.size
    expect(hart in coming.started and hart not in arrived, "each hart to arrive once", f"hart {hart}")
    arrived[hart] = machine.thread
    expect_equal(machine.read("gp"), cpu, f"gp of hart {hart}: its struct pcpu")
    expect_equal(machine.read("sp"), coming.started[hart][0] + STACK_SIZE, f"sp of hart {hart}: the top of its stack")
    for name, wanted in (("fp", 0), ("ra", 0), ("sie", 0), ("satp", 0)):
        expect_equal(machine.read(name), wanted, f"{name} of hart {hart}")
    expect_equal(machine.read("stvec"), machine.address("trap_too_early"), f"stvec of hart {hart}")
    first = next((index for index, event in enumerate(events) if isinstance(event, order.Access)), len(events))
    order.expect_fence(events, order.R, order.R | order.W, 0, first, f"a fence r, rw before hart {hart} reads memory")
