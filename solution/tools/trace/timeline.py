"""A trace as a picture: a row for each task, time from left to right; of several harts also one for each hart.

The height of a bar says what the task did: high, it had the hart; low and grey, it wanted it; low and red,
it was held.  An arrow up is a release, one down a deadline, a cross one that was missed.  A hart's row has the
colours of those who had it.  The band behind all is red while the criticality mode is HI.  One SVG, nothing else is needed to look at it.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from .events import (HELD, RUNNING, Deadline, Event, Policy, Span, Trace, Type, harts, releases,
                     states)

LEFT, RIGHT, TOP, ROW, BAR, LOW, FOOT = 150, 20, 40, 34, 16, 4, 62
TEXT, DIM, LINE, BACK, RED, ORANGE, GREEN = ("#e6edf3", "#8b949e", "#21262d", "#0d1117", "#ff7b72",
                                             "#ffa657", "#7ee787")
COLOURS = ("#79c0ff", "#7ee787", "#d2a8ff", "#ffa657", "#56d4dd", "#f2cc60", "#ff9bce", "#a5d6ff")
NAMES = {Policy.OTHER: "other", Policy.FIFO: "fifo", Policy.RR: "rr", Policy.DEADLINE: "deadline"}
NARROW = 0.25  # pixels: what is closer together is drawn as one
STEPS = (1, 2, 5)
LINES_MAX = 12


def draw(trace: Trace, start: int | None = None, end: int | None = None, width: int = 1200,
         title: str = "") -> str:
    """The picture of what happened from `start` to `end` (ticks; default: all that the trace has)."""
    moments = [event.ticks for event in trace.events] or [trace.zero]
    picture = _Picture(trace, min(moments) if start is None else start,
                       max(moments) if end is None else end, width, title)
    return picture.svg()


def line_of(row: int) -> int:
    """What the bars of a row stand on."""
    return TOP + ROW * (row + 1) - 6


class _Picture:
    def __init__(self, trace: Trace, start: int, end: int, width: int, title: str):
        self.trace, self.start, self.end, self.width = trace, start, max(end, start + 1), width
        self.title = title or f"{trace.us(start) / 1000:.3f} to {trace.us(end) / 1000:.3f} ms"
        self.spans = [span for span in states(trace.events) if self.shows(span.start, span.end)]
        several = harts(trace.events)
        self.harts = {hart: row for row, hart in enumerate(several)} if len(several) > 1 else {}
        tasks = sorted({span.task for span in self.spans})
        self.rows = {task: row for row, task in enumerate(tasks, len(self.harts))}

    # -- places --

    def shows(self, start: int, end: int) -> bool:
        return start <= self.end and end >= self.start

    def x(self, ticks: int) -> float:
        inside = min(max(ticks, self.start), self.end) - self.start
        return LEFT + (self.width - LEFT - RIGHT) * inside / (self.end - self.start)

    def base(self, task: int) -> float:
        """The line that the bars of a task stand on."""
        return line_of(self.rows[task])

    @property
    def bottom(self) -> int:
        return TOP + ROW * (len(self.harts) + len(self.rows))

    # -- the whole --

    def svg(self) -> str:
        parts = [*self.modes(), *self.axis(), *self.labels(), *self.hart_bars(), *self.bars(), *self.marks(), *self.legend()]
        body = "\n".join(parts)
        title = escape(self.title)
        return f"""<svg xmlns="http://www.w3.org/2000/svg" width="{self.width}" height="{self.bottom + FOOT}" role="img" aria-label="{title}">
