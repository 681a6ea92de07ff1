"""A submission onto a trusted tree: only the files that lab.toml names, and nothing by surprise.

The submission is hostile. It is a folder or a tar.gz, `labs/NN-name/<path>` in it or in the one
folder that wraps it. Nothing of it is ever extracted: each file that the lab names is read through
bounds, checked (submission.accept) and written by us where the starter stood. Symbolic links are
not followed in any part of a path, hard links and devices are not read, names with `..` match
nothing. What cannot be taken leaves its starter in place and is reported, so one bad file costs a
student one task and not the grade. The tree is ours; it is not defended against.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Protocol

from course.errors import fail
from course.files import write
from course.labs import Lab
from course.submission import FILE_MAX, Refused, accept
from course.tarball import PACKED_MAX, BadArchive, members

LISTED_MAX = 20  # names of ignored files that a report holds
WALKED_MAX = 500  # entries of a folder that are looked at to find them, below Python's recursion


@dataclass(frozen=True)
class Refusal:
    file: str
    why: str


@dataclass
class UnpackReport:
    """What became of each file. With `error` set, nothing was written at all."""

    taken: list[str] = field(default_factory=list)
    had_crlf: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)  # names made safe to print, at most LISTED_MAX
    ignores_more: bool = False
    error: str = ""

    @property
    def is_complete(self) -> bool:
        return not (self.error or self.missing or self.refused)

    def lines(self) -> Iterator[str]:
        """The report for a reader, one line a file."""
        if self.error:
            yield f"the submission {self.error}"
        for file in self.taken:
            yield f"{file}: taken" + (", CRLF made LF" if file in self.had_crlf else "")
        yield from (f"{file}: missing, the starter stays" for file in self.missing)
        yield from (f"{refusal.file}: refused, it {refusal.why}; the starter stays"
                    for refusal in self.refused)
        yield from (f"{name}: ignored" for name in self.ignored)
        if self.ignores_more:
            yield "more files: ignored"


class Source(Protocol):
    """A submission as `unpack` sees it; names are relative, with `/`."""

    def names(self) -> Iterator[str]:
        """Some of what is in it, for the report."""

    def wrappers(self, lab: str) -> list[str]:
        """The prefixes, `` or `folder/`, below which the lab's folder lies."""

    def read(self, name: str) -> bytes | None:
        """A file; None when there is none, Refused when it is not to be touched."""


def unpack(lab: Lab, source: Path, tree: Path) -> UnpackReport:
    """Take the lab's files from `source` into `tree`, a handout or a clone. Never raises for what
    the submission holds; CourseError when the tree has no such lab."""
    if not (tree / lab.folder).is_dir():
        raise fail(tree / lab.folder, "is not there, unpack onto a handout of this lab")
    report = UnpackReport()
    try:
        submission = _open(source)
        wrappers = submission.wrappers(lab.folder)
        if not wrappers:
            raise Refused(f"holds no {lab.folder}, pack it with `make submit`")
        if len(wrappers) > 1:
            raise Refused(f"holds {lab.folder} in several folders, keep one")
    except (Refused, BadArchive) as error:
        report.error = str(error)
        return report
    except OSError as error:
        report.error = f"cannot be read: {error.strerror}"
        return report
    for file in lab.files:
        _take(submission, wrappers[0], lab.named(file), tree, report)
    _list_ignored(submission, {wrappers[0] + lab.named(file) for file in lab.files}, report)
    return report


def _open(source: Path) -> Source:
    if source.is_symlink():
        raise Refused("is a symbolic link")
    if source.is_dir():
        return _Folder(source)
    if not source.is_file():
        raise Refused("is neither a folder nor a tar.gz file")
    with source.open("rb") as file:
        return _Archive(file.read(PACKED_MAX + 1))


def _take(source: Source, prefix: str, file: str, tree: Path, report: UnpackReport) -> None:
    try:
        data = source.read(prefix + file)
        if data is None:
            report.missing.append(file)
            return
        text = accept(data)
    except Refused as error:
        report.refused.append(Refusal(file, str(error)))
        return
    write(tree / file, text)
    report.taken.append(file)
    if text != data:
        report.had_crlf.append(file)


