"""The sandbox, tried from inside; and nothing left running outside."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grader.core import board as board_module
from grader.core import sandbox
from grader.core.disk import Disk
from grader.core.job import ROOT
from grader.core.board import Board
from grader.core.machine import Machine
from grader.core.process import group_members
from grader.core.sandbox import Jail, Limits, confine, works
from grader.tests.kernels import assemble

needs_bubblewrap = pytest.mark.skipif(not works(), reason="bubblewrap does not work here")


def inside(script: str, jail: Jail) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        confine(["sh", "-c", script], jail), capture_output=True, text=True, timeout=30
    )


@needs_bubblewrap
def test_writes_stay_inside(tmp_path):
    """Only the folders to write can be written; the rest is read-only or not there."""
    read, write = tmp_path / "r", tmp_path / "w"
    read.mkdir(), write.mkdir()
    assert inside(f"echo x > {write}/a", Jail(write=(write,))).returncode == 0
    assert inside(f"echo x > {read}/a", Jail(read=(read,))).returncode != 0
    assert inside("echo x > /usr/a", Jail()).returncode != 0
    assert inside(f"ls {read}", Jail()).returncode != 0
    assert inside("cat /etc/passwd", Jail()).returncode != 0
    assert inside(f"ls {ROOT}/solution", Jail()).returncode != 0
    assert (write / "a").exists() and not (read / "a").exists()


@needs_bubblewrap
def test_no_network_and_no_neighbours(tmp_path):
    """No interface but a dead loopback, no process but its own, no secrets in the environment."""
    os.environ["MAZU_TEST_SECRET"] = "1"
    assert inside("cat /proc/net/dev | grep -c :", Jail()).stdout.strip() == "1"
    assert int(inside("ls -d /proc/[0-9]* | wc -l", Jail()).stdout) < 6
    assert "MAZU_TEST_SECRET" not in inside("env", Jail()).stdout


def test_limits(tmp_path):
    """A file over the limit is cut short, CPU time ends."""
    jail = Jail(write=(tmp_path,), limits=Limits(cpu_s=1, file_mib=1))
    inside(f"head -c 5000000 /dev/zero > {tmp_path}/big", jail)
    assert (tmp_path / "big").stat().st_size <= 1 << 20
    assert inside("while :; do :; done", jail).returncode != 0


def test_without_bubblewrap_it_says_so(monkeypatch):
    """Where bubblewrap does not work there is a note, and commands still run."""
    monkeypatch.setenv("MAZU_NO_SANDBOX", "1")
    works.cache_clear()
    try:
        assert "resource limits only" in (sandbox.notice() or "")
        assert inside("exit 4", Jail()).returncode == 4
    finally:
        works.cache_clear()


def test_a_machine_in_the_open(monkeypatch, tmp_path):
    """Machines run, and end, without bubblewrap too."""
    monkeypatch.setenv("MAZU_NO_SANDBOX", "1")
    works.cache_clear()
    try:
        with Machine(Board(assemble(tmp_path, "leave 137\n"))) as machine:
            machine.run()
            assert machine.wait_exit() == 137
    finally:
        works.cache_clear()


def test_semihosting_is_never_on():
    """No command line enables host code execution from the guest."""
    line = Board(Path("/kernel")).command(Path("/folder"))
    assert not any("semihosting" in word for word in line)
    assert "-sandbox" in line or not board_module.has_seccomp()


def test_close_leaves_nothing(tmp_path):
    """No process of the group and no folder outlives a machine."""
    machine = Machine(Board(assemble(tmp_path, "1: j 1b\n")))
    machine.run()
    leader, folder = machine._process.pid, machine.folder
    assert group_members(leader)
    machine.close()
    assert not group_members(leader) and not folder.exists()


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_survives_a_killed_grader(tmp_path, sent):
    """However the grader ends, its machines end with it."""
    image = assemble(tmp_path, "1: j 1b\n")
    script = (
        "import sys, time, signal; from pathlib import Path\n"
        "from grader.core.board import Board; from grader.core.machine import Machine\n"
        "from grader.core.plugin import _terminate\n"
        "signal.signal(signal.SIGTERM, _terminate)\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # it is ignored below nohup\n"
        f"m = Machine(Board(Path({str(image)!r}))); m.run()\n"
        "print(m._process.pid, m.folder, flush=True)\n"
        "time.sleep(60)\n"
    )
    grader = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    pid, folder = grader.stdout.readline().split()
    leader = int(pid)
    assert group_members(leader)
    grader.send_signal(sent)
    grader.wait(timeout=10)
    give_up = time.monotonic() + 5
    while group_members(leader) and time.monotonic() < give_up:
        time.sleep(0.05)
    assert not group_members(leader)
    # A killed grader cannot clean up; its runner, whose temporary folder this is in, does.
    assert sent == signal.SIGKILL or not Path(folder).exists()
    shutil.rmtree(folder, ignore_errors=True)


def test_two_machines_side_by_side_do_not_meet(boot, tmp_path):
    """Two machines of one image have folders, sockets and consoles of their own."""
    one, two = boot("say one\n1: j 1b\n"), Machine(Board(tmp_path / "kernel.elf"))
    two.run()
    one.console.expect("one"), two.console.expect("one")
    assert one.folder != two.folder
    one.close()
    assert two.alive
    two.close()


def test_disk(boot, tmp_path):
    """A raw image is made, attached, survives a kill and can be looked into."""
    disk = Disk.make(tmp_path / "disk.img", 1 << 20, b"begin")
    machine = boot("say up\n1: j 1b\n", disks=(disk,))
    machine.console.expect("up")
    machine.kill()
    disk.write(512, b"sector")
    assert disk.read(0, 5) == b"begin" and disk.read(512, 6) == b"sector"
    assert Path(disk.path).stat().st_size == 1 << 20
    with pytest.raises(ValueError):
        Disk.make(tmp_path / "odd.img", 1000)