<rect width="100%" height="100%" rx="8" fill="{BACK}"/>
<g font-family="sans-serif" font-size="12">
{text(self.width / 2, 18, title, "middle")}
{body}
</g>
</svg>
"""

    def axis(self) -> Iterator[str]:
        """Lines at round times, in the largest unit that makes whole numbers of them."""
        span = self.trace.us(self.end) - self.trace.us(self.start)
        step = round_step(span / LINES_MAX)
        unit, name = (1e6, "s") if step >= 1e6 else (1000, "ms") if step >= 1000 else (1, "us")
        first = -(-self.trace.us(self.start) // step)
        for number in range(LINES_MAX + 2):
            us = (first + number) * step
            if us > self.trace.us(self.end):
                return
            x = self.x(round(us * self.trace.hz / 1e6) + self.trace.zero)
            yield (f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 8}" y2="{self.bottom}" '
                   f'stroke="{LINE}"/>')
            yield text(x, self.bottom + 16, f"{us / unit:g} {name}",
                       "end" if x > self.width - RIGHT - 20 else "middle")

    def labels(self) -> Iterator[str]:
        for task in self.rows:
            y = self.base(task)
            known = self.trace.tasks.get(task)
            yield text(LEFT - 10, y - 8, escape(self.trace.name(task)), "end", TEXT)
            if known:
                yield (f'<text x="{LEFT - 10}" y="{y + 3:.0f}" text-anchor="end" font-size="9" '
                       f'fill="{DIM}">{words_of(known)}</text>')
            yield f'<line x1="{LEFT}" x2="{self.width - RIGHT}" y1="{y}" y2="{y}" stroke="{LINE}"/>'

    def hart_bars(self) -> Iterator[str]:
        """Who had each hart."""
        for hart, row in self.harts.items():
            y = line_of(row)
            yield text(LEFT - 10, y - 4, f"hart {hart}", "end", TEXT)
            yield f'<line x1="{LEFT}" x2="{self.width - RIGHT}" y1="{y}" y2="{y}" stroke="{LINE}"/>'
            for span in self.spans:
                if span.state == RUNNING and span.hart == hart:
                    start, end = self.x(span.start), self.x(span.end)
                    yield (f'<rect x="{start:.2f}" y="{y - BAR}" width="{max(end - start, NARROW):.2f}" height="{BAR}" '
                           f'fill="{COLOURS[span.task % len(COLOURS)]}">'
                           f"<title>{escape(self.trace.name(span.task))}</title></rect>")

    def bars(self) -> Iterator[str]:
        for task in self.rows:
            colour = COLOURS[task % len(COLOURS)]
            spans = [span for span in self.spans if span.task == task]
            for state, height, fill in ((HELD, LOW, RED), ("ready", LOW, DIM), (RUNNING, BAR, colour)):
                for start, end, whole in self.joined([span for span in spans if span.state == state]):
                    yield (f'<rect x="{start:.2f}" y="{self.base(task) - height}" '
                           f'width="{max(end - start, NARROW):.2f}" height="{height}" fill="{fill}">'
                           f"<title>{self.tell(whole, state)}</title></rect>")

    def joined(self, spans: list[Span]) -> Iterator[tuple[float, float, tuple[int, int]]]:
        """From where to where on the picture, and in ticks; neighbours that one could not tell apart as one."""
        now = None
        for span in spans:
            start, end = self.x(span.start), self.x(span.end)
            if now and start - now[1] < NARROW:
                now = (now[0], end, (now[2][0], span.end))
                continue
            if now:
                yield now
            now = (start, end, (span.start, span.end))
        if now:
            yield now

    def tell(self, span: tuple[int, int], state: str) -> str:
        start, end = map(self.trace.us, span)
        return f"{state} {start:.1f} to {end:.1f} us: {end - start:.1f} us"

    # -- what happened --

    def modes(self) -> Iterator[str]:
        """From each change to HI until the next to LO."""
        since = None
        changes = [event for event in self.trace.events if event.type == Type.MODE]
        for event in [*changes, Event(self.end, Type.MODE)]:
            if event.extra and since is None:
                since = event.ticks
            elif not event.extra and since is not None:
                if self.shows(since, event.ticks):
                    x, end = self.x(since), self.x(event.ticks)
                    yield (f'<rect x="{x:.1f}" y="{TOP - 12}" width="{end - x:.1f}" '
                           f'height="{self.bottom - TOP + 12}" fill="{RED}" opacity="0.16"/>')
                    yield text(x + 3, TOP - 2, "HI", colour=RED)
                since = None

    def marks(self) -> Iterator[str]:
        for event in releases(self.trace.events):
            if self.is_seen(event):
                yield self.arrow(event.id, event.ticks, -1, TEXT)
                known = self.trace.tasks.get(event.id)
                if known and known.deadline_ns:
                    deadline = event.ticks + known.deadline_ns * self.trace.hz // 1_000_000_000
                    if deadline <= self.end:
                        yield self.arrow(event.id, deadline, 1, DIM)
        for event in self.trace.events:
            if event.type == Type.DEADLINE and self.is_seen(event):
                yield from self.mark(event)

    def is_seen(self, event: Event) -> bool:
        return event.id in self.rows and self.shows(event.ticks, event.ticks)

    def arrow(self, task: int, ticks: int, way: int, colour: str) -> str:
        """As high as a row; up (-1) or down (1)."""
        x, low = self.x(ticks), self.base(task)
        tip = low - BAR - 7 if way < 0 else low
        return (f'<path d="M{x:.1f},{low}V{low - BAR - 7}M{x - 3:.1f},{tip - 4 * way}L{x:.1f},{tip}'
                f'L{x + 3:.1f},{tip - 4 * way}" fill="none" stroke="{colour}" stroke-width="1.2"/>')

    def mark(self, event: Event) -> Iterator[str]:
        x, y = self.x(event.ticks), self.base(event.id) - BAR - 4
        if event.extra == Deadline.MISS:
            yield (f'<path d="M{x - 4:.1f},{y - 4}l8,8m-8,0l8,-8" stroke="{RED}" stroke-width="2">'
                   "<title>deadline missed</title></path>")
        elif event.extra in (Deadline.OVERRUN, Deadline.REPLENISH):
            colour = ORANGE if event.extra == Deadline.OVERRUN else GREEN
            yield (f'<circle cx="{x:.1f}" cy="{y}" r="2.5" fill="{colour}">'
                   f"<title>{Deadline(event.extra).name.lower()}</title></circle>")

    def legend(self) -> Iterator[str]:
        x, y = LEFT, self.bottom + 44
        for colour, high, words in ((COLOURS[0], 12, "runs"), (DIM, LOW, "wants to"), (RED, LOW, "is held")):
            yield f'<rect x="{x}" y="{y - high + 1}" width="16" height="{high}" fill="{colour}"/>'
            yield text(x + 22, y, words)
            x += 90
        yield text(x, y, "\N{UPWARDS ARROW} release  \N{DOWNWARDS ARROW} deadline")
        for at, colour, sign, words in ((x + 150, RED, "\N{MULTIPLICATION SIGN}", "missed"),
                                        (x + 220, ORANGE, "\N{BLACK CIRCLE}", "overrun"),
                                        (x + 295, GREEN, "\N{BLACK CIRCLE}", "replenished")):
            yield text(at, y, sign, colour=colour)
            yield text(at + 14, y, words)


def text(x: float, y: float, words: str, anchor: str = "start", colour: str = DIM) -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" fill="{colour}">{words}</text>'


def round_step(least: float) -> float:
    """The smallest 1, 2 or 5 times a power of ten that is no less."""
    power = 0.1
    while True:
        for step in STEPS:
            if step * power >= least:
                return step * power
        power *= 10


def words_of(task) -> str:
    policy = NAMES.get(task.policy, "?")
    if task.policy in (Policy.FIFO, Policy.RR):
        policy += f" {task.priority}"
    if not task.period_ns:
        return policy
    times = (task.runtime_ns, task.deadline_ns, task.period_ns)
    return policy + " " + "/".join(f"{ns / 1e6:g}" for ns in times)
