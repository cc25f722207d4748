"""How the tests share a machine: which of them one worker of `pytest -n` runs together."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.repeats import mark_repeats

if TYPE_CHECKING:
    from tests.cases.generated_models import Opened


def pytest_configure() -> None:
    """One thread a worker: the tests' networks are too small for more."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
        os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")


@pytest.hookimpl(tryfirst=True)  # before pytest leaves out what is marked
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of one generated network share it; those of one file share its fixtures."""
    mark_repeats(items)
    for item in items:
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        shared = "opened" in getattr(item, "fixturenames", ()) and "name" in parameters
        group = f"network {parameters['name']}" if shared else item.path.name
        item.add_marker(pytest.mark.xdist_group(group))


def pytest_collection_finish() -> None:
    """What was imported by now stays: the collector of garbage need not look through it again."""
    gc.collect()
    gc.freeze()


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
