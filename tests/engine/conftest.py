"""Every generated model is built, saved and opened once in a session, when first asked for."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.cases import Opened, build


@pytest.fixture(scope="session")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Opened]:
    folder: Path = tmp_path_factory.mktemp("cases")
    made: dict[str, Opened] = {}

    def get(name: str) -> Opened:
        if name not in made:
            made[name] = build(name, folder)
            gc.freeze()  # kept to the end, and too many to look through at each collection
        return made[name]

    return get
