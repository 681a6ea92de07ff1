"""What is handed in: the files that lab.toml names, as `labs/NN-name/<path>` in a tar.gz.

The rules for one file (`accept`) are the same for packing and unpacking, so `make submit` tells a
student what the grader would refuse. The archive is a function of the files alone: sorted, no
times, no owners.
"""

from __future__ import annotations

import gzip
import io
import tarfile
from dataclasses import dataclass
from pathlib import Path

from course.errors import CourseError, Problem
from course.files import lf, write
from course.labs import Hole, Lab, base_of, unwritten

FILE_MAX = 256 * 1024


class Refused(Exception):
    """Why a file cannot be taken, as the end of a sentence that begins with its name."""


def accept(data: bytes) -> bytes:
    """The file as the kernel is built from it (lines end in LF), or Refused."""
    if len(data) > FILE_MAX:
        raise Refused(f"is larger than {FILE_MAX // 1024} KiB")
    if b"\0" in data:
        raise Refused(f"holds a NUL byte (at {data.index(0)}), it is not source text")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused(f"is not UTF-8 (byte {error.start})") from None
    return lf(data)


@dataclass(frozen=True)
class Packed:
    path: Path
    files: tuple[str, ...]
    unwritten: tuple[Hole, ...]


def submit(lab: Lab, out: Path | None = None, where: Path | None = None) -> Packed:
    """Pack the lab's files (from `where`, as labs.base_of) into `out`."""
    out = out or lab.root / f"build/submit/lab{lab.number:02}.tar.gz"
    base = base_of(lab, where)
    contents: dict[str, bytes] = {}
    problems = []
    for file in lab.files:
        try:
            contents[lab.named(file)] = accept(_read(base / file))
        except Refused as error:
            problems.append(Problem(lab.named(file), str(error)))
    if problems:
        raise CourseError(problems)
    write(out, _archive(contents))
    return Packed(out, tuple(contents), tuple(unwritten(lab, where)))


def _read(path: Path) -> bytes:
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise Refused("is not a regular file, put the file itself there")
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise Refused("is missing, hand it in too: take it from the starter again") from None
    except OSError as error:
        raise Refused(f"cannot be read: {error.strerror}") from None


def _archive(contents: dict[str, bytes]) -> bytes:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in sorted(contents.items()):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return gzip.compress(plain.getvalue(), mtime=0)
