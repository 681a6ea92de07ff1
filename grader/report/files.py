"""The reports of a run, written whole beside its bundles."""

from __future__ import annotations

from pathlib import Path

from grader.core.plan import write_whole
from grader.core.score import Grade
from grader.report.gradescope import results_json
from grader.report.html import report_html
from grader.report.junit import junit_xml


def write_reports(grade: Grade, out: Path) -> None:
    """results.json, junit.xml and report.html."""
    write_whole(out / "results.json", results_json(grade))
    write_whole(out / "junit.xml", junit_xml(grade))
    write_whole(out / "report.html", report_html(grade))
