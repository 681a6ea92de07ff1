"""Loads the grader's pytest plugin (core/plugin.py) and finds the course tool's package."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "tools"))


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Not by `pytest_plugins`, which pytest refuses in the runner's calls, where it is loaded already."""
    pluginmanager.import_plugin("grader.core.plugin")
