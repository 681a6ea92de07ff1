"""Criteria of cli.py and the front `run`: one line a problem, honest statuses, from anywhere."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from course.cli import main

SORT = "labs/01-boot/kernel/init_sort.c"
ENTRY = "labs/01-boot/arch/riscv64/entry.S"
TOOLS = Path(__file__).resolve().parents[1]


@pytest.fixture
def say(tree, capsys):
    """Runs a verb on the tree; returns its status and what it printed."""
    def run(*arguments):
        status = main(["--root", str(tree.root), *map(str, arguments)])
        out, err = capsys.readouterr()
        assert bool(status) == bool(err) or "unpack" in arguments
        return status, out + err
    return run


def test_next_in_page_order(tree, say):
    """The first unwritten hole by page order, and nothing when none is left."""
    assert say("next", "--lab", 1) == (0, f"{ENTRY}: part entry_runtime (task 1: Enter)\n")
    tree.edit(ENTRY, "LAB_TODO(1, 1)", "ret")
    second = f"{SORT}: function init_sort (task 2: Sort the init graph)\n"
    assert say("next", "--lab", 1) == (0, second)
    tree.edit(SORT, "LAB_TODO(1, 2);", "return 0;")
    assert say("next", "--lab", 1) == (0, "")


def test_check(tree, say):
    """Quiet in a clean tree; with a fault one line and status 1."""
    assert say("check") == (0, "") and say("starters", "--check") == (0, "")
    tree.edit("labs/01-boot/lab.toml", "by rank.", "by rank!")
    line = f"{SORT}: is not what the reference and lab.toml give, run `make starters`\n"
    assert say("check") == (1, line) and say("starters", "--check") == (1, line)
    assert say("starters") == (0, f"{SORT}: written\nlabs/01-boot/.starters: written\n")
    assert say("starters") == (0, "")


def test_starters_force(tree, say):
    """An edited starter stops with status 1 and the way out; --force takes it."""
    tree.edit(SORT, "LAB_TODO(1, 2);", "return 0;")
    status, text = say("starters")
    assert status == 1 and SORT in text and "FORCE=1" in text
    assert say("starters", "--force") == (0, f"{SORT}: written\n")


def test_starters_in_a_handout(tree, say):
    """A handout says that it has no reference, and changes nothing."""
    tree.write(".handout", "LAB=2\n")
    (tree.root / "solution/kernel/mm/buddy_split.c").unlink()
    assert say("starters") == (0, "labs/02-paging: its reference is not in a handout, its starters "
                                  "stay as they are\n")


def test_shadows(tree, say):
    """The fragment goes to stdout."""
    assert say("shadows", "--lab", 2) == (
        0, "shadow-kernel/mm/buddy_split.c := labs/02-paging/kernel/mm/buddy_split.c\n")


def test_hand_in_and_take(tree, say, tmp_path):
    """handout, a student's work, submit there, unpack here: the work arrives."""
    out, packed = tmp_path / "ann", tmp_path / "ann.tar.gz"
    assert say("handout", "--lab", 1, "--out", out)[0] == 0
    (out / SORT).write_text("int init_sort(void) { return 1; }\n")
    assert main(["--root", str(out), "submit", "--lab", "1", "--out", str(packed)]) == 0
    status, text = say("unpack", "--lab", 1, "--from", packed, "--into", tree.root)
    assert status == 0 and f"{SORT}: taken\n" in text and f"not written yet: {ENTRY}" in text
    assert tree.read(SORT) == (out / SORT).read_text()


def test_incomplete_submission(tree, say, tmp_path):
    """A submission of which something is not taken gives status 1."""
    (tmp_path / "ann/labs/01-boot").mkdir(parents=True)
    status, text = say("unpack", "--lab", 1, "--from", tmp_path / "ann", "--into", tree.root)
    assert status == 1 and text.count("missing, the starter stays") == 2


def test_run_from_a_hostile_folder(tree, tmp_path):
    """The front works from anywhere and imports nothing from where it was called."""
    (tree.root / "course").mkdir()
    for name in ("course/__init__.py", "course/__main__.py", "tomllib.py", "argparse.py"):
        tree.write(name, "raise SystemExit('imported from the current folder')")
    run = subprocess.run([TOOLS / "course/run", "--root", ".", "next", "--lab", "1"], cwd=tree.root,
                         capture_output=True, text=True)
    assert run.returncode == 0 and run.stdout.startswith(ENTRY), run.stderr


def test_run_without_tools_python(tmp_path):
    """Without tools/python the front takes the first python3, and says when that one is too old."""
    shutil.copytree(TOOLS / "course", tmp_path / "tools/course",
                    ignore=shutil.ignore_patterns("__pycache__"))
    path = f"/usr/bin:{os.environ['PATH']}"
    run = subprocess.run([tmp_path / "tools/course/run", "next", "--lab", "1"],
                         env={**os.environ, "PATH": path}, capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (
        1, "labs: there is no lab 1, the labs of this tree are: none\n")
