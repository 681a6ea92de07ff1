"""The verbs of the course tool: each prints what it did; a problem is one line on stderr."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from course import handout, labs, lint, shadows, starters, submission
from course.errors import CourseError
from course.unpack import unpack


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        return options.verb(options)
    except CourseError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.filename or 'course'}: {error.strerror or error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="course", description="Labs, starters and submissions.")
    parser.add_argument("--root", type=Path, default=labs.ROOT, help="the tree (default: this one)")
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    verb = verbs.add_parser("starters", help="write the starters that are out of date")
    verb.set_defaults(verb=_starters)
    how = verb.add_mutually_exclusive_group()
    how.add_argument("--check", action="store_true", help="write nothing, fail when some are")
    how.add_argument("--force", action="store_true", help="overwrite edited ones too")

    verb = verbs.add_parser("check", help="check every lab: schema, holes, starters, anchors")
    verb.set_defaults(verb=_check)

    verb = _of_lab(verbs, "shadows", _shadows, "print which files of a build are the student's")
    verb.add_argument("--carry", action="store_true", help="those of earlier labs too")
    verb.add_argument("--shadow", metavar="DIR", help="a folder in place of labs/NN-name")

    verb = _of_lab(verbs, "next", _next, "print the first hole that is still unwritten")
    verb.add_argument("--shadow", metavar="DIR", type=Path,
                      help="a folder in place of labs/NN-name")

    verb = _of_lab(verbs, "submit", _submit, "pack the files to hand in")
    verb.add_argument("--out", metavar="FILE", type=Path, help="default: build/submit/labNN.tar.gz")

    verb = _of_lab(verbs, "unpack", _unpack, "take a submission's files into a tree")
    verb.add_argument("--from", dest="source", metavar="DIR|TAR.GZ", type=Path, required=True)
    verb.add_argument("--into", metavar="TREE", type=Path, required=True)

    verb = _of_lab(verbs, "handout", _handout, "make the tree that students may have")
    verb.add_argument("--out", metavar="DIR", type=Path, required=True)
    verb.add_argument("--carry", action="store_true", help="keep your own files of earlier labs")
    return parser


def _of_lab(verbs, name: str, verb, help: str) -> argparse.ArgumentParser:
    parser = verbs.add_parser(name, help=help)
    parser.set_defaults(verb=verb)
    parser.add_argument("--lab", metavar="N", type=int, required=True)
    return parser


def _starters(options: argparse.Namespace) -> int:
    every = labs.load_all(options.root)
    ours = [lab for lab in every if labs.has_reference(lab)]
    for lab in every:
        if lab not in ours:
            print(f"{lab.folder}: its reference is not in a handout, its starters stay as they are")
    if options.check:
        problems = [problem for lab in ours for problem in starters.drift(lab)]
        if problems:
            raise CourseError(problems)
        return 0
    for line in starters.update(ours, options.force):
        print(line)
    return 0


def _check(options: argparse.Namespace) -> int:
    lint.check(options.root)
    return 0


def _shadows(options: argparse.Namespace) -> int:
    print(shadows.fragment(options.root, options.lab, options.carry, options.shadow), end="")
    return 0


def _next(options: argparse.Namespace) -> int:
    lab = labs.load(options.root, options.lab)
    for hole in labs.unwritten(lab, options.shadow)[:1]:
        print(_describe(lab, hole))
    return 0


def _describe(lab: labs.Lab, hole: labs.Hole) -> str:
    title = lab.task(hole.task).title
    return f"{lab.named(hole.file)}: {hole.kind} {hole.name} (task {hole.task}: {title})"


def _submit(options: argparse.Namespace) -> int:
    lab = labs.load(options.root, options.lab)
    packed = submission.submit(lab, options.out)
    for hole in packed.unwritten:
        print(f"note: not written yet: {_describe(lab, hole)}")
    shown = packed.path
    if shown.is_relative_to(options.root):
        shown = shown.relative_to(options.root)
    print(f"{shown}: {len(packed.files)} files, hand in this one")
    return 0


def _unpack(options: argparse.Namespace) -> int:
    report = unpack(labs.load(options.into, options.lab), options.source, options.into)
    for line in report.lines():
        print(line)
    return 0 if report.is_complete else 1


def _handout(options: argparse.Namespace) -> int:
    count = handout.handout(options.root, options.lab, options.out, options.carry)
    print(f"{options.out}: the handout of lab {options.lab}, {count} files, no answers in it")
    return 0
