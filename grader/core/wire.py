"""The wire: the grader is the other end of the guest's Ethernet cable.

QEMU's `-netdev dgram` puts each raw frame in one datagram.  Between us lies a pair of Unix
sockets in the machine's private folder: no port to take, no one else to listen, and QEMU needs no
network in its sandbox.  `Wire(…, udp=True)` uses UDP on 127.0.0.1 with free ports instead.

What the guest sends passes a `filter` before the criterion sees it; what the criterion sends
passes `drop`, `duplicate` and `reorder`, driven by a seeded generator so that a run repeats.

Source: qemu-system-riscv64(1), -netdev dgram.
"""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from grader.core.verdict import Failure, Infra, Verdict

LARGEST_FRAME = 65536
SEND_S = 10.0
SHORTEST_FRAME = 60  # Ethernet's minimum, less the checksum


@dataclass
class Weather:
    """How bad the wire is, for frames towards the guest: chances between 0 and 1."""

    loss: float = 0.0
    duplication: float = 0.0
    reordering: float = 0.0


class Wire:
    """One Ethernet segment with the guest at the far end."""

    def __init__(
        self,
        folder: Path,
        name: str = "wire",
        udp: bool = False,
        mac: str = "52:54:00:12:34:56",
        seed: int = 0,
    ):
        self.name, self.udp, self.mac = name, udp, mac
        self.weather = Weather()
        self._random = random.Random(seed)
        self._held: bytes | None = None
        self._near, self._far = (folder / f"{name}.near", folder / f"{name}.far")
        self._socket = self._open_udp() if udp else self._open_unix()
        self.pcap = folder / f"{name}.pcap"

    def send(self, frame: bytes) -> None:
        """One frame towards the guest, as the weather allows; short ones are padded."""
        if self._random.random() < self.weather.loss:
            return
        copies = 2 if self._random.random() < self.weather.duplication else 1
        if self._held is None and self._random.random() < self.weather.reordering:
            self._held = frame
            return
        for _ in range(copies):
            self._put(frame)
        self.flush()

    def send_all(self, frames: Iterable[bytes]) -> None:
        for frame in frames:
            self.send(frame)
        self.flush()

    def flush(self) -> None:
        """Let a frame go that reordering held back."""
        if self._held is not None:
            held, self._held = self._held, None
            self._put(held)

    def receive(self, within: float = 5.0) -> bytes | None:
        """The next frame from the guest, or None when none comes in time (host seconds)."""
        self._socket.settimeout(max(within, 0.001))
        try:
            return self._socket.recv(LARGEST_FRAME)
        except TimeoutError:
            return None

    def expect(self, wanted, what: str, within: float = 5.0) -> bytes:
        """The next frame for which `wanted(frame)` holds; others are passed over."""
        deadline, passed = time.monotonic() + within, 0
        while (remaining := deadline - time.monotonic()) > 0:
            frame = self.receive(remaining)
            if frame is not None and wanted(frame):
                return frame
            passed += frame is not None
        raise Failure(
            f"{what} on the wire", f"{passed} other frames within {within:g} s", Verdict.HANG
        )

    def options(self) -> list[str]:
        """QEMU's options for its end."""
        if self.udp:
            near, far = self._socket.getsockname()[1], self._far_port
            link = ("local.type=inet,local.host=127.0.0.1,local.port=%d,"
                    "remote.type=inet,remote.host=127.0.0.1,remote.port=%d" % (far, near))
        else:
            link = (f"local.type=unix,local.path={self._far},"
                    f"remote.type=unix,remote.path={self._near}")
        return ["-netdev", f"dgram,id={self.name},{link}",
                "-device", f"virtio-net-device,netdev={self.name},mac={self.mac}",
                "-object", f"filter-dump,id={self.name}-dump,netdev={self.name},file={self.pcap}"]

    def close(self) -> None:
        self._socket.close()

    def _put(self, frame: bytes) -> None:
        peer = ("127.0.0.1", self._far_port) if self.udp else str(self._far)
        self._socket.settimeout(SEND_S)  # a Unix socket's queue may be as short as ten frames
        try:
            self._socket.sendto(frame.ljust(SHORTEST_FRAME, b"\0"), peer)
        except TimeoutError:
            raise Failure(
                "the machine to take frames", f"none taken in {SEND_S:g} s", Verdict.HANG
            ) from None
        except (FileNotFoundError, ConnectionRefusedError):
            pass  # the machine is not there, or no more: the frame is lost, as on a cut cable

    def _open_unix(self) -> socket.socket:
        near = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        near.bind(str(self._near))
        return near

    def _open_udp(self) -> socket.socket:
        near = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        near.bind(("127.0.0.1", 0))
        self._far_port = free_udp_port()
        return near


def free_udp_port() -> int:
    """A port that is free now; QEMU takes it in a moment, and infra names it if another did."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("127.0.0.1", 0))
        except OSError as error:
            raise Infra(f"no UDP port is free ({error})", "close other programs") from error
        return probe.getsockname()[1]
