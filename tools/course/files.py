"""Reading and writing the project's own text files.

Text is UTF-8 with LF inside the tool whatever the checkout's line endings are, so a clone with
CRLF has the same starters and the same hashes as any other. Files are replaced whole: a tool that
is interrupted leaves the old file or the new one.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from course.errors import fail


def lf(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n")


def read_text(path: Path, name: str) -> str:
    """The text of a source file; `name` is what messages call it."""
    try:
        return lf(path.read_bytes()).decode("utf-8")
    except FileNotFoundError:
        raise fail(name, "is missing, put it back") from None
    except UnicodeDecodeError as error:
        raise fail(name, f"is not UTF-8 (byte {error.start}), save it as UTF-8") from None
    except OSError as error:
        raise fail(name, f"cannot be read: {error.strerror}") from None


def write(path: Path, data: bytes) -> None:
    """Replace `path` in one step and make its folders; a symbolic link is not followed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
