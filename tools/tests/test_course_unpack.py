"""Criteria of unpack.py: a hostile submission gives its good files, a report, and nothing else."""

import gzip
import io
import os
import shutil
import subprocess
import tarfile
import time

import pytest

from course.errors import CourseError
from course.submission import submit
from course.unpack import printable, unpack

SORT = "labs/01-boot/kernel/init_sort.c"
ENTRY = "labs/01-boot/arch/riscv64/entry.S"
MINE = b"int init_sort(void) { return 1; }\n"


@pytest.fixture
def sent(tmp_path):
    """A folder that a student sent, with both files."""
    folder = tmp_path / "sent/ann"
    for name in (SORT, ENTRY):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_bytes(MINE)
    return folder


def pack(path, *members):
    """A tar.gz of (name, data) or of TarInfo."""
    with tarfile.open(path, "w:gz") as tar:
        for member in members:
            data = b""
            if not isinstance(member, tarfile.TarInfo):
                name, data = member
                member = tarfile.TarInfo(name)
                member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def link(name, target, kind=tarfile.SYMTYPE):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def run(tree, source):
    """Unpack, and check what holds for every submission: only the lab's files may differ."""
    before = tree.snapshot()
    report = unpack(tree.lab(), source, tree.root)
    after = tree.snapshot()
    assert {path for path in before.keys() | after.keys()
            if before.get(path) != after.get(path)} <= set(report.taken)
    assert sorted([*report.taken, *report.missing, *(r.file for r in report.refused)]) == (
        [] if report.error else [ENTRY, SORT])
    return report


def test_folder(tree, sent):
    """Both files are taken from a folder."""
    report = run(tree, sent)
    assert report.taken == [ENTRY, SORT] and report.is_complete
    assert (tree.root / SORT).read_bytes() == MINE


def test_what_submit_packs(tree, tmp_path):
    """make submit there and unpack here is the identity."""
    tree.edit(SORT, "LAB_TODO(1, 2);", "return 7;")
    mine = tree.read(SORT)
    packed = submit(tree.lab(), tmp_path / "ann.tar.gz").path
    tree.starters(force=True)
    assert run(tree, packed).is_complete
    assert tree.read(SORT) == mine


@pytest.mark.parametrize("prefix", ["", "./", "ann/", "./ann/"])
def test_one_wrapper(tree, sent, tmp_path, prefix):
    """An archive with or without `./`, with or without one wrapping folder; and such a folder."""
    packed = pack(tmp_path / "a.tar.gz", (prefix + SORT, MINE), (prefix + ENTRY, MINE))
    assert run(tree, packed).is_complete
    assert run(tree, sent.parent).is_complete


def test_two_wrappers(tree, sent, tmp_path):
    """Two folders that both hold the lab are not guessed between."""
    packed = pack(tmp_path / "a.tar.gz", ("a/" + SORT, MINE), ("b/" + SORT, MINE))
    assert "in several folders" in run(tree, packed).error
    shutil.copytree(sent, sent.parent / "bob")
    assert "in several folders" in run(tree, sent.parent).error


def test_extra_files(tree, sent, tmp_path):
    """Extra files, other labs, Makefiles and the grader itself are ignored and listed."""
    extra = ["Makefile", "grader/conftest.py", "labs/01-boot/kernel/x.h", "labs/01-boot/lab.toml",
             "labs/02-paging/kernel/mm/buddy_split.c", "solution/kernel/main.c"]
    for name in extra:
        (sent / name).parent.mkdir(parents=True, exist_ok=True)
        (sent / name).write_text("evil")
    members = [(SORT, MINE), (ENTRY, MINE), *((name, b"evil") for name in extra)]
    packed = pack(tmp_path / "a.tar.gz", *members)
    for source in (sent, packed):
        report = run(tree, source)
        assert report.is_complete and sorted(report.ignored) == extra and not report.ignores_more


def test_very_many_extra_files(tree, sent):
    """The list of ignored files is short whatever is sent."""
    for index in range(1000):
        (sent / f"f{index}").touch()
    report = run(tree, sent)
    assert len(report.ignored) == 20 and report.ignores_more and report.is_complete


def test_very_deep_folder(tree, sent):
    """A folder nested a thousand deep is no way to stop the grader."""
    at = os.open(sent, os.O_RDONLY)
    try:
        for _ in range(1500):
            os.mkdir("d", dir_fd=at)
            inner = os.open("d", os.O_RDONLY, dir_fd=at)
            os.close(at)
            at = inner
        assert run(tree, sent).is_complete
    finally:
        os.close(at)
        subprocess.run(["rm", "-rf", sent / "d"], check=True)  # deeper than pytest itself can


def test_missing_file(tree, sent):
    """A missing file is reported and its starter stays."""
    (sent / SORT).unlink()
    report = run(tree, sent)
    assert report.missing == [SORT] and not report.is_complete
    assert "LAB_TODO(1, 2)" in tree.read(SORT)
    assert f"{SORT}: missing, the starter stays" in report.lines()


