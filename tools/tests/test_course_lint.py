"""Criteria of lint.py: `make lint` passes a clean tree and names each fault once."""

import pytest

from course.errors import CourseError
from course.lint import anchors, check

PAGE = "labs/01-boot/README.md"


def faults(tree):
    try:
        check(tree.root)
    except CourseError as error:
        return [str(problem) for problem in error.problems]
    return []


def test_clean_tree(tree):
    """Nothing to say about a clean tree."""
    assert faults(tree) == []


@pytest.mark.parametrize("path, old, new, says", [
    ("labs/01-boot/lab.toml", "by rank.", "by rank!", "run `make starters`"),
    ("labs/01-boot/lab.toml", "points = 20", "points = 0", ":10: `points` must be"),
    ("labs/01-boot/lab.toml", '"init_sort"', '"sort_init"', "no function sort_init is defined"),
    ("solution/kernel/init_sort.c", "int count)", "long count)", "run `make starters`"),
    ("solution/kernel/init_sort.c", "/* Orders", "/* orders", "run `make starters`"),
    ("labs/01-boot/kernel/init_sort.c", "rank;", "rank ;", "edited since"),
    ("labs/01-boot/.starters", "kernel", "colonel", "is out of date"),
    (PAGE, "Task 2", "Task two", f"{PAGE}: has no heading for task 2"),
    ("solution/arch/riscv64/entry.S", "\ttail", "\t/* HOLE two */\n\ttail", "marks a hole two"),
    ("labs/02-paging/lab.toml", '"kernel/mm/"', '"kernel/mm/", "net/"', "`adds` names net/"),
    ("labs/02-paging/lab.toml", '"kernel/mm/"', '"kernel/mm/", "/tools/no"', "`adds` names /tools/no"),
])
def test_fault_is_named(tree, path, old, new, says):
    """Each kind of fault fails, with a line that says what to do."""
    tree.edit(path, old, new)
    assert any(says in fault for fault in faults(tree)), faults(tree)


def test_stray_source(tree):
    """A source below labs/ that no hole names is said, since no build would take it."""
    tree.write("labs/01-boot/kernel/helper.c", "")
    assert faults(tree) == ["labs/01-boot/kernel/helper.c: is named by no hole, no build takes it: "
                            "delete it"]


def test_faults_of_all_labs(tree):
    """One run reports the faults of every lab."""
    tree.edit("labs/01-boot/lab.toml", "by rank.", "by rank!")
    (tree.root / "labs/02-paging/README.md").unlink()
    assert [fault.split(":")[0] for fault in faults(tree)] == [
        "labs/01-boot/kernel/init_sort.c", "labs/02-paging/README.md"]


def test_handout_passes(tree):
    """In a handout the references are not there, and a student's edited file is no fault."""
    tree.write(".handout", "LAB=1\n")
    for path in ("solution/kernel/init_sort.c", "solution/arch/riscv64/entry.S"):
        (tree.root / path).unlink()
    for path in ("labs/02-paging/lab.toml", "solution/kernel/mm/buddy_split.c"):
        (tree.root / path).unlink()
    tree.edit("labs/01-boot/kernel/init_sort.c", "LAB_TODO(1, 2);", "return 0;")
    assert faults(tree) == []


def test_anchors():
    """Headings as GitHub slugs them, explicit ids, and no headings from code."""
    page = """
# Boot: a first `kernel_main` & more #
## Task 1: enter
## Task 1: enter
### See [the page](http://x/y) _now_
<a id="own"></a>
```
# not a heading
```
"""
    assert anchors(page) == {"boot-a-first-kernel_main--more", "task-1-enter", "task-1-enter-1",
                             "see-the-page-_now_", "own"}
