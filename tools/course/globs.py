"""Path patterns of `adds` and .gitignore: `*` and `?` match `/` too; `/` last is for a folder."""

from __future__ import annotations

from fnmatch import fnmatchcase


def matches(path: str, glob: str) -> bool:
    """Does the path, or a folder above it, match? For `net/`, only a folder does."""
    parts = path.split("/")
    folders = ["/".join(parts[:count]) for count in range(1, len(parts))]
    candidates = folders if glob.endswith("/") else [*folders, path]
    return any(fnmatchcase(candidate, glob.rstrip("/")) for candidate in candidates)
