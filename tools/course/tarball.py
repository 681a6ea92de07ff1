"""The members of a tar.gz that somebody else made, read into memory and never onto a disk.

Python's tarfile is not used for reading: the version of Debian 12 can be kept busy for ever by a
crafted header (CVE-2024-6232, CVE-2025-8194), and a submission needs little of what it can do. Here
every read is bounded: the compressed size, the decompressed size, and with it the members.

Taken: regular files of V7, ustar, GNU and pax archives, long names included. Anything else (links,
devices, sparse files) is listed with `data` None.
Spec: IEEE Std 1003.1-2017, pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format".
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

PACKED_MAX = 4 * 1024 * 1024
PLAIN_MAX = 16 * 1024 * 1024
BLOCK = 512
NAME_MAX = 4096
REGULAR = (b"0", b"\0", b"7")
NO_DATA = (b"1", b"2", b"3", b"4", b"5", b"6")  # links, devices, folders, pipes


class BadArchive(Exception):
    """Why it cannot be read, as the end of a sentence that begins with its name."""


@dataclass(frozen=True)
class Member:
    name: str
    data: bytes | None


def members(packed: bytes) -> list[Member]:
    """Every member in order, named as the archive does."""
    return list(_members(_plain(packed)))


def _plain(packed: bytes) -> bytes:
    if len(packed) > PACKED_MAX:
        raise BadArchive(f"is larger than {PACKED_MAX >> 20} MiB")
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(packed)) as file:
            plain = file.read(PLAIN_MAX + 1)
    except (OSError, EOFError, zlib.error):
        raise BadArchive("is not a whole gzip file") from None
    if len(plain) > PLAIN_MAX:
        raise BadArchive(f"unpacks to more than {PLAIN_MAX >> 20} MiB")
    return plain


def _members(plain: bytes) -> Iterator[Member]:
    at, long_name = 0, None
    while header := plain[at : at + BLOCK].rstrip(b"\0"):
        header = header.ljust(BLOCK, b"\0")
        kind = header[156:157]
        size = _size(header) if kind not in NO_DATA else 0
        data = plain[at + BLOCK : at + BLOCK + size]
        if _checksum(header) != _octal(header[148:156]) or len(data) < size:
            raise BadArchive("is damaged or no tar file")
        at += BLOCK + -(-size // BLOCK) * BLOCK
        if kind == b"L":
            long_name = data[:NAME_MAX].split(b"\0")[0]
        elif kind == b"x":
            long_name = _pax_path(data) or long_name
        elif kind != b"g":
            name = long_name or _name(header)
            yield Member(name.decode("utf-8", "surrogateescape"), data if kind in REGULAR else None)
            long_name = None


def _checksum(header: bytes) -> int:
    """The sum of the header's bytes, its own field (bytes 148 to 155) counted as blanks."""
    return sum(header[:148]) + 8 * ord(" ") + sum(header[156:])


def _octal(field: bytes) -> int:
    digits = field.strip(b" \0") or b"0"
    if digits.strip(b"01234567"):
        raise BadArchive("is damaged or no tar file")
    return int(digits, 8)


def _size(header: bytes) -> int:
    field = header[124:136]
    return int.from_bytes(field[1:], "big") if field[0] & 0x80 else _octal(field)


def _name(header: bytes) -> bytes:
    name, prefix = header[:100].split(b"\0")[0], header[345:500].split(b"\0")[0]
    is_ustar = header[257:263] == b"ustar\0"
    return prefix + b"/" + name if is_ustar and prefix else name


def _pax_path(records: bytes) -> bytes | None:
    """The value of `path` among records of the form `length key=value newline`."""
    path, at = None, 0
    while at < len(records):
        digits = records[at : at + 8].split(b" ")[0]
        length = int(digits) if digits.isdigit() else 0
        if not len(digits) + 1 < length <= len(records) - at:
            raise BadArchive("is damaged: its extended header makes no sense")
        key, _, value = records[at + len(digits) + 1 : at + length - 1].partition(b"=")
        path = value[:NAME_MAX] if key == b"path" else path
        at += length
    return path
