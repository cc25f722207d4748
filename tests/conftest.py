"""How the tests share a machine: which of them one worker of `pytest -n` runs together."""

from __future__ import annotations

import gc
import importlib
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from tests.longest import longest_first
from tests.repeats import mark_repeats

if TYPE_CHECKING:
    from tests.cases.generated_models import Opened


def pytest_configure(config: pytest.Config) -> None:
    """One thread a worker: the tests' networks are too small for more; groups in our order."""
    config.option.loadscopereorder = False  # or those of most tests were first, however short
    if "PYTEST_XDIST_WORKER" in os.environ:
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
        os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")


@pytest.hookimpl(tryfirst=True)  # before pytest leaves out what is marked
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of one generated network share it; those of one file share its fixtures.

    Those that fork share the process that is forked.
    """
    mark_repeats(items)
    groups = []
    for item in items:
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        fixtures = getattr(item, "fixturenames", ())
        if "opened" in fixtures and "name" in parameters:
            group = f"network {parameters['name']}"
        else:
            group = "forked" if "forked" in fixtures else item.path.name
        item.add_marker(pytest.mark.xdist_group(group))
        groups.append(group)
    if "PYTEST_XDIST_WORKER" in os.environ:
        longest_first(items, groups)


def pytest_collection_finish() -> None:
    """What was imported by now stays: the collector of garbage need not look through it again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def forked() -> ModuleType:
    """Processes of their own that need not import TensorFlow again."""
    return importlib.import_module("tests.forked")


@pytest.fixture(scope="session")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Opened]:
    """Generated models, each built, saved and opened once in a session, when first asked for."""
    from tests.cases.generated_models import build  # opens TensorFlow, behind `pytest_configure`

    folder: Path = tmp_path_factory.mktemp("cases")
    made: dict[str, Opened] = {}

    def get(name: str) -> Opened:
        if name not in made:
            made[name] = build(name, folder)
            gc.freeze()  # kept to the end, and too many to look through at each collection
        return made[name]

    return get
