"""Criteria of render.py and starters.py: a starter is the reference with hints for answers, it
cannot drift unseen, and somebody's work is never lost."""

import hashlib
import subprocess

import pytest

from course import ctags, render, starters
from course.errors import CourseError

SORT = "labs/01-boot/kernel/init_sort.c"
ENTRY = "labs/01-boot/arch/riscv64/entry.S"
TOML = "labs/01-boot/lab.toml"


def drift(tree):
    return [str(problem) for problem in starters.drift(tree.lab())]


def test_starter_in_c(tree):
    """Byte for byte the reference outside of the body; hint, LAB_TODO and stamp as documented."""
    reference = tree.read("solution/kernel/init_sort.c")
    head = reference[: reference.index("{\n\t/* the answer */")]
    stamp = render.stamp(tree.lab(), "kernel/init_sort.c", reference)
    assert tree.read(SORT) == (
        f"{head}{{\n\t/*\n\t * Order the nodes by rank.\n\t */\n\tLAB_TODO(1, 2);\n}}\n{stamp}\n")
    assert str(stamp).startswith("/* mazu: lab 1 interface ") and len(stamp.hash) == 12


def test_starter_in_assembly(tree):
    """The markers stay, and what is between them gives way."""
    assert ("\t/* HOLE entry_runtime */\n\t/*\n\t * Set up a stack.\n\t */\n\tLAB_TODO(1, 1)\n"
            "\t/* END HOLE entry_runtime */\n\ttail\tkernel_main\n") in tree.read(ENTRY)


def test_two_holes_of_one_file(tree):
    """Several holes of a file are all cut, whatever their order in lab.toml."""
    tree.write(TOML, tree.read(TOML) + '[[hole]]\nfile = "kernel/init_sort.c"\nname = "rank_of"\n'
                                       'task = 2\nhint = "One field."\n')
    tree.starters()
    text = tree.read(SORT)
    assert text.count("LAB_TODO(1, 2);") == 2 and "node->rank" not in text
    assert "int rank_of(const struct node *node)\n{\n\t/*\n\t * One field." in text
    assert "\n}\n\nint init_sort(struct node *nodes, int count)\n{\n\t/*\n\t * Order the" in text


def test_hint_is_wrapped():
    """Lines end before column 97 with tabs of 8; lists, code and blank lines keep their shape."""
    hint = ("word " * 40 + "\nmore\n\n- an item " + "long " * 30 + "\n- two\n1. one\n\n"
            "    code();\n\tmore_code();\n\nend")
    lines = render.wrap(hint)
    assert all(len(line) + 11 <= 96 for line in lines)
    assert lines[0].startswith("word word") and "more" in lines[2]
    assert lines.count("") == 3 and "- two" in lines and "1. one" in lines and lines[-1] == "end"
    assert "    code();" in lines and "        more_code();" in lines
    assert lines[lines.index("- two") - 1].startswith("  long")


def test_clean_tree_stays(tree):
    """In a clean tree `starters` writes nothing, and nothing drifts."""
    before = {path: path.stat().st_mtime_ns for path in tree.root.rglob("*")}
    assert tree.starters() == [] and drift(tree) == []
    assert before == {path: path.stat().st_mtime_ns for path in tree.root.rglob("*")}


@pytest.mark.parametrize("path, old, new", [
    (TOML, "Order the nodes by rank.", "Order them."),
    (TOML, 'task = 2\nhint', 'task = 1\nhint'),
    ("solution/kernel/init_sort.c", "init_sort(struct node *nodes", "init_sort(void *nodes"),
    ("solution/kernel/init_sort.c", "Orders the init graph", "Sorts the init graph"),
    ("solution/kernel/init_sort.c", "return node->rank", "return -node->rank"),
    ("solution/arch/riscv64/entry.S", "tail\tkernel_main", "call\tkernel_main"),
])
def test_drift_is_seen_and_mended(tree, path, old, new):
    """A hint, a task, a signature or any line outside the holes; `starters` mends what it wrote."""
    tree.edit(path, old, new)
    assert len(drift(tree)) == 1 and "run `make starters`" in drift(tree)[0]
    assert tree.starters() != [] and drift(tree) == []


