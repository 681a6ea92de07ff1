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


def test_latencies_on_a_busy_host(tmp_path):
    """A host with other work measures the same instructions, and writes the same results.json."""
    reference.check_latencies_on_a_busy_host(3, tmp_path, LATENCIES)
