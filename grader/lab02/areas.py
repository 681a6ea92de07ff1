"""Sets of areas: random ones, whether an access is allowed, and how the guest keeps them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from grader.core.dwarf import Layout

OK, ERR_FAULT = 0, 16
READ, WRITE, EXEC = 1, 2, 4  # VM_*
ZERO, SHARED, GUARD = range(3)  # enum vma_kind
RIGHTS = (READ, READ | WRITE, READ | EXEC, EXEC, 0)
ACCESSES = (READ, WRITE, EXEC, READ | WRITE, READ | EXEC)
PAGE = 4096
LOWEST, HIGHEST = 1 << 37, 1 << 38  # a program's addresses
TOP = 1 << 64


@dataclass(frozen=True)
class Area:
    start: int
    end: int
    rights: int
    kind: int = ZERO


def allowed(areas: list[Area], start: int, size: int, access: int) -> bool:
    """vma.h's promise, by sums of bytes: all of the range lies in areas with every right asked for."""
    if start + size > TOP:
        return size == 0
    covered = sum(max(0, min(area.end, start + size) - max(area.start, start))
                  for area in areas if area.kind != GUARD and area.rights & access == access)
    return covered == size


def random_areas(rng: random.Random, most: int) -> list[Area]:
    """Sorted, disjoint, many of them touching; each as vma.h's invariants allow."""
    areas: list[Area] = []
    at = LOWEST + PAGE * rng.randrange(64)
    for _ in range(rng.choice((0, 1, 2, most, rng.randint(0, most)))):
        at += rng.choice((0, 0, 0, PAGE, PAGE * rng.randrange(100)))
        end = at + PAGE * rng.choice((1, 1, 2, 5, 1 << 18))
        kind = rng.choice((ZERO, ZERO, ZERO, SHARED, GUARD))
        rights = 0 if kind == GUARD else rng.choice(RIGHTS)
        last = areas[-1] if areas else None
        if last and last.end == at and (last.rights, last.kind) == (rights, kind) and kind == ZERO:
            at, end = at + PAGE, end + PAGE  # two that touch and are alike would be one
        areas.append(Area(at, end, rights, kind))
        at = end
    return areas


def random_ranges(rng: random.Random, areas: list[Area], count: int) -> Iterator[tuple[int, int, int]]:
    """Ranges that begin and end at, or a byte off, the areas' edges; some empty, some that wrap."""
    edges = [edge for area in areas for edge in (area.start, area.end)] or [LOWEST]
    for _ in range(count):
        start = rng.choice(edges) + rng.choice((0, 0, 1, -1, PAGE, -PAGE, rng.randrange(3 * PAGE)))
        sizes = [0, 1, 8, PAGE, PAGE + 1, TOP - start, TOP - start + rng.randrange(1, 1 << 40), TOP - 1,
                 *(max(0, edge - start + off) for off in (0, 0, 1, -1) for edge in rng.choices(edges, k=4))]
        yield start, rng.choice(sizes) % TOP, rng.choice(ACCESSES)


def pack(layout: Layout, areas: list[Area]) -> bytes:
    """A struct vma_set; behind its last area lies one that would allow everything."""
    size, first, step = (layout.field("struct vma_set", path) for path in ("", "at[0]", "at[1]"))
    stride = step.offset - first.offset
    most = (size.size - first.offset) // stride
    data = bytearray(size.size)
    tempting = Area(areas[-1].end if areas else LOWEST, HIGHEST, READ | WRITE | EXEC)
    _put(layout, data, "struct vma_set", "count", 0, len(areas))
    for index in range(most):
        area = areas[index] if index < len(areas) else tempting
        for name in ("start", "end", "rights", "kind"):
            _put(layout, data, "struct vma", name, first.offset + index * stride, getattr(area, name))
    return bytes(data)


def most_areas(layout: Layout) -> int:
    """CONFIG_VMA_MAX of this kernel."""
    first, second = (layout.field("struct vma_set", f"at[{i}]").offset for i in (0, 1))
    return (layout.field("struct vma_set").size - first) // (second - first)


def _put(layout: Layout, data: bytearray, structure: str, path: str, base: int, value: int) -> None:
    found = layout.field(structure, path)
    data[base + found.offset : base + found.offset + found.size] = value.to_bytes(found.size, "little")


def name(err: int) -> str:
    return {OK: "OK", ERR_FAULT: "ERR_FAULT"}.get(err, f"error {err}")


def around(areas: list[Area], start: int, size: int) -> str:
    """The areas that a range has to do with, as a reader wants them."""
    end = min(start + size, TOP)
    near = [area for area in areas if area.start - PAGE <= end and start <= area.end + PAGE]
    return ", ".join(map(_show, near[:3])) + (f" and {len(near) - 3} more" if near[3:] else "") or "none"


def _show(area: Area) -> str:
    rights = "".join(c if area.rights & bit else "-" for c, bit in zip("rwx", (READ, WRITE, EXEC)))
    return f"[{area.start:#x}, {area.end:#x}) {('', 'shared ', 'guard ')[area.kind]}{rights}"