def test_change_inside_a_hole_is_no_drift(tree):
    """The answer may change without a new starter."""
    tree.edit("solution/kernel/init_sort.c", "rank_of(nodes) + count", "count")
    assert drift(tree) == [] and tree.starters() == []


def test_edited_starter_is_refused(tree):
    """Somebody's work is named, FORCE=1 is told, and nothing at all is written."""
    tree.edit(SORT, "LAB_TODO(1, 2);", "return 0;")
    tree.edit("solution/arch/riscv64/entry.S", "tail", "call")
    before = tree.snapshot()
    with pytest.raises(CourseError) as error:
        tree.starters()
    assert [str(problem) for problem in error.value.problems] == [
        f"{SORT}: was edited, move your work away or say `make starters FORCE=1` to overwrite it"]
    assert tree.snapshot() == before
    assert any(one.startswith(SORT) and "edited since" in one for one in drift(tree))


def test_force_overwrites(tree):
    """With force the edited starter is as it was."""
    before = tree.snapshot()
    tree.edit(SORT, "LAB_TODO(1, 2);", "return 0;")
    assert tree.starters(force=True) == [f"{SORT}: written"]
    assert tree.snapshot() == before


@pytest.mark.parametrize("memory", [None, "", "garbage\n", "0" * 64 + "  ../../solution/x.c\n"])
def test_without_memory_an_unknown_file_is_edited(tree, memory):
    """With no manifest, or a damaged one, what differs counts as work; what is equal is fine."""
    manifest = tree.root / "labs/01-boot/.starters"
    manifest.unlink() if memory is None else manifest.write_text(memory)
    assert tree.starters() == ["labs/01-boot/.starters: written"]
    manifest.unlink() if memory is None else manifest.write_text(memory)
    tree.edit(SORT, "Order the", "Sort the")
    with pytest.raises(CourseError, match="FORCE=1"):
        tree.starters()


def test_removed_hole_removes_its_starter(tree):
    """A starter that lab.toml no longer names goes, with its empty folder; an edited one stays."""
    text = tree.read(TOML)
    start, end = text.index('[[hole]]\nfile = "arch'), text.index("[[limit]]")
    tree.write(TOML, text[:start] + text[end:])
    assert "is no starter any more" in drift(tree)[0]
    tree.edit(ENTRY, "LAB_TODO(1, 1)", "ret")
    with pytest.raises(CourseError, match="entry.S: was edited"):
        tree.starters()
    tree.edit(ENTRY, "\tret\n", "\tLAB_TODO(1, 1)\n")
    assert f"{ENTRY}: removed" in tree.starters()
    assert not (tree.root / "labs/01-boot/arch").exists() and drift(tree) == []


def test_missing_starter_comes_back(tree):
    """A starter that was deleted is drift, and is written again."""
    before = tree.snapshot()
    (tree.root / SORT).unlink()
    assert len(drift(tree)) == 1
    tree.starters()
    assert tree.snapshot() == before


def test_crlf_checkout(tree):
    """CRLF on disk, in the reference or the starters, is neither drift nor an edit."""
    for path in ("solution/kernel/init_sort.c", SORT, TOML, "labs/01-boot/.starters"):
        tree.write(path, tree.read(path).replace("\n", "\r\n"))
    assert drift(tree) == [] and tree.starters() == []
    tree.edit(TOML, "by rank.", "by rank!")
    tree.starters()
    assert "\r" not in tree.read(SORT)


def test_no_final_newline(tree):
    """A reference that does not end in a newline still gives a stamp on a line of its own."""
    tree.write("solution/kernel/init_sort.c", tree.read("solution/kernel/init_sort.c").rstrip("\n"))
    assert tree.starters() == []