@pytest.mark.parametrize("spoil, says", [
    (lambda path: (path.unlink(), path.symlink_to("/etc/passwd")), "is a symbolic link"),
    (lambda path: (path.unlink(), path.symlink_to("nowhere")), "is a symbolic link"),
    (lambda path: (path.unlink(), os.mkfifo(path)), "is not a regular file"),
    (lambda path: (path.unlink(), path.mkdir()), "is not a regular file"),
    (lambda path: os.link(path, path.with_name("second")), "is a hard link"),
    (lambda path: path.write_bytes(b"x" * (256 * 1024 + 1)), "is larger than 256 KiB"),
    (lambda path: path.write_bytes(b"a\0"), "holds a NUL byte"),
    (lambda path: path.write_bytes(b"\xfe\xff"), "is not UTF-8"),
    (lambda path: (path.unlink(), path.parent.rmdir(), path.parent.symlink_to("/etc")),
     "behind a symbolic link"),
    (lambda path: (path.unlink(), path.parent.rmdir(), path.parent.write_text("")),
     "behind a symbolic link or what is no folder"),
])
def test_refused_in_a_folder(tree, sent, spoil, says):
    """Each kind of bad file is refused by itself, in time, and the other file is taken."""
    spoil(sent / SORT)
    start = time.monotonic()
    report = run(tree, sent)
    assert report.taken == [ENTRY] and [r.file for r in report.refused] == [SORT]
    assert says in report.refused[0].why and time.monotonic() - start < 5


def test_link_above_the_lab(tree, sent, tmp_path):
    """A link in place of labs/ or of the lab's folder leads nowhere."""
    for part in ("labs/01-boot", "labs"):
        (sent / part).rename(tmp_path / "elsewhere")
        (sent / part).symlink_to(tmp_path / "elsewhere")
        report = run(tree, sent)
        assert report.taken == [] and len(report.refused) == 2
        (sent / part).unlink()
        (tmp_path / "elsewhere").rename(sent / part)


@pytest.mark.parametrize("member", [
    link(SORT, "/etc/passwd"), link(SORT, ENTRY, tarfile.LNKTYPE), link(SORT, "", tarfile.CHRTYPE),
])
def test_refused_in_an_archive(tree, tmp_path, member):
    """A link or device under a wanted name is refused, even after a file of that name."""
    report = run(tree, pack(tmp_path / "a.tar.gz", (ENTRY, MINE), (SORT, MINE), member))
    assert report.taken == [ENTRY] and report.refused[0].why == "is a link or a device"


@pytest.mark.parametrize("name", [
    "/" + SORT, "../" + SORT, "labs/01-boot/../01-boot/kernel/init_sort.c", "labs/./01-boot/x",
    "labs/01-boot/kernel/../../../solution/kernel/main.c", SORT + "/", SORT + "\n", "a/b/" + SORT,
])
def test_crooked_names_match_nothing(tree, tmp_path, name):
    """Absolute names, `..`, `.` in the middle and doubly wrapped ones are ignored."""
    report = run(tree, pack(tmp_path / "a.tar.gz", (ENTRY, MINE), (name, b"evil")))
    assert report.taken == [ENTRY] and report.missing == [SORT]


@pytest.mark.parametrize("prefix", ["/", "../", "a/../", "a/b/", ".//"])
def test_crooked_wrappers(tree, tmp_path, prefix):
    """A wrapping folder is one folder with a name, not a way to elsewhere."""
    report = run(tree, pack(tmp_path / "a.tar.gz", (prefix + SORT, MINE), (prefix + ENTRY, MINE)))
    assert report.error == "holds no labs/01-boot, pack it with `make submit`"


def test_crlf(tree, sent):
    """CRLF becomes LF, and the report says so."""
    (sent / SORT).write_bytes(MINE.replace(b"\n", b"\r\n"))
    report = run(tree, sent)
    assert (tree.root / SORT).read_bytes() == MINE and report.had_crlf == [SORT]
    assert f"{SORT}: taken, CRLF made LF" in report.lines()


def test_bomb(tree, tmp_path):
    """An archive that unpacks to gigabytes is refused soon, whole."""
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(b"\0" * (200 << 20), 9))
    start = time.monotonic()
    assert "unpacks to more than" in run(tree, tmp_path / "a.tar.gz").error
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("name, content, says", [
    ("a.tar.gz", b"junk", "is not a whole gzip file"),
    ("a.tar.gz", b"", "holds no labs/01-boot"),
    ("a.tar.gz", gzip.compress(b""), "holds no labs/01-boot"),
    ("a.zip", b"PK\3\4", "is not a whole gzip file"),
    ("absent", None, "is neither a folder nor a tar.gz"),
])
def test_no_submission(tree, tmp_path, name, content, says):
    """What is no submission at all: one error, and the tree as it was."""
    if content is not None:
        (tmp_path / name).write_bytes(content)
    report = run(tree, tmp_path / name)
    assert says in report.error and next(report.lines()).startswith("the submission ")


def test_linked_submission(tree, sent):
    """A submission that is itself a link is not followed."""
    (sent.parent / "bob").symlink_to(sent)
    assert run(tree, sent.parent / "bob").error == "is a symbolic link"


def test_hostile_names_are_made_printable(tree, tmp_path):
    """No name can move the reader's cursor, reorder the text or fill the screen."""
    report = run(tree, pack(tmp_path / "a.tar.gz", (SORT, MINE), ("\x1b[2J\u202e\n", b"")))
    assert report.ignored == ["\\x1b[2J\\u202e\\n"]
    assert len(printable("x" * 9999)) == 120 and printable("é\udcff") == "é\\udcff"


def test_tree_without_the_lab(tree, sent, tmp_path):
    """Unpacking onto something that is no tree of this lab is the caller's mistake."""
    with pytest.raises(CourseError, match="is not there"):
        unpack(tree.lab(), sent, tmp_path)
