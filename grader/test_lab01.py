"""Lab 1: what is graded, and how it is known.

Every criterion stops the kernel in code that the student did not write, drives the student's
function from there with arguments of its own, and reads the outcome from registers and memory.
The models below (tokens, numbers, order) are written independently of the kernel's.

Tasks are graded in the order in which a boot reaches them: a criterion of task 2 must hold while
tasks 3 to 5 are unwritten.  Hence where each stops: task 1 at `kernel_main`; tasks 2 and 3 there as
well, by calls; task 4 at `init_run_tasks`; only task 5 needs a kernel that boots.
"""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass, field

import pytest

from grader.core.declare import graded
from grader.core.dwarf import Layout
from grader.core.structures import Structures
from grader.core.verdict import expect, expect_equal

OK, ERR_CORRUPT = 0, 12
SCRATCH = 0x8400_0000  # memory that a kernel of stage 1 does not use
MEMORY_END = 0x8800_0000  # of the default board: a load from here on is a trap
RUBBISH = 0xA5
PANIC_STATUS = 70
PRINTK_TRACE = 5
INTERRUPT = 1 << 63
SSTATUS_SIE = 1 << 1


@pytest.fixture
def layout(symbols):
    found = Layout(symbols.path)
    yield found
    found.close()


def expect_as_built(machine, tables: bool = True) -> None:
    """The code that is not the student's, and the tables, are what the linker put there."""
    machine.expect_intact_between("_text_start", "_text_end")
    if tables:
        machine.expect_intact_between("_rodata_start", "_rodata_end")


# ---- Task 1: entry -------------------------------------------------------------------------------


@graded("entry.stack", points=5, task=1, hint="01-boot#task-1-entry-from-nothing-to-c")
def test_entry_stack(gdb, symbols):
    """At kernel_main sp is boot_stack_top and gp is pcpus."""
    machine = gdb(stop="_start")
    machine.write("sp", 0)
    machine.write("gp", 0)
    machine.run_to("kernel_main")
    expect_equal(machine.read("sp"), symbols["boot_stack_top"], "sp at kernel_main")
    expect_equal(machine.read("gp"), symbols["pcpus"], "gp at kernel_main")


@graded("entry.bss", points=6, task=1, hint="01-boot#task-1-entry-from-nothing-to-c")
def test_entry_bss(gdb, symbols):
    """Memory was full of rubbish; at kernel_main exactly [_bss_start, _bss_end) is zero."""
    machine = gdb(stop="_start")
    start, end = symbols["_bss_start"], symbols["_bss_end"]
    machine.write_memory(start, bytes([RUBBISH]) * (end - start))
    before = machine.read_memory(start - 64, 64)
    machine.write_memory(end, bytes([RUBBISH]) * 64)
    machine.run_to("kernel_main")
    dirty = next((i for i, byte in enumerate(machine.read_memory(start, end - start)) if byte), None)
    expect(dirty is None, "every byte of .bss to be zero",
           "" if dirty is None else f"rubbish at _bss_start + {dirty:#x} of {end - start:#x}")
    expect_equal(machine.read_memory(start - 64, 64), before, "what lies before .bss")
    expect_equal(machine.read_memory(end, 64), bytes([RUBBISH]) * 64, "what lies behind .bss")


@graded("entry.arguments", points=4, task=1, hint="01-boot#task-1-entry-from-nothing-to-c")
def test_entry_arguments(gdb, rng):
    """a0, a1 and a2 arrive at kernel_main as they left the firmware."""
    machine = gdb(stop="_start")
    given = [rng.getrandbits(64) for _ in range(2)]
    machine.write("a0", given[0])
    machine.write("a1", given[1])
    machine.step(2)  # csrw sie; rdcycle a2
    cycles = machine.read("a2")
    machine.run_to("kernel_main")
    expect_equal(machine.read("a0"), given[0], "a0 (the hart) at kernel_main")
    expect_equal(machine.read("a1"), given[1], "a1 (the device tree) at kernel_main")
    expect_equal(machine.read("a2"), cycles, "a2 (cycles at entry) at kernel_main")


# ---- Task 2: the device tree ----------------------------------------------------------------------

BEGIN_NODE, END_NODE, PROP, NOP, END = 1, 2, 3, 4, 9


