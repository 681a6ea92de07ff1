"""`make bench`: what is read from the image's lines, and what exceeds a limit."""

from __future__ import annotations

from pathlib import Path

from grader.core import bench
from grader.core.bench import Figure

PRINTED = {
    "128M": "mazu> \nbench boot mean 1000 worst 1000\nbench trap mean 10 worst 12\nbench x mean 1\n",
    "4G": "bench boot mean 1501 worst 1501\nbench trap mean 10 worst 12\n",
}
LIMITS = {
    "boot": {"limit": 2000},
    "boot_4g": {"bench": "boot", "memory": "4G", "of": "boot", "times": 1.5},
    "trap": {"limit": 11},
    "trap_smp": {"bench": "trap", "smp": True, "of": "trap", "times": 1.5},
}


def measured(monkeypatch, limits: dict) -> dict[str, Figure]:
    monkeypatch.setattr(bench, "transcript", lambda elf, memory: PRINTED[memory])
    return bench.measure_within({smp: Path("image") for smp in bench.IMAGES}, limits)


def test_figures_are_read(monkeypatch):
    """Every whole line becomes a figure, with or without a limit; half a line does not."""
    assert measured(monkeypatch, {}) == {"boot": Figure(1000, 1000, None), "trap": Figure(10, 12, None)}


def test_worst_decides(monkeypatch):
    """A limit is for the worst case, not for the mean."""
    figures = measured(monkeypatch, LIMITS)
    assert figures["trap"].is_over and not figures["boot"].is_over


def test_limit_relative_to_another(monkeypatch):
    """A limit may be a multiple of what another figure is in this very run."""
    figure = measured(monkeypatch, LIMITS)["boot_4g"]
    assert (figure.limit, figure.is_over) == (1500, True)


def test_second_image_measures_what_is_named(monkeypatch):
    """The image for several harts gives the figures that ask for it and no other; limits reach across images."""
    figures = measured(monkeypatch, LIMITS)
    assert figures["trap_smp"] == Figure(10, 12, 18)
    assert set(figures) == {"boot", "boot_4g", "trap", "trap_smp"}


def test_chance_is_not_over(monkeypatch):
    """What is above a limit once and not again is not; what always is above it is."""
    runs = iter(["bench trap mean 10 worst 39\n", "bench trap mean 10 worst 12\n"])
    monkeypatch.setattr(bench, "transcript", lambda elf, memory: next(runs))
    assert bench.measure_within({False: Path("image")}, {"trap": {"limit": 12}}) == {"trap": Figure(10, 12, 12)}
    monkeypatch.setattr(bench, "transcript", lambda elf, memory: PRINTED[memory])
    assert bench.measure_within({False: Path("image")}, {"trap": {"limit": 11}})["trap"].is_over
