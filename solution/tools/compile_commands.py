#!/usr/bin/env python3
"""compile_commands.json, for clangd and its kind, from the command stamps that the engine writes.

    compile_commands.py build/defconfig/kernel/main.o.cmd ... > compile_commands.json

A stamp defines a variable of make, `command | compiler version`; the source is the command's last word. Objects that
were copied in place of being compiled are left out.
"""

import json
import os
import sys
from pathlib import Path


def entry(stamp: Path, directory: str) -> dict[str, str] | None:
    command = stamp.read_text().splitlines()[1].rpartition(" | ")[0].replace("$PWD", directory)
    words = command.split()
    if "-c" not in words:
        return None
    return {"directory": directory, "file": words[-1], "command": command}


def main() -> None:
    directory = os.getcwd()
    entries = [entry(Path(name), directory) for name in sys.argv[1:]]
    json.dump([found for found in entries if found], sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
