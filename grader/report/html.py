"""report.html: one self-contained page, readable on paper, in the dark, and without scripts.

Everything shown came from strangers (console text above all), so every string passes `escape`.
Only the tail of a long console is shown; the whole is in the bundle.
"""

from __future__ import annotations

import math
from html import escape
from pathlib import Path
from typing import Any

from grader.core.score import Grade, Outcome
from grader.core.verdict import Verdict

STYLE = Path(__file__).with_name("page.css")
LONGEST_CONSOLE = 24_000
BAR_WIDTH = 420


def report_html(grade: Grade) -> str:
    title = escape(f"Lab {grade.lab.number}: {grade.lab.title}")
    parts = [
        _header(grade, title),
        _next(grade),
        _table(grade),
        _latencies(grade),
        _failures(grade),
        _timelines(grade),
    ]
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return ("<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n"
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
            '<meta name=viewport content="width=device-width, initial-scale=1">\n'
            f"<title>{title}</title>\n<style>\n{STYLE.read_text()}</style>\n"
            f"<body>\n{''.join(parts)}</body>\n</html>\n")


def _header(grade: Grade, title: str) -> str:
    share = grade.score / grade.maximum if grade.maximum else 0.0
    around = 2 * math.pi * 38
    ring = (
        f'<svg width=96 height=96 viewBox="0 0 96 96" role=img aria-label="{grade.score} of {grade.maximum}">'
        "<circle class=ring cx=48 cy=48 r=38 />"
        f'<circle class=arc cx=48 cy=48 r=38 stroke-dasharray="{share * around:.1f} {around:.1f}" '
        'transform="rotate(-90 48 48)" />'
        f"<text x=48 y=53 text-anchor=middle>{share:.0%}</text></svg>"
    )
    passed = sum(o.verdict is Verdict.PASS for o in grade.outcomes)
    return (f"<header>{ring}<h1>{title}<small>{grade.score} of {grade.maximum} points, "
            f"{passed} of {len(grade.outcomes)} criteria</small></h1></header>\n")


def _next(grade: Grade) -> str:
    hole = grade.next_hole
    if hole is None:
        return ""
    return (f"<p class=next>To write next: <code>{escape(hole.name)}</code> in "
            f"<code>{escape(grade.lab.named(hole.file))}</code> (task {hole.task}).</p>\n")


def _table(grade: Grade) -> str:
    rows = []
    for task in grade.lab.tasks:
        outcomes = [o for o in grade.outcomes if o.criterion.task == task.id]
        if outcomes:
            rows.append(
                f"<tr class=task><td colspan=2>Task {task.id}. {escape(task.title)}</td><td class=points>"
                f"{grade.task_score(task.id)}/{sum(o.criterion.points for o in outcomes)}</td></tr>\n"
            )
            rows += map(_row, outcomes)
    head = "<tr><th>Criterion<th>Verdict<th class=points>Points</tr>"
    return f"<h2>Criteria</h2>\n<table>{head}\n{''.join(rows)}</table>\n"


def _row(outcome: Outcome) -> str:
    criterion = outcome.criterion
    note = outcome.sentence if outcome.verdict is Verdict.BLOCKED else criterion.summary
    return (f"<tr><td><code>{escape(criterion.name)}</code><small>{escape(note)}</small></td>"
            f'<td><span class="verdict {outcome.verdict}">{outcome.verdict}</span></td>'
            f"<td class=points>{outcome.points}/{criterion.points}</td></tr>\n")


def _latencies(grade: Grade) -> str:
    figures = [figure for outcome in grade.outcomes for figure in outcome.figures]
    if not figures:
        return ""
    bars = "".join(f"<p><code>{escape(f['name'])}</code><br>{_bar(f)}</p>\n" for f in figures)
    return (
        "<h2>Latency</h2>\n<p>Guest instructions, fewer are better. The dashed line is the reference, the "
        f"red one the limit.</p>\n{bars}"
    )


def _bar(figure: dict[str, Any]) -> str:
    value, limit, reference = figure["value"], figure["limit"], figure["reference"]
    scale = BAR_WIDTH / max(value, limit * 1.1, 1)
    kind = "over" if value > limit else "bar"
    lines = "".join(
        f"<line class={name} x1={at * scale:.1f} x2={at * scale:.1f} y1=0 y2=22 />"
        for name, at in (("reference", reference), ("limit", limit))
    )
    return (
        f'<svg width={BAR_WIDTH + 230} height=24 role=img aria-label="{value} of at most {limit}">'
        f"<rect class=track x=.5 y=3.5 width={BAR_WIDTH} height=15 rx=3 />"
        f"<rect class={kind} x=.5 y=3.5 width={value * scale:.1f} height=15 rx=3 />{lines}"
        f"<text x={BAR_WIDTH + 12} y=16>{value:,}"
        f"<tspan class=soft> of {limit:,} ({reference:,} x {figure['margin']:g})</tspan></text></svg>"
    )


def _failures(grade: Grade) -> str:
    failed = [o for o in grade.outcomes if o.verdict not in (Verdict.PASS, Verdict.BLOCKED)]
    if not failed:
        return ""
    if failed[0].verdict is Verdict.BUILD:
        return f"<h2>It does not compile</h2>\n<pre>{escape(failed[0].sentence)}</pre>\n"
    return "<h2>What failed</h2>\n" + "".join(_failure(grade, outcome) for outcome in failed)


def _failure(grade: Grade, outcome: Outcome) -> str:
    criterion = outcome.criterion
    hint = f"<p>Read <code>{escape(criterion.hint)}</code>.</p>" if criterion.hint else ""
    return (
        f'<article><h3><span class="verdict {outcome.verdict}">{outcome.verdict}</span> '
        f"<code>{escape(criterion.name)}</code></h3>\n<p>{escape(outcome.sentence)}</p>{hint}\n"
        f"<p>Again: <code>{escape(grade.rerun(outcome))}</code></p>\n"
        + _file("Console", outcome.result.console)
        + _timeline(outcome.result.timeline, "Timeline", " open")
        + _file("What the grader did", outcome.result.trace)
        + _file("Harts", f"{outcome.result.bundle}/harts.txt" if outcome.result.bundle else "")
        + "</article>\n"
    )


def _timelines(grade: Grade) -> str:
    """Of what passed; a failure shows its own."""
    figures = [_timeline(o.result.timeline, escape(o.criterion.name), "") for o in grade.outcomes
               if o.verdict is Verdict.PASS and o.result.timeline]
    if not any(figures):
        return ""
    return ("<h2>Timelines</h2>\n<p>Who had the hart, as the kernel's event ring has it: the last machine that "
            f"each criterion ran.</p>\n{''.join(figures)}")


def _timeline(path: str, title: str, is_open: str) -> str:
    if not path or not Path(path).exists():
        return ""
    return (f"<details{is_open}><summary>{title}</summary><figure>{Path(path).read_text('utf-8')}</figure>"
            "</details>\n")


def _file(title: str, path: str) -> str:
    if not path or not Path(path).exists():
        return ""
    text = Path(path).read_text("utf-8", "replace")
    if len(text) > LONGEST_CONSOLE:
        text = (
            f"[{len(text) - LONGEST_CONSOLE} characters before this are in {Path(path).name}]\n"
            + text[-LONGEST_CONSOLE:]
        )
    shown = "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)
    is_open = " open" if title == "Console" else ""
    return f"<details{is_open}><summary>{title}</summary><pre>{escape(shown) or '(nothing)'}</pre></details>\n"
