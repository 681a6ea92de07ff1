"""Criteria of schema.py and labs.py: lab.toml is taken, or each mistake is named with its line."""

import pytest

from course import labs, schema
from course.errors import CourseError

TOML = "labs/01-boot/lab.toml"


def problems_of(call, *arguments):
    with pytest.raises(CourseError) as error:
        call(*arguments)
    return [str(problem) for problem in error.value.problems]


def test_values(tree):
    """A good lab.toml becomes values; holes are in page order, not in the file's."""
    lab = tree.lab()
    assert (lab.folder, lab.number, lab.stage, lab.points) == ("labs/01-boot", 1, 1, 50)
    assert [hole.name for hole in lab.holes] == ["entry_runtime", "init_sort"]
    assert lab.files == ("arch/riscv64/entry.S", "kernel/init_sort.c")
    assert [hole.kind for hole in lab.holes] == ["part", "function"]
    assert lab.task(2).title == "Sort the init graph"
    assert [limit.bound for limit in lab.limits] == [140]
    assert tree.lab(2).adds == ("kernel/mm/",)


def test_bound_is_exact():
    """A limit is the product as a person computes it, rounded down."""
    assert labs.Limit("a", 100, 1.15).bound == 115
    assert labs.Limit("a", 3, 1.5).bound == 4


@pytest.mark.parametrize("old, new, line, says", [
    ("number = 1", "number = 9", 2, "`number` must be a number from 1 to 8"),
    ("number = 1", "number = true", 2, "`number` must be"),
    ('name = "boot"', 'name = "Boot camp"', 3, "`name` must be lower-case"),
    ("stage = 1", "stage = 2", 5, "`stage` must be the lab's number"),
    ("stage = 1", "stage = 1\nadds = [\"../x\"]", 6, "`adds` must be a list of paths"),
    ("stage = 1", "", 1, "lab lacks `stage`"),
    ("points = 20", "points = 0", 10, "`points` must be a whole number above 0"),
    ("points = 20", "points = -5", 10, "`points` must be a whole number above 0"),
    ("points = 20", "points = 2.5", 10, "`points` must be a whole number above 0"),
    ("points = 20", "point = 20", 7, "`point` is not a key of task"),
    ("id = 2", "id = 3", 14, "`id` must be 2"),
    ('anchor = "task-2-sort"', 'anchor = "task-1-enter"', 17, "task-1-enter is there twice"),
    ('title = "Enter"', 'title = ""', 9, "`title` must be one line"),
    ("task = 2", "task = 5", 22, "there is no task 5, there are 2"),
    ('"kernel/init_sort.c"', '"include/init.h"', 20, "`file` must be a .c or .S file"),
    ('"kernel/init_sort.c"', '"/kernel/init_sort.c"', 20, "`file` must be"),
    ('"kernel/init_sort.c"', '"kernel/../init_sort.c"', 20, "`file` must be"),
    ('"kernel/init_sort.c"', '"kernel//init_sort.c"', 20, "`file` must be"),
    ('"kernel/init_sort.c"', '"arch/riscv64/entry.S"', 26,
     "arch/riscv64/entry.S belongs to task 2 already"),
    ('"init_sort"', '"init-sort"', 21, "`name` must be an identifier"),
    ('"Order the nodes by rank."', '"no */ please"', 23, "`hint` must be text for a comment"),
    ('"Order the nodes by rank."', '" "', 23, "`hint` must be"),
    ("reference = 112", "reference = 0", 33, "`reference` must be"),
    ("margin = 1.25", "margin = 0.9", 34, "`margin` must be a factor"),
    ("margin = 1.25", "margin = nan", 34, "`margin` must be a factor"),
    ("id = 1", "id = ", 8, "is not TOML: Invalid value"),
])
def test_mistake_is_named(tree, old, new, line, says):
    """Each kind of mistake gives one line that begins with the file and the line to mend."""
    text = tree.read(TOML).replace(old, new, 1)
    said = problems_of(schema.read, text, TOML)
    assert any(one.startswith(f"{TOML}:{line}: {says}") for one in said), said


