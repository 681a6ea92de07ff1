"""Path patterns, for `adds` and for .gitignore: `*` and `?` as in a shell, `/` last for a folder."""

from __future__ import annotations

from fnmatch import fnmatchcase


def matches(path: str, glob: str) -> bool:
    """Does the path, or a folder above it, match? Of `net/`, only what lies below a folder `net`."""
    parts = path.split("/")
    folders = ["/".join(parts[:count]) for count in range(1, len(parts))]
    candidates = folders if glob.endswith("/") else [*folders, path]
    return any(fnmatchcase(candidate, glob.rstrip("/")) for candidate in candidates)
