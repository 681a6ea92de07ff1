"""The debugger's client, against QEMU's real stub."""

from __future__ import annotations

import pytest

from grader.core.batch import Batch
from grader.core.elf import Symbols
from grader.core.registers import describe_registers
from grader.core.rsp import frame, unescape
from grader.core.verdict import Failure, Verdict
from grader.tests.kernels import assemble

FUNCTIONS = """
	addi	sp, sp, -16
	la	t1, vector
	csrw	stvec, t1
	li	a0, 5
	.globl	before
before:	call	add
	.globl	after
after:	la	t2, word
	sd	a0, (t2)
	.globl	parked
parked:	j	parked
	.globl	add, sum, loops, ends, outer, deep, vector, word
	.type	add, @function
add:	add	a0, a0, a1
	addi	a1, a1, 1
	ret
	.size	add, .-add
	.type	sum, @function
sum:	li	t0, 0
1:	lbu	t1, (a0)
	add	t0, t0, t1
	addi	a0, a0, 1
	addi	a1, a1, -1
	bnez	a1, 1b
	mv	a0, t0
	ret
	.size	sum, .-sum
	.type	loops, @function
loops:	j	loops
	.size	loops, .-loops
	.type	ends, @function
ends:	leave	7
	.size	ends, .-ends
	.type	outer, @function
outer:	addi	sp, sp, -16
	sd	ra, 8(sp)
	sd	s0, (sp)
	addi	s0, sp, 16
	call	deep
	ld	ra, 8(sp)
	ld	s0, (sp)
	addi	sp, sp, 16
	ret
	.size	outer, .-outer
	.type	deep, @function
deep:	ret
	.size	deep, .-deep
	.balign	4
vector:	j	vector
	.data
	.balign 8
word:	.quad	0
"""


@pytest.fixture
def stub(boot):
    gdb = boot(FUNCTIONS, paused=True, icount=True).gdb
    gdb.run_to("before")
    return gdb


def test_registers_and_memory(stub):
    """Registers (by ABI name, number and CSR name) and memory are read and written."""
    stub.write("a3", 0x1122334455667788)
    assert stub.read("a3") == stub.read("x13") == 0x1122334455667788
    assert stub.read("stvec") == stub.symbols["vector"]
    assert stub.read("satp") == 0 and stub.read("fp") == stub.read("s0")
    data = bytes(range(256)) * 20
    stub.write_memory(0x80400000, data)
    assert (
        stub.read_memory(0x80400000, len(data)) == data == stub.read_physical(0x80400000, len(data))
    )
    stub.write_int("word", -2)
    assert stub.read_int("word", signed=True) == -2
    with pytest.raises(Failure, match="memory at 0x10000000000000 to be readable"):
        stub.read_memory(0x10_0000_0000_0000, 8)


def test_breakpoints_steps_and_watchpoints(stub):
    """Breakpoints stop once where they stand, steps go one instruction, a store is caught."""
    assert stub.where() == "before" and stub.step() == stub.address("add")
    stub.break_at("after")
    assert stub.cont() == stub.address("after")
    stub.run_to_store("word")
    assert stub.read_int("word") == stub.read("a0")
    stub.clear()
    stub.resume()
    assert stub.interrupt() == stub.address("parked")


def test_call_passes_and_returns(stub):
    """`call` passes numbers and bytes, returns a0 and a1, counts, and puts the registers back."""
    before = stub.registers()
    returned = stub.call("add", 40, 2)
    assert (returned.a0, returned.a1, returned.cycles) == (42, 3, 3)
    assert stub.call("add", -5, 2).signed == -3
    assert stub.call("sum", b"\1\2\3\4", 4).a0 == 10
    assert stub.registers() == before
    assert stub.run_to("after") == stub.address("after")


def test_call_of_what_never_returns(stub):
    """A called function that loops is a hang that names where it is."""
    with pytest.raises(
        Failure, match="expected loops to return, got .* hart 0 is at loops"
    ) as caught:
        stub.call("loops", within=0.2)
    assert caught.value.verdict is Verdict.HANG


