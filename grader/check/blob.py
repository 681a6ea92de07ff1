"""Device tree blobs: read one, change it as a tree, write it again; or damage it.

    tree = Tree.parse(blob)
    tree.root.child("cpus").properties["timebase-frequency"] = cells(0)
    blob = tree.flatten()

The writer lays a blob out as DTSpec v0.4 chapter 5 has it: header, reservations, structure,
strings.  `damaged` knows nothing of trees: it spoils bytes, with a liking for those that mean much.
"""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass, field

MAGIC, VERSION, COMPATIBLE_VERSION, HEADER_SIZE = 0xD00DFEED, 17, 16, 40
BEGIN_NODE, END_NODE, PROP, NOP, END = 1, 2, 3, 4, 9
INTERESTING = (0, 1, 2, 3, 4, 9, 0x7F, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFFC, 0xFFFFFFFF)


def cells(*values: int) -> bytes:
    """Big-endian words."""
    return struct.pack(f">{len(values)}I", *values)


def numbers(*values: int) -> bytes:
    """Big-endian double words, as addresses and sizes of two cells are."""
    return struct.pack(f">{len(values)}Q", *values)


def text(*strings: str) -> bytes:
    return b"".join(string.encode() + b"\0" for string in strings)


@dataclass
class Node:
    name: str = ""
    properties: dict[str, bytes] = field(default_factory=dict)
    children: list[Node] = field(default_factory=list)

    def child(self, name: str) -> Node:
        """The child of this name, or of this name before its @."""
        return next(c for c in self.children if name in (c.name, c.name.partition("@")[0]))

    def find(self, compatible: str) -> Node:
        """The first node below that is compatible with this."""
        return next(node for node in self.walk() if compatible.encode() in node.compatible)

    @property
    def compatible(self) -> list[bytes]:
        return self.properties.get("compatible", b"").split(b"\0")

    def walk(self) -> list[Node]:
        return [self, *(node for child in self.children for node in child.walk())]


@dataclass
class Tree:
    root: Node
    reservations: list[tuple[int, int]] = field(default_factory=list)

    @classmethod
    def parse(cls, blob: bytes) -> Tree:
        """A blob that is sound: the firmware's own."""
        structure, strings, reserved = struct.unpack_from(">III", blob, 8)
        stack = [Node()]
        at, token = structure, None
        while token != END:
            token, at = struct.unpack_from(">I", blob, at)[0], at + 4
            if token == BEGIN_NODE:
                name = blob[at : blob.index(b"\0", at)].decode()
                at += (len(name) + 4) & ~3
                stack[-1].children.append(node := Node(name))
                stack.append(node)
            elif token == END_NODE:
                stack.pop()
            elif token == PROP:
                length, offset = struct.unpack_from(">II", blob, at)
                name = blob[strings + offset : blob.index(b"\0", strings + offset)].decode()
                stack[-1].properties[name] = blob[at + 8 : at + 8 + length]
                at += 8 + (length + 3 & ~3)
        return cls(stack[0].children[0], list(_reservations(blob, reserved)))

    def flatten(self, version: int = VERSION) -> bytes:
        reserved = numbers(*(n for pair in [*self.reservations, (0, 0)] for n in pair))
        strings = bytearray()
        structure = _flatten(self.root, strings) + cells(END)
        starts = (HEADER_SIZE + len(reserved), HEADER_SIZE + len(reserved) + len(structure),
                  HEADER_SIZE)
        return cells(MAGIC, starts[1] + len(strings), *starts, version, COMPATIBLE_VERSION, 0,
                     len(strings),
                     len(structure)) + reserved + structure + bytes(strings)


def _reservations(blob: bytes, at: int):
    while (pair := struct.unpack_from(">QQ", blob, at)) != (0, 0):
        yield pair
        at += 16


def _flatten(node: Node, strings: bytearray) -> bytes:
    data = cells(BEGIN_NODE) + _pad(text(node.name))
    for name, value in node.properties.items():
        at = strings.find(text(name))
        if at < 0:
            at = len(strings)
            strings += text(name)
        data += cells(PROP, len(value), at) + _pad(value)
    return data + b"".join(_flatten(child, strings) for child in node.children) + cells(END_NODE)


def _pad(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


# ---- Damage --------------------------------------------------------------------------------------


def patched(blob: bytes, at: int, data: bytes) -> bytes:
    """The blob with other bytes at one place; its length stays."""
    return (blob[:at] + data + blob[at + len(data) :])[: len(blob)]


def damaged(blob: bytes, rng: random.Random) -> bytes:
    """The blob after one accident."""
    return rng.choice((_bits, _header, _word, _fill, _move, _cut))(blob, rng)


def _bits(blob: bytes, rng: random.Random) -> bytes:
    data = bytearray(blob)
    for _ in range(rng.choice((1, 3, 20, 200))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


def _header(blob: bytes, rng: random.Random) -> bytes:
    value = rng.choice((*INTERESTING, rng.randrange(len(blob)), rng.getrandbits(32), len(blob) + 8))
    return patched(blob, 4 * rng.randrange(HEADER_SIZE // 4), cells(value))


def _word(blob: bytes, rng: random.Random) -> bytes:
    for _ in range(rng.choice((1, 4, 16))):
        at = rng.randrange(HEADER_SIZE // 4, len(blob) // 4) * 4
        blob = patched(blob, at, cells(rng.choice((*INTERESTING, rng.getrandbits(32)))))
    return blob


def _fill(blob: bytes, rng: random.Random) -> bytes:
    size = rng.choice((16, 256, 2048))
    byte = rng.choice((b"\0", b"\xff", cells(BEGIN_NODE), cells(PROP), cells(NOP),
                       rng.randbytes(1)))
    return patched(blob, rng.randrange(HEADER_SIZE, len(blob)) & ~3, (byte * size)[:size])


def _move(blob: bytes, rng: random.Random) -> bytes:
    """One part lies over another."""
    size, start = rng.choice((4, 64, 1024)), rng.randrange(HEADER_SIZE, len(blob)) & ~3
    return patched(blob, rng.randrange(HEADER_SIZE, len(blob)) & ~3, blob[start : start + size])


def _cut(blob: bytes, rng: random.Random) -> bytes:
    """It ends early, and rubbish follows; the header knows, or does not."""
    end = rng.randrange(8, len(blob))
    whole = blob[:end] + rng.randbytes(len(blob) - end)
    return patched(whole, 4, cells(end)) if rng.random() < 0.5 else whole