def _list_ignored(source: Source, wanted: set[str], report: UnpackReport) -> None:
    extra = (name for name in source.names() if name not in wanted)
    some = list(islice(extra, LISTED_MAX + 1))
    report.ignored = [printable(name) for name in some[:LISTED_MAX]]
    report.ignores_more = len(some) > LISTED_MAX


def printable(name: str) -> str:
    """A hostile name on a terminal or in a report: no control characters, not too long."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode()
                    for c in name[:200])
    return shown if len(shown) <= 120 else shown[:117] + "..."


class _Archive:
    """A tar.gz, whole in memory. The last member of a name counts, as it would for tar."""

    def __init__(self, packed: bytes):
        self._members: dict[str, bytes | None] = {}
        for member in members(packed):
            name = member.name.removeprefix("./")
            if member.data is not None or not name.endswith("/"):
                self._members[name] = member.data

    def names(self) -> Iterator[str]:
        yield from sorted(self._members)

    def wrappers(self, lab: str) -> list[str]:
        found = set()
        for name in self._members:
            first, slash, rest = name.partition("/")
            if name.startswith(f"{lab}/"):
                found.add("")
            elif rest.startswith(f"{lab}/") and first not in ("", ".", ".."):
                found.add(first + slash)
        return [""] if "" in found else sorted(found)

    def read(self, name: str) -> bytes | None:
        if name not in self._members:
            return None
        data = self._members[name]
        if data is None:
            raise Refused("is a link or a device")
        return data


class _Folder:
    """A folder on disk, entered one component at a time so that no link can be slipped in."""

    def __init__(self, root: Path):
        self._root = root

    def names(self) -> Iterator[str]:
        seen = 0
        for folder, folders, files in os.walk(self._root):
            folders.sort()
            links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
            for name in sorted(files + links):
                yield os.path.relpath(os.path.join(folder, name), self._root)
            seen += len(folders) + len(files)
            if seen > WALKED_MAX:
                return

    def wrappers(self, lab: str) -> list[str]:
        if self._is_folder(lab):
            return [""]
        with os.scandir(self._root) as entries:
            tops = sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
        return [f"{top}/" for top in tops if self._is_folder(f"{top}/{lab}")]

    def _is_folder(self, name: str) -> bool:
        try:
            handle = self._enter(name)
        except Refused:
            return True  # a link where the folder belongs: each of its files is refused
        if handle is not None:
            os.close(handle)
        return handle is not None

    def _enter(self, name: str) -> int | None:
        """A handle of the folder; None when it is not there, Refused when a link is in its path."""
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        handle = os.open(self._root, flags)
        try:
            for part in name.split("/"):
                inner = os.open(part, flags, dir_fd=handle)
                os.close(handle)
                handle = inner
        except OSError as error:
            os.close(handle)
            if error.errno == errno.ENOENT:
                return None
            raise Refused("lies behind a symbolic link or what is no folder") from None
        return handle

    def read(self, name: str) -> bytes | None:
        folder, _, last = name.rpartition("/")
        handle = self._enter(folder)
        if handle is None:
            return None
        try:
            return _read_regular(handle, last)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Refused(f"cannot be read: {error.strerror}") from None
        finally:
            os.close(handle)


def _read_regular(folder: int, name: str) -> bytes:
    """A regular file with one name, up to one byte more than accept() takes."""
    before = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if not stat.S_ISREG(before.st_mode):
        raise Refused("is a symbolic link" if stat.S_ISLNK(before.st_mode) else
                      "is not a regular file")
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with open(os.open(name, flags, dir_fd=folder), "rb") as file:
        now = os.fstat(file.fileno())
        if not stat.S_ISREG(now.st_mode) or now.st_nlink != 1:
            raise Refused("is a hard link, hand in a copy")
        return file.read(FILE_MAX + 1)
