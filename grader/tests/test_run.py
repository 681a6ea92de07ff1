"""Whole gradings of a stand-in tree: declarations, verdicts, tables, reports, mutants."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from grader.core.build import Request, build
from grader.core.declare import Criterion, in_order
from grader.core.job import ROOT, Job, run
from grader.core.plan import Result
from grader.core.sandbox import works
from grader.core.score import check_points, outcomes_of
from grader.core.verdict import Infra, Verdict
from grader.report.files import write_reports
from grader.report.table import print_grade

STANDIN = Path(__file__).with_name("standin")
RIGHT_DOUBLE = "#include \"standin.h\"\nlong twice(long n)\n{\n\treturn n + n;\n}\n"
RIGHT_TRIPLE = "#include \"standin.h\"\nlong thrice(long n)\n{\n\treturn n + n + n;\n}\n"


@pytest.fixture
def tree(tmp_path) -> Path:
    return Path(shutil.copytree(STANDIN, tmp_path / "tree"))


def write(tree: Path, double: str | None = None, triple: str | None = None) -> None:
    for name, text in (("double", double), ("triple", triple)):
        if text is not None:
            (tree / f"labs/01-standin/kernel/{name}.c").write_text(text)


def grade(tree: Path, **options):
    job = Job(1, tree, tree / "build/grade", tree / "criteria.py", **{"workers": 1, **options})
    result = run(job)
    write_reports(result, job.out)
    return result


def verdicts(grade) -> dict[str, str]:
    return {o.criterion.name: str(o.verdict) for o in grade.outcomes}


def table(grade) -> str:
    out = io.StringIO()
    print_grade(grade, out)
    return out.getvalue()


def shell(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "grader/run", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHON": sys.executable, **environment},
    )


def test_reference_and_its_reports(tree):
    """The reference has full marks; two runs write the same results.json; every report is well formed."""
    result = grade(tree, solution=True, workers=2)
    assert result.score == result.maximum == 10 and set(verdicts(result).values()) == {"pass"}
    out = tree / "build/grade"
    first = (out / "results.json").read_text()
    grade(tree, solution=True)
    assert (out / "results.json").read_text() == first
    tests = json.loads(first)["tests"]
    assert {
        "score",
        "max_score",
        "status",
        "name",
        "number",
        "output",
        "tags",
        "visibility",
    } <= set(tests[0])
    assert [t["number"] for t in tests] == ["1.1", "1.2", "2.1", "2.2"]
    assert tests[3]["extra_data"]["figures"][0]["limit"] == 6
    suite = ElementTree.parse(out / "junit.xml").getroot().find("testsuite")
    assert suite.get("tests") == "4" and suite.get("failures") == "0"
    page = (out / "report.html").read_text()
    assert "10 of 10 points" in page and "<script" not in page and "src=" not in page


def test_starter_then_task_by_task(tree):
    """The untouched starter earns nothing and says what to write; each task adds exactly its points."""
    result = grade(tree)
    assert result.score == 0
    assert (
        verdicts(result)["double.boot"] == "fail" and verdicts(result)["double.value"] == "blocked"
    )
    text = table(result)
    assert (
        "to write next: twice in labs/01-standin/kernel/double.c (task 1), and 1 more after it"
        in text
    )
    assert "expected 'mazu> ' on the console, got 'lab 1 task 1 is yours" in text
    assert (
        "again    make grade-lab1 TEST=double.boot" in text
        and "bundles/double.boot/console.log" in text
    )
    write(tree, double=RIGHT_DOUBLE)
    assert grade(tree).score == 4
    write(tree, triple=RIGHT_TRIPLE)
    result = grade(tree)
    assert result.score == 10 and "to write next" not in table(result)


def test_a_liar_earns_nothing(tree):
    """Printing a prompt, TAP and ok earns no point that is read elsewhere."""
    liar = RIGHT_DOUBLE.replace(
        "return n + n;", 'say("TAP version 14\\n1..1\\nok 1\\nPASS\\n"); return 7;'
    )
    write(tree, double=liar)
    result = grade(tree)
    assert verdicts(result)["double.value"] == "fail"
    assert result.task_score(1) == 1 and "seed 0: expected twice(" in table(result)
    assert "make replay LAB=1 TEST=double.value SEED=0" in table(result)


def test_bundle(tree):
    """A failure leaves console, trace, command, registers with a backtrace, and status."""
    write(tree, double=RIGHT_DOUBLE.replace("return n + n;", "for (;;);"))
    result = grade(tree, tests=("double.boot",))
    assert verdicts(result) == {"double.boot": "hang"}
    folder = tree / "build/grade/bundles/double.boot"
    assert {p.name for p in folder.iterdir()} >= {
        "console.log",
        "trace.log",
        "qemu.txt",
        "harts.txt",
        "exit.txt",
    }
    assert (
        "at twice" in (folder / "harts.txt").read_text()
        and "sepc" in (folder / "harts.txt").read_text()
    )
    assert "-semihosting" not in (folder / "qemu.txt").read_text()


def test_build_failure(tree):
    """What does not compile is `build` for all, with the first error line."""
    write(tree, double="long twice(long n) { return m; }\n")
    result = grade(tree)
    assert set(verdicts(result).values()) == {"build"} and result.score == 0
    assert "labs/01-standin/kernel/double.c:1:" in table(result) and "'m' undeclared" in table(
        result
    ).replace("‘", "'").replace("’", "'")


@pytest.mark.skipif(not works(), reason="bubblewrap does not work here")
def test_include_from_outside(tree):
    """In the sandbox a submission can include nothing from outside the tree."""
    secret = tree.parent / "secret.h"
    secret.write_text("#define SECRET 1\n")
    write(tree, double=f"#include \"{secret}\"\n" + RIGHT_DOUBLE)
    assert "No such file" in table(grade(tree))


def test_endless_compilation(tree, monkeypatch):
    """A compilation without end is ended."""
    monkeypatch.setattr("grader.core.build.LONGEST_BUILD_S", 1)
    write(tree, double="#include \"/dev/zero\"\n")
    started = time.monotonic()
    built = build(Request(tree, 1, "debug", tree / "build/endless"))
    assert built.error and time.monotonic() - started < 30


def test_a_build_log_is_no_witness(tree):
    """A submission that writes a host's complaint into the log has not compiled, and stops no run."""
    forged = "#line 1 \"x\\nModuleNotFoundError: No module named 'y'\\nz.c\"\n#error Cannot allocate memory\n"
    write(tree, double=forged)
    assert set(verdicts(grade(tree)).values()) == {"build"}


