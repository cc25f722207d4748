"""How the tests share a machine: which of them one worker of `pytest -n` runs together."""

from __future__ import annotations

import os

import pytest


def pytest_configure() -> None:
    """One thread a worker: the tests' networks are too small for more."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
        os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of one generated network share it; those of one file share its fixtures."""
    for item in items:
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        shared = "opened" in getattr(item, "fixturenames", ()) and "name" in parameters
        group = f"network {parameters['name']}" if shared else item.path.name
        item.add_marker(pytest.mark.xdist_group(group))
