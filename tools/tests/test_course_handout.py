"""Criteria of handout.py and proof.py: a handout has what students need, and no answer."""

import subprocess

import pytest

from course.errors import CourseError
from course.handout import handout, tracked

SORT = "labs/01-boot/kernel/init_sort.c"


@pytest.fixture
def out(tmp_path):
    return tmp_path / "handout"


def files(out):
    return {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}


def refusal(tree, out, number=1, carry=False):
    """Why there is no handout; nothing must be left of it."""
    with pytest.raises(CourseError) as error:
        handout(tree.root, number, out, carry)
    assert not out.exists() and not list(out.parent.glob(".handout.*"))
    return str(error.value)


def test_first_lab(tree, out):
    """Exactly the files that students of lab 1 may have."""
    tree.write("build/x.o", "")
    tree.write("kernel.o", "")
    count = handout(tree.root, 1, out)
    assert files(out) == {
        ".handout", ".gitignore", "Makefile", "docs/design.md", "grader/test_lab01.py",
        "tools/course/run", "solution/kernel/main.c", "solution/configs/lab1",
        "labs/01-boot/lab.toml", "labs/01-boot/README.md", "labs/01-boot/.starters", SORT,
        "labs/01-boot/arch/riscv64/entry.S"}
    assert count == 13 and (out / ".handout").read_text() == "LAB=1\n"


def test_second_lab(tree, out):
    """Lab 2 brings what it adds, the reference of lab 1, and lab 1's starters."""
    handout(tree.root, 2, out)
    there = files(out)
    assert {"solution/kernel/init_sort.c", "solution/kernel/mm/buddy.c", "solution/configs/lab2",
            "grader/test_lab02.py", "labs/02-paging/kernel/mm/buddy_split.c", SORT} <= there
    assert "solution/kernel/mm/buddy_split.c" not in there


def test_tools_of_a_later_lab(tree, out):
    """What a lab adds from the top of the tree comes with that lab."""
    tree.edit("labs/02-paging/lab.toml", '"kernel/mm/"', '"kernel/mm/", "/tools/zones"')
    tree.write("tools/zones", "#!/bin/sh\n")
    tree.write("solution/tools/zones", "another one of that name\n")
    handout(tree.root, 1, out)
    assert "tools/zones" not in files(out) and "solution/tools/zones" in files(out)
    handout(tree.root, 2, out.with_name("second"))
    assert "tools/zones" in files(out.with_name("second"))


def test_starters_are_fresh(tree, out):
    """A solved working copy is not handed out: the starters are rendered anew."""
    clean = tree.read(SORT)
    tree.write(SORT, tree.read("solution/kernel/init_sort.c"))
    handout(tree.root, 1, out)
    assert (out / SORT).read_text() == clean


@pytest.mark.parametrize("carry, kept", [(False, False), (True, True)])
def test_carry(tree, out, carry, kept):
    """With carry the student's own files of earlier labs are kept, those of the lab are not."""
    split = "labs/02-paging/kernel/mm/buddy_split.c"
    tree.edit(SORT, "LAB_TODO(1, 2);", "return my_own();")
    tree.edit(split, "LAB_TODO(2, 1);", "my_own();")
    handout(tree.root, 2, out, carry)
    assert ("my_own" in (out / SORT).read_text()) is kept
    assert "my_own" not in (out / split).read_text()


@pytest.mark.parametrize("path, line", [
    ("docs/design.md", "see `return secret_of_the_sort;` there"),
    ("tools/course/run", "# RETURN\n\treturn  secret_of_the_sort ;"),
    ("labs/01-boot/README.md", "# Boot\n\nla sp, secret_boot_stack_top"),
    ("grader/test_lab01.py", "secret_split_of_the_zone(zone, 17);"),
    ("grader/data.bin", b"\0\xff" + b"return secret_of_the_sort;" + b"\0"),
])
def test_answer_is_found(tree, out, path, line):
    """A line of an answer anywhere, within a line, indented otherwise, also of a later lab."""
    tree.write(path, line)
    said = refusal(tree, out)
    lines = line.count(b"\n" if isinstance(line, bytes) else "\n") + 1
    assert said.startswith(f"{path}:{lines}: holds a line of the answer solution/")


