"""What is built: size, segments, sameness; and the configurations that few people use."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from grader.check.blob import Tree
from grader.check.conftest import PROMPT
from grader.check.kernels import BUILDS, ROOT, kernel, make, request_of
from grader.core.build import CROSS_PREFIXES
from grader.core.gdb import Gdb
from grader.core.verdict import expect, expect_equal

TEXT_LIMITS = {"release-lab01": 64 << 10, "release": 144 << 10}
WRITABLE, EXECUTABLE = 2, 1
SOURCES = ("Makefile", "solution", "tools", "labs")
PRESENT = ("-semihosting-config", "enable=on,target=native")
PANIC_STATUS = 70


def segments(elf: Path) -> list:
    with elf.open("rb") as file:
        return [segment.header for segment in ELFFile(file).iter_segments("PT_LOAD")]


@pytest.mark.parametrize("variant", TEXT_LIMITS)
def test_size(variant):
    """The text of the release kernel, as the size tool counts it, is not above its stage's limit."""
    size = next(path for prefix in CROSS_PREFIXES if (path := shutil.which(f"{prefix}size")))
    answer = subprocess.check_output([size, kernel(variant)], text=True)
    text = int(answer.splitlines()[1].split()[0])
    expect(text <= TEXT_LIMITS[variant], f"at most {TEXT_LIMITS[variant]} bytes", text)


@pytest.mark.parametrize("variant", ["debug", "release"])
def test_segments(variant):
    """No segment is writable and executable, and none is empty or overlaps another."""
    found = sorted(segments(kernel(variant)), key=lambda s: s["p_paddr"])
    for one in found:
        expect(one["p_flags"] & (WRITABLE | EXECUTABLE) != WRITABLE | EXECUTABLE, "W^X", dict(one))
    for one, other in zip(found, found[1:]):
        expect(one["p_paddr"] + one["p_memsz"] <= other["p_paddr"], "segments apart",
               [dict(one), dict(other)])


def test_second_make():
    """Making again what is made touches no file."""
    def times() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in (BUILDS / "debug").rglob("*")}

    make(request_of("debug"))
    before = times()
    make(request_of("debug"))
    touched = [path.name for path, when in times().items() if before.get(path) != when]
    expect_equal(touched, [], "the files that were touched")


def test_same_bytes(tmp_path):
    """Two builds from two folders into two folders are the same, byte for byte."""
    elves = []
    for name in ("one", "a-second-folder"):
        tree = tmp_path / name
        for source in SOURCES:
            copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
            tree.mkdir(exist_ok=True)
            copy(tmp_path / "one" / source if elves else ROOT / source, tree / source)
        elves.append(make(request_of("debug", tree, tree / "build/check")))
    expect(elves[0].read_bytes() == elves[1].read_bytes(), "equal kernels", "a difference")


@pytest.mark.parametrize("variant",
                         ["release", "ubsan", "chatty", "unprotected", "no-crash", "semihosting"])
def test_variant_boots(boot, variant):
    """Each configuration boots without a complaint, answers, and ends with status 0."""
    machine = boot(variant)
    expect("warning: " not in machine.console.transcript, "no warning",
           machine.console.transcript[-300:])
    expect_equal(machine.console.command("echo fine"), "fine\n", "the echo")
    machine.console.send("shutdown\n")
    expect_equal(machine.wait_exit(), 0, "QEMU's status after shutdown")


@pytest.mark.parametrize("variant, there", [("debug", False), ("chatty", True)])
def test_debug_level(boot, variant, there):
    """DEBUG=3 shows on the console what DEBUG=1 keeps in the log."""
    expect_equal("uart: ns16550a" in boot(variant).console.transcript, there,
                 "details on the console")


def test_disabled_features():
    """What a configuration turns off leaves no code behind."""
    for variant, gone in (("unprotected", b"stack smashed"), ("no-crash", b"plant a fault")):
        expect(gone in kernel().read_bytes(), f"{gone} in the debug kernel", "none")
        expect(gone not in kernel(variant).read_bytes(), f"no {gone} in {variant}", "some")


def without_test_device(gdb: Gdb) -> Gdb:
    at = gdb.read("a1")
    blob = gdb.read_memory(at, int.from_bytes(gdb.read_memory(at + 4, 4), "big"))
    Tree.parse(blob).root.find("sifive,test0")
    gdb.write_memory(at, blob.replace(b"sifive,test0", b"xxxxxx,test0"))
    return gdb


@pytest.mark.parametrize("present", [True, False])
def test_semihosting(entry, present):
    """Without a test device semihosting, where present, hands over the status; absent, no harm."""
    gdb = without_test_device(entry("semihosting", extra=PRESENT if present else (),
                                    may_panic=True))
    machine = gdb.machine
    gdb.detach()
    machine.console.expect(PROMPT)
    expect_equal("semihosting: present" in machine.console.transcript, present, "its presence")
    machine.console.send("crash panic\n")
    expect_equal(machine.wait_exit(), PANIC_STATUS if present else 0, "QEMU's status")


def test_test_device_before_semihosting(boot):
    """Where both are there, the test device ends the machine."""
    machine = boot("semihosting", extra=PRESENT, may_panic=True)
    machine.console.send("crash panic\n")
    expect_equal(machine.wait_exit(), PANIC_STATUS, "QEMU's status")
