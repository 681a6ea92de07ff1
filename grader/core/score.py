"""From results to a grade: one outcome a criterion, what is blocked, and the sum.

A criterion with seeds passes when every seed passed; its outcome is that of the first seed that did
not.  What needs a failed criterion is blocked by it, even if a parallel worker ran it before the
failure was known, so that a grade does not depend on the number of workers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from grader.core.declare import Criterion, blocker_of
from grader.core.plan import Result
from grader.core.verdict import Infra, Verdict, raise_grader_error


@dataclass
class Outcome:
    """How one criterion ended."""

    criterion: Criterion
    result: Result
    verdict: Verdict
    sentence: str = ""

    @property
    def points(self) -> int:
        return self.criterion.points if self.verdict is Verdict.PASS else 0

    @property
    def figures(self) -> list[dict[str, Any]]:
        return self.result.figures

    @property
    def failed_seed(self) -> int | None:
        """The seed to replay, when the criterion has seeds and failed with one."""
        return self.result.seed if self.verdict not in (Verdict.PASS, Verdict.BLOCKED) else None


@dataclass
class Grade:
    """Everything that the reports show."""

    lab: Any  # course.labs.Lab
    outcomes: list[Outcome]
    flags: str = ""                     # " SOLUTION=1", as a rerun needs it
    unwritten: Sequence[Any] = field(default_factory=list)  # course.labs.Hole
    partial: bool = False               # TEST=… chose some of the criteria

    @property
    def score(self) -> int:
        return sum(outcome.points for outcome in self.outcomes)

    @property
    def maximum(self) -> int:
        return sum(outcome.criterion.points for outcome in self.outcomes)

    def task_score(self, task: int) -> int:
        return sum(o.points for o in self.outcomes if o.criterion.task == task)

    def rerun(self, outcome: Outcome) -> str:
        """The command that runs this criterion again, alone."""
        name = outcome.criterion.name
        if outcome.failed_seed is not None:
            seed = f"SEED={outcome.failed_seed}"
            return f"make replay LAB={self.lab.number} TEST={name} {seed}{self.flags}"
        return f"make grade-lab{self.lab.number} TEST={name}{self.flags}"

    @property
    def next_hole(self) -> Any | None:
        return self.unwritten[0] if self.unwritten else None


def outcomes_of(criteria: Sequence[Criterion], results: Sequence[Result],
                one_seed: bool = False) -> list[Outcome]:
    """One outcome a criterion, in order of task and need; `Infra` when the run was cut short."""
    if broken := next((r for r in results if r.verdict == Verdict.INFRA), None):
        raise Infra(broken.sentence, broken.remedy)
    outcomes: dict[str, Outcome] = {}
    for criterion in criteria:  # in topological order: a need is settled before its dependents
        own = [result for result in results if result.criterion == criterion.name]
        outcome = _outcome(criterion, own, 1 if one_seed else max(1, len(criterion.seeds)))
        if blocker := blocker_of(criterion, lambda name: _failed(outcomes, name)):
            outcome.verdict, outcome.sentence = Verdict.BLOCKED, f"blocked by {blocker}"
        outcomes[criterion.name] = outcome
    return sorted(outcomes.values(), key=lambda o: o.criterion.task)


def build_outcomes(criteria: Sequence[Criterion], error: str) -> list[Outcome]:
    """Every criterion of a kernel that does not compile."""
    sentence = f"expected a kernel that compiles, got {error}"
    return [Outcome(c, Result(c.name, Verdict.BUILD, sentence), Verdict.BUILD, sentence)
            for c in sorted(criteria, key=lambda c: c.task)]


def check_points(lab: Any, criteria: Sequence[Criterion]) -> None:
    """lab.toml and the criteria must agree on what each task is worth."""
    tasks = {task.id: task.points for task in lab.tasks}
    for criterion in criteria:
        if criterion.task not in tasks:
            raise_grader_error(
                f"{criterion.name} is of task {criterion.task}, which lab.toml does not have"
            )
    for task, points in tasks.items():
        total = sum(c.points for c in criteria if c.task == task)
        if total != points:
            raise_grader_error(
                f"task {task} has {points} points in lab.toml, and its criteria sum up to {total}"
            )


def _failed(outcomes: dict[str, Outcome], name: str) -> bool:
    return name in outcomes and outcomes[name].verdict is not Verdict.PASS


def _outcome(criterion: Criterion, results: Sequence[Result], wanted: int) -> Outcome:
    if len(results) < wanted:
        raise Infra(
            f"{criterion.name} left no result", "pytest was interrupted or broke; see pytest.log"
        )
    worst = next((r for r in results if r.verdict not in (Verdict.PASS, Verdict.BLOCKED)), None)
    worst = worst or next((r for r in results if r.verdict == Verdict.BLOCKED), results[0])
    sentence = worst.sentence
    if worst.seed is not None and worst.verdict not in (Verdict.PASS, Verdict.BLOCKED):
        sentence = f"seed {worst.seed}: {sentence}"
    return Outcome(criterion, worst, Verdict(worst.verdict), sentence)