def test_infra_is_status_3(tree):
    """Without QEMU there is no grade: status 3, and what to do."""
    done = shell(
        "grade", "--lab", 1, "--tree", tree, "--criteria", tree / "criteria.py", QEMU="no-such-qemu"
    )
    assert done.returncode == 3 and "infra: no-such-qemu is not in PATH" in done.stderr
    assert "this is no grade" in done.stderr and "score" not in done.stdout


def test_command_line(tree):
    """Status 0 at full marks only; the table is on standard output, progress is not."""
    options = ("--lab", 1, "--tree", tree, "--criteria", tree / "criteria.py")
    done = shell("grade", *options, "--solution", "--test", "triple.value")
    assert done.returncode == 0 and "score: 4 of 4 (of the chosen criteria)" in done.stdout
    assert shell("grade", *options, "--test", "triple.value").returncode == 1
    assert shell("grade", *options, "--test", "no.such").returncode == 3


def test_mutants(tree):
    """Wrong answers are caught by the criteria that they name; one that nobody catches is reported."""
    options = (
        "mutants",
        "--lab",
        1,
        "--tree",
        tree,
        "--criteria",
        tree / "criteria.py",
        "--patches",
        tree / "patches",
    )
    done = shell(*options)
    assert done.returncode == 0 and done.stdout.count("  caught  ") == 2, done.stdout
    harmless = (tree / "patches/double_off_by_one.patch").read_text().replace("2 * n + 1", "n * 2")
    (tree / "patches/harmless.patch").write_text(harmless)
    (tree / "patches/stale.patch").write_text(
        harmless.replace("-\treturn 2 * n;", "-\treturn 4 * n;")
    )
    done = shell(*options)
    assert done.returncode == 1
    assert "not caught by double.value" in done.stdout and "does not apply" in done.stdout
    done = shell(*options, "--check-applies")
    assert done.returncode == 1 and "stale" in done.stdout and "harmless" not in done.stdout


