"""results.json in Gradescope's schema.

No host time is in it, so two runs of one kernel write the same bytes.  What may differ between
hosts stands under `extra_data`.

Source: Gradescope, Autograder Specifications, "Output Format".
"""

from __future__ import annotations

import json
from typing import Any

from grader.core.score import Grade, Outcome
from grader.core.verdict import Verdict


def results_json(grade: Grade) -> str:
    return json.dumps(results(grade), indent=2, ensure_ascii=False) + "\n"


def results(grade: Grade) -> dict[str, Any]:
    return {
        "score": grade.score,
        "output": f"lab {grade.lab.number}: {grade.score} of {grade.maximum} points",
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [_test(grade, outcome) for outcome in grade.outcomes],
        "extra_data": {"lab": grade.lab.number, "maximum": grade.maximum,
                       "next": _next(grade), "partial": grade.partial},
    }


def _test(grade: Grade, outcome: Outcome) -> dict[str, Any]:
    criterion = outcome.criterion
    output = outcome.sentence or criterion.summary
    if outcome.verdict not in (Verdict.PASS, Verdict.BLOCKED, Verdict.BUILD):
        output += f"\nagain: {grade.rerun(outcome)}"
    return {
        "score": outcome.points,
        "max_score": criterion.points,
        "status": "passed" if outcome.verdict is Verdict.PASS else "failed",
        "name": criterion.name,
        "name_format": "text",
        "number": _number(grade, outcome),
        "output": output,
        "output_format": "text",
        "tags": [f"task {criterion.task}", str(outcome.verdict)],
        "visibility": "visible",
        "extra_data": {
            "verdict": str(outcome.verdict),
            "summary": criterion.summary,
            "hint": criterion.hint,
            "seed": outcome.failed_seed,
            "figures": outcome.figures,
        },
    }


def _number(grade: Grade, outcome: Outcome) -> str:
    """`task.index`, counted within the task."""
    siblings = [o for o in grade.outcomes if o.criterion.task == outcome.criterion.task]
    return f"{outcome.criterion.task}.{siblings.index(outcome) + 1}"


def _next(grade: Grade) -> dict[str, Any] | None:
    hole = grade.next_hole
    return hole and {"file": grade.lab.named(hole.file), "function": hole.name, "task": hole.task}