@pytest.mark.parametrize("text, says", [
    ("", "has no [lab], write one"),
    ("lab = 3", "`lab` must be written as [lab]"),
    ("[[lab]]\nnumber = 1", "`lab` must be written as [lab]"),
    ("[task]\nid = 1", "`task` must be written as [[task]]"),
    ("[grade]\n", "has an unknown table or key `grade`"),
])
def test_wrong_tables(text, says):
    """A table that is missing, unknown, or written as the other kind."""
    assert any(says in one for one in problems_of(schema.read, text, TOML))


def test_all_mistakes_at_once(tree):
    """An author sees every mistake of a file in one run, in the file's order."""
    text = tree.read(TOML).replace("points = 20", "points = 0").replace("= 1.25", "= 0")
    said = problems_of(schema.read, text, TOML)
    assert [one.split(":")[1] for one in said] == ["10", "34"]


def test_crlf_is_no_mistake(tree):
    """A lab.toml from a checkout with CRLF reads the same."""
    before = tree.lab()
    tree.write(TOML, tree.read(TOML).replace("\n", "\r\n"))
    assert tree.lab() == before


def test_twice_the_same_hole(tree):
    """One function listed twice is a mistake, also for the same task."""
    tree.write(TOML, tree.read(TOML).replace("[[limit]]", """[[hole]]
file = "kernel/init_sort.c"
name = "init_sort"
task = 2
hint = "again"

[[limit]]"""))
    assert any("init_sort is there twice" in one for one in problems_of(tree.lab))


def test_path_belongs_to_one_lab(tree):
    """Two labs cannot have a hole in one file."""
    tree.edit("labs/02-paging/lab.toml", "kernel/mm/buddy_split.c", "kernel/init_sort.c")
    said = problems_of(labs.load_all, tree.root)
    assert said == ["labs/02-paging/lab.toml: kernel/init_sort.c belongs to lab 1 already, "
                    "a path belongs to one lab"]


def test_folder_and_number_agree(tree):
    """The folder is named by number and name; a second folder with the number is refused."""
    (tree.root / "labs/02-paging").rename(tree.root / "labs/02-pages")
    assert "labs/02-paging, and the folder is labs/02-pages" in problems_of(tree.lab, 2)[0]
    tree.write("labs/02-other/lab.toml", "")
    assert "renumber one" in problems_of(tree.lab, 2)[0]


def test_no_such_lab(tree):
    """A number without a lab says which labs there are."""
    assert problems_of(tree.lab, 7) == ["labs: there is no lab 7, the labs of this tree are: 1, 2"]


def test_unwritten_in_page_order(tree):
    """Untouched starters are unwritten, a written hole is not, a missing file is."""
    lab = tree.lab()
    assert [hole.task for hole in labs.unwritten(lab)] == [1, 2]
    tree.edit("labs/01-boot/arch/riscv64/entry.S", "LAB_TODO(1, 1)", "ret")
    assert [hole.task for hole in labs.unwritten(lab, tree.root)] == [2]
    (tree.root / "labs/01-boot/kernel/init_sort.c").write_text("int init_sort(void) { }")
    assert labs.unwritten(lab, tree.root / "labs/01-boot") == []
    (tree.root / "labs/01-boot/kernel/init_sort.c").unlink()
    assert [hole.task for hole in labs.unwritten(lab)] == [2]


def test_unwritten_elsewhere(tree, tmp_path):
    """A folder that stands for labs/NN-name (SHADOW) is looked at in its place."""
    (tmp_path / "own/kernel").mkdir(parents=True)
    (tmp_path / "own/kernel/init_sort.c").write_bytes(b"int init_sort(void) { return '\xff'; }")
    assert [hole.name for hole in labs.unwritten(tree.lab(), tmp_path / "own")] == ["entry_runtime"]


@pytest.mark.parametrize("text, expected", [(None, None), ("LAB=1\n", 1), ("LAB=12", 12)])
def test_handout_of(tree, text, expected):
    """A full clone is told from a handout, and which one it is."""
    if text is not None:
        tree.write(".handout", text)
    assert labs.handout_of(tree.root) == expected


def test_damaged_handout_file(tree):
    """A .handout that holds something else is an error, not a clone."""
    tree.write(".handout", "rm -rf\n")
    assert ".handout: must hold" in problems_of(labs.handout_of, tree.root)[0]
