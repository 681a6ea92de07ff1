"""The build engine on a kernel of two functions: what is rebuilt when, and that the result repeats.

Criterion of each test: the objects that one change concerns are made anew, those and no others.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]

SOURCES = {
    "labs/01-boot/lab.toml": "",
    "solution/Makefile": "obj-y += arch/riscv64/ kernel/\n",
    "solution/arch/riscv64/Makefile": "obj-y += entry.o\n",
    "solution/arch/riscv64/entry.S": """
        .globl _start
        .type _start, @function
_start: call one
1:      j 1b
""",
    "solution/arch/riscv64/kernel.lds.S": """
ENTRY(_start)
SECTIONS {
        . = 0x80200000;
        .text : { _text_start = .; *(.text .text.*) _text_end = .; }
        . = ALIGN(0x1000);
        .rodata : { *(.rodata .rodata.* .symtab_kernel) }
        . = ALIGN(0x1000);
        .data : { *(.data .data.* .sdata .sdata.* .bss .bss.* .sbss .sbss.*) }
        /DISCARD/ : { *(.comment .riscv.attributes .note.*) }
}
""",
    "solution/kernel/Makefile": "obj-y += one.o two.o\nobj-$(CONFIG_THREE) += three/\n",
    "solution/kernel/one.c": '#include <mazu/two.h>\nvoid one(void)\n{\n\ttwo();\n}\n',
    "solution/kernel/two.c": '#include <mazu/two.h>\nint x;\nvoid two(void)\n{\n\tx += __LINE__;\n}\n',
    "solution/kernel/three/Makefile": "obj-y += three.o\nCFLAGS_three.o := -DTHREE=3\n",
    "solution/kernel/three/three.c": "int three(void);\nint three(void)\n{\n\treturn THREE;\n}\n",
    "solution/include/mazu/two.h": "void one(void);\nvoid two(void);\n",
    "solution/include/mazu/lab.h": "/* LAB_TODO, which every shadow sees. */\n",
    "solution/Kconfig": """
config STAGE
        int
        default $(STAGE)
config DEBUG_LEVEL
        int "level"
        range 0 3
        default 1
config UBSAN
        bool "ubsan"
config STACKPROTECTOR
        bool "canary"
config THREE
        bool "three"
config LATER
        bool "four"
        depends on STAGE >= 9
""",
    "solution/configs/defconfig": "",
    "solution/configs/lab1": "",
    "solution/configs/fragments/debug.config": "",
    "solution/configs/fragments/release.config": "",
    "solution/configs/fragments/ubsan.config": "CONFIG_UBSAN=y\n",
    # Stands in for tools/course: every C file in the lab's folder is a shadow.
    "tools/course/run": """#!/bin/sh
