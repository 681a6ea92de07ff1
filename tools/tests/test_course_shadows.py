"""Criteria of shadows.py: which files of a build are the student's, and that carried ones fit."""

import re

import pytest

from course.errors import CourseError
from course.shadows import fragment

SORT = "labs/01-boot/kernel/init_sort.c"
LAB_1 = ("shadow-arch/riscv64/entry.S := labs/01-boot/arch/riscv64/entry.S\n"
         f"shadow-kernel/init_sort.c := {SORT}\n")
LAB_2 = "shadow-kernel/mm/buddy_split.c := labs/02-paging/kernel/mm/buddy_split.c\n"


def stale_lines(tree):
    with pytest.raises(CourseError) as error:
        fragment(tree.root, 2, carry=True)
    return [str(problem) for problem in error.value.problems]


def test_lab_alone(tree):
    """Each file that lab.toml names and that exists, and no other."""
    tree.write("labs/01-boot/kernel/extra.c", "int extra;")
    assert fragment(tree.root, 1) == LAB_1
    assert fragment(tree.root, 2) == LAB_2


def test_missing_shadow_is_left_out(tree):
    """What the student does not have comes from the reference."""
    (tree.root / SORT).unlink()
    assert fragment(tree.root, 1) == LAB_1.splitlines(keepends=True)[0]


def test_shadow_folder(tree):
    """SHADOW stands for the folder of the lab itself, not of the ones before."""
    tree.write("class/ann/kernel/mm/buddy_split.c", "")
    assert fragment(tree.root, 2, shadow="class/ann/") == (
        "shadow-kernel/mm/buddy_split.c := class/ann/kernel/mm/buddy_split.c\n")
    assert LAB_1.splitlines()[0] in fragment(tree.root, 2, carry=True, shadow="class/ann")


@pytest.mark.parametrize("folder", ["my class", "a$(shell x)", "a#b", "a:b", "nowhere"])
def test_bad_shadow_folder(tree, folder):
    """A folder that make cannot name, or that is not there, stops with one line."""
    (tree.root / "my class").mkdir()
    with pytest.raises(CourseError, match=f"^{re.escape(folder)}: "):
        fragment(tree.root, 1, shadow=folder)


def test_symbolic_link_is_refused(tree):
    """A link would silently be either file: it is refused by name."""
    (tree.root / SORT).unlink()
    (tree.root / SORT).symlink_to("../../../solution/kernel/init_sort.c")
    with pytest.raises(CourseError, match="init_sort.c: is not a regular file"):
        fragment(tree.root, 1)


def test_carry(tree):
    """With carry the earlier labs' files count too, whatever their bodies and own helpers."""
    assert fragment(tree.root, 2, carry=True) == LAB_1 + LAB_2
    tree.edit(SORT, "LAB_TODO(1, 2);", "return help();")
    tree.edit(SORT, "#include <mazu/init.h>", "#include <mazu/init.h>\nstatic int help(void);")
    tree.edit("solution/kernel/init_sort.c", "the answer", "another answer")
    assert fragment(tree.root, 2, carry=True) == LAB_1 + LAB_2


def test_stale_file_says_what_changed(tree):
    """A carried file of another interface is named, with the lines that are new and gone."""
    tree.edit(SORT, "LAB_TODO(1, 2);", "return 0;")
    tree.edit("solution/kernel/init_sort.c", "struct node *nodes, int count", "struct graph *graph")
    first, new, old = stale_lines(tree)
    assert first.startswith(f"{SORT}: was made for another interface")
    assert new.startswith("solution/kernel/init_sort.c:9: `int init_sort ( struct graph * graph )")
    assert old.startswith(f"{SORT}:9: `int init_sort ( struct node * nodes , int count )")


def test_stale_by_a_removed_line(tree):
    """A declaration that the reference gave up is reported from the student's side."""
    tree.edit("solution/kernel/init_sort.c", "#include <mazu/init.h>\n", "")
    assert any(line.startswith(f"{SORT}:2: `#include <mazu/init.h>` is not in the reference")
               for line in stale_lines(tree))


def test_many_changes_are_cut_short(tree):
    """A file that changed throughout gives a few lines and a count."""
    declarations = "".join(f"extern int number_{index};\n" for index in range(10))
    tree.edit("solution/kernel/init_sort.c", "static int", declarations + "static int")
    assert stale_lines(tree)[-1].endswith("and 6 more lines")


def test_lost_stamp(tree):
    """Without the stamp a file that has every line is told which line to add."""
    text = tree.read(SORT)
    stamp = text.splitlines()[-1]
    tree.write(SORT, text.replace(stamp + "\n", ""))
    assert stale_lines(tree) == [
        f"{SORT}: has lost its interface stamp, end it with the line {stamp}"]


def test_stamp_of_another_lab(tree):
    """A stamp counts for its own lab only."""
    tree.edit(SORT, "mazu: lab 1", "mazu: lab 2")
    assert "another interface" in stale_lines(tree)[0]


def test_handout_of_a_later_lab_carries(tree):
    """In a handout of lab 2 the reference of lab 1 is there, so the check works."""
    tree.write(".handout", "LAB=2\n")
    (tree.root / "solution/kernel/mm/buddy_split.c").unlink()
    assert fragment(tree.root, 2, carry=True) == LAB_1 + LAB_2
