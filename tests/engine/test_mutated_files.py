"""A changed model file gives an error of the project's, or a network that computes as Keras."""

from __future__ import annotations

import itertools
import math
import time
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import deeplift_engine as de
from deeplift_engine.errors import DeepliftEngineError
from tests.engine.mutated_files import (
    CHANGES,
    Change,
    ModelFile,
    change_arrays,
    changed_bytes,
    changed_config,
    valid_files,
)

SECONDS, BYTES = 2.0, 1 << 30
MOST_ELEMENTS = 2_000_000
"""Activations of a sample beyond which a network is not run: Keras could not run it either."""
TRIED: Counter[str] = Counter()
NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[ModelFile]:
    files = valid_files(tmp_path_factory.mktemp("valid"))
    for file in files[:2]:  # TensorFlow starts, Keras is imported
        path = tmp_path_factory.mktemp("warm") / f"m{file.suffix}"
        path.write_bytes(file.data)
        assert de.load(path).verify().ok
    return files


def peak() -> int:
    """Bytes that the process has used most, since `reset`; 0 where the system does not say."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0
    return 1024 * int(status.read_text().partition("VmHWM:")[2].split()[0])


def reset() -> int:
    if (counter := Path("/proc/self/clear_refs")).exists():
        counter.write_text("5")
    return peak()


def check(folder: Path, file: ModelFile, data: bytes) -> None:
    path = folder / f"{next(NUMBERS)}{file.suffix}"
    path.write_bytes(data)
    began, before = time.thread_time(), reset()
    network = None
    try:
        network = de.load(path)
    except DeepliftEngineError:
        TRIED["refused"] += 1
    seconds, used = time.thread_time() - began, peak() - before
    assert seconds < SECONDS, f"{file}: {seconds:.1f} s"
    assert used < BYTES, f"{file}: {used >> 20} MiB"
    if network is not None:
        compare(network)
    path.unlink()


def compare(network: de.Network) -> None:
    sizes = [
        math.prod(64 if size is None else size for size in node.shape)
        for node in network.nodes.values()
    ]
    if sum(sizes) > MOST_ELEMENTS:
        TRIED["too large to run"] += 1
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras's, of what it reads
        verification = network.verify()
    TRIED[{True: "equal", False: "different", None: "Keras cannot load it"}[verification.ok]] += 1
    assert verification.ok is not False, verification.message


def tried(examples: int) -> Callable[[Any], Any]:
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def of_config(folder: Path, files: list[ModelFile], number: int, changes: list[Change]) -> None:
    file = files[number % len(files)]
    check(folder, file, file.with_config(changed_config(file.config(), changes)))


def of_arrays(folder: Path, files: list[ModelFile], number: int, changes: list[Change]) -> None:
    file = files[number % len(files)]
    check(folder, file, file.with_arrays(lambda arrays: change_arrays(arrays, changes)))


def of_bytes(folder: Path, files: list[ModelFile], number: int, changes: list[Change]) -> None:
    file = files[number % len(files)]
    check(folder, file, changed_bytes(file.data, changes))


NUMBER = st.integers(0, 13)
KINDS = {
    "configuration": (of_config, 16, 1200),
    "arrays": (of_arrays, 6, 300),
    "bytes": (of_bytes, 12, 500),
}


def try_all(kind: str, thorough: bool, folder: Path, files: list[ModelFile]) -> None:
    function, few, many = KINDS[kind]

    @tried(many if thorough else few)
    @given(number=NUMBER, changes=CHANGES)
    def changed(number: int, changes: list[Change]) -> None:
        function(folder, files, number, changes)

    changed()


@pytest.mark.parametrize("kind", list(KINDS))
def test_changed_files(kind: str, tmp_path: Path, files: list[ModelFile]) -> None:
    try_all(kind, False, tmp_path, files)


@pytest.mark.thorough
@pytest.mark.parametrize("kind", list(KINDS))
def test_two_thousand_changed_files(kind: str, tmp_path: Path, files: list[ModelFile]) -> None:
    TRIED.clear()
    try_all(kind, True, tmp_path, files)
    assert TRIED["equal"] > 0, TRIED