def test_class(tree):
    """Right, half right, uncompilable and hostile submissions get their grades, each task by itself too."""
    submissions = tree.parent / "submissions"
    for name, double, triple in (
        ("right", RIGHT_DOUBLE, RIGHT_TRIPLE),
        ("half", "long x = y;\n", RIGHT_TRIPLE),
        ("none", None, None),
    ):
        folder = submissions / name / "labs/01-standin/kernel"
        folder.mkdir(parents=True)
        for file, text in (("double", double), ("triple", triple)):
            if text is not None:
                (folder / f"{file}.c").write_text(text)
    (submissions / "none/labs/01-standin/kernel/double.c").symlink_to(
        tree / "solution/kernel/double.c"
    )
    (submissions / "none/Makefile").write_text("build: ; touch /tmp/owned\n")
    options = (
        "class",
        "--lab",
        1,
        "--tree",
        tree,
        "--criteria",
        tree / "criteria.py",
        "--submissions",
        submissions,
    )
    done = shell(*options)
    assert done.returncode == 0, done.stderr
    with (tree / "build/class/lab01/grades.csv").open() as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    assert {name: row["score"] for name, row in rows.items()} == {
        "right": "10",
        "half": "6",
        "none": "0",
    }
    assert (rows["half"]["task2_whole"], rows["half"]["task2_alone"]) == ("0", "6")
    assert rows["half"]["note"] == "does not compile" and rows["none"]["note"] == "see unpack.txt"
    assert "symbolic link" in (tree / "build/class/lab01/none/unpack.txt").read_text()
    assert "is yours" in (tree / "build/class/lab01/none/report.html").read_text()
    script = shell(*options, "--slurm")
    assert "--array=1-3" in script.stdout and '--only "$id"' in script.stdout, script.stderr


def test_two_gradings_side_by_side(tree, tmp_path):
    """Two gradings of one tree at once, in folders of their own, have the grade of one."""
    jobs = [
        subprocess.Popen(
            [
                ROOT / "grader/run",
                "grade",
                "--lab",
                "1",
                "--solution",
                "--tree",
                tree,
                "--out",
                tmp_path / f"out{n}",
                "--criteria",
                tree / "criteria.py",
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for n in range(2)
    ]
    tables = [job.communicate(timeout=120)[0] for job in jobs]
    assert all("score: 10 of 10" in text for text in tables)
    assert (tmp_path / "out0/results.json").read_text() == (
        tmp_path / "out1/results.json"
    ).read_text()


# -- declarations and scores, without a machine -----------------------------------------------------


def criterion(name: str, *needs: str, seeds: tuple[int, ...] = (), points: int = 1) -> Criterion:
    return Criterion(name, points, 1, needs, seeds, "debug", "", name)


def result(name: str, verdict: Verdict = Verdict.PASS, seed: int | None = None) -> Result:
    return Result(name, verdict, "" if verdict is Verdict.PASS else "expected a, got b", seed=seed)


def test_blocked_through_a_chain():
    """What needs a failed criterion is blocked, through any chain, even if it ran and passed."""
    chain = in_order([criterion("c", "b"), criterion("b", "a"), criterion("a"), criterion("d")])
    assert [c.name for c in chain] == ["a", "b", "c", "d"]
    outcomes = outcomes_of(chain, [result("a", Verdict.HANG), *map(result, "bcd")])
    assert [(o.criterion.name, str(o.verdict), o.sentence) for o in outcomes] == [
        ("a", "hang", "expected a, got b"), ("b", "blocked", "blocked by a"),
        ("c", "blocked", "blocked by b"), ("d", "pass", "")]


def test_one_seed_fails_all():
    """No best-of-N: the first failing seed is the criterion's outcome; a missing seed is no pass."""
    seeded = [criterion("s", seeds=(0, 1, 2))]
    results = [result("s", seed=0), result("s", Verdict.FAIL, 1), result("s", Verdict.FAIL, 2)]
    assert outcomes_of(seeded, results)[0].failed_seed == 1
    with pytest.raises(Infra, match="left no result"):
        outcomes_of(seeded, results[:1])


def test_declarations_that_contradict():
    """Cycles, unknown needs, double names and wrong sums are errors of the grader."""
    for wrong in (
        [criterion("a", "b"), criterion("b", "a")],
        [criterion("a", "x")],
        [criterion("a")] * 2,
    ):
        with pytest.raises(Infra, match="the grader itself is wrong"):
            in_order(wrong)
    from course import labs
    lab = labs.load(STANDIN, 1)
    with pytest.raises(
        Infra, match="task 1 has 4 points in lab.toml, and its criteria sum up to 1"
    ):
        check_points(lab, [criterion("a")])


def test_missing_file(tree):
    """A student's file that is not there earns nothing: no build takes the reference's for it."""
    write(tree, RIGHT_DOUBLE, RIGHT_TRIPLE)
    (tree / "labs/01-standin/kernel/triple.c").unlink()
    result = grade(tree)
    assert {str(outcome.verdict) for outcome in result.outcomes} == {"build"}
    assert "no labs/01-standin/kernel/triple.c" in table(result)
