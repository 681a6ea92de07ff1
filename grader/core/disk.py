"""A raw disk image: made, attached as virtio-blk, looked into after the machine is gone.

The image lies in the machine's private folder.  `Machine.kill` is how a power cut is tried:
QEMU writes through (`cache=writethrough`), so that what the guest flushed is in the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SECTOR = 512


@dataclass(frozen=True)
class Disk:
    path: Path

    @classmethod
    def make(cls, path: Path, size: int, content: bytes = b"") -> Disk:
        """A sparse image of `size` bytes (a multiple of the sector) that begins with `content`."""
        if size % SECTOR or len(content) > size:
            raise ValueError(
                f"a disk of {size} bytes cannot hold {len(content)}, or is not whole sectors"
            )
        with path.open("wb") as file:
            file.write(content)
            file.truncate(size)
        return cls(path)

    def read(self, offset: int, size: int) -> bytes:
        with self.path.open("rb") as file:
            file.seek(offset)
            return file.read(size)

    def write(self, offset: int, data: bytes) -> None:
        with self.path.open("r+b") as file:
            file.seek(offset)
            file.write(data)

    def options(self, index: int) -> list[str]:
        """QEMU's options for this disk as the guest's `index`-th."""
        drive = f"if=none,id=disk{index},format=raw,cache=writethrough,file={self.path}"
        return ["-drive", drive, "-device", f"virtio-blk-device,drive=disk{index}"]
