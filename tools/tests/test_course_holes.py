"""Criteria of holes.py and ctags.py: a hole is found where it is, or refused with the reason."""

import time

import pytest

from course import ctags
from course.errors import CourseError
from course.holes import HoleError, Place, is_unwritten, locate

BODY = "\n{\n\treturn 0;\n}\n"


def body_of(text, path="a.c", name="f"):
    place = locate(text, path, name)
    return text[place.start : place.end]


@pytest.mark.parametrize("head", [
    "int f(void)",
    "static struct page *f(struct zone *zone,\n\t\t      int (*keep)(int))",
    "__attribute__((section(\".init\"))) void\nf(int a[static 2])",
    "void f(void) __must_hold(lock) __attribute__((noinline, cold))",
    "struct f;\nint f(int a);\nint g(void)\n{\n\treturn f(1);\n}\nint f(int a)",
    "#if A\nint g(void)\n{\n}\n#endif\nint f(int a)",
    "struct table t = { .f = f, };\nEXPORT(f);\nchar c = '{', *s = \"f(void) {\";\nint f(int a)",
    "/* int f(void) { */\n#define G f(\n#undef G\nint f(int a)",
])
def test_function_is_found(head):
    """Every ordinary way to write a definition is found, and its body is exactly the braces."""
    if "#define" in head:
        head = head.replace("#define G f(", "#define G \\\n\t{")
    assert body_of(head + BODY) == BODY.strip()


def test_braces_in_text_do_not_count():
    """Braces in strings, characters, comments and whole #if parts leave the end where it is."""
    body = '{\n\tif (a) { b("}"); } /* } */\n\tc = \'}\'; // }\n#if X\n\td();\n#endif\n}'
    text = f"int f(void) {body}\nint g(void) {{ }}\n"
    assert body_of(text) == body
    assert locate(text, "a.c", "f") == Place(12, 12 + len(body), 1, 7)


@pytest.mark.parametrize("text, reason", [
    ("int g(void) { }", "no function f is defined"),
    ("int f(void);", "no function f is defined"),
    ("int g(void) { f(); }", "no function f is defined"),
    ("int f(void) { }\nint f(void) { }", "more than once (lines 1, 2)"),
    ("#if A\nint f(void) { }\n#endif", "in or across #if of line 1"),
    ("#ifdef A\nint f(void) { }\n#else\nint f(void) { }\n#endif", "in or across #if of line 1"),
    ("int f(\n#if A\nint a\n#endif\n) { }", "in or across #if of line 2"),
    ("int f(void) {\n#if A\n}\n#endif", "in or across #if of line 2"),
    ("#if A\nint f(void) { }", "in or across #if of line 1"),
    ("#define DEFINE int f(void) { }\nDEFINE", "macro on line 1"),
    ("#define f g\nint g(void) { }", "macro on line 1"),
    ("\nDEFINE(int, f)\n{\n}", "made by the macro on line 2"),
    ("int f(a, b)\n\tint a; int b;\n{\n}", "declares its parameters after the list"),
    ("int f(void) { (", "`(` on line 1 is not closed"),
    ("int f(void) { } }", "`}` on line 1 closes nothing"),
    ("int f(void) { ( } )", "`}` on line 1 closes nothing"),
])
def test_function_is_refused(text, reason):
    """What is no plain single definition at file level is refused, each with its own reason."""
    with pytest.raises(HoleError) as error:
        locate(text + "\n", "a.c", "f")
    assert reason in str(error.value)


MARKED = "\tnop\n\t/* HOLE f */\n\tli a0, 1\n/* END HOLE f */\n\tret\n"


def test_part_of_assembly_is_found():
    """A hole of assembly is what lies between its markers' lines; they stay."""
    assert body_of(MARKED, "a.S") == "\tli a0, 1\n"


