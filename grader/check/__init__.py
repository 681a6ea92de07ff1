"""Integration tests of a booted system: `make check`."""
