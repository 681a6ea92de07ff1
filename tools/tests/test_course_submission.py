"""Criteria of submission.py: exactly the files to hand in, the same bytes every time."""

import io
import tarfile

import pytest

from course.errors import CourseError
from course.submission import FILE_MAX, Refused, accept, submit

SORT = "labs/01-boot/kernel/init_sort.c"
ENTRY = "labs/01-boot/arch/riscv64/entry.S"


def test_exactly_the_files(tree):
    """The lab's files under their names, nothing else, no owner, no time."""
    tree.write("labs/01-boot/kernel/notes.txt", "mine")
    packed = submit(tree.lab())
    assert packed.path == tree.root / "build/submit/lab01.tar.gz"
    with tarfile.open(packed.path) as archive:
        members = archive.getmembers()
        assert [member.name for member in members] == [ENTRY, SORT]
        assert {(m.mtime, m.uid, m.gid, m.uname, m.mode) for m in members} == {(0, 0, 0, "", 0o644)}
        assert archive.extractfile(SORT).read() == (tree.root / SORT).read_bytes()


def test_same_bytes(tree, tmp_path):
    """Two archives of the same files are equal, whatever the name and the time."""
    first = submit(tree.lab(), tmp_path / "a.tar.gz").path.read_bytes()
    assert first[4:8] == bytes(4)  # gzip's own time (RFC 1952, 2.3)
    (tree.root / SORT).touch()
    assert submit(tree.lab(), tmp_path / "deep/b.tar.gz").path.read_bytes() == first


def test_unwritten_is_noted(tree):
    """What is not written yet is told, and packed all the same."""
    tree.edit(SORT, "LAB_TODO(1, 2);", "return 0;")
    assert [hole.name for hole in submit(tree.lab()).unwritten] == ["entry_runtime"]


@pytest.mark.parametrize("spoil, says", [
    (lambda path: path.unlink(), "is missing"),
    (lambda path: (path.unlink(), path.symlink_to("init.c")), "is not a regular file"),
    (lambda path: (path.unlink(), path.mkdir()), "is not a regular file"),
    (lambda path: path.write_bytes(b"a\0b"), "NUL byte (at 1)"),
    (lambda path: path.write_bytes(b"\xff"), "is not UTF-8"),
    (lambda path: path.write_bytes(b"a" * (FILE_MAX + 1)), "is larger than 256 KiB"),
])
def test_bad_file_is_named(tree, spoil, says):
    """What the grader would refuse, or miss, stops here with its name; no archive is left."""
    spoil(tree.root / SORT)
    with pytest.raises(CourseError) as error:
        submit(tree.lab())
    assert str(error.value).startswith(f"{SORT}: ") and says in str(error.value)
    assert not (tree.root / "build").exists()


def test_accept():
    """CRLF becomes LF; a lone CR, UTF-8 and a file at the limit are taken as they are."""
    assert accept(b"a\r\nb\rc\n\xc3\xa9") == b"a\nb\rc\n\xc3\xa9"
    assert accept(b"a" * FILE_MAX) == b"a" * FILE_MAX
    with pytest.raises(Refused):
        accept(io.BytesIO(b"\0").read())
