"""Instruction counts between breakpoints: exact, repeatable, and undisturbed by the breakpoints."""

from __future__ import annotations

import pytest

COUNTED = """
	li	t0, 1000
	.globl	start, middle, end
start:	addi	t0, t0, -1
	bnez	t0, start
middle:	nop
	nop
end:	j	end
"""

TICKING = """
	la	t0, tick
	csrw	stvec, t0
	csrr	t0, time
	addi	t0, t0, 50
	csrw	0x14d, t0
	li	t0, 32
	csrs	sie, t0
	csrsi	sstatus, 2
	.globl	start, middle, end
start:	nop
	nop
	nop
middle:	li	t0, 100000
1:	addi	t0, t0, -1
	bnez	t0, 1b
end:	j	end
	.balign	4
tick:	li	t1, -1
	srli	t1, t1, 8
	csrw	0x14d, t1
	sret
"""


def counts(machine) -> list[int]:
    gdb, found = machine.gdb, []
    for place in ("start", "middle", "end"):
        gdb.run_to(place)
        found.append(gdb.cycles())
    return found


def test_counts_are_exact(boot):
    """A path of 2000 and one of 2 instructions measure as 2000 and 2."""
    start, middle, end = counts(boot(COUNTED, paused=True, icount=True))
    assert (middle - start, end - middle) == (2000, 2)


def test_counts_repeat(boot):
    """Two machines count the same from reset, firmware included."""
    assert counts(boot(COUNTED, paused=True, icount=True)) == counts(
        boot(COUNTED, paused=True, icount=True)
    )


def test_a_breakpoint_moves_time_by_the_metronome_only(boot):
    """QEMU warps the clock at a breakpoint; the metronome keeps that below 10 us each."""
    machine = boot(COUNTED, paused=True, icount=True)
    machine.gdb.run_to("start")
    assert 0 <= machine.virtual_ns() - machine.gdb.cycles() < 100_000


def test_the_timer_does_not_enter_a_measured_path(boot):
    """A timer due within the path, or brought near by a warp, is not counted as the path."""
    gdb = boot(TICKING, paused=True, icount=True).gdb
    assert gdb.instructions("start", "middle") == 3
    assert gdb.instructions("middle", "end") == 2 + 200_000


@pytest.mark.parametrize("value", [0, 7, 63])
def test_call_counts(boot, value):
    """A called function costs what its instructions are."""
    body = f"start: j start\n.globl start, f\n.type f,@function\nf: {'nop;' * value} ret\n"
    gdb = boot(body, paused=True, icount=True).gdb
    gdb.run_to("start")
    assert gdb.call("f").cycles == value + 1