def test_answer_in_a_hint_is_found(tree, out):
    """A hint that quotes the answer is refused too."""
    tree.edit("labs/01-boot/lab.toml", "Order the nodes by rank.", "return secret_of_the_sort;")
    said = refusal(tree, out)
    assert f"{SORT}:" in said and "labs/01-boot/lab.toml:" in said


def test_public_lines_are_no_secret(tree, out):
    """A line that the handed-out reference has as well, or a short one, is no answer."""
    line = "int secret_of_the_sort = rank_of(nodes) + count;"
    tree.write("solution/kernel/main.c", f"\t{line}\nreturn  secret_of_the_sort;\n")
    tree.write("docs/design.md", f"{line}\nreturn secret_of_the_sort;\n")
    handout(tree.root, 1, out)


def test_lines_around_the_hole_are_public(tree, out):
    """What the starter shows outside of its holes may be said anywhere."""
    tree.edit("solution/kernel/init_sort.c", "static int rank_of",
              "int secret(int secret_of_the_sort)\n{\n\treturn secret_of_the_sort;\n}\n\n"
              "static int rank_of")
    tree.write("docs/design.md", "return secret_of_the_sort;\n")
    handout(tree.root, 1, out)


def test_old_starter_is_left_out(tree, out):
    """A source in a lab's folder that no hole names is not handed out: it may be an old answer."""
    tree.write("labs/01-boot/kernel/old_sort.c", "int solved;\n")
    handout(tree.root, 1, out)
    assert "labs/01-boot/kernel/old_sort.c" not in files(out)


def test_lines_of_earlier_labs_are_public(tree, out):
    """What lab 1's answer says may be said in a handout of lab 2, and not of lab 1."""
    tree.write("docs/design.md", "return secret_of_the_sort;\n")
    refusal(tree, out)
    handout(tree.root, 2, out)


def test_place_is_taken(tree, out):
    """A folder with something in it, or a file, is not touched; an empty folder is used."""
    out.mkdir()
    handout(tree.root, 1, out)
    before = files(out)
    with pytest.raises(CourseError, match="is there and not empty"):
        handout(tree.root, 2, out)
    assert files(out) == before
    with pytest.raises(CourseError, match="is there and not empty"):
        handout(tree.root, 1, out / "Makefile")


def test_handout_of_a_handout(tree, out):
    """A handout has no references to render starters from: it says so."""
    tree.write(".handout", "LAB=1\n")
    assert "make one in a full clone" in refusal(tree, out)


def test_no_such_lab(tree, out):
    """A lab that is not there is refused before anything is written."""
    assert "there is no lab 5" in refusal(tree, out, 5)


def git(tree, *arguments):
    subprocess.run(["git", "-C", str(tree.root), *arguments], check=True, capture_output=True)


def test_git_decides(tree, out):
    """With git, what is tracked is handed out as it stands, and nothing else."""
    git(tree, "init", "-q")
    assert "docs/design.md" in set(tracked(tree.root))
    git(tree, "add", ".")
    tree.write("docs/design.md", "changed\n")
    tree.write("my-notes.txt", "private")
    (tree.root / "tools/course/run").unlink()
    handout(tree.root, 1, out)
    assert (out / "docs/design.md").read_text() == "changed\n"
    assert not {"my-notes.txt", "tools/course/run"} & files(out)
    assert not (out / ".git").exists()


def test_untracked_lab(tree, out):
    """A lab that nobody added to git yet would make a handout without it: it is said."""
    git(tree, "init", "-q")
    git(tree, "add", "docs", "solution", "labs/01-boot/README.md")
    assert refusal(tree, out) == (
        "labs/01-boot/lab.toml: is not among the tracked files, `git add` it")


def test_git_of_a_folder_above_does_not_count(tree, out):
    """A tree that lies within some other repository is not that repository."""
    subprocess.run(["git", "init", "-q", str(tree.root.parent)], check=True)
    assert "docs/design.md" in set(tracked(tree.root))


def test_executables_stay_so(tree, out):
    """Modes are kept, so that the handout's scripts run."""
    (tree.root / "tools/course/run").chmod(0o755)
    handout(tree.root, 1, out)
    assert (out / "tools/course/run").stat().st_mode & 0o111
    assert out.stat().st_mode & 0o777 == (out / "labs").stat().st_mode & 0o777
