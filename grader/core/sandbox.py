"""The sandbox: what a submission's compiler, and the machine that runs it, may touch.

Where bubblewrap works: no network, a read-only root of the system's own folders and the ones
named, a private /tmp, fresh process, user and IPC name spaces, and death with the grader.  Where it
does not (containers without user name spaces, macOS) the run says so once and goes on with what is
left: resource limits, the parent's death signal, and QEMU's own seccomp filter.

RLIMIT_NPROC is not used: it counts all processes of the user, so it would make two gradings
meet.  A fork bomb ends with its process name space, at the wall limit.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

SYSTEM_FOLDERS = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
SYSTEM_FILES = ("/etc/alternatives", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d")
KEPT_VARIABLES = ("PATH", "PYTHON", "QEMU", "CROSS_COMPILE", "SOURCE_DATE_EPOCH")
MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Resource limits of one process and its children each; 0 means none."""

    cpu_s: int = 0
    file_mib: int = 0
    memory_mib: int = 0

    def command(self) -> list[str]:
        if not shutil.which("prlimit"):
            return []
        options = ["--core=0"]
        options += [f"--cpu={self.cpu_s}"] if self.cpu_s else []
        options += [f"--fsize={self.file_mib * MIB}"] if self.file_mib else []
        options += [f"--as={self.memory_mib * MIB}"] if self.memory_mib else []
        return ["prlimit", *options, "--"]


@dataclass(frozen=True)
class Jail:
    """What is inside: paths to read, paths to write, and whether the host's network is there."""

    read: tuple[Path, ...] = ()
    write: tuple[Path, ...] = ()
    network: bool = False
    limits: Limits = Limits()
    folder: Path | None = None  # working directory


def confine(command: Sequence[str], jail: Jail) -> list[str]:
    """The command line that runs `command` in `jail`, as far as this host can."""
    walls = _bubblewrap(jail) if works() else _death_with_parent()
    return [*walls, *jail.limits.command(), *command]


@cache
def works() -> bool:
    """Whether bubblewrap runs here: tried, not guessed."""
    if not shutil.which("bwrap") or os.environ.get("MAZU_NO_SANDBOX"):
        return False
    try:
        attempt = subprocess.run([*_bubblewrap(Jail()), "true"], capture_output=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return attempt.returncode == 0


def notice() -> str | None:
    """What to tell the user once, when the sandbox is missing."""
    if works():
        return None
    return "note: bubblewrap does not work here; submissions run with resource limits only"


def prefixes(tools: Iterable[str]) -> tuple[Path, ...]:
    """Folders outside the system's where these tools live, to be read inside."""
    found: set[Path] = set()
    for tool in tools:
        if path := shutil.which(tool):
            found |= {_prefix(Path(path).absolute()), _prefix(Path(path).resolve())}
    return tuple(sorted(p for p in found if not p.is_relative_to("/usr") and p != Path("/")))


def _prefix(tool: Path) -> Path:
    """The installation of a tool: the parent of its bin folder, but never a home or the root."""
    folder = tool.parent
    if folder.name == "bin" and folder.parent not in (Path.home(), Path("/")):
        return folder.parent
    return folder


def _bubblewrap(jail: Jail) -> list[str]:
    walls = ["bwrap", "--die-with-parent", "--unshare-user-try", "--unshare-ipc", "--unshare-pid",
             "--unshare-uts", "--unshare-cgroup-try"]
    walls += [] if jail.network else ["--unshare-net"]
    walls += ["--clearenv", "--setenv", "HOME", "/tmp", "--setenv", "LC_ALL", "C.UTF-8"]
    for name in KEPT_VARIABLES:
        walls += ["--setenv", name, os.environ[name]] if name in os.environ else []
    for folder in SYSTEM_FOLDERS:
        if os.path.islink(folder):
            walls += ["--symlink", os.readlink(folder), folder]
        elif os.path.isdir(folder):
            walls += ["--ro-bind", folder, folder]
    walls += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
    for path in SYSTEM_FILES:
        walls += ["--ro-bind-try", path, path]
    for path in jail.read:
        walls += ["--ro-bind", str(path), str(path)]
    for path in jail.write:
        walls += ["--bind", str(path), str(path)]
    return walls + (["--chdir", str(jail.folder)] if jail.folder else [])


def _death_with_parent() -> list[str]:
    return ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []
