"""Jobs: the store is what one run gives, whatever the order, the interruptions and the helpers."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812

import deeplift_engine as de
from deeplift_engine.errors import InputError, OutputError
from deeplift_engine.jobs import threads
from deeplift_engine.jobs.contents import CONTENTS, DEFAULT, OF_SEQUENCES, default_contents
from deeplift_engine.jobs.job import Job
from deeplift_engine.jobs.reader import open_store
from deeplift_engine.jobs.status import status_of
from deeplift_engine.jobs.store import Store
from tests.helpers import off

N, LENGTH, ROWS = 50, 12, 8
ARGUMENTS: dict[str, Any] = {
    "references": de.references.shuffle(3),
    "target": np.arange(N) % 3,
    "batch_size": 12,
}
MakeJob = Callable[..., Job]


@pytest.fixture(scope="module")
def explainer() -> de.Explainer:
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((LENGTH, 4)), L.Conv1D(5, 3, activation="relu"), L.Flatten(), L.Dense(3)]
    )
    return de.convert(model).explainer()


@pytest.fixture(scope="module")
def sequences() -> np.ndarray:
    return np.eye(4, dtype="int8")[np.random.default_rng(0).integers(0, 4, (N, LENGTH))]


@pytest.fixture(scope="module")
def job(explainer: de.Explainer, sequences: np.ndarray) -> MakeJob:
    def make(x: Any = sequences, **changes: Any) -> Job:
        return Job(explainer, x, **{**ARGUMENTS, "rows": ROWS, "shard": ROWS, **changes})

    return make


def contents(store: Store) -> dict[str, np.ndarray]:
    run = open_store(store.path)
    return {name: run[name][:] for name in run.names}


def test_a_store_holds_what_one_run_gives(
    job: MakeJob, explainer: de.Explainer, sequences: np.ndarray, tmp_path: Path
) -> None:
    of_others = ("standard_errors", "spread", "hypothetical_spread")  # of errors and folds
    made = job(arrays=[name for name in CONTENTS if name not in of_others])
    store = made.create(tmp_path / "run.zarr")
    report = made.run(store)
    assert report.done == tuple(range(7))
    assert not report.pending
    assert not report.failed
    whole = explainer.run(sequences, **ARGUMENTS)
    stored = contents(store)
    np.testing.assert_array_equal(stored["scores"], whole.scores)
    np.testing.assert_array_equal(stored["multipliers"], whole.multipliers)
    np.testing.assert_array_equal(stored["hypothetical"], whole.hypothetical)
    np.testing.assert_array_equal(stored["projected"], whole.hypothetical * sequences)
    np.testing.assert_array_equal(stored["predictions"], whole.predictions)
    np.testing.assert_array_equal(stored["target_delta"], whole.target_delta)
    np.testing.assert_array_equal(stored["inputs"], sequences)
    assert {plan.name: plan.dtype for plan in store.plans}["inputs"] == "int8"
    assert default_contents(whole, False) == DEFAULT
    assert default_contents(whole, True) == (*DEFAULT, *OF_SEQUENCES)
    assert default_contents(dataclasses.replace(whole, multipliers=None), True) == DEFAULT


def test_shards_in_any_order_some_twice_are_the_same_bits(job: MakeJob, tmp_path: Path) -> None:
    made = job()
    once, apart = made.create(tmp_path / "a.zarr"), made.create(tmp_path / "b.zarr")
    made.run(once)
    for shards in ([6, 2], [2], [5, 0, 1], None):
        made.run(made.open(apart.path), shards)
    for name, array in contents(once).items():
        np.testing.assert_array_equal(contents(apart)[name], array)


def test_shards_of_other_sizes_are_the_same_bits(job: MakeJob, tmp_path: Path) -> None:
    stores = []
    for size in (8, 16, 1000):
        made = job(shard=size)
        stores.append(made.create(tmp_path / f"{size}.zarr"))
        made.run(stores[-1])
    assert [store.shards for store in stores] == [7, 4, 1]
    for store in stores[1:]:
        for name, array in contents(stores[0]).items():
            np.testing.assert_array_equal(contents(store)[name], array)


def test_a_run_that_is_asked_to_stop_keeps_what_it_began(job: MakeJob, tmp_path: Path) -> None:
    made = job()
    store = made.create(tmp_path / "run.zarr")
    asked = iter([False, False, True])
    report = made.run(store, stopping=lambda: next(asked))
    assert report.stopped
    assert report.done == (0, 1)
    assert report.pending == (2, 3, 4, 5, 6)
    told = list[int]()
    assert made.run(store, tick=told.append).done == (2, 3, 4, 5, 6)
    assert sum(told) == N - 2 * ROWS


def test_a_store_knows_its_kernels_and_other_ones_are_refused(
    job: MakeJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = job().create(tmp_path / "run.zarr").settings
    assert {name: settings[name] for name in threads.in_use()} == threads.in_use()
    threads.pin(settings)
    monkeypatch.setattr(threads, "uses_onednn", lambda: not settings["onednn"])
    with pytest.raises(InputError, match=rf"TF_ENABLE_ONEDNN_OPTS={int(settings['onednn'])}"):
        threads.pin(settings)
    threads.pin({"threads": settings["threads"]})  # of a store that does not say


def test_a_shard_that_another_is_at_is_left_to_it(job: MakeJob, tmp_path: Path) -> None:
    made = job()
    store = made.create(tmp_path / "run.zarr")
    with Store.open(store.path).lease(3):
        report = made.run(store)
        assert status_of(store.path).working == (3,)
    assert report.skipped == (3,)
    assert report.pending == (3,)
    assert made.run(store).done == (3,)


def test_who_is_late_with_the_creation_opens_what_another_made(
    job: MakeJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, path = job(), tmp_path / "run.zarr"

    def another_is_first(folder: Path) -> None:
        monkeypatch.undo()
        made.create(path)

    monkeypatch.setattr("deeplift_engine.jobs.folder.sync_tree", another_is_first)
    assert made.open_or_create(path).pending() == list(range(7))
    assert os.listdir(tmp_path) == ["run.zarr"]
    assert os.listdir(path / "leases") == []


CHANGES: dict[str, dict[str, Any]] = {
    "references": {"references": de.references.shuffle(3, seed=1)},
    "target": {"target": 0},
    "part": {"rows": 4},
    "shard": {"shard": 16},
    "arrays": {"arrays": ("scores",)},
    "stored_dtype": {"dtype": "float16"},
    "references_averaged": {"average": False},
}


@pytest.mark.parametrize("field", CHANGES)
def test_another_run_is_refused_by_the_field_that_differs(
    job: MakeJob, tmp_path: Path, field: str
) -> None:
    job().create(tmp_path / "run.zarr")
    with pytest.raises(OutputError, match=f"its {field} is "):
        job(**CHANGES[field]).open(tmp_path / "run.zarr")


def test_other_inputs_are_refused(job: MakeJob, sequences: np.ndarray, tmp_path: Path) -> None:
    job().create(tmp_path / "run.zarr")
    with pytest.raises(OutputError, match="its inputs is "):
        job(sequences[:, ::-1]).open(tmp_path / "run.zarr")


def test_samples_that_cannot_be_scored_are_recorded(
    job: MakeJob, explainer: de.Explainer, sequences: np.ndarray, tmp_path: Path
) -> None:
    bad = sequences.astype("float32")
    bad[[0, 21], 5, 2] = np.nan, np.inf
    made = job(bad, arrays=("scores", "inputs"))
    store = made.create(tmp_path / "run.zarr")
    failed = made.run(store).failed
    assert set(failed) == {0, 21}
    assert "sample 21" in failed[21]
    assert "no finite number" in failed[21]
    stored = contents(store)
    assert np.isnan(stored["scores"][[0, 21]]).all()
    good = [number for number in range(N) if number not in failed]
    whole = explainer.run(sequences, **ARGUMENTS).scores
    assert off(stored["scores"][good], whole[good]) < 1e-6
    np.testing.assert_array_equal(stored["inputs"], bad)
    state = status_of(store.path)
    assert set(state.failed) == {0, 21}
    assert "sample 21" in str(state)
    json.dumps(state.to_json())
    strict = job(bad[1:], strict=True, target=0)
    begun = strict.create(tmp_path / "strict.zarr")
    with pytest.raises(InputError, match="sample 20"):
        strict.run(begun)


def test_what_float16_does_not_hold_is_recorded(
    job: MakeJob, sequences: np.ndarray, tmp_path: Path
) -> None:
    weights = np.ones((N, 3))
    weights[7], weights[9] = 1e-9, 1e9
    made = job(dtype="float16", target=weights)
    report = made.run(store := made.create(tmp_path / "run.zarr"))
    assert set(report.failed) == {7, 9}
    assert "all become zero" in report.failed[7]
    assert "overflow" in report.failed[9]
    assert open_store(store.path)["scores"][:].dtype == np.float32


def test_methods_without_what_is_to_be_kept_say_so(sequences: np.ndarray) -> None:
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((LENGTH, 4)), L.Flatten(), L.Dense(1)])
    explainer = de.convert(model).explainer("occlusion")
    with pytest.raises(InputError, match=r"multipliers.*leave it out"):
        Job(explainer, sequences, arrays=("multipliers",))
    with pytest.raises(InputError, match=r"nothing a store keeps.*hypothetical"):
        Job(explainer, sequences, arrays=("hypothetica",))


def test_targets_references_and_layers_have_axes_of_their_own(
    explainer: de.Explainer, sequences: np.ndarray, tmp_path: Path
) -> None:
    made = Job(
        explainer, sequences, target=[0, 2], references=de.references.shuffle(2), average=False,
        dimensions=("position", "letter"), arrays=("scores", "hypothetical"),
    )  # fmt: skip
    made.run(store := made.create(tmp_path / "run.zarr"))
    whole = explainer.run(
        sequences, target=[0, 2], references=de.references.shuffle(2), average=False
    )
    stored = contents(store)["scores"]
    np.testing.assert_array_equal(stored, np.moveaxis(whole.scores, 1, 0))
    assert store.plans[0].dimensions[-2:] == ("position", "letter")


def test_heads_are_groups_of_the_store(sequences: np.ndarray, tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    x = keras.Input((LENGTH, 4))
    trunk = L.Flatten()(L.Conv1D(5, 3, activation="relu")(x))
    outputs = [L.Dense(1, name="counts")(trunk), L.Dense(4, name="profile")(trunk)]
    network = de.convert(keras.Model(x, outputs))
    explainer = network.explainer(target={"few": "counts:0", "shape": "profile:mean:2"})
    references = de.references.shuffle(2)
    made = Job(explainer, sequences, references=references, rows=ROWS)
    made.run(store := made.create(tmp_path / "run.zarr"))
    whole = explainer.run(sequences, references=references)
    stored = contents(store)
    for head, result in whole.heads.items():
        assert off(stored[f"{head}/scores"], result.scores) < 1e-6
    assert set(stored) >= {"predictions/counts", "shape/relative_error"}


def test_what_is_known_before_the_run_is_kept_beside_it_and_belongs_to_it(
    job: MakeJob, tmp_path: Path
) -> None:
    known = {
        "chrom": ["chr1"] * N,
        "start": np.arange(N) * 7,
        "letter": list("ACGT"),
        "kept": np.arange(N + 3) < N,
    }
    options: dict[str, Any] = {"arrays": DEFAULT, "dimensions": ("position", "letter")}
    begun = job(constants=known, names=[f"s{n}" for n in range(N)], **options)
    begun.run(begun.create(tmp_path / "run.zarr"))
    run = open_store(tmp_path / "run.zarr")
    assert run["sample"][:3].tolist() == ["s0", "s1", "s2"]
    assert run["start"].tolist() == known["start"].tolist()
    dimensions = {name: c.dimensions for name, c in run.store.layout.constants.items()}
    assert dimensions == {
        "sample": ("sample",), "chrom": ("sample",), "start": ("sample",), "letter": ("letter",),
        "kept": ("kept_axis_0",),
    }  # fmt: skip
    with pytest.raises(OutputError, match="its constants is"):
        job(**options).open(tmp_path / "run.zarr")
    other = job(constants={**known, "start": np.arange(N)}, **options)
    with pytest.raises(OutputError, match="its constants is"):
        other.open(tmp_path / "run.zarr")