def pad(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def be32(*words: int) -> bytes:
    return struct.pack(f">{len(words)}I", *words)


@dataclass
class Tree:
    """A structure block under construction, with the tokens that a reader should find in it."""

    structure: bytearray = field(default_factory=bytearray)
    strings: bytearray = field(default_factory=bytearray)
    tokens: list[tuple] = field(default_factory=list)

    def begin(self, name: bytes) -> None:
        self.structure += be32(BEGIN_NODE)
        at = len(self.structure)
        self.structure += pad(name + b"\0")
        self.tokens.append((BEGIN_NODE, ("structure", at, name), b"", len(self.structure)))

    def prop(self, name: bytes, value: bytes) -> None:
        offset = len(self.strings)
        self.strings += name + b"\0"
        self.structure += be32(PROP, len(value), offset)
        at = len(self.structure)
        self.structure += pad(value)
        self.tokens.append((PROP, ("strings", offset, name), (at, value), len(self.structure)))

    def nop(self) -> None:
        self.structure += be32(NOP)

    def plain(self, kind: int) -> None:
        self.structure += be32(kind)
        self.tokens.append((kind, None, b"", len(self.structure)))


def random_name(rng: random.Random, longest: int) -> bytes:
    return bytes(rng.choice(b"abcdefghijklmnopqrstuvwxyz,-@0123456789") for _ in range(rng.randint(0, longest)))


def random_tree(rng: random.Random) -> Tree:
    tree = Tree()
    tree.begin(b"")
    depth = 1
    for _ in range(rng.randint(8, 20)):
        for _ in range(rng.choice((0, 0, 0, 1, 2, 3))):
            tree.nop()
        choice = rng.random()
        if choice < 0.5:
            tree.prop(b"p" + random_name(rng, 12), rng.randbytes(rng.choice((0, 1, 3, 4, 5, 8, 17))))
        elif choice < 0.8:
            tree.begin(b"n" + random_name(rng, 9))
            depth += 1
        elif depth > 1:
            tree.plain(END_NODE)
            depth -= 1
    for _ in range(depth):
        tree.plain(END_NODE)
    tree.plain(END)
    return tree


class Walker:
    """Calls fdt_next on a block of ours in the guest's memory."""

    STRUCTURE, STRINGS, FDT, OFFSET, TOKEN = (SCRATCH + 0x1000 * i for i in (1, 8, 16, 17, 18))

    def __init__(self, machine, layout):
        self.machine, self.layout = machine, layout
        self.fields = Structures(machine, layout)
        self.starts: dict[str, int] = {}

    def load(self, structure: bytes, strings: bytes, behind: bytes = b"", last: str = "") -> None:
        """Puts the two blocks in place: `behind` right behind each, the `last` at the end of memory."""
        size = self.layout.field("struct fdt").size
        self.machine.write_memory(self.FDT, bytes(size))
        for name, start, data in (("structure", self.STRUCTURE, structure), ("strings", self.STRINGS, strings)):
            text = data + behind
            if name == last:
                text = data
                start = MEMORY_END - len(pad(data))
            self.starts[name] = start
            self.machine.write_memory(start, text)
            self._write_view(name, start, len(data))
        self._write_view("blob", self.starts["structure"], len(structure))

    def _write_view(self, name: str, start: int, length: int) -> None:
        for part, value in (("data", start), ("len", length)):
            found = self.layout.field("struct fdt", f"{name}.{part}")
            self.machine.write_int(self.FDT + found.offset, value, found.size)

    def next(self, offset: int) -> tuple[int, int]:
        """The error, and where *offset is afterwards."""
        self.machine.write_int(self.OFFSET, offset)
        self.machine.write_memory(self.TOKEN, bytes([RUBBISH]) * self.layout.field("struct fdt_token").size)
        returned = self.machine.call("fdt_next", self.FDT, self.OFFSET, self.TOKEN)
        return returned.a0 & 0xFFFFFFFF, self.machine.read_int(self.OFFSET)

    def token(self, path: str) -> int:
        return self.fields.read("struct fdt_token", path, base=self.TOKEN)


def check_token(walker: Walker, expected: tuple, place: str) -> None:
    kind, name, value, _ = expected
    expect_equal(walker.token("kind"), kind, f"{place}: the token's kind")
    if name:
        block, at, text = name
        expect_equal(walker.token("name.len"), len(text), f"{place}: the length of the name {text!r}")
        if text:
            expect_equal(walker.token("name.data"), walker.starts[block] + at, f"{place}: the name's address")
    else:
        expect_equal(walker.token("name.len"), 0, f"{place}: the name's length")
    at, data = value if value else (0, b"")
    expect_equal(walker.token("value.len"), len(data), f"{place}: the value's length")
    if data:
        expect_equal(walker.token("value.data"), walker.starts["structure"] + at, f"{place}: the value's address")


@graded("fdt.tokens", points=8, task=2, needs=["entry.stack"], seeds=range(4),
        hint="01-boot#task-2-the-device-tree-reading-what-you-cannot-trust")
def test_fdt_tokens(gdb, layout, rng):
    """The tokens of random trees come out one by one, names and values in place."""
    walker = Walker(gdb(stop="kernel_main"), layout)
    for round_ in range(4):
        tree = random_tree(rng)
        walker.load(bytes(tree.structure), bytes(tree.strings))
        offset = 0
        for i, token in enumerate(tree.tokens):
            place = f"tree {round_}, token {i}"
            err, after = walker.next(offset)
            expect_equal(err, OK, f"{place}: the error")
            check_token(walker, token, place)
            expect_equal(after, token[3], f"{place}: *offset afterwards")
            offset = after
        check_last_token(walker, tree, rng.randrange(len(tree.tokens)))


def check_last_token(walker: Walker, tree: Tree, index: int) -> None:
    """A token may end where its block ends."""
    start, token = tree.tokens[index - 1][3] if index else 0, tree.tokens[index]
    what = f"token {index} as the last of its block"
    walker.load(bytes(tree.structure[:token[3]]), bytes(tree.strings))
    err, after = walker.next(start)
    expect_equal(err, OK, f"{what}: the error")
    check_token(walker, token, what)
    expect_equal(after, token[3], f"{what}: *offset afterwards")


def damaged_blocks(rng: random.Random) -> list[tuple[str, bytes, bytes, int]]:
    """What is wrong, structure, strings, offset: each must be refused."""
    name = b"node" + random_name(rng, 5)
    begin = be32(BEGIN_NODE) + pad(name + b"\0")
    strings = b"reg\0compatible\0"
    prop = be32(PROP, 8, 0) + bytes(8)
    open_name = be32(BEGIN_NODE) + b"name" * 2
    return [
        ("an empty block", b"", strings, 0),
        ("an offset at the end", begin, strings, len(begin)),
        ("an offset far behind the end", begin, strings, 1 << 40),
        ("an offset that wraps", begin, strings, (1 << 64) - 4),
        ("half a token", begin[:2], strings, 0),
        ("nothing behind a NOP", be32(NOP, NOP), strings, 0),
        ("an unknown token", be32(rng.choice((0, 5, 6, 7, 8, 10, 0x80000001, 0xFFFFFFFF))), strings, 0),
        ("a little-endian token", struct.pack("<I", BEGIN_NODE) + begin[4:], strings, 0),
        ("a name without its end", open_name, strings, 0),
        ("no name at all", be32(BEGIN_NODE), strings, 0),
        ("a property cut in its length", be32(PROP), strings, 0),
        ("a property cut in its name's offset", be32(PROP, 0), strings, 0),
        ("a value longer than the block by one", prop[:8] + be32(0) + bytes(7), strings, 0),
        ("a value longer than the block", be32(PROP, rng.randint(9, 1 << 20), 0) + bytes(8), strings, 0),
        ("a length that wraps 32 bits", be32(PROP, 0xFFFFFFFF, 0) + bytes(8), strings, 0),
        ("a length that wraps to a multiple of 4", be32(PROP, 0xFFFFFFF4, 0) + bytes(8), strings, 0),
        ("a name's offset at the end of the strings", be32(PROP, 0, len(strings)), strings, 0),
        ("a name's offset far outside", be32(PROP, 0, 0xFFFFFFF0), strings, 0),
        ("a property's name without its end", be32(PROP, 0, 4), strings[:-1], 0),
        ("no strings at all", be32(PROP, 0, 0), b"", 0),
    ]


@graded("fdt.bounds", points=7, task=2, needs=["fdt.tokens"], seeds=range(2),
        hint="01-boot#task-2-the-device-tree-reading-what-you-cannot-trust")
def test_fdt_bounds(gdb, layout, rng):
    """Every damaged block is refused, *offset stays, and nothing is read outside.

    What lies behind a block looks inviting, or is not there at all: one block ends with the memory.
    """
    walker = Walker(gdb(stop="kernel_main"), layout)
    inviting = be32(0, 0, 0, 0)  # zeros end any name, and a reader that goes on finds them
    for last in ("structure", "strings"):
        for what, structure, strings, offset in damaged_blocks(rng):
            walker.load(structure, strings, behind=inviting + be32(END_NODE, END), last=last)
            err, after = walker.next(offset)
            expect_equal(err, ERR_CORRUPT, f"{what}: the error")
            expect_equal(after, offset, f"{what}: *offset afterwards")


def board_after_devtree(gdb, layout, **board):
    """The fields of `board` once the tree is read."""
    machine = gdb(stop="devtree_read", **board)
    machine.finish()
    expect_as_built(machine)
    return Structures(machine, layout)


MACHINES = (
    {"memory": "64M", "harts": 1, "append": ""},
    {"memory": "129M", "harts": 3, "append": "loglevel=1 x=y=z  =  "},
    {"memory": "2G", "harts": 8, "append": "a" * 900},
)


@graded("fdt.machine", points=6, task=2, needs=["fdt.tokens"],
        hint="01-boot#task-2-the-device-tree-reading-what-you-cannot-trust")
def test_fdt_machine(gdb, layout):
    """Memory, harts and bootargs of odd machines arrive in board."""
    for machine in MACHINES:
        fields = board_after_devtree(gdb, layout, **machine)
        size = int(machine["memory"][:-1]) << (20 if machine["memory"][-1] == "M" else 30)
        what = f"-m {machine['memory']} -smp {machine['harts']}"
        expect_equal(fields.text("board", "problem"), "", f"{what}: board.problem")
        expect_equal(fields.read("board", "memory.count"), 1, f"{what}: ranges of memory")
        expect_equal(fields.read("board", "memory.at[0].base"), 0x80000000, f"{what}: memory's address")
        expect_equal(fields.read("board", "memory.at[0].size"), size, f"{what}: memory's size")
        expect_equal(fields.read("board", "hart_count"), machine["harts"], f"{what}: harts")
        expect_equal(fields.text("board", "bootargs"), machine["append"], f"{what}: bootargs")
        expect_equal(fields.read("board", "uart.reg.base"), 0x10000000, f"{what}: the UART's address")
        expect_equal(fields.read("board", "uart.irq"), 10, f"{what}: the UART's interrupt")


def change(blob: bytes, at: int, data: bytes) -> bytes:
    return blob[:at] + data + blob[at + len(data):]


def hostile_trees(blob: bytes) -> list[tuple[str, bytes]]:
    """Whole blobs, each wrong in one way; offsets are those of the header (DTSpec 5.2)."""
    size, structure, strings = struct.unpack_from(">III", blob, 4)
    end = structure + struct.unpack_from(">I", blob, 36)[0]
    return [
        ("no magic", change(blob, 0, be32(0xEDFE0DD0))),
        ("huge", change(blob, 4, be32(0xFFFFFFFF))),
        ("smaller than its header", change(blob, 4, be32(16))),
        ("truncated", change(blob, 4, be32(size // 2))),
        ("self-overlapping", change(blob, 12, be32(structure))),
        ("structure outside", change(blob, 8, be32(size))),
        ("without its end", change(blob, end - 4, be32(NOP))),
        ("closed too often", change(blob, end - 4, be32(END_NODE))),
        ("a wild property", change(blob, structure + 12, be32(0xFFFFFFF0))),
        ("rubbish inside", change(blob, structure + 8, bytes([RUBBISH]) * 64)),
    ]


@graded("fdt.hostile", points=4, task=2, needs=["fdt.machine"],
        hint="01-boot#task-2-the-device-tree-reading-what-you-cannot-trust")
def test_fdt_hostile(gdb, layout):
    """A malformed tree, put in place at kernel entry, is noticed, and the kernel goes on."""
    machine = gdb(stop="_start")
    at = machine.read("a1")
    original = machine.read_memory(at, int.from_bytes(machine.read_memory(at + 4, 4), "big"))
    machine.run_to("devtree_read")
    back = machine.read("ra") & ~1
    saved = machine.registers()
    fields = Structures(machine, layout)
    size = layout.field("board").size
    for what, blob in hostile_trees(original):
        machine.write_memory(at, blob)
        machine.write_memory("board", bytes(size))
        for name, value in saved.items():
            machine.write(name, value)
        machine.run_to(back)
        expect(fields.text("board", "problem") != "", f"{what}: board.problem to say what is wrong", "nothing")
        expect_equal(fields.read("board", "uart.reg.base"), 0x10000000, f"{what}: the UART that is assumed")


# ---- Task 3: numbers --------------------------------------------------------------------------------

BUFFER = SCRATCH + 0x40000
DIGITS = "0123456789abcdef"
INT_MAX = 0x7FFFFFFF


@dataclass(frozen=True)
class Spec:
    base: int = 10
    left: bool = False
    zero: bool = False
    plus: bool = False
    space: bool = False
    alternate: bool = False
    upper: bool = False
    width: int = 0
    precision: int = -1

    def pack(self, layout) -> bytes:
        data = bytearray(layout.field("struct fmt_spec").size)
        for name, value in vars(self).items():
            found = layout.field("struct fmt_spec", name)
            data[found.offset : found.offset + found.size] = (int(value) & (1 << 8 * found.size) - 1).to_bytes(
                found.size, "little")
        return bytes(data)


def model_number(magnitude: int, negative: bool, spec: Spec) -> bytes:
    """What C11 7.21.6.1 says the text is."""
    digits, rest = "", magnitude
    while rest:
        digits, rest = DIGITS[rest % spec.base] + digits, rest // spec.base
    digits = digits.rjust(1 if spec.precision < 0 else spec.precision, "0")
    if spec.alternate and spec.base == 8 and not digits.startswith("0"):
        digits = "0" + digits
    sign = "-" if negative else "+" if spec.plus else " " if spec.space else ""
    prefix = "0x" if spec.alternate and spec.base == 16 and magnitude else ""
    if spec.zero and not spec.left and spec.precision < 0:
        digits = digits.rjust(spec.width - len(sign) - len(prefix), "0")
    text = prefix + digits
    text = sign + (text.upper() if spec.upper else text)
    return (text.ljust(spec.width) if spec.left else text.rjust(spec.width)).encode()


class Formatter:
    """Calls fmt_number into a buffer of ours, with guards on both sides."""

    GUARD = bytes([RUBBISH]) * 32

    def __init__(self, machine, layout):
        self.machine, self.layout = machine, layout
        self.fields = Structures(machine, layout)

    def run(self, magnitude: int, negative: bool, spec: Spec, room: int, used: int = 0) -> bytes:
        data = BUFFER + 0x100
        self.machine.write_memory(data - 32, self.GUARD + b"#" * used + self.GUARD * (room // 32 + 2))
        header = bytearray(self.layout.field("struct byte_buf").size)
        for name, value in (("data", data), ("len", used), ("cap", room)):
            found = self.layout.field("struct byte_buf", name)
            header[found.offset : found.offset + found.size] = value.to_bytes(found.size, "little")
        self.machine.write_memory(BUFFER, bytes(header))
        self.machine.call("fmt_number", BUFFER, magnitude, negative, spec.pack(self.layout))
        length = self.fields.read("struct byte_buf", "len", base=BUFFER)
        whole = self.machine.read_memory(data - 32, 32 + room + 32)
        expect(length <= room, f"a length of at most {room}", length)
        expect_equal(whole[:32], self.GUARD, "what lies before the buffer")
        expect_equal(whole[32 + room :], self.GUARD, "what lies behind the buffer")
        return whole[32 + used : 32 + length]


def random_spec(rng: random.Random) -> Spec:
    flags = {name: rng.random() < 0.25 for name in ("left", "zero", "plus", "space", "alternate", "upper")}
    return Spec(base=rng.choice((8, 10, 16)), width=rng.choice((0, 0, 1, 5, 12, 30)),
                precision=rng.choice((-1, -1, -1, 0, 1, 4, 25)), **flags)


def random_magnitude(rng: random.Random) -> int:
    return rng.choice((0, rng.randrange(16), rng.getrandbits(16), rng.getrandbits(rng.randint(1, 64))))


@graded("fmt.numbers", points=8, task=3, needs=["entry.stack"], seeds=range(3),
        hint="01-boot#task-3-numbers-the-heart-of-printk")
def test_fmt_numbers(gdb, layout, rng):
    """Random numbers in random formats come out as C says."""
    formatter = Formatter(gdb(stop="kernel_main"), layout)
    for _ in range(120):
        magnitude, negative, spec = random_magnitude(rng), rng.random() < 0.3, random_spec(rng)
        got = formatter.run(magnitude, negative, spec, room=96, used=rng.choice((0, 3)))
        expect_equal(got, model_number(magnitude, negative, spec), f"{'-' * negative}{magnitude} in {spec}")


@graded("fmt.limits", points=4, task=3, needs=["fmt.numbers"], hint="01-boot#task-3-numbers-the-heart-of-printk")
def test_fmt_limits(gdb, layout):
    """The extremes come out right, and a buffer that is too small gets not one byte too many."""
    formatter = Formatter(gdb(stop="kernel_main"), layout)
    extremes = [(1 << 63, True, Spec()), ((1 << 64) - 1, False, Spec()), ((1 << 64) - 1, False, Spec(base=8)),
                ((1 << 64) - 1, False, Spec(base=16, alternate=True, upper=True)), (0, False, Spec()),
                (0, False, Spec(base=16, alternate=True)), (0, False, Spec(precision=0)),
                (0, False, Spec(base=8, alternate=True, precision=0)), (0, False, Spec(zero=True, width=8)),
                (7, True, Spec(zero=True, width=8)), (7, True, Spec(zero=True, width=8, precision=3))]
    for magnitude, negative, spec in extremes:
        want = model_number(magnitude, negative, spec)
        expect_equal(formatter.run(magnitude, negative, spec, room=96), want, f"{magnitude} in {spec}")
        for room in (0, 1, len(want) // 2, max(len(want) - 1, 0)):
            got = formatter.run(magnitude, negative, spec, room=room)
            expect_equal(got, want[:room], f"{magnitude} in {spec} with room for {room}")
    for spec, want in ((Spec(width=INT_MAX), b" "), (Spec(width=INT_MAX, zero=True, plus=True), b"+0"),
                       (Spec(base=16, plus=True, alternate=True, precision=INT_MAX), b"+0x0"),
                       (Spec(plus=True, width=INT_MAX, precision=INT_MAX), b"+0")):
        got = formatter.run(1, False, spec, room=64)
        expect_equal(got, want.ljust(64, want[-1:]), f"1 in {spec} with room for 64")


@graded("fmt.latency", points=3, task=3, needs=["fmt.numbers"], profile="release",
        hint="01-boot#task-3-numbers-the-heart-of-printk")
def test_fmt_latency(icount, latency):
    """A line of sixty characters goes to the log within its limit."""
    text = b"bench: %4u of the lines of sixty characters that go to klog\0"

    def measure() -> int:
        machine = icount(stop="devtree_report")
        return machine.call("printk", PRINTK_TRACE, text, 1234).cycles

    latency(measure)


# ---- Task 4: traps ------------------------------------------------------------------------------------

FRAME = SCRATCH + 0x60000
NOWHERE = 0x30_0000_0000  # no device and no memory is there
HANDLERS = ("trap_timer", "trap_external", "trap_breakpoint", "trap_accident", "trap_page", "trap_fault")
CAUSES = {
    INTERRUPT | 5: "trap_timer",
    INTERRUPT | 9: "trap_external",
    3: "trap_breakpoint",
    **dict.fromkeys((0, 1, 2, 4, 5, 6, 7, 8), "trap_accident"),
    **dict.fromkeys((12, 13, 15), "trap_page"),
}
LOWEST = 16  # of the codes without a place in the tables
NOBODYS = (9, 10, 11, 14, LOWEST, 24, 63, 64, INTERRUPT - 1, INTERRUPT | 0, INTERRUPT | 1,
           INTERRUPT | 3, INTERRUPT | 15, INTERRUPT | LOWEST, INTERRUPT | 63, (1 << 64) - 1,
           *(cause + (1 << bit) for cause in CAUSES for bit in (4, 5, 8, 16, 32, 62)))  # real ones, but for one bit


class Dispatcher:
    """Calls trap_dispatch with a frame of ours and sees where it goes."""

    def __init__(self, machine, layout):
        self.machine, self.layout = machine, layout
        self.saved = machine.registers()
        self.back = self.saved["pc"]

    def dispatch(self, cause: int) -> str:
        """The first of the handlers to be reached, called with the frame; or "its return"."""
        self.what = name_cause(cause)
        found = self.layout.field("struct trap_frame", "cause")
        self.frame = bytearray(range(RUBBISH)).ljust(self.layout.field("struct trap_frame").size, b"\0")
        self.frame[found.offset : found.offset + found.size] = cause.to_bytes(found.size, "little")
        self.machine.write_memory(FRAME, bytes(self.frame))
        for name, value in {**self.saved, "a0": FRAME, "ra": self.back}.items():
            self.machine.write(name, value)
        self.machine.write("pc", self.machine.symbols["trap_dispatch"])
        return self.go_on()

    def answer(self, handled: bool) -> str:
        """The handler we are in returns this; where it goes from there."""
        self.machine.write("a0", int(handled))
        self.machine.write("pc", self.machine.read("ra"))
        return self.go_on()

    def go_on(self) -> str:
        pc = self.machine.run_to(*HANDLERS, self.back)
        place = "its return" if pc == self.back else self.machine.where()
        expect_equal(self.machine.read_memory(FRAME, len(self.frame)), bytes(self.frame),
                     f"{self.what}: what the frame holds at {place}")
        expect_equal(self.machine.read("sstatus") & SSTATUS_SIE, 0, f"{self.what}: interrupts enabled at {place}")
        if pc != self.back:
            expect_equal(self.machine.read("a0"), FRAME, f"{self.what}: the frame at {place}")
        return place

    def dispatch_beyond(self, cause: int, table: str) -> str:
        """`dispatch`, with a handler right behind the end of the table."""
        beyond = self.machine.address(table) + 8 * LOWEST
        there = self.machine.read_int(beyond)
        self.machine.write_int(beyond, self.machine.symbols["trap_timer"])
        place = self.dispatch(cause)
        self.machine.write_int(beyond, there)
        return place


def name_cause(cause: int) -> str:
    return f"{'interrupt' if cause & INTERRUPT else 'exception'} {cause & ~INTERRUPT}"


@graded("trap.table", points=7, task=4, needs=["entry.stack", "fdt.machine", "fmt.numbers"],
        hint="01-boot#task-4-traps-one-vector-many-causes")
def test_trap_table(gdb, layout):
    """Every cause, real or absurd, reaches its handler with the frame, or trap_fault."""
    machine = gdb(stop="init_run_tasks")
    machine.write("sstatus", machine.read("sstatus") & ~SSTATUS_SIE)
    dispatcher = Dispatcher(machine, layout)
    for cause, handler in CAUSES.items():
        expect_equal(dispatcher.dispatch(cause), handler, name_cause(cause))
        expect_equal(dispatcher.answer(True), "its return", f"{name_cause(cause)}, handled")
        dispatcher.dispatch(cause)
        expect_equal(dispatcher.answer(False), "trap_fault", f"{name_cause(cause)}, declined")
    for cause in NOBODYS:
        expect_equal(dispatcher.dispatch(cause), "trap_fault", name_cause(cause))
    for cause, table in ((LOWEST, "trap_exception_handlers"), (INTERRUPT | LOWEST, "trap_interrupt_handlers")):
        expect_equal(dispatcher.dispatch_beyond(cause, table), "trap_fault", name_cause(cause))


FAULTS = {  # function: cause, stval
    "crash_bad_load": (5, NOWHERE + 0x10),
    "crash_bad_store": (7, NOWHERE + 0x10),
    "crash_illegal": (2, 0),
    "crash_null_call": (1, 0),
}


@graded("trap.faults", points=6, task=4, needs=["trap.table"], hint="01-boot#task-4-traps-one-vector-many-causes")
def test_trap_faults(gdb, layout):
    """Planted faults report cause, address, function and callers, and end QEMU with a status."""
    for function, (cause, value) in FAULTS.items():
        machine = gdb(stop="init_run_tasks", may_panic=True)
        caller = machine.read("ra")
        machine.write("pc", machine.symbols[function])
        machine.run_to("panic_at")
        expect_as_built(machine)
        fields = Structures(machine, layout)
        frame = machine.read("a0")
        expect_equal(fields.read("struct trap_frame", "cause", frame), cause, f"{function}: the cause")
        expect_equal(fields.read("struct trap_frame", "value", frame), value, f"{function}: the address")
        expect_equal(fields.read("struct trap_frame", "ra" if cause == 1 else "pc", frame) >> 12,
                     machine.symbols[function] >> 12, f"{function}: the page of the faulting code")
        expect_equal(machine.symbols.locate(caller).partition("+")[0], "kernel_main", "the caller")
        machine.resume()
        expect_equal(machine.machine.wait_exit(), PANIC_STATUS, f"{function}: QEMU's status")
        report = machine.machine.console.transcript.partition("PANIC")[2]
        for name in (function, "kernel_main"):
            expect(f"{name}+0x" in report, f"{name} in the report on {function}", report[-200:])


@graded("trap.timer", points=4, task=4, needs=["trap.table"], hint="01-boot#task-4-traps-one-vector-many-causes")
def test_trap_timer(gdb):
    """A timer interrupt arrives, and the interrupted code goes on as if nothing had happened."""
    machine = gdb(stop="init_run_tasks")
    machine.call("timer_arm", 0, 0, 0)
    before = machine.registers()
    machine.run_to("timer_interrupt")
    machine.run_to("init_run_tasks")
    expect_equal(machine.registers(), before, "the registers of the interrupted code")
    expect_as_built(machine)


@graded("trap.latency", points=3, task=4, needs=["trap.table"], profile="release",
        hint="01-boot#task-4-traps-one-vector-many-causes")
def test_trap_latency(icount, latency):
    """From the vector through dispatch and a handler and back into the code within its limit."""

    def measure() -> int:
        machine = icount(stop="init_run_tasks")
        machine.write("a0", NOWHERE)
        machine.write("pc", machine.symbols["arch_probe_load"])
        return machine.instructions("trap_entry", "probe_fault")

    latency(measure)


# ---- Task 5: start-up -----------------------------------------------------------------------------------

NODES, ORDER = SCRATCH + 0x80000, SCRATCH + 0x90000
LONGEST = 64
STATES = ("waiting", "done", "failed", "blocked", "missing", "cycle")
Graph = list[list[int]]


def model_order(graph: Graph) -> list[int]:
    """init.h's promise: free first comes first, and by number where that is equal."""
    waits = [len(needs) for needs in graph]
    order = [node for node, count in enumerate(waits) if count == 0]
    for done in order:
        for node, needs in enumerate(graph):
            waits[node] -= needs.count(done)
            if done in needs and waits[node] == 0:
                order.append(node)
    return order


def random_graph(rng: random.Random, nodes: int, cyclic: bool) -> Graph:
    """Numbered at random, so that order by number is never right by chance."""
    names = list(range(nodes))
    rng.shuffle(names)
    graph: Graph = [[] for _ in names]
    for place, node in enumerate(names):
        pool = names if cyclic and rng.random() < 0.15 else names[:place]
        graph[node] = [rng.choice(pool) for _ in range(rng.randint(0, 4))] if pool else []
    return graph


def sort_in_guest(machine, layout, graph: Graph) -> list[int]:
    size = layout.field("struct init_node").size
    first = layout.field("struct init_node", "dependencies").offset
    data = bytearray()
    for needs in graph:
        node = bytearray([RUBBISH]) * size
        slots = needs + [0] * ((size - first) // 2 - len(needs))  # those not in use look like node 0
        struct.pack_into("<H", node, 0, len(needs))
        struct.pack_into(f"<{len(slots)}H", node, first, *slots)
        data += node
    machine.write_memory(NODES, bytes(data))
    machine.write_memory(ORDER, bytes([RUBBISH]) * 2 * (len(graph) + 8))
    count = machine.call("init_sort", NODES, len(graph), ORDER).a0
    expect(count <= len(graph), f"at most {len(graph)} nodes in order", count)
    order = machine.read_memory(ORDER, 2 * (len(graph) + 8))
    expect_equal(order[2 * len(graph):], bytes([RUBBISH]) * 16, "what lies behind the order")
    expect_equal(machine.read_memory(NODES, len(data)), bytes(data), "the nodes afterwards")
    return list(struct.unpack_from(f"<{count}H", order))


@graded("init.order", points=7, task=5, needs=["fdt.machine", "fmt.numbers"], seeds=range(3),
        hint="01-boot#task-5-start-up-everything-in-its-order")
def test_init_order(gdb, layout, rng):
    """Random graphs come out in exactly the order that init.h promises."""
    machine = gdb(stop="init_sort")
    sizes = [0, 1, 2, LONGEST] + [rng.randint(3, LONGEST) for _ in range(12)]
    for graph in [random_graph(rng, size, cyclic=False) for size in sizes] + [[[1, 1, 1], []]]:
        expect_equal(sort_in_guest(machine, layout, graph), model_order(graph), f"the order of {graph}")


@graded("init.cycles", points=5, task=5, needs=["init.order"], seeds=range(3),
        hint="01-boot#task-5-start-up-everything-in-its-order")
def test_init_cycles(gdb, layout, rng):
    """With cycles exactly the nodes that can run come out, and no others."""
    machine = gdb(stop="init_sort")
    planted = [[[0]], [[1], [0]], [[], [2], [1], [0]], [[1], [2], [3], [1], []]]
    for graph in planted + [random_graph(rng, rng.randint(3, LONGEST), cyclic=True) for _ in range(12)]:
        expect_equal(sort_in_guest(machine, layout, graph), model_order(graph), f"the order of {graph}")


def name_state(state: int) -> str:
    return STATES[state] if state < len(STATES) else f"state {state}"


class Tasks:
    """The init tasks of the kernel itself, which the linker gathered."""

    def __init__(self, machine, layout):
        self.machine, self.layout = machine, layout
        self.fields = Structures(machine, layout)
        size = layout.field("struct init_task").size
        start, end = (machine.symbols[f"__{end}_init_tasks"] for end in ("start", "stop"))
        self.by_name = {self.fields.text("struct init_task", "name", at): at for at in range(start, end, size)}

    def make_need(self, task: str, other: str) -> None:
        """Plants a first dependency."""
        name = self.layout.field("struct init_task", "name")
        needs = self.layout.field("struct init_task", "dependencies[0]")
        text = self.machine.read_memory(self.by_name[other] + name.offset, name.size)
        self.machine.write_memory(self.by_name[task] + needs.offset, text)

    def states(self) -> dict[str, str]:
        """What became of each, from init_status."""
        found = {}
        for index in range(len(self.by_name)):
            expect_equal(self.machine.call("init_status", index, FRAME).a0, OK, f"init_status({index})")
            task = self.fields.read("struct init_status", "task", FRAME)
            state = self.fields.read("struct init_status", "state", FRAME)
            found[self.fields.text("struct init_task", "name", task)] = name_state(state)
        return found


@graded("init.report", points=4, task=5, needs=["init.cycles"],
        hint="01-boot#task-5-start-up-everything-in-its-order")
def test_init_report(gdb, layout):
    """A cycle planted in the real kernel is named, and the rest of it starts."""
    machine = gdb(stop="init_run_tasks")
    expect_as_built(machine)
    tasks = Tasks(machine, layout)
    tasks.make_need("rtc", "shell")
    tasks.make_need("shell", "rtc")
    machine.run_to("console_serve")
    expect_as_built(machine, tables=False)
    expect_equal(tasks.states(), {"plic": "done", "uart": "done", "rtc": "cycle", "shell": "cycle"},
                 "what became of the tasks")
    printed = machine.machine.console.transcript
    named = any(f"cycle: {a} needs {b} needs {a}" in printed for a, b in (("rtc", "shell"), ("shell", "rtc")))
    expect(named, "'cycle: rtc needs shell needs rtc' on the console", printed[-200:])


BOOTS = (
    {"memory": "64M", "harts": 1},
    {"memory": "8G", "harts": 8},
    {"memory": "130M", "harts": 3, "append": "loglevel=99999999999999999999 === =x \x7f " + "z" * 500},
    {"memory": "4G", "harts": 2, "append": "loglevel=3"},
)


@graded("boot.machines", points=4, task=5, needs=["trap.table", "init.order"],
        hint="01-boot#task-5-start-up-everything-in-its-order")
def test_boot_machines(gdb, rng):
    """On machines of odd shapes: a prompt, an echo of what is typed, and a shutdown with status 0.

    That it is our console which answers is seen at console_serve, in code as it was built.
    """
    for board in BOOTS:
        machine = gdb(stop="console_serve", **board)
        expect_as_built(machine)
        machine.resume()
        booted = machine.machine
        booted.console.expect("mazu> ")
        word = f"w{rng.getrandbits(64):x}"
        said = booted.console.command(f"echo {word[:4]}\b\b{word[2:]}")
        expect_equal(said, word + "\n", f"{board}: the echo")
        booted.console.send("shutdown\n")
        expect_equal(booted.wait_exit(), 0, f"{board}: QEMU's status after shutdown")


@graded("boot.selftests", points=3, task=5, needs=["boot.machines"],
        hint="01-boot#task-5-start-up-everything-in-its-order")
def test_boot_selftests(gdb):
    """The kernel's own tests pass: selftest_run returns no failures, and QEMU ends with 0."""
    machine = gdb(stop="selftest_run", append="selftest")
    machine.finish(within=15)
    expect_as_built(machine)
    expect_equal(machine.read("a0") & 0xFFFFFFFF, 0, "self-tests that failed")
    machine.resume()
    expect_equal(machine.machine.wait_exit(), 0, "QEMU's status")


@graded("boot.latency", points=2, task=5, needs=["boot.machines"], profile="release",
        hint="01-boot#task-5-start-up-everything-in-its-order")
def test_boot_latency(icount, latency):
    """From the first instruction to the prompt within its limit."""

    def measure() -> int:
        return icount(stop="_start").instructions("_start", "lineedit_start")

    latency(measure)
