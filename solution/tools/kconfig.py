#!/usr/bin/env python3
"""The configuration of one build, derived from its parts. kconfiglib does the work.

    kconfig.py derive        --source solution --out build/x --stage 1 [--set NAME=VALUE] FILE...
    kconfig.py menuconfig    ... the same; then a menu, whose changes are kept in build/x/local.config
    kconfig.py savedefconfig ... the same; writes build/x/defconfig, the shortest file for this configuration

The parts, each over the one before: the FILEs (a base, a profile, fragments), local.config, the --sets.
The stage is no part: it reaches Kconfig through the environment. The results are .config (to read),
auto.conf (for make) and include/generated/autoconf.h (for C), written only when their content changed.

The parts must mean what they say: a name that Kconfig does not know, a malformed line, or a value that a
dependency or a range does not let through is an error, in one line that names the part.
"""

import argparse
import os
import sys
from pathlib import Path

from kconfiglib import BOOL, TRI_TO_STR, Kconfig, KconfigError, Symbol, expr_str, expr_value


def clean(message: str) -> str:
    """A message of kconfiglib, in one line."""
    return " ".join(message.removeprefix("warning: ").split())


def wanted(symbol: Symbol) -> str | None:
    """What the parts ask for, in the form of str_value; None: they do not mention it."""
    if symbol.user_value is None:
        return None
    return TRI_TO_STR[symbol.user_value] if symbol.orig_type == BOOL else symbol.user_value


def has_prompt(symbol: Symbol) -> bool:
    return any(node.prompt for node in symbol.nodes)


def reason(symbol: Symbol) -> str:
    """Why a symbol did not take the value that was asked for."""
    if not has_prompt(symbol):
        return "it is not for configurations to set"
    if expr_value(symbol.direct_dep) == 0:
        return f"it depends on {expr_str(symbol.direct_dep)}"
    if symbol.ranges:
        low, high, _ = symbol.ranges[0]
        return f"its range is {low.str_value}..{high.str_value}"
    return "another option selects it"


class Configuration:
    """Kconfig with the parts loaded, and for each symbol the part that set it last."""

    def __init__(self, source: Path, stage: int) -> None:
        os.environ.update(srctree=str(source), STAGE=str(stage), CONFIG_="CONFIG_")
        self.kconf = Kconfig("Kconfig", warn_to_stderr=False)
        self.kconf.warn_assign_undef = True
        self.kconf.warn_assign_override = False
        self.kconf.warn_assign_redun = False
        self.origin: dict[Symbol, str] = {}
        self.refuse_warnings()

    def refuse_warnings(self) -> None:
        if self.kconf.warnings:
            sys.exit(clean(self.kconf.warnings[0]))

    def load(self, path: Path) -> None:
        if not path.is_file():
            sys.exit(f"{path}: there is no such configuration")
        before = {symbol: symbol.user_value for symbol in self.kconf.unique_defined_syms}
        self.kconf.load_config(str(path), replace=False)
        self.refuse_warnings()
        self.origin.update({s: str(path) for s, value in before.items() if s.user_value != value})

    def assign(self, assignment: str) -> None:
        name, _, value = assignment.partition("=")
        symbol = self.kconf.syms.get(name)
        if symbol is None or not symbol.nodes or not symbol.set_value(value):
            sys.exit(f"{assignment}: no such option, or not a value of it")
        self.origin[symbol] = assignment

    def check(self) -> None:
        """Every part got what it asked for. (Of a choice, only the last member asked for counts.)"""
        for symbol in self.kconf.unique_defined_syms:
            value = wanted(symbol)
            passed_over = symbol.choice and symbol.choice.user_selection is not symbol
            if value is None or value == symbol.str_value or passed_over:
                continue
            sys.exit(
                f"{self.origin[symbol]}: {symbol.name}={value} is not possible: {reason(symbol)}"
                f" (it stays {symbol.str_value or 'unset'})"
            )

    def lines(self, prompted: bool = False) -> dict[str, str]:
        """Each option's line in .config; `prompted`: of those only that one can set."""
        symbols = [s for s in self.kconf.unique_defined_syms if has_prompt(s) or not prompted]
        return {s.name: s.config_string for s in symbols if s.config_string}


def write_if_changed(path: Path, text: str) -> None:
    if not path.is_file() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def write_results(configuration: Configuration, out: Path) -> None:
    header = out / "include/generated/autoconf.h"
    header.parent.mkdir(parents=True, exist_ok=True)
    configuration.kconf.write_config(str(out / ".config"), save_old=False)
    configuration.kconf.write_autoconf(str(header))
    set_lines = [line for line in configuration.lines().values() if not line.startswith("#")]
    write_if_changed(out / "auto.conf", "".join(s.replace("=", " := ", 1) for s in set_lines))


class Build:
    """The command line."""

    def __init__(self) -> None:
        parser = argparse.ArgumentParser(description="Derive the configuration of one build.")
        parser.add_argument("verb", choices=["derive", "menuconfig", "savedefconfig"])
        parser.add_argument("--source", type=Path, required=True)
        parser.add_argument("--out", type=Path, required=True)
        parser.add_argument("--stage", type=int, required=True)
        parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
        parser.add_argument("files", nargs="+", type=Path)
        self.arguments = parser.parse_args()
        self.out: Path = self.arguments.out
        self.local = self.out / "local.config"

    def configuration(self, local: bool = True) -> Configuration:
        result = Configuration(self.arguments.source, self.arguments.stage)
        saved = [self.local] if local and self.local.is_file() else []
        for path in [*self.arguments.files, *saved]:
            result.load(path)
        for assignment in self.arguments.set:
            result.assign(assignment)
        result.check()
        return result

    def edit(self) -> None:
        """The menu, on the configuration as it is; local.config keeps what differs without it."""
        import menuconfig  # needs curses, so only here

        saved = self.out / "menuconfig.tmp"
        os.environ["KCONFIG_CONFIG"] = str(saved)
        edited = self.configuration()
        edited.kconf.write_config(str(saved), save_old=False)
        menuconfig.menuconfig(edited.kconf)
        chosen = saved.read_text().splitlines(keepends=True)
        saved.unlink()
        without = self.configuration(local=False).lines()
        changes = [
            line
            for name, line in edited.lines(prompted=True).items()
            if line in chosen and without.get(name) != line
        ]
        write_if_changed(self.local, "".join(changes))
        print(f"{self.local}: {len(changes)} option(s) differ from the configuration's files")

    def main(self) -> None:
        self.out.mkdir(parents=True, exist_ok=True)
        if self.arguments.verb == "menuconfig":
            self.edit()
        configuration = self.configuration()
        write_results(configuration, self.out)
        if self.arguments.verb == "savedefconfig":
            path = self.out / "defconfig"
            configuration.kconf.write_min_config(str(path))
            print(f"{path}: what differs from Kconfig's own defaults")


if __name__ == "__main__":
    try:
        Build().main()
    except KconfigError as error:
        sys.exit(clean(str(error)))
