"""A little project with two labs, in a temporary folder, for the tests of the course tool."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from course import labs, starters  # noqa: E402

SORT_C = """\
/* Orders the init graph. */
#include <mazu/init.h>

static int rank_of(const struct node *node)
{
	return node->rank;
}

int init_sort(struct node *nodes, int count)
{
	/* the answer */
	int secret_of_the_sort = rank_of(nodes) + count;
	return secret_of_the_sort;
}
"""

ENTRY_S = """\
#include <mazu/lab.h>
	.globl	_start
_start:
	# don't touch a0
	/* HOLE entry_runtime */
	la	sp, secret_boot_stack_top
	call	secret_clear_of_the_bss
	/* END HOLE entry_runtime */
	tail	kernel_main
"""

SPLIT_C = """\
#include <mazu/buddy.h>

void buddy_split(struct zone *zone)
{
	secret_split_of_the_zone(zone, 17);
}
"""

LAB_1 = """\
[lab]
number = 1
name = "boot"
title = "A machine that boots"
stage = 1

[[task]]
id = 1
title = "Enter"
points = 20
anchor = "task-1-enter"

[[task]]
id = 2
title = "Sort the init graph"
points = 30
anchor = "task-2-sort"

[[hole]]
file = "kernel/init_sort.c"
name = "init_sort"
task = 2
hint = "Order the nodes by rank."

[[hole]]
file = "arch/riscv64/entry.S"
name = "entry_runtime"
task = 1
hint = "Set up a stack."

[[limit]]
criterion = "trap.roundtrip"
reference = 112
margin = 1.25
"""

LAB_2 = """\
[lab]
number = 2
name = "paging"
title = "Memory"
stage = 2
adds = ["kernel/mm/"]

[[task]]
id = 1
title = "Split"
points = 10
anchor = "split"

[[hole]]
file = "kernel/mm/buddy_split.c"
name = "buddy_split"
task = 1
hint = "Halve the block."
"""

FILES = {
    "Makefile": "all:\n",
    ".gitignore": "/build/\n*.o\n",
    ".ci/run": "make test\n",
    "docs/instructor.md": "secret\n",
    "docs/design.md": "design\n",
    "grader/test_lab01.py": "one\n",
    "grader/test_lab02.py": "two\n",
    "grader/mutants/lab01/a.patch": "secret_of_the_sort\n",
    "grader/tests/test_x.py": "x\n",
    "tools/tests/test_y.py": "y\n",
    "tools/course/run": "tool\n",
    "solution/kernel/init_sort.c": SORT_C,
    "solution/kernel/main.c": "int main_of_the_kernel;\n",
    "solution/kernel/mm/buddy.c": "int buddy;\n",
    "solution/kernel/mm/buddy_split.c": SPLIT_C,
    "solution/arch/riscv64/entry.S": ENTRY_S,
    "solution/configs/lab1": "CONFIG_A=y\n",
    "solution/configs/lab2": "CONFIG_B=y\n",
    "labs/01-boot/lab.toml": LAB_1,
    "labs/01-boot/README.md": "# Boot\n\n## Task 1: enter\n\n## Task 2: sort\n",
    "labs/02-paging/lab.toml": LAB_2,
    "labs/02-paging/README.md": '<a id="split"></a>\n# Paging\n',
}


@dataclass(frozen=True)
class Tree:
    """The little project, and the few things that tests do to one."""

    root: Path

    def write(self, path: str, text: str | bytes) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return file

    def read(self, path: str) -> str:
        return (self.root / path).read_bytes().decode()

    def edit(self, path: str, old: str, new: str) -> None:
        text = self.read(path)
        assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {path}"
        self.write(path, text.replace(old, new))

    def lab(self, number: int = 1) -> labs.Lab:
        return labs.load(self.root, number)

    def starters(self, force: bool = False) -> list[str]:
        return starters.update(labs.load_all(self.root), force)

    def snapshot(self) -> dict[str, bytes]:
        return {path.relative_to(self.root).as_posix(): path.read_bytes()
                for path in sorted(self.root.rglob("*")) if path.is_file()}


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """The project with its starters written."""
    project = Tree(tmp_path / "project")
    for path, text in FILES.items():
        project.write(path, text)
    project.starters()
    return project
