"""QEMU's machine protocol over a Unix socket: JSON, one object a line.

Only the main thread speaks it.  Events are collected as they pass.  Trap: QEMU 7.2 ends inside the
store to the test device, so there is no SHUTDOWN event to wait for.

Source: QEMU, docs/interop/qmp-spec.txt.
"""

from __future__ import annotations

import json
import socket
from typing import Any

ANSWER_TIMEOUT = 20.0


class QmpGone(Exception):
    """QEMU closed the connection, or does not answer."""


class Qmp:
    def __init__(self, path: str):
        self.events: list[dict[str, Any]] = []
        self._buffer = b""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(ANSWER_TIMEOUT)
        try:
            self._socket.connect(path)
            self.greeting = self._message()["QMP"]
            self.execute("qmp_capabilities")
        except (OSError, KeyError, QmpGone) as error:
            self._socket.close()
            raise QmpGone(str(error)) from error

    def execute(self, command: str, **arguments: Any) -> Any:
        """Run a command; its return value, or `QmpGone`.  A refusal is a RuntimeError."""
        request = (
            {"execute": command, "arguments": arguments} if arguments else {"execute": command}
        )
        try:
            self._socket.sendall(json.dumps(request).encode() + b"\n")
        except OSError as error:
            raise QmpGone(str(error)) from error
        while True:
            message = self._message()
            if "return" in message:
                return message["return"]
            if "error" in message:
                raise RuntimeError(message["error"].get("desc", command))

    def human(self, command: str) -> str:
        """A command of the human monitor."""
        return self.execute("human-monitor-command", **{"command-line": command})

    def close(self) -> None:
        self._socket.close()

    def _message(self) -> dict[str, Any]:
        while b"\n" not in self._buffer:
            try:
                chunk = self._socket.recv(65536)
            except OSError as error:
                raise QmpGone(str(error)) from error
            if not chunk:
                raise QmpGone("QEMU hung up")
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        message = json.loads(line)
        if "event" in message:
            self.events.append(message)
        return message
