"""Register numbers by name, read from the stub's own target description.

QEMU describes its hart in XML: a root that includes one file a feature, each with registers in
order, some of which restart the numbering with `regnum`.  Reading it, instead of assuming it, is
what makes CSRs reachable by name on every version of QEMU.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import dataclass

ABI_NAMES = (["zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "fp", "s1"]
             + [f"a{i}" for i in range(8)] + [f"s{i}" for i in range(2, 12)]
             + [f"t{i}" for i in range(3, 7)])
GENERAL = [name for name in ABI_NAMES[1:]] + ["pc"]


@dataclass(frozen=True)
class Register:
    number: int
    size: int  # bytes


def describe_registers(read_annex: Callable[[str], bytes]) -> dict[str, Register]:
    """Every register of the target by name, with `x7`, `s0` and `fp` as aliases."""
    registers: dict[str, Register] = {}
    number = 0
    for element in _elements(read_annex, "target.xml"):
        number = int(element.get("regnum", number))
        registers.setdefault(
            element.get("name", ""), Register(number, int(element.get("bitsize", 64)) // 8)
        )
        number += 1
    for index, name in enumerate(ABI_NAMES):
        registers.setdefault(f"x{index}", registers[name])
    registers.setdefault("s0", registers["fp"])
    return registers


def _elements(read_annex: Callable[[str], bytes], annex: str) -> list[ElementTree.Element]:
    found = []
    text = read_annex(annex).replace(b"xi:include", b"include")  # QEMU 7.2 binds no such prefix
    for element in ElementTree.fromstring(text).iter():
        if element.tag == "include":
            found += _elements(read_annex, element.get("href", ""))
        elif element.tag == "reg":
            found.append(element)
    return found