def test_call_of_what_ends_the_machine(stub):
    """A called function that ends the machine is a failure with its status, not a lost connection."""
    with pytest.raises(
        Failure, match="expected ends to return, got the machine ended with status 7"
    ):
        stub.call("ends")


def test_batch(stub):
    """Hundreds of calls at one stop return what each returns, and put the registers back."""
    before = stub.registers()
    batch = Batch(stub, 0x80400000)
    returned = batch.run([("add", number, 2) for number in range(300)])
    assert [(one.a0, one.a1) for one in returned] == [(number + 2, 3) for number in range(300)]
    assert stub.registers() == before and batch.run([]) == []
    with pytest.raises(Failure, match=r"expected loops\(0x7\), call 1 of a batch, to return") as caught:
        batch.run([("add", 1, 2), ("loops", 7)], within=0.2)
    assert caught.value.verdict is Verdict.HANG


def test_backtrace_and_finish(stub):
    """The frame pointer chain is named; `finish` comes back to the caller."""
    stub.write("s0", 0)
    stub.write("pc", stub.address("outer"))
    stub.write("ra", stub.address("after"))
    stub.run_to("deep")
    assert stub.backtrace()[0] == "deep" and any(f.startswith("outer+") for f in stub.backtrace())
    stub.finish()
    assert stub.where().startswith("outer+")


def test_patched_code_is_noticed(stub):
    """Code changed at run time no longer counts as pristine."""
    first, last = sorted(("add", "sum"), key=stub.address)
    stub.expect_intact("add", "sum")
    stub.expect_intact_between(first, last)
    stub.write_memory(first, b"\1\0")
    with pytest.raises(Failure, match=f"the code of {first} as it was built"):
        stub.expect_intact(first)
    with pytest.raises(Failure, match=f"{first} as it was built, got memory changed"):
        stub.expect_intact_between(first, last)


def test_harts_are_threads(boot):
    """Every hart is a thread with registers of its own."""
    gdb = boot(FUNCTIONS, paused=True, harts=3).gdb
    gdb.run_to("before")
    assert gdb.harts() == [1, 2, 3]
    values = []
    for thread in gdb.harts():
        gdb.select(thread)
        values.append(gdb.read("mhartid"))
    assert values == [0, 1, 2]


def test_attach_to_a_running_machine(boot):
    """Attaching stops a machine that runs; detaching lets it go on."""
    machine = boot("1: j 1b\n")
    pc = machine.gdb.pc
    assert machine.gdb.read("pc") == pc
    machine.gdb.detach()
    assert machine.gdb.pc


def test_symbols(tmp_path):
    """A global symbol wins over a local one of its name; what is ambiguous or missing fails."""
    symbols = Symbols(assemble(tmp_path, "nop\n.globl g\ng: nop\nend: j end\n"))
    assert symbols.locate(symbols["g"] + 2) == "end" and symbols.locate(0) == "0x0"
    assert "g" in symbols and "h" not in symbols
    with pytest.raises(Failure, match="expected a symbol h in the kernel, got none"):
        symbols["h"]


def test_packets_and_target_description():
    """Escapes, run lengths, checksums; register numbers follow the description's own rules."""
    assert frame(b"OK") == b"$OK#9a" and unescape(b"a}\x03b0* ") == b"a#b0000"
    general = "".join(
        f'<reg name="{n}" bitsize="64"/>'
        for n in "zero ra sp gp tp t0 t1 t2 fp s1 a0 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 s5 s6 s7 s8 s9 "
        "s10 s11 t3 t4 t5 t6 pc".split()
    )
    annexes = {
        "target.xml": b'<target><xi:include href="a"/><feature><reg name="c" bitsize="32" '
        b'regnum="70"/><reg name="d" bitsize="64"/></feature></target>',
        "a": f"<feature>{general}</feature>".encode(),
    }
    registers = describe_registers(annexes.__getitem__)
    assert registers["pc"].number == 32 and registers["x10"] == registers["a0"]
    assert (registers["c"].number, registers["c"].size, registers["d"].number) == (70, 4, 71)
