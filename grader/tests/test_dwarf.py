"""Where fields lie and what enumerators are, from the debug information of a compiled file."""

from __future__ import annotations

import subprocess

import pytest

from grader.core.dwarf import Layout
from grader.core.verdict import Infra
from grader.tests.kernels import cross_gcc

SOURCE = """
enum colour { RED, GREEN = 7, BLUE };
struct list { struct list *next, *prev; };
struct record {
	struct list link;
	union {
		unsigned owners;
		struct { unsigned short in_use, carved; };
	};
	unsigned char state;
	enum colour colours[3];
};
struct record table[4];
const struct record *first = table;
"""


@pytest.fixture
def layout(tmp_path):
    source, image = tmp_path / "x.c", tmp_path / "x.elf"
    source.write_text(SOURCE)
    subprocess.run([cross_gcc(), "-g", "-nostdlib", "-static", "-Wl,-e,0", "-march=rv64imac", "-mabi=lp64",
                    "-o", image, source], check=True)
    found = Layout(image)
    yield found
    found.close()


@pytest.mark.parametrize("start, path, offset, size", [
    ("struct record", "", 0, 40), ("struct record", "link.prev", 8, 8), ("struct record", "owners", 16, 4),
    ("struct record", "carved", 18, 2), ("struct record", "state", 20, 1), ("struct record", "colours[2]", 32, 4),
    ("table", "[3].in_use", 136, 2), ("table", "", 0, 160)])
def test_fields(layout, start, path, offset, size):
    """Members, elements, and members of what has no name."""
    found = layout.field(start, path)
    assert (found.offset, found.size) == (offset, size)


def test_constants(layout):
    """Enumerators by name; one that is not there is our mistake."""
    assert [layout.constant(name) for name in ("RED", "GREEN", "BLUE")] == [0, 7, 8]
    with pytest.raises(Infra):
        layout.constant("YELLOW")
    with pytest.raises(Infra):
        layout.field("struct record", "nothing")
