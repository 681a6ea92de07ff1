"""Where the fields of a kernel structure lie, from the image's debug information.

    layout = Layout(elf)
    layout.field("board", "memory.at[1].base")   ->  Field(offset=0x58, size=8)

A path starts at a variable's type (or `struct name`) and goes through members, array elements and
nothing else.  So a criterion names what it reads, and a field that moves does not break it.

A submission adds types of its own: one of our name in its files does not hide ours, and debug
information that nobody can read is its failure, not the grader's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from elftools.dwarf.die import DIE
from elftools.elf.elffile import ELFFile

from grader.core.verdict import Failure, raise_grader_error

T = TypeVar("T")
STEP = re.compile(r"\.?(\w+)|\[(\d+)\]")
OURS = "solution/"  # in the name of a source that no student wrote
QUALIFIERS = ("DW_TAG_typedef", "DW_TAG_const_type", "DW_TAG_volatile_type")


@dataclass(frozen=True)
class Field:
    offset: int
    size: int


class Layout:
    """The types of one ELF file."""

    def __init__(self, path: Path | str):
        self._file = open(path, "rb")  # noqa: SIM115 - DIEs are read from it as long as we live
        self._constants: dict[str, int] = {}

    def close(self) -> None:
        self._file.close()

    def field(self, start: str, path: str = "") -> Field:
        """Offset and size of a field of a variable, or of `struct name`."""
        die, offset = self._type_of(start), 0
        for name, index in STEP.findall(path):
            step, die = self._member(die, name) if name else self._element(die, int(index))
            offset += step
        return Field(offset, self._size(die))

    def constant(self, name: str) -> int:
        """What an enumerator of the kernel stands for."""
        if name not in self._constants:
            _guarded(lambda: self._read_constants(name))
        if name not in self._constants:
            raise_grader_error(f"no debug information about {name}")
        return self._constants[name]

    def _read_constants(self, name: str) -> None:
        """Enumerators of source after source, until that one is known: reading all of them takes a second."""
        for unit in self._unread:
            for die in unit.iter_children():
                if die.tag == "DW_TAG_enumeration_type":
                    for one in die.iter_children():
                        value = one.attributes["DW_AT_const_value"].value
                        self._constants.setdefault(one.attributes["DW_AT_name"].value.decode(), value)
            if name in self._constants:
                return

    @cached_property
    def _unread(self) -> Iterator[DIE]:
        return iter(self._units)

    @cached_property
    def _units(self) -> list[DIE]:
        """The sources, ours first."""
        units = [unit.get_top_DIE() for unit in ELFFile(self._file).get_dwarf_info().iter_CUs()]
        return sorted(units, key=lambda unit: OURS not in unit.get_full_path())

    @cached_property
    def _roots(self) -> dict[str, DIE]:
        """Variables and structures by name; a variable's declaration tells its type as well."""
        return _guarded(self._read_roots)

    def _read_roots(self) -> dict[str, DIE]:
        found: dict[str, DIE] = {}
        for unit in self._units:
            for die in unit.iter_children():
                name = die.attributes.get("DW_AT_name")
                is_whole = "DW_AT_declaration" not in die.attributes
                if name and die.tag == "DW_TAG_structure_type" and is_whole:
                    found.setdefault(f"struct {name.value.decode()}", die)
                elif name and die.tag == "DW_TAG_variable":
                    found.setdefault(name.value.decode(), die)
        return found

    def _type_of(self, start: str) -> DIE:
        if start not in self._roots:
            raise_grader_error(f"no debug information about {start}")
        die = self._roots[start]
        return _bare(die if die.tag == "DW_TAG_structure_type" else _target(die))

    def _member(self, die: DIE, name: str) -> tuple[int, DIE]:
        if found := self._find_member(die, name):
            return found
        raise_grader_error(f"no member {name}")

    def _find_member(self, die: DIE, name: str) -> tuple[int, DIE] | None:
        """A member of this structure or union, or of one without a name within it."""
        for child in die.iter_children():
            if child.tag != "DW_TAG_member":
                continue
            start = child.attributes.get("DW_AT_data_member_location")
            offset, of = start.value if start else 0, _bare(_target(child))
            if "DW_AT_name" in child.attributes:
                if child.attributes["DW_AT_name"].value.decode() == name:
                    return offset, of
            elif inner := self._find_member(of, name):
                return offset + inner[0], inner[1]
        return None

    def _element(self, die: DIE, index: int) -> tuple[int, DIE]:
        if die.tag != "DW_TAG_array_type":
            raise_grader_error("an index into what is no array")
        element = _bare(_target(die))
        return index * self._size(element), element

    def _size(self, die: DIE) -> int:
        if size := die.attributes.get("DW_AT_byte_size"):
            return size.value
        if die.tag == "DW_TAG_array_type":
            bounds = [c for c in die.iter_children() if c.tag == "DW_TAG_subrange_type"]
            count = 1
            for bound in bounds:
                count *= bound.attributes["DW_AT_upper_bound"].value + 1
            return count * self._size(_bare(_target(die)))
        return 8


def _guarded(read: Callable[[], T]) -> T:
    """Debug information that nobody can read is the submission's failure."""
    try:
        return read()
    except Exception as error:  # elftools raises whatever hostile bytes lead it to
        raise Failure("debug information that can be read", type(error).__name__) from error


def _target(die: DIE) -> DIE:
    return die.get_DIE_from_attribute("DW_AT_type")


def _bare(die: DIE) -> DIE:
    """A type without its names and qualifiers."""
    while die.tag in QUALIFIERS:
        die = _target(die)
    return die
