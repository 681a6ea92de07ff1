"""Schedules that were published, as sets of tasks and as what their authors drew.

One unit is a millisecond.  The pieces are (task, from, to); where a figure ends earlier than the set's horizon
does, the rest follows from the rules that the source states.

  [LL73]  Liu, Layland: Scheduling Algorithms for Multiprogramming in a Hard-Real-Time Environment.
          Journal of the ACM 20(1), 1973.
  [Liu00] J. W. S. Liu: Real-Time Systems. Prentice Hall, 2000.
  [Cot02] Cottet, Delacroix, Kaiser, Mammeri: Scheduling in Real-Time Systems. Wiley, 2002.
  [But11] Buttazzo: Hard Real-Time Computing Systems, third edition. Springer, 2011.
  [AB98]  Abeni, Buttazzo: Integrating Multimedia Applications in Hard Real-Time Systems. RTSS 1998.
  [BBD11] Baruah, Burns, Davis: Response-Time Analysis for Mixed Criticality Systems. RTSS 2011.
  [SA95]  Stoica, Abdel-Wahab: Earliest Eligible Virtual Deadline First. Old Dominion University, TR 95-22.
  [WP]    Wikipedia: Earliest deadline first scheduling.
  [SGG]   Silberschatz, Galvin, Gagne: Operating System Concepts, the chapter on CPU scheduling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grader.lab03.taskset import DEADLINE, FIFO, HI, LO, OTHER, RR, Set, Task


@dataclass(frozen=True)
class Published:
    source: str
    what: Set
    pieces: Sequence[tuple[str, float, float]]
    misses: bool = False  # somebody misses a deadline, and that is the point


def rm(name: str, priority: int, work: float, period: float, deadline: float = 0) -> Task:
    return Task(name, FIFO, (work,), priority=priority, period=period, deadline=deadline)


def edf(name: str, work: float, period: float, deadline: float = 0, **more) -> Task:
    return Task(name, DEADLINE, (work,), runtime=work, period=period, deadline=deadline, **more)


def pieces(text: str) -> list[tuple[str, float, float]]:
    """`A 0-1, B 1-3`."""
    found = []
    for one in text.split(","):
        who, times = one.split()
        start, end = times.split("-")
        found.append((who, float(start), float(end)))
    return found


RATE_MONOTONIC = Published(
    "[LL73] figure 2b: rate-monotonic priorities for periods 2 and 5; C2 = 2 is the most there is room for",
    Set([rm("A", 2, 1, 2), rm("B", 1, 2, 5)], 10),
    pieces("A 0-1, B 1-2, A 2-3, B 3-4, A 4-5, B 5-6, A 6-7, B 7-8, A 8-9"))

REVERSED = Published(
    "[LL73] figure 2c: the other order of priorities; C2 = 1 is the most there is room for",
    Set([rm("A", 1, 1, 2), rm("B", 2, 1, 5)], 10),
    pieces("B 0-1, A 1-3, A 4-5, B 5-6, A 6-7, A 8-9"))

THREE_RATES = Published(
    "[Liu00] figure 6-3a: rate-monotonic, (4, 1), (5, 2), (20, 5)",
    Set([rm("A", 3, 1, 4), rm("B", 2, 2, 5), rm("C", 1, 5, 20)], 20),
    pieces("A 0-1, B 1-3, C 3-4, A 4-5, B 5-7, C 7-8, A 8-9, C 9-10, B 10-12, A 12-13, C 13-15, B 15-16, "
           "A 16-17, B 17-18"))

DEADLINE_MONOTONIC = Published(
    "[Cot02] chapter 2, deadline-monotonic: (C, D, T) of (3, 7, 20), (2, 4, 5), (2, 9, 10)",
    Set([rm("A", 2, 3, 20, 7), rm("B", 3, 2, 5, 4), rm("C", 1, 2, 10, 9)], 20),
    pieces("B 0-2, A 2-5, B 5-7, C 7-9, B 10-12, C 12-14, B 15-17"))

OVERFLOW = Published(
    "[But11] section 4.4, RM against EDF: (2, 5), (4, 7); rate-monotonic B misses at 7",
    Set([rm("A", 2, 2, 5), rm("B", 1, 4, 7)], 35),
    pieces("A 0-2, B 2-5, A 5-7, B 7-10, A 10-12, B 12-15, A 15-17, B 17-20, A 20-22, B 22-25, A 25-27, B 27-30, "
           "A 30-32, B 32-34"), misses=True)

ROUND_ROBIN = Published(
    "[SGG] round robin: bursts of 24, 3 and 3, quantum 4",
    Set([Task(name, RR, (work,), priority=1, quantum=4) for name, work in (("A", 24), ("B", 3), ("C", 3))], 32),
    pieces("A 0-4, B 4-7, C 7-10, A 10-30"))

EDF_OPTIMAL = Published(
    "[But11] section 4.4, RM against EDF: the same set, no deadline missed (of 97 % the kernel grants 95: jobs are "
    "2.5 % shorter)",
    Set([edf("A", 1.95, 5), edf("B", 3.9, 7)], 35),
    pieces("A 0-2, B 2-6, A 6-8, B 8-12, A 12-14, B 14-15, A 15-17, B 17-20, A 20-22, B 22-26, A 26-28, "
           "B 28-32, A 32-34"))

EDF_THREE = Published(
    "[WP] the article's example: (C, T) of (1, 8), (2, 5), (4, 10)",
    Set([edf("A", 1, 8), edf("B", 2, 5), edf("C", 4, 10)], 40),
    pieces("B 0-2, A 2-3, C 3-7, B 7-9, A 9-10, B 10-12, C 12-16, B 16-18, A 18-19, B 20-22, C 22-26, B 26-28, "
           "A 28-29, B 30-32, C 32-36, A 36-37, B 37-39"))

SERVER = Published(
    "[But11] figure 6.14, after [AB98]: A (4, 7) beside a server (3, 8) whose jobs come at 3 and 13 and take 4 and 3",
    Set([edf("A", 4, 7), Task("S", DEADLINE, (4, 3), runtime=3, period=8, releases=(3, 13))], 24),
    pieces("A 0-4, S 4-7, A 7-11, S 11-12, S 13-15, A 15-19, S 19-20, A 21-24"))

MODES = Published(
    "[BBD11] section IV, AMC: (C(LO), C(HI), T) of L (1, -, 2), H (1, 5, 10), M (20, 20, 100), by rate; M answers "
    "within 50 in mode LO, and within 90 (AMC-rtb) after a change",
    Set([Task("L", FIFO, (1,), priority=3, runtime=1, period=2, criticality=LO),
         Task("H", FIFO, (5, 1), priority=2, runtime=1, runtime_hi=5, period=10, criticality=HI),
         Task("M", FIFO, (20,), priority=1, runtime=20, runtime_hi=20, period=100, criticality=HI)], 40),
    pieces("L 0-1, H 1-6, M 6-10, H 10-11, M 11-20, H 20-25, M 25-30, H 30-31, M 31-33, L 33-34, L 35-36, L 37-38, "
           "L 39-40"))

QUANTA = Published(
    "[SA95] figure 1: equal weights, requests of 2 and 1, the second client comes at 1; quanta of 1 (the clock Q)",
    Set([Task("Q", FIFO, (0,), priority=1, period=1), Task("A", OTHER, slice=2), Task("B", OTHER, slice=1, first=1)],
        13),
    pieces("A 0-1, B 1-2, A 2-3, B 3-4, A 4-5, B 5-6, A 6-7, B 7-8, A 8-9, B 9-10, A 10-11, B 11-12, A 12-13"))

FIXED = (RATE_MONOTONIC, REVERSED, THREE_RATES, DEADLINE_MONOTONIC, OVERFLOW)
EDF = (EDF_OPTIMAL, EDF_THREE)
EVERY = (*FIXED, ROUND_ROBIN, *EDF, SERVER, MODES, QUANTA)
