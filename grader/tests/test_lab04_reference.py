"""Lab 4 is graded as its page promises: task by task, and the same on every host.

Takes three minutes on two cores.
"""

from __future__ import annotations

import pytest

from grader.tests import reference

LATENCIES = ("lock.latency", "ipi.latency")

pytestmark = pytest.mark.skipif(not reference.is_here(4), reason="a handout has no reference")


def test_tasks_in_page_order(tmp_path):
    """The starters earn nothing; each task, once solved, adds exactly its points; then status 0."""
    reference.check_tasks_in_page_order(4, tmp_path)


def test_latencies_on_a_busy_host(tmp_path):
    """A host with other work measures the same instructions, and writes the same results.json."""
    reference.check_latencies_on_a_busy_host(4, tmp_path, LATENCIES)
