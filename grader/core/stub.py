"""A stopped machine as the grader sees it: registers, memory, page tables, harts, call chains.

QEMU's GDB stub answers; the machine stands still throughout.  Harts are the stub's threads:
register methods speak of the hart that stopped last, or of the one chosen by `select`.  What makes it run is
`gdb.py`.  A refusal of the stub is a failure of the kernel (memory that is not mapped, say), and a
connection that is lost is for the machine to explain.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING

from grader.core import sv39
from grader.core.elf import Symbols
from grader.core.registers import GENERAL, Register, describe_registers
from grader.core.rsp import Packets, StubGone, StubSilent
from grader.core.verdict import Failure, raise_grader_error

if TYPE_CHECKING:
    from grader.core.machine import Machine

CHUNK = 1024  # bytes of memory a packet: the stub's packets hold 4096 hex digits
DEEPEST_BACKTRACE = 32
MASK64 = (1 << 64) - 1


class Stub:
    """One connection to the stub of one machine."""

    def __init__(self, machine: Machine, path: str, symbols: Symbols):
        self.machine, self.symbols = machine, symbols
        self._hart = 1
        try:
            self._packets = Packets(path)
            self._ask("qSupported:xmlRegisters=riscv;vContSupported+")
            self._stopped(self._ask("?"))
        except (StubGone, StubSilent):
            self._lost("a debugger's connection")

    # -- where things are ---------------------------------------------------------------------

    def address(self, place: str | int) -> int:
        """An address from a symbol, `symbol+offset`, or a number."""
        if isinstance(place, int):
            return place
        name, _, offset = place.partition("+")
        return self.symbols[name] + (int(offset, 0) if offset else 0)

    def where(self) -> str:
        return self.symbols.locate(self.pc)

    # -- registers ----------------------------------------------------------------------------

    @cached_property
    def _registers(self) -> dict[str, Register]:
        return describe_registers(self._annex)

    def read(self, register: str) -> int:
        """A register or CSR by name, of the selected hart."""
        spec = self._register(register)
        return int.from_bytes(
            self._hex(self._ask(f"p{spec.number:x}"), f"register {register}"), "little"
        )

    def write(self, register: str, value: int) -> None:
        spec = self._register(register)
        data = (value & ((1 << 8 * spec.size) - 1)).to_bytes(spec.size, "little").hex()
        self._ok(self._ask(f"P{spec.number:x}={data}"), f"register {register} to be writable")

    def registers(self, names: Iterable[str] = GENERAL) -> dict[str, int]:
        return {name: self.read(name) for name in names}

    @property
    def pc(self) -> int:
        return self.read("pc")

    # -- harts --------------------------------------------------------------------------------

    def harts(self) -> list[int]:
        """The stub's thread numbers: hart h is thread h + 1."""
        found, reply = [], self._ask("qfThreadInfo")
        while reply.startswith(b"m"):
            found += [_thread(item) for item in reply[1:].split(b",")]
            reply = self._ask("qsThreadInfo")
        return sorted(found)

    @property
    def thread(self) -> int:
        """The selected hart's."""
        return self._hart

    def select(self, thread: int) -> None:
        """Make registers, memory and calls those of another hart."""
        self._ok(self._ask(f"Hg{thread:x}"), f"hart {thread - 1} to exist")
        self._hart = thread

    # -- memory -------------------------------------------------------------------------------

    def read_memory(self, place: str | int, size: int) -> bytes:
        """Bytes at a virtual address, as the selected hart sees it."""
        start, data = self.address(place), bytearray()
        while len(data) < size:
            count = min(CHUNK, size - len(data))
            at = (start + len(data)) & MASK64
            data += self._hex(self._ask(f"m{at:x},{count:x}"), f"memory at {at:#x} to be readable")
        return bytes(data)

    def write_memory(self, place: str | int, data: bytes) -> None:
        start = self.address(place)
        for offset in range(0, len(data), CHUNK):
            part = data[offset : offset + CHUNK]
            reply = self._ask(f"M{start + offset:x},{len(part):x}:{part.hex()}")
            self._ok(reply, f"memory at {start + offset:#x} to be writable")

    def read_int(self, place: str | int, size: int = 8, signed: bool = False) -> int:
        return int.from_bytes(self.read_memory(place, size), "little", signed=signed)

    def write_int(self, place: str | int, value: int, size: int = 8) -> None:
        self.write_memory(place, (value & ((1 << 8 * size) - 1)).to_bytes(size, "little"))

    def read_physical(self, address: int, size: int) -> bytes:
        """Bytes at a physical address, whatever satp says."""
        self._ok(self._ask("Qqemu.PhyMemMode:1"), "a stub with physical memory access")
        try:
            return self.read_memory(address, size)
        finally:
            self._ask("Qqemu.PhyMemMode:0")

    def walk(self, place: str | int) -> sv39.Mapping:
        """What the selected hart's page table says of an address; `sv39.PageFault` if nothing."""
        return sv39.walk(self.read_physical, self.read("satp"), self.address(place))

    def mappings(self) -> list[sv39.Mapping]:
        """Every mapping of the selected hart's page table."""
        return list(sv39.leaves(self.read_physical, self.read("satp")))

    def expect_intact(self, *functions: str) -> None:
        """Fail unless these functions stand in memory as in the image: nobody patched them."""
        for name in functions:
            want = self.symbols.bytes_of(name)
            if self.read_memory(name, len(want)) != want:
                raise Failure(f"the code of {name} as it was built", "code changed at run time")

    def expect_intact_between(self, start: str, end: str) -> None:
        """Fail unless memory holds what the image does, from one symbol up to another."""
        want = self.symbols.bytes_between(start, end)
        got = self.read_memory(start, len(want))
        if got != want:
            first = next(at for at, pair in enumerate(zip(got, want)) if pair[0] != pair[1])
            place = self.symbols.locate(self.address(start) + first)
            raise Failure(f"{place} as it was built", "memory changed at run time")

    # -- looking back -------------------------------------------------------------------------

    def backtrace(self) -> list[str]:
        """Return addresses by the frame pointer chain, innermost first, up to what is not one."""
        frames, frame = [self.pc], self.read("fp")
        if self.pc == self._function_start():
            frames.append(self.read("ra"))
        while len(frames) < DEEPEST_BACKTRACE and frame and frame % 8 == 0:
            try:
                pair = self.read_memory(frame - 16, 16)
            except Failure:
                break
            outer, back = int.from_bytes(pair[:8], "little"), int.from_bytes(pair[8:], "little")
            if not back:
                break
            frames.append(back)
            if outer <= frame:
                break
            frame = outer
        return [self.symbols.locate(address) for address in frames]

    def _function_start(self) -> int | None:
        name = self.where()
        return self.pc if "+" not in name and not name.startswith("0x") else None

    # -- the conversation ---------------------------------------------------------------------

    def _ask(self, command: str) -> bytes:
        return self._guarded(lambda: self._packets.ask(command))

    def _guarded(self, action):
        try:
            return action()
        except (StubGone, StubSilent):
            self._lost("the debugger's stub to answer")

    def _stopped(self, reply: bytes) -> None:
        if reply[:1] in (b"W", b"X"):
            self._lost("the machine to stop")
        for item in reply[3:].split(b";"):
            key, _, value = item.partition(b":")
            if key == b"thread":
                self.select(_thread(value))
        if self.machine.tracing:
            self.machine.note(f"gdb: hart {self._hart - 1} stopped at {self.where()}")

    def _lost(self, expected: str):
        self.machine.forget_gdb(self)
        self.machine.raise_ended(expected)

    def _annex(self, name: str) -> bytes:
        data = bytearray()
        while True:
            reply = self._ask(f"qXfer:features:read:{name}:{len(data):x},800")
            if reply[:1] not in (b"m", b"l"):
                raise_grader_error(f"QEMU's stub does not describe its registers ({name})")
            data += reply[1:]
            if reply[:1] == b"l":
                return bytes(data)

    def _register(self, name: str) -> Register:
        if name not in self._registers:
            raise_grader_error(f"this QEMU's stub has no register {name}")
        return self._registers[name]

    def _hex(self, reply: bytes, what: str) -> bytes:
        if reply.startswith(b"E") or len(reply) % 2:
            raise Failure(what, "a refusal of the stub")
        return bytes.fromhex(reply.decode("ascii", "replace"))

    def _ok(self, reply: bytes, what: str) -> None:
        if reply != b"OK":
            raise Failure(what, "a refusal of the stub")


def _thread(text: bytes) -> int:
    """`p01.02` or `02`: the thread's number."""
    return int(text.rpartition(b".")[2], 16)
