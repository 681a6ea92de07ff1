"""The serial console: a transcript that grows by itself, and waiting for text in it.

Both directions are FIFOs.  A socket's buffer holds some 270 writes of one byte, and a guest that
polls a full UART executes more instructions on a busy host than on an idle one (measured); a pipe
merges writes and holds PIPE_SIZE bytes, so the guest never waits for the grader's reading thread.
A guest that prints without end is cut at `flood_limit` bytes: its machine is killed, and every
wait fails.  Text on the console guides the grader (the prompt is there, a panic came), and alone
earns no point.
"""

from __future__ import annotations

import fcntl
import os
import re
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from grader.core.verdict import Failure, Verdict, quote

if TYPE_CHECKING:
    from grader.core.machine import Machine

FLOOD_LIMIT = 1 << 20
F_SETPIPE_SZ = getattr(fcntl, "F_SETPIPE_SZ", 1031)
PIPE_SIZE = 1 << 20  # what Linux grants anyone
POLL_S = 0.01
PANIC_LINE = re.compile(r"^.*?(PANIC: .*)$", re.MULTILINE)
UNWRITTEN_LINE = re.compile(r"lab \d+ task \d+ is yours\b.*")


class Console:
    """Both directions of the guest's first UART."""

    def __init__(
        self, machine: Machine, folder: Path, live: bool = False, flood_limit: int = FLOOD_LIMIT
    ):
        self._machine, self._live, self._flood_limit = machine, live, flood_limit
        self._data = bytearray()
        self._read_up_to = 0
        self._changed = threading.Condition()
        self._ending = False
        self.flooded = False
        os.mkfifo(folder / "console.in")
        os.mkfifo(folder / "console.out")
        self._keyboard = os.open(folder / "console.in", os.O_RDWR | os.O_NONBLOCK)
        self._output = os.open(folder / "console.out", os.O_RDONLY | os.O_NONBLOCK)
        fcntl.fcntl(self._output, F_SETPIPE_SZ, PIPE_SIZE)
        self._thread = threading.Thread(target=self._take, name="console", daemon=True)

    @staticmethod
    def options(folder: Path) -> list[str]:
        """QEMU's options for its end."""
        return [
            "-chardev",
            f"pipe,id=console,path={folder / 'console'}",
            "-serial",
            "chardev:console",
        ]

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    @property
    def transcript(self) -> str:
        """Everything printed so far; carriage returns are dropped."""
        with self._changed:
            return self._data.decode("utf-8", "replace").replace("\r", "")

    @property
    def last_line(self) -> str:
        lines = [line for line in self.transcript.splitlines() if line.strip()]
        return lines[-1] if lines else ""

    @property
    def panic(self) -> str | None:
        """The kernel's own report of its end, if it printed one."""
        found = PANIC_LINE.search(self.transcript)
        return found[1] if found else None

    @property
    def unwritten(self) -> str | None:
        """The line of a hole that was reached and is still to be written."""
        found = UNWRITTEN_LINE.search(self.transcript)
        return found[0] if found else None

    def send(self, text: str | bytes) -> None:
        """Type on the console; a newline is what Enter sends."""
        data = text.encode() if isinstance(text, str) else text
        self._machine.note(f"console: sent {quote(data)}")
        try:
            os.write(self._keyboard, data.replace(b"\n", b"\r"))
        except BlockingIOError:
            raise self._machine.failure(
                "the console to take input", "a guest that reads none"
            ) from None

    def expect(self, pattern: str | re.Pattern[str], within: float | None = None) -> re.Match[str]:
        """Wait for a pattern in what is not matched yet; a plain string is taken literally."""
        regex = re.compile(re.escape(pattern)) if isinstance(pattern, str) else pattern
        wanted = (
            f"{quote(regex.pattern if not isinstance(pattern, str) else pattern)} on the console"
        )
        deadline = self._machine.deadline(within)
        while (match := regex.search(self.transcript, self._read_up_to)) is None:
            self.check_flood()
            if not self._machine.alive and not self._more_to_come():
                self._machine.raise_ended(wanted)
            if deadline.passed():
                raise self._machine.failure(wanted, self._silence(deadline.allowance), Verdict.HANG)
            self._wait()
        self._read_up_to = match.end()
        return match

    def command(self, line: str, prompt: str = "mazu> ", within: float | None = None) -> str:
        """Type a line at the prompt and return what is printed up to the next prompt."""
        start = self._read_up_to
        self.send(line + "\n")
        match = self.expect(prompt, within)
        output = self.transcript[start : match.start()]
        return output.partition("\n")[2]

    def check_flood(self) -> None:
        if self.flooded:
            limit = f"{self._flood_limit // 1024} KiB"
            raise Failure(
                f"at most {limit} on the console", f"more, ending {quote(self.last_line)}"
            )

    def settle(self) -> None:
        """After QEMU ended: wait until the last of its output is here."""
        self._ending = True
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def close(self) -> None:
        self.settle()
        os.close(self._keyboard)
        os.close(self._output)

    def _silence(self, allowance: str) -> str:
        last = self.last_line
        return f"nothing within {allowance}" + (f" after {quote(last)}" if last else "")

    def _wait(self) -> None:
        with self._changed:
            self._changed.wait(timeout=0.05)

    def _more_to_come(self) -> bool:
        """After the machine's end: true once, when its last output has been read."""
        first, self._ending = not self._ending, True
        self.settle()
        return first

    def _take(self) -> None:
        while not self.flooded:
            is_last_look = self._ending
            if chunk := self._read():
                self._add(chunk)
            elif is_last_look:
                return
            else:
                time.sleep(POLL_S)
        self._machine.end_process()

    def _read(self) -> bytes:
        """What is there now; nothing, too, when nobody has the other end open."""
        try:
            return os.read(self._output, 65536)
        except BlockingIOError:
            return b""

    def _add(self, chunk: bytes) -> None:
        if self._live:
            sys.stderr.write(chunk.decode("utf-8", "replace"))
        with self._changed:
            room = self._flood_limit - len(self._data)
            self._data += chunk[:room]
            self.flooded = len(chunk) > room
            self._changed.notify_all()
