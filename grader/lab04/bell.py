"""One hart sends, another one serves, and every way in which their instructions can mix.

Two puppets: the handler runs ipi_interrupt(), the sender ipi_send().  What they call that is not the
student's is done here: ringing sets the handler's bit in sip, and reasons that are served are noted.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from grader.core.dwarf import Layout
from grader.core.gdb import Gdb
from grader.core.verdict import Failure, Verdict, expect
from grader.lab04.puppets import STACK, STAGE, Puppet, puppets

SSIP = 1 << 1
LONGEST = 200  # instructions of either


@dataclass
class Bell:
    machine: Gdb
    layout: Layout
    served: list[str] = field(default_factory=list)
    rings: int = 0

    def __post_init__(self) -> None:
        machine = self.machine
        self.handler, self.sender = puppets(machine, self.layout, 2)
        self.reasons = self.handler.cpu + self.layout.field("struct pcpu", "ipi_reasons").offset
        self.ends = {self.handler.thread: STAGE + 0x800, self.sender.thread: STAGE + 0x810}
        for end in self.ends.values():
            machine.write_int(end, 0x6F, 4)  # j .
        machine.select(self.handler.thread)
        machine.write("mideleg", machine.read("mideleg") | SSIP)
        self.calls = {machine.address("smp_call_interrupt"): "call", machine.address("sched_arrive"): "arrive",
                      machine.address("arch_ipi_send"): "ring"}
        self.bits = {"call": self.layout.constant("IPI_CALL"), "arrive": self.layout.constant("IPI_ARRIVE")}
        self.done: dict[int, bool] = {}

    # -- one of the two --------------------------------------------------------------------------

    def begin(self, hart: Puppet, function: str, *arguments: int) -> None:
        hart.begin(self.machine.address(function), STAGE + (4 + hart.thread) * STACK, ra=self.ends[hart.thread],
                   **{f"a{index}": value for index, value in enumerate(arguments)})
        self.done[hart.thread] = False

    def step(self, hart: Puppet) -> None:
        if self.done[hart.thread]:
            return
        pc = hart.step()
        if what := self.calls.get(pc):
            self._called(what)
            self.machine.select(hart.thread)
            self.machine.write("pc", pc := self.machine.read("ra"))
        self.done[hart.thread] = pc == self.ends[hart.thread]

    def finish(self, hart: Puppet) -> int:
        for count in range(LONGEST):
            if self.done[hart.thread]:
                return count
            self.step(hart)
        raise Failure(f"an end within {LONGEST} instructions", f"hart {hart.thread - 1} at {self.machine.where()}",
                      Verdict.HANG)

    def _called(self, what: str) -> None:
        if what != "ring":
            self.served.append(what)
            return
        self.rings += 1
        self.machine.select(self.handler.thread)
        self.machine.write("sip", self.machine.read("sip") | SSIP)

    # -- both ------------------------------------------------------------------------------------

    def set(self, reasons: int, rung: bool) -> None:
        """What the handler's hart has been told."""
        self.served, self.rings = [], 0
        self.machine.write_int(self.reasons, reasons, 4)
        self.machine.select(self.handler.thread)
        self.machine.write("sip", SSIP if rung else 0)

    def is_rung(self) -> bool:
        self.machine.select(self.handler.thread)
        return bool(self.machine.read("sip") & SSIP)

    def mix(self, first: int, between: int) -> None:
        """The handler's first instructions, the sender's, the handler's rest, the sender's rest; then what was rung for."""
        self.set(self.bits["call"], rung=True)
        self.begin(self.handler, "ipi_interrupt", 0)
        self.begin(self.sender, "ipi_send", 1, self.bits["arrive"])
        for hart, count in ((self.handler, first), (self.sender, between)):
            for _ in range(count):
                self.step(hart)
        self.finish(self.handler)
        self.finish(self.sender)
        if self.is_rung():
            self.begin(self.handler, "ipi_interrupt", 0)
            self.finish(self.handler)
        where = f"the sender in front of instruction {first} of ipi_interrupt, after {between} of its own"
        for what in ("call", "arrive"):
            expect(self.served.count(what) == 1, f"{where}: `{what}` to be served once",
                   f"{self.served.count(what)} times")

    def length(self, hart: Puppet, function: str, *arguments: int) -> int:
        self.begin(hart, function, *arguments)
        return self.finish(hart)

    def lengths(self) -> tuple[int, int]:
        """Instructions of the handler, and of the sender."""
        self.set(self.bits["call"], rung=True)
        handler = self.length(self.handler, "ipi_interrupt", 0)
        self.set(0, rung=False)
        sender = self.length(self.sender, "ipi_send", 1, self.bits["arrive"])
        expect(self.rings == 1, "who sends the first reason to interrupt the hart, once", f"{self.rings} interrupts")
        self.set(self.bits["call"], rung=True)
        self.length(self.sender, "ipi_send", 1, self.bits["arrive"])
        expect(self.rings == 0, "no second interrupt while the first is not served", f"{self.rings}")
        return handler, sender
