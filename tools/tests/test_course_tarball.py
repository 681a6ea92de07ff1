"""Criteria of tarball.py: reads what tar programs write, and ends soon on anything else."""

import gzip
import io
import random
import subprocess
import tarfile
import time

import pytest

from course.tarball import PACKED_MAX, PLAIN_MAX, BadArchive, members

LONG = "long/" * 40 + "name.c"


def archive(*files, format=tarfile.GNU_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as tar:
        for name, data in files:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return out.getvalue()


def read(plain):
    return [(member.name, member.data) for member in members(gzip.compress(plain))]


@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_formats(format):
    """Names short and long, empty files, every format that Python's tarfile writes."""
    files = [("a.c", b"x" * 1000), ("empty", b""), (LONG, b"y" * 512), ("naïve.c", b"n")]
    if format == tarfile.USTAR_FORMAT:
        files[2] = ("d" * 60 + "/" + "e" * 80, b"y" * 512)
    assert read(archive(*files, format=format)) == files


@pytest.mark.parametrize("format", ["v7", "oldgnu", "gnu", "ustar", "posix"])
def test_the_tar_program(tmp_path, format):
    """What tar(1) writes, in each of its formats, with a folder and a link in it."""
    (tmp_path / "d").mkdir()
    (tmp_path / "d/a.c").write_bytes(b"text")
    (tmp_path / "d/link").symlink_to("a.c")
    subprocess.run(["tar", f"--format={format}", "-czf", "x.tgz", "d"], cwd=tmp_path, check=True)
    found = {m.name: m.data for m in members((tmp_path / "x.tgz").read_bytes())}
    assert found["d/a.c"] == b"text" and found["d/link"] is None


def test_special_members_hold_no_data():
    """Links, devices and pipes are listed without data."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
            member = tarfile.TarInfo(f"kind-{kind.decode()}")
            member.type, member.linkname, member.size = kind, "/etc/passwd", 0
            tar.addfile(member)
    assert [data for _, data in read(out.getvalue())] == [None] * 4


@pytest.mark.parametrize("packed, says", [
    (b"", "is not a whole gzip file"),
    (b"PK\3\4" + b"x" * 100, "is not a whole gzip file"),
    (gzip.compress(archive(("a", b"x" * 5000)))[:-30], "is not a whole gzip file"),
    (gzip.compress(b"not a tar file at all"), "is damaged or no tar file"),
    (gzip.compress(archive(("a", b"x" * 5000))[:2000]), "is damaged or no tar file"),
    (gzip.compress(b"\0" * (PLAIN_MAX + 1)), "unpacks to more than 16 MiB"),
    (b"\x1f\x8b" + b"\0" * PACKED_MAX, "is larger than 4 MiB"),
])
def test_bad_archive(packed, says):
    """What is no archive, is cut off, or is a bomb: one reason each."""
    if says.startswith("is not a whole") and packed == b"":
        assert members(packed) == []
        return
    with pytest.raises(BadArchive, match=says):
        members(packed)


def with_size(field):
    header = bytearray(archive(("a", b""))[:512])
    header[124:136] = field
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + b"\0" * 1024


@pytest.mark.parametrize("field", [b"77777777777\0", b"\x80" + b"\xff" * 11, b"\xff" * 12,
                                   b"-0000000001\0", b"0x000000001\0"])
def test_absurd_sizes(field):
    """Sizes that are huge, negative or no number end with a reason and without the memory."""
    with pytest.raises(BadArchive, match="is damaged"):
        read(with_size(field))


@pytest.mark.parametrize("records", [b"0 path=x\n", b"-1 path=x\n", b"path=x\n", b" \n", b"9" * 99])
def test_absurd_extended_header(records):
    """An extended header whose lengths make no sense ends with a reason."""
    plain = bytearray(archive(("a", records)))
    plain[156:157] = b"x"
    plain[148:156] = b" " * 8
    plain[148:156] = b"%06o\0 " % sum(plain[:512])
    with pytest.raises(BadArchive, match="extended header"):
        read(bytes(plain))


def test_damage_never_escapes():
    """Random damage gives members or BadArchive, nothing else, and soon."""
    whole = archive(("labs/a.c", b"x" * 700), (LONG, b"y"), format=tarfile.PAX_FORMAT)
    chance, start = random.Random(2), time.monotonic()
    for _ in range(3000):
        plain = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            plain[chance.randrange(len(plain))] = chance.choice(b"\0 019=x\xff\n")
        if chance.random() < 0.7:  # a right checksum, so that the damage is read further
            plain[148:156] = b" " * 8
            plain[148:156] = b"%06o\0 " % sum(plain[:512])
        try:
            members(gzip.compress(bytes(plain), 1))
        except BadArchive:
            pass
    assert time.monotonic() - start < 20