cd labs/01-boot && for f in $(find . -name '*.c'); do echo "shadow-${f#./} := labs/01-boot/${f#./}"; done
""",
}


class Tree:
    """A small checkout with the real front desk and the real engine."""

    def __init__(self, top: Path) -> None:
        self.top = top
        for name, text in SOURCES.items():
            self.write(name, text)
        (top / "tools/course/run").chmod(0o755)
        for name in ("setup", "python", "help", "qemu-version"):
            shutil.copy(TOP / "tools" / name, top / "tools" / name)
        shutil.copytree(TOP / "solution/tools", top / "solution/tools")
        shutil.copy(TOP / "solution/arch/riscv64/flags.mk", top / "solution/arch/riscv64/flags.mk")
        shutil.copy(TOP / "Makefile", top / "Makefile")

    def write(self, name: str, text: str) -> None:
        path = self.top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def make(self, *words: str, ok: bool = True, **environment: str) -> str:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("MAKE") and k != "MFLAGS"}
        done = subprocess.run(
            ["make", *words],
            cwd=self.top,
            env=kept | environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        assert (done.returncode == 0) == ok, done.stdout
        return done.stdout

    def made(self, *words: str, **environment: str) -> set[str]:
        """The sources that a build compiles."""
        lines = [line.split() for line in self.make(*words, **environment).splitlines()]
        return {Path(line[1]).name for line in lines if line and line[0] in ("CC", "COPY", "CPP")}


KERNEL = {"entry.S", "one.c", "two.c"}
SCRIPTS = {"kernel.lds.S", "symtab-empty.S", "symtab.S"}


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "tree")


@pytest.fixture
def built(tree: Tree) -> Tree:
    tree.make()
    return tree


def test_first_build_makes_everything_and_the_second_nothing(tree: Tree) -> None:
    assert tree.made() == KERNEL | SCRIPTS
    assert (tree.top / "build/mazu.elf").resolve() == tree.top / "build/defconfig/mazu.elf"
    assert len(tree.make().splitlines()) <= 1


def test_parallel_builds_and_other_folders_give_the_same_bytes(tmp_path: Path) -> None:
    trees = [Tree(tmp_path / name) for name in ("a", "b c", "deep/er")]
    elsewhere = tmp_path / "out"
    trees[0].make("-j1")
    trees[1].make("-j4")
    trees[2].make(f"O={elsewhere}")
    images = [t.top / "build/mazu.elf" for t in trees[:2]] + [elsewhere / "mazu.elf"]
    assert len({image.read_bytes() for image in images}) == 1
    assert not (trees[2].top / "build/mazu.elf").exists()


def test_the_table_names_the_functions(built: Tree) -> None:
    text = (built.top / "build/defconfig/symtab.S").read_text()
    assert [name for name in ("_start", "one", "two") if f'"{name}"' in text] == ["_start", "one", "two"]


def test_a_header_rebuilds_who_includes_it(built: Tree) -> None:
    built.write("solution/include/mazu/two.h", "void one(void);\nvoid two(void); /* x */\n")
    assert built.made() - SCRIPTS == {"one.c", "two.c"}


def test_a_deleted_header_is_no_error(built: Tree) -> None:
    (built.top / "solution/include/mazu/two.h").unlink()
    built.write("solution/kernel/one.c", "void one(void);\nvoid one(void)\n{\n}\n")
    built.write("solution/kernel/two.c", "void two(void);\nvoid two(void)\n{\n}\n")
    assert built.made() - SCRIPTS == {"one.c", "two.c"}


def test_a_flag_rebuilds_its_object(built: Tree) -> None:
    built.write("solution/kernel/Makefile", "obj-y += one.o two.o\nCFLAGS_two.o := -DX\n")
    assert built.made() - SCRIPTS == {"two.c"}
    assert built.made() == set()


def test_another_compiler_rebuilds_all(built: Tree) -> None:
    wrapper = built.top / "bin/other-gcc"
    built.write("bin/other-gcc", '#!/bin/sh\nexec riscv64-unknown-elf-gcc "$@"\n')
    wrapper.chmod(0o755)
    assert built.made(CROSS_COMPILE=str(wrapper)[:-3]) >= KERNEL


def test_a_config_change_counts_by_content(built: Tree) -> None:
    (built.top / "solution/configs/defconfig").touch()
    assert built.made() == set()
    built.write("solution/configs/defconfig", "CONFIG_THREE=y\n")
    assert built.made() - SCRIPTS == KERNEL | {"three.c"}
    assert "three" in (built.top / "build/defconfig/symtab.S").read_text()
    built.write("solution/configs/defconfig", "")
    built.make()
    assert '"three"' not in (built.top / "build/defconfig/symtab.S").read_text()


def test_profiles_do_not_disturb_each_other(built: Tree) -> None:
    built.make("PROFILE=ubsan")
    assert (built.top / "build/mazu.elf").resolve().parent.name == "defconfig-ubsan"
    assert built.made() == set()
    assert (built.top / "build/mazu.elf").resolve().parent.name == "defconfig"


def test_debug_comes_from_the_make_line_only(built: Tree) -> None:
    assert built.made(DEBUG="3", O="/nonexistent", LAB="x") == set()
    assert built.made("DEBUG=3") >= KERNEL
    assert "CONFIG_DEBUG_LEVEL=3" in (built.top / "build/defconfig/.config").read_text()


def test_a_students_file_replaces_ours_and_goes_again(tree: Tree) -> None:
    tree.make("LAB=1")
    theirs = "labs/01-boot/kernel/two.c"
    tree.write(theirs, "#include <mazu/two.h>\nvoid two(void)\n{\n\tint unused;\n}\n")
    assert tree.made("LAB=1") - SCRIPTS == {"two.c"}
    assert tree.made("LAB=1") == set()
    assert tree.made("LAB=1", "SOLUTION=1") - SCRIPTS == {"two.c"}
    assert tree.made("LAB=1") - SCRIPTS == {"two.c"}
    (tree.top / theirs).unlink()
    assert tree.made("LAB=1") - SCRIPTS == {"two.c"}


def test_the_reference_may_be_absent_where_a_student_writes(tree: Tree) -> None:
    tree.make("LAB=1")
    (tree.top / "labs/01-boot/kernel").mkdir()
    (tree.top / "solution/kernel/two.c").rename(tree.top / "labs/01-boot/kernel/two.c")
    assert tree.made("LAB=1") - SCRIPTS == {"two.c"}


def test_reference_objects_are_taken_as_they_are(built: Tree) -> None:
    (built.top / "ref/kernel").mkdir(parents=True)
    shutil.copy(built.top / "build/defconfig/kernel/two.o", built.top / "ref/kernel/two.o")
    assert built.made("REFOBJ=ref") - SCRIPTS == {"two.o"}
    assert built.made() - SCRIPTS == {"two.c"}


def test_local_changes_lie_over_the_files_until_defconfig(built: Tree) -> None:
    built.write("build/defconfig/local.config", "CONFIG_THREE=y\n")
    assert "three.c" in built.made()
    built.make("savedefconfig")
    assert (built.top / "build/defconfig/defconfig").read_text() == "CONFIG_THREE=y\n"
    built.make("defconfig")
    assert not (built.top / "build/defconfig/local.config").exists()
    assert built.made() - SCRIPTS == KERNEL


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("CONFIG_NONSENSE=y\n", "NONSENSE"),
        ("CONFIG_LATER=y\n", "LATER=y is not possible: it depends on STAGE >= 9"),
        ("CONFIG_STAGE=9\n", "STAGE=9 is not possible: it is not for configurations to set"),
        ("CONFIG_DEBUG_LEVEL=9\n", "DEBUG_LEVEL=9 is not possible: its range is 0..3"),
        ("CONFIG_THREE=maybe\n", "THREE"),
        ("a line\n", "malformed"),
    ],
)
def test_a_config_gets_what_it_asks_for_or_one_line(tree: Tree, text: str, complaint: str) -> None:
    tree.write("extra.config", text)
    output = tree.make("FRAGMENTS=extra.config", ok=False)
    said = [line for line in output.splitlines() if "extra.config" in line]
    assert len(said) == 1 and complaint in said[0], output


@pytest.mark.parametrize(
    "words",
    [
        ["LAB=9"],
        ["LAB=x"],
        ["LAB=%"],
        ["LAB=1 1"],
        ["grade-lab9"],
        ["DEBUG=4"],
        ["PROFILE=fast"],
        ["SOLUTION=yes"],
        ["CONFIG=none"],
        ["replay"],
        ["handout", "LAB=1"],
        ["grade-class"],
    ],
)
def test_a_bad_request_is_one_clear_line(tree: Tree, words: list[str]) -> None:
    output = tree.make(*words, ok=False)
    assert len([line for line in output.splitlines() if "***" in line and "Error" not in line]) == 1, output
