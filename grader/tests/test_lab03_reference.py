"""Lab 3 is graded as its page promises: task by task, and the same on every host.

Takes five minutes on two cores.
"""

from __future__ import annotations

import pytest

from grader.tests import reference

LATENCIES = ("switch.latency", "pick.latency", "wake.latency", "timer.latency", "fair.latency", "admit.latency")

pytestmark = pytest.mark.skipif(not reference.is_here(3), reason="a handout has no reference")


def test_tasks_in_page_order(tmp_path):
    """The starters earn nothing; each task, once solved, adds exactly its points; then status 0."""
    reference.check_tasks_in_page_order(3, tmp_path)


def test_timelines(tmp_path):
    """The report shows the schedule of what passed, with the tasks' names; the bundle that of what failed."""
    out = tmp_path / "out"
    assert reference.Graded(3, out, "--solution", "--test", "rr.schedule").status == 0
    report = (out / "report.html").read_text()
    assert report.count("<svg xmlns") == 1 and ">rr 1</text>" in report
    lab = reference.load_lab(reference.ROOT, 3)
    submission = reference.write_starters(lab, tmp_path / "submission")
    for file in lab.files:
        (submission / file).write_text((reference.ROOT / "solution" / file).read_text())
    quantum = submission / "kernel/sched/rt_quantum.c"
    quantum.write_text(quantum.read_text().replace("rt_move_back(&rq->rt, task);", ""))
    assert reference.Graded(3, out, "--shadow", str(submission), "--test", "rr.schedule").status == 1
    bundle = out / "bundles/rr.schedule"
    assert "ms since the set began" in (bundle / "timeline.svg").read_text()
    assert " switch " in (bundle / "events.log").read_text()
    assert "<summary>Timeline</summary>" in (out / "report.html").read_text()


def test_latencies_on_a_busy_host(tmp_path):
    """A host with other work measures the same instructions, and writes the same results.json."""
    reference.check_latencies_on_a_busy_host(3, tmp_path, LATENCIES)