@pytest.mark.parametrize("text, reason", [
    ("nop", "no line `/* HOLE f */`"),
    ("# /* HOLE f */\nnop\n# /* END HOLE f */", "no line `/* HOLE f */`"),
    (MARKED + MARKED, "more than once (lines 2, 7)"),
    (MARKED.replace("/* END HOLE f */", ""), "must follow the marker on line 2"),
    ("/* END HOLE f */\n" + MARKED.replace("/* END HOLE f */", ""), "must follow"),
    (MARKED.replace("\tli a0, 1\n", "/* HOLE g */\n/* END HOLE g */\n"), "holes do not nest"),
    (MARKED.replace("\tli a0, 1\n", "\n"), "is empty"),
    (MARKED.replace("\t/* HOLE", "nop /* HOLE"), "must stand alone"),
    ("#if A\n" + MARKED + "#endif\n", "across #if of line 1"),
    (".macro m\n" + MARKED + ".endm\n", "assembler macro, repeat or .if of line 1"),
    (MARKED.replace("li a0, 1", ".if A") + ".endif\n", "assembler macro, repeat or .if of line 3"),
])
def test_part_of_assembly_is_refused(text, reason):
    """Markers that are missing, twice, crossed, nested, inline or inside #if or a macro."""
    with pytest.raises(HoleError) as error:
        locate(text + "\n", "a.S", "f")
    assert reason in str(error.value)


@pytest.mark.parametrize("text, expected", [
    ("int f(void)\n{\n\tLAB_TODO(1, 2);\n}\n", True),
    ("int f(void)\n{\n\tif (1)\n\t\tLAB_TODO (1, 2);\n}\n", True),
    ("int f(void)\n{\n\t/* LAB_TODO(1, 2); */ // LAB_TODO(\n\tputs(\"LAB_TODO(\");\n}\n", False),
    ("int g(void)\n{\n\tLAB_TODO(1, 2);\n}\nint f(void)\n{\n}\n", False),
    ("int f(void)\n{\n\tLAB_TODO(1, 2);\n", True),
    ("int renamed(void)\n{\n}\n", False),
])
def test_unwritten(text, expected):
    """LAB_TODO( as code in this very body; in a file that has no such body, anywhere."""
    assert is_unwritten(text, "a.c", "f") is expected


def test_unwritten_in_assembly():
    """The same between the markers of an assembly file, where `#` begins a comment too."""
    assert is_unwritten(MARKED.replace("li a0, 1", "LAB_TODO(1, 1)"), "a.S", "f")
    assert not is_unwritten(MARKED.replace("li a0, 1", "nop # LAB_TODO(1, 1)"), "a.S", "f")


@pytest.mark.parametrize("piece", ["f(", "f(]", "f(){", "f()", "f(){]", "f();", "f() a ", "f(){}",
                                   "X(f)", "#if\n", "#define f\n", "{f(", "#if\nf(){}\n"])
def test_hostile_text_takes_linear_time(piece):
    """A submission of 256 KiB made to confuse the finder costs seconds at most."""
    start = time.monotonic()
    is_unwritten(piece * (256 * 1024 // len(piece)), "a.c", "f")
    assert time.monotonic() - start < 10


def test_ctags_agrees(tmp_path):
    """ctags and the brace matcher see the same lines in plain code."""
    text = "static int\nf(int a,\n  int b)\n{\n\tif (a) {\n\t}\n\treturn b;\n}\n"
    (tmp_path / "a.c").write_text(text)
    ctags.confirm(locate(text, "a.c", "f"), "f", ctags.functions(tmp_path, ["a.c"])["a.c"])


def test_ctags_disagrees():
    """A hole on which the two disagree is refused, with both opinions."""
    place = Place(0, 9, 4, 9)
    with pytest.raises(HoleError, match="lines 4-8 and the brace matcher at 4-9"):
        ctags.confirm(place, "f", [ctags.Tag("f", 4, 8)])
    with pytest.raises(HoleError, match="lines none"):
        ctags.confirm(place, "f", [])


def test_ctags_is_missing(tmp_path, monkeypatch):
    """Without ctags the message says what to run."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CourseError, match="tools/setup"):
        ctags.functions(tmp_path, ["a.c"])
