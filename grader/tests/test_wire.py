"""The wire: raw frames both ways, bad weather that repeats, and a real QEMU at the far end."""

from __future__ import annotations

import socket
import threading

import pytest

from grader.core.verdict import Failure
from grader.core.wire import Weather, Wire


class FarEnd:
    """A second datagram endpoint, where QEMU would be."""

    def __init__(self, wire: Wire):
        self.wire = wire
        if wire.udp:
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.socket.bind(("127.0.0.1", wire._far_port))
        else:
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self.socket.bind(str(wire._far))
        self.socket.settimeout(0.3)
        self._frames: list[bytes] = []
        self._thread = threading.Thread(target=self._take, daemon=True)
        self._thread.start()

    def send(self, frame: bytes) -> None:
        peer = self.wire._socket.getsockname()
        self.socket.sendto(frame, peer)

    def arrived(self) -> list[bytes]:
        self._thread.join()
        return self._frames

    def _take(self) -> None:
        """Read as QEMU does, beside the sender: the queue of a Unix socket is short."""
        try:
            while True:
                self._frames.append(self.socket.recv(65536))
        except TimeoutError:
            return


@pytest.fixture(params=[False, True], ids=["unix", "udp"])
def ends(tmp_path, request):
    wire = Wire(tmp_path, udp=request.param, seed=1)
    far = FarEnd(wire)
    yield wire, far
    wire.close()
    far.socket.close()


def frames(count: int) -> list[bytes]:
    return [bytes([n]) * 64 for n in range(count)]


def test_frames_both_ways(ends):
    """A frame arrives as it was sent, short ones padded to Ethernet's minimum."""
    wire, far = ends
    wire.send(b"\x01\x02")
    assert far.arrived() == [b"\x01\x02".ljust(60, b"\0")]
    far.send(b"x" * 1514)
    assert wire.receive() == b"x" * 1514
    assert wire.receive(within=0.05) is None


def test_expect_passes_others_over(ends):
    """`expect` waits for the frame that is wanted, and fails with one sentence when it does not come."""
    wire, far = ends
    far.send(b"no" * 32)
    far.send(b"yes" * 32)
    assert wire.expect(lambda f: f.startswith(b"yes"), "a reply") == b"yes" * 32
    with pytest.raises(
        Failure, match="expected a reply on the wire, got 0 other frames within 0.05 s"
    ):
        wire.expect(lambda f: True, "a reply", within=0.05)


@pytest.mark.parametrize("weather, check", [
    (Weather(loss=0.3), lambda got: len(got) < 50 and got == sorted(got)),
    (Weather(duplication=0.3), lambda got: len(got) > 50 and len(set(got)) == 50),
    (Weather(reordering=0.3), lambda got: got != sorted(got) and len(got) == len(set(got)) == 50)])
def test_weather_repeats(tmp_path, weather, check):
    """Loss, duplication and reordering do what they say, and the same for the same seed."""
    runs = []
    for index in range(2):
        wire = Wire(tmp_path, f"w{index}", seed=7)
        wire.weather = weather
        far = FarEnd(wire)
        wire.send_all(frames(50))
        runs.append(far.arrived())
        wire.close()
        far.socket.close()
    assert runs[0] == runs[1] and check(runs[0])


@pytest.mark.parametrize("udp", [False, True], ids=["unix", "udp"])
def test_qemu_takes_the_far_end(boot, tmp_path, udp):
    """A machine with the wire starts, in its sandbox, and its pcap is written."""
    wire = Wire(tmp_path, udp=udp)
    machine = boot("1: j 1b\n", wires=(wire,))
    wire.send(b"\xff" * 60)
    assert machine.alive and (udp or wire._far.is_socket())
    machine.kill()
    wire.close()
    assert wire.pcap.read_bytes()[:4] == b"\xd4\xc3\xb2\xa1"
