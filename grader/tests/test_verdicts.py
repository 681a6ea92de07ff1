"""Each way for a kernel, or for the host, to go wrong ends in its verdict, in time and in one line."""

from __future__ import annotations

import stat

import pytest

from grader.core import board as board_module
from grader.core.board import Board
from grader.core.machine import Machine
from grader.core.verdict import (
    Failure,
    Infra,
    Verdict,
    describe,
    expect,
    expect_equal,
    infra_from,
    quote,
)
from grader.core.wire import Wire
from grader.tests.kernels import assemble


def fails_waiting(machine: Machine, within: float = 0.3) -> Failure:
    with pytest.raises(Failure) as caught:
        machine.console.expect("mazu> ", within=within)
    assert str(caught.value).startswith("expected 'mazu> ' on the console, got ")
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("icount", [False, True])
def test_a_loop_hangs(boot, icount):
    """A guest that spins is a hang after its deadline in guest or CPU time, not in wall time."""
    failure = fails_waiting(boot("say hello\n1: j 1b\n", icount=icount))
    assert failure.verdict is Verdict.HANG
    assert ("guest time" if icount else "CPU time") in failure.got and "hello" in failure.got


def test_a_sleeper_hangs(boot):
    """A guest that sleeps for ever uses no time of its own: patience on the wall ends it."""
    failure = fails_waiting(boot("1: wfi\nj 1b\n", memory="64M"))
    assert failure.verdict is Verdict.HANG


def test_a_guest_that_never_says_a_word(boot):
    """A kernel that faults at its first instruction, with no handler, is a hang, not a wait for ever."""
    assert fails_waiting(boot(".word 0\n"), within=0.5).verdict is Verdict.HANG


def test_a_panic_is_named(boot):
    """The line that begins with PANIC is what came, whatever the status."""
    failure = fails_waiting(boot("say \"PANIC: no memory\\n\"\nleave 70\n"))
    assert failure.verdict is Verdict.PANIC
    assert "PANIC: no memory" in failure.got


def test_an_early_end(boot):
    """A kernel that leaves before its time fails with its status."""
    failure = fails_waiting(boot("say bye\nleave 9\n"))
    assert failure.verdict is Verdict.FAIL
    assert failure.got == "the machine ended with status 9 after 'bye'"


def test_a_status_like_a_signal_is_no_host_fault(boot):
    """A guest that leaves with 137 cannot pass for a QEMU killed by a host short of memory."""
    assert fails_waiting(boot("leave 137\n")).verdict is Verdict.FAIL


def test_an_unwritten_hole_is_quoted(boot):
    """The line of LAB_TODO is what came."""
    failure = fails_waiting(boot('say "lab 1 task 2 is yours: labs/01-boot/README.md\\n"\nquit\n'))
    assert failure.verdict is Verdict.FAIL and "lab 1 task 2 is yours" in failure.got


def test_a_flood_is_cut(boot):
    """Output without end stops at the stated size, in time, as a failure that says so."""
    machine = boot(
        "1: say aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nj 1b\n", flood_limit=64 << 10
    )
    with pytest.raises(Failure, match="expected at most 64 KiB on the console, got more"):
        machine.console.expect("mazu> ", within=30)
    assert 60 << 10 < len(machine.console.transcript) <= 64 << 10


def test_exit_status_is_read(boot):
    """wait_exit returns what the guest left in the test device."""
    assert boot("quit\n").wait_exit() == 0
    assert boot("leave 3\n").wait_exit() == 3


def test_a_kernel_that_cannot_be_loaded(tmp_path):
    """An image laid over the firmware is the student's failure, not infra."""
    with pytest.raises(Failure, match="expected a kernel that QEMU can load"):
        Machine(Board(assemble(tmp_path, "quit\n", start=0x80000000)))


def test_qemu_missing(monkeypatch):
    """No QEMU in PATH is infra, with a remedy."""
    board_module.qemu_path.cache_clear()
    monkeypatch.setenv("QEMU", "qemu-that-is-not-there")
    with pytest.raises(Infra, match="not in PATH; install qemu-system-misc"):
        board_module.qemu_path()
    board_module.qemu_path.cache_clear()


def test_qemu_too_old(monkeypatch, tmp_path):
    """A QEMU that does not know an option of ours is infra, and asks for a newer one."""
    old = tmp_path / "qemu-old"
    old.write_text("#!/bin/sh\necho 'qemu: -chardev: invalid option' >&2\nexit 1\n")
    old.chmod(old.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(board_module, "qemu_path", lambda: str(old))
    monkeypatch.setattr(board_module, "prefixes", lambda tools: (tmp_path,))
    board_module.has_seccomp.cache_clear()
    with pytest.raises(Infra, match="invalid option.*older than 7.2"):
        Machine(Board(old, memory="64M"))
    board_module.has_seccomp.cache_clear()


def test_port_taken(tmp_path):
    """A UDP port that somebody else holds is infra."""
    first, second = Wire(tmp_path, "a", udp=True), Wire(tmp_path, "b", udp=True)
    second._far_port = first._socket.getsockname()[1]
    with pytest.raises(Infra, match="Address already in use.*end the program that holds the port"):
        Machine(Board(assemble(tmp_path, "1: j 1b\n"), wires=(second,)))
    first.close()
    second.close()


def test_no_memory_on_the_host(tmp_path):
    """A machine larger than the host can hold is infra."""
    with pytest.raises(Infra, match="memory"):
        Machine(Board(assemble(tmp_path, "1: j 1b\n"), memory="900000G"))


def test_sentences():
    """Failures are one sentence; text from a guest cannot break out of it."""
    with pytest.raises(Failure, match=r"^expected the answer to be 42, got 41$"):
        expect_equal(41, 42, "the answer")
    with pytest.raises(Failure, match=r"^expected a prompt, got 'x\\x1b\[2J\\n'$"):
        expect(False, "a prompt", "x\x1b[2J\n")
    expect(True, "nothing", None)
    assert describe(0x80200000) == "0x80200000" and describe(b"\xff") == r"'\xff'"
    assert len(quote("a" * 10000)) < 200


def test_host_errors_are_infra():
    """Trouble of the host is told from trouble of the grader."""
    assert infra_from(MemoryError()) and infra_from(OSError(28, "No space left on device"))
    assert infra_from(ModuleNotFoundError(name="elftools")).reason.endswith("elftools is missing")
    assert infra_from(ValueError()) is None
