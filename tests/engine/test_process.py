"""What is said of TensorFlow's kernels: once, after a long run, where other ones are faster."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import pytest

from deeplift_engine.engine import process
from deeplift_engine.errors import SlowKernelsWarning


@pytest.fixture(autouse=True)
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv(process.ONEDNN, raising=False)
    monkeypatch.setattr(process, "LONG", 0.0)
    monkeypatch.setattr(process, "uses_onednn", lambda: False)
    monkeypatch.setattr(process.platform, "machine", lambda: "x86_64")
    process._tell_of_onednn.cache_clear()
    yield
    process._tell_of_onednn.cache_clear()


def told() -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with process.telling_of_faster_kernels():
            pass
    assert all(each.category is SlowKernelsWarning for each in caught)
    return [str(each.message) for each in caught]


def test_it_is_said_once() -> None:
    assert [f"{process.ONEDNN}=1" in message for message in told() + told()] == [True]


def test_it_is_not_said_of_a_short_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "LONG", 1000.0)
    assert not told()


@pytest.mark.parametrize("chosen", ["0", "1"])
def test_it_is_not_said_where_somebody_chose(chosen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(process.ONEDNN, chosen)
    assert not told()


def test_it_is_not_said_where_it_is_so_already_or_on_other_processors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(process.platform, "machine", lambda: "aarch64")
    assert not told()
    monkeypatch.setattr(process, "uses_onednn", lambda: True)
    assert not told()