def test_symbolic_link_is_not_written_through(tree, tmp_path):
    """A link where the starter belongs is work; with force it is replaced and its target kept."""
    target = tmp_path / "mine.c"
    target.write_text("mine")
    (tree.root / SORT).unlink()
    (tree.root / SORT).symlink_to(target)
    with pytest.raises(CourseError, match="was edited"):
        tree.starters()
    tree.starters(force=True)
    assert target.read_text() == "mine" and not (tree.root / SORT).is_symlink()


def test_manifest_is_for_sha256sum(tree):
    """The memory is a file that sha256sum -c reads."""
    digest = hashlib.sha256((tree.root / SORT).read_bytes()).hexdigest()
    assert f"{digest}  kernel/init_sort.c\n" in tree.read("labs/01-boot/.starters")
    subprocess.run(["sha256sum", "--quiet", "--strict", "-c", ".starters"], check=True,
                   cwd=tree.root / "labs/01-boot")


@pytest.mark.parametrize("old, new, says", [
    ("int init_sort(", "int sort_init(", "no function init_sort"),
    ("int init_sort(", "#define init_sort x\nint init_sort(", "comes from the macro"),
    ("#include <mazu/init.h>", "#if A\nint init_sort(void) { return 1; }\n#endif", "#if of line 2"),
    ("#include <mazu/init.h>", "int init_sort(void) { return 1; }", "more than once (lines 2, 9)"),
])
def test_hole_that_is_no_hole(tree, old, new, says):
    """A function that is not there, is a macro, inside #if, or there twice stops with one line."""
    tree.edit("solution/kernel/init_sort.c", old, new)
    with pytest.raises(CourseError) as error:
        drift(tree)
    assert len(error.value.problems) == 1
    assert str(error.value).startswith("solution/kernel/init_sort.c: ") and says in str(error.value)


def test_ctags_is_asked(tree, monkeypatch):
    """No starter is cut where ctags sees the function elsewhere."""
    tags = {"solution/kernel/init_sort.c": [ctags.Tag("init_sort", 9, 13)]}
    monkeypatch.setattr(ctags, "functions", lambda root, paths: tags)
    with pytest.raises(CourseError, match="lines 9-13 and the brace matcher at 9-14"):
        tree.starters()


def test_last_stamp_counts():
    """A file that was pasted together carries the stamp of its end."""
    lines = [f"/* mazu: lab 1 interface {digit * 12} */" for digit in "ab"]
    assert str(render.carried("\n".join(lines))) == lines[1]
    assert render.carried("/* mazu: lab 1 interface xyz */") is None


def test_reference_is_missing(tree):
    """A file that lab.toml names and solution/ lacks stops with the place to mend."""
    (tree.root / "solution/kernel/init_sort.c").unlink()
    with pytest.raises(CourseError, match="solution/kernel/init_sort.c: is missing, .*lab.toml"):
        tree.starters()


def test_stamp_is_of_the_interface(tree):
    """Comments, blanks and the bodies do not count; a token outside of them does. The starter of a
    file has the stamp of the file."""
    lab, file = tree.lab(), "kernel/init_sort.c"
    text = tree.read(f"solution/{file}")
    stamp = render.stamp(lab, file, text)
    assert render.stamp(lab, file, tree.read(SORT)) == stamp == render.carried(tree.read(SORT))
    for old, new in (("/* Orders", "/* x"), ("int count)", "int\n  count /* n */ )"),
                     ("+ count", "- 1"), ("#include <", "#  include /**/ <")):
        assert render.stamp(lab, file, text.replace(old, new)) == stamp
    for old, new in (("int count", "long count"), ("node->rank", "node->x"), ("init.h", "i.h")):
        assert render.stamp(lab, file, text.replace(old, new)) != stamp
