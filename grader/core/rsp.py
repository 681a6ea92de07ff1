"""The remote serial protocol of GDB, as QEMU's stub speaks it: packets, and nothing of meaning.

A packet is `$data#checksum`.  Acknowledgements are switched off at once: the Unix socket is
reliable.  Every wait is bounded: a stub that does not answer within `timeout` seconds raises
`StubSilent`, one that hangs up raises `StubGone`; what these mean is for `gdb.py` and the machine
to judge.

Source: "Debugging with GDB", appendix E, Remote Serial Protocol.
"""

from __future__ import annotations

import socket
import time

REPLY_TIMEOUT = 20.0
LARGEST_PACKET = 1 << 20


class StubSilent(Exception):
    """The stub is connected, and did not answer in time."""


class StubGone(Exception):
    """The stub closed the connection: QEMU ended."""


class Packets:
    """A packet stream over one connected Unix socket."""

    def __init__(self, path: str, timeout: float = REPLY_TIMEOUT):
        self._buffer = bytearray()
        self._timeout = timeout
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout)
        try:
            self._socket.connect(path)
            self._transmit(b"+" + frame(b"QStartNoAckMode"))
            self.receive()
            self._transmit(b"+")
        except OSError as error:
            self.close()
            raise StubGone(str(error)) from error

    def ask(self, command: str | bytes) -> bytes:
        """Send a command and return its reply."""
        self.send(command)
        return self.receive()

    def send(self, command: str | bytes) -> None:
        self._transmit(frame(command.encode() if isinstance(command, str) else command))

    def interrupt(self) -> None:
        """The out-of-band stop request; the answer is an ordinary stop reply."""
        self._transmit(b"\x03")

    def receive(self, timeout: float | None = None) -> bytes:
        """The next packet's data; `StubSilent` when none is complete in time."""
        deadline = time.monotonic() + (self._timeout if timeout is None else timeout)
        while (data := self._take()) is None:
            self._fill(deadline)
        return data

    def close(self) -> None:
        self._socket.close()

    def _take(self) -> bytes | None:
        start = self._buffer.find(b"$")
        end = self._buffer.find(b"#", start)
        if start < 0 or end < 0 or len(self._buffer) < end + 3:
            return None
        data, received = bytes(self._buffer[start + 1 : end]), self._buffer[end + 1 : end + 3]
        del self._buffer[: end + 3]
        if bytes(received).lower() != b"%02x" % checksum(data):
            raise StubGone("a packet with a wrong checksum")
        return unescape(data)

    def _fill(self, deadline: float) -> None:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise StubSilent
        self._socket.settimeout(remaining)
        try:
            chunk = self._socket.recv(65536)
        except TimeoutError as error:
            raise StubSilent from error
        except OSError as error:
            raise StubGone(str(error)) from error
        if not chunk or len(self._buffer) > LARGEST_PACKET:
            raise StubGone("the stub hung up")
        self._buffer += chunk

    def _transmit(self, data: bytes) -> None:
        try:
            self._socket.settimeout(self._timeout)
            self._socket.sendall(data)
        except TimeoutError as error:
            raise StubSilent from error
        except OSError as error:
            raise StubGone(str(error)) from error


def checksum(data: bytes) -> int:
    return sum(data) & 0xFF


def frame(data: bytes) -> bytes:
    return b"$" + data + b"#%02x" % checksum(data)


def unescape(data: bytes) -> bytes:
    """Undo `}` escapes and `*` run lengths."""
    out = bytearray()
    codes = iter(data)
    for code in codes:
        if code == ord("}"):
            out.append(next(codes, 0) ^ 0x20)
        elif code == ord("*") and out:
            out += out[-1:] * max(0, next(codes, 29) - 29)
        else:
            out.append(code)
    return bytes(out)
