"""Exports are read back by the programs that they are for, and are complete or not there."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas
import pytest
from pyarrow import parquet

import deeplift_engine as de
from deeplift_engine.errors import InputError, OutputError
from deeplift_engine.jobs.array_plan import ArrayPlan
from deeplift_engine.jobs.export import export
from deeplift_engine.jobs.store import Store
from tests.jobs import stores
from tests.jobs.test_reader import ALL

ROWS = [None, slice(3, 20, 4), [21, 0, 9, 9]]
SETTINGS = {
    "method": "deeplift",
    "target": 3,
    "target_layer": "logits",
    "input_dtypes": {"input": "int8"},
    "dtype": "float32",
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    path = tmp_path_factory.mktemp("export") / "run"
    return stores.fill(stores.create(path, settings=SETTINGS))


def expected(name: str, rows: Any) -> np.ndarray:
    values = ALL[name] if name in ALL else stores.CONSTANTS[name]
    values = values if rows is None or name == "letter" else values[rows]
    return values.astype(np.float32) if values.dtype == np.float16 else values


@pytest.mark.parametrize("rows", ROWS, ids=str)
def test_hdf5(store: Store, tmp_path: Path, rows: Any) -> None:
    export(store.path, tmp_path / "run.h5", rows=rows)
    with h5py.File(tmp_path / "run.h5") as file:
        for name in (*ALL, *stores.CONSTANTS):
            dataset = file[name].asstr() if file[name].dtype == object else file[name]
            assert dataset[()].tolist() == expected(name, rows).tolist(), name
        assert file["counts/scores"].dtype == np.float32
        assert file.attrs["method"] == "deeplift"
        assert json.loads(file.attrs["settings"]) == {**SETTINGS, "axes": ["sample"]}


@pytest.mark.parametrize("rows", ROWS, ids=str)
def test_npz(store: Store, tmp_path: Path, rows: Any) -> None:
    export(store.path, tmp_path / "run.npz", rows=rows)
    with np.load(tmp_path / "run.npz") as file:
        assert {*file.files} == {*ALL, *stores.CONSTANTS, "settings"}
        for name in (*ALL, *stores.CONSTANTS):
            assert file[name].tolist() == expected(name, rows).tolist(), name


@pytest.mark.parametrize("suffix", ["h5", "npz"])
def test_an_attribution_is_loaded_from_an_export(store: Store, tmp_path: Path, suffix: str) -> None:
    arrays = ["scores", "inputs", "predictions"]
    export(store.path, tmp_path / f"run.{suffix}", arrays)
    loaded = de.Attribution.load(tmp_path / f"run.{suffix}")
    assert np.array_equal(loaded.scores, ALL["scores"])
    assert np.array_equal(loaded.inputs, ALL["inputs"])
    assert loaded.inputs.dtype == np.float32
    assert loaded.axes == ("sample",)
    assert loaded.settings["target_layer"] == "logits"


@pytest.mark.parametrize("suffix", ["h5", "npz"])
def test_targets_come_first_as_in_an_attribution(tmp_path: Path, suffix: str) -> None:
    plans = [
        ArrayPlan("scores", (2, 3), "float32", ("target", "position")),
        ArrayPlan("target_delta", (2,), "float32", ("target",)),
        ArrayPlan("inputs", (3,), "float32", ("position",)),
        ArrayPlan("predictions", (2,), "float32", ("unit",)),
    ]
    store = Store.create(tmp_path / "run", 7, 3, 3, plans, {})
    random = np.random.default_rng(0)
    full = {plan.name: random.normal(size=(7, *plan.shape)).astype("f4") for plan in plans}
    for number in range(store.shards):
        rows = store.rows(number)
        store.write(number, {name: array[rows] for name, array in full.items()}, {})
    export(store.path, tmp_path / f"run.{suffix}")
    loaded = de.Attribution.load(tmp_path / f"run.{suffix}")
    assert loaded.axes == ("target", "sample")
    assert np.array_equal(loaded.scores, np.moveaxis(full["scores"], 1, 0))
    assert np.array_equal(loaded.target_delta, full["target_delta"].T)
    assert np.array_equal(loaded.inputs, full["inputs"])


@pytest.mark.parametrize("rows", ROWS, ids=str)
def test_csv(store: Store, tmp_path: Path, rows: Any) -> None:
    export(store.path, tmp_path / "run.csv", rows=rows)
    table = pandas.read_csv(tmp_path / "run.csv", keep_default_na=False)
    assert table["sample"].tolist() == np.arange(22)[slice(None) if rows is None else rows].tolist()
    for name in ("predictions", "flag", "note", "name", "start"):
        assert table[name].tolist() == expected(name, rows).tolist()
    scores = table[[name for name in table if name.startswith("scores[")]].to_numpy(np.float32)
    assert np.array_equal(scores.reshape(-1, 5, 4), expected("scores", rows))
    assert np.array_equal(table["scores[4,3]"].astype("f4"), expected("scores", rows)[:, 4, 3])


@pytest.mark.parametrize("rows", ROWS, ids=str)
def test_parquet(store: Store, tmp_path: Path, rows: Any) -> None:
    export(store.path, tmp_path / "run.parquet", rows=rows)
    check_table(pandas.read_parquet(tmp_path / "run.parquet"), rows)
    notes = json.loads(parquet.read_schema(tmp_path / "run.parquet").metadata[b"deeplift_engine"])
    assert notes["shapes"]["scores"] == [5, 4]
    assert notes["settings"]["method"] == "deeplift"


def test_parquet_with_a_file_for_each_shard(store: Store, tmp_path: Path) -> None:
    export(store.path, tmp_path / "run.parquet", per_shard=True)
    assert sorted(os.listdir(tmp_path / "run.parquet")) == [f"{n:08d}.parquet" for n in range(3)]
    check_table(pandas.read_parquet(tmp_path / "run.parquet"), None)
    assert os.listdir(tmp_path) == ["run.parquet"]
    with pytest.raises(OutputError, match="name one that is not there"):
        export(store.path, tmp_path / "run.parquet", per_shard=True)
    with pytest.raises(InputError, match=r"a folder of \.parquet files, not \.h5"):
        export(store.path, tmp_path / "run.h5", per_shard=True)


def check_table(table: pandas.DataFrame, rows: Any) -> None:
    assert table["sample"].tolist() == np.arange(22)[slice(None) if rows is None else rows].tolist()
    for name in ("predictions", "flag", "note", "name", "start"):
        assert table[name].tolist() == expected(name, rows).tolist()
    for name in ("scores", "counts/scores", "inputs"):
        values = expected(name, rows)
        assert np.array_equal(np.stack(table[name]).reshape(values.shape), values)


@pytest.mark.parametrize("suffix", ["h5", "npz", "csv", "parquet"])
def test_an_export_is_complete_or_not_there(store: Store, tmp_path: Path, suffix: str) -> None:
    half = stores.create(tmp_path / "half")
    stores.write(half, 1)
    target = tmp_path / f"run.{suffix}"
    with pytest.raises(OutputError, match="shards 0, 2 of 3 are not computed yet"):
        export(half.path, target)
    with pytest.raises(OutputError, match="shards 0 of 3 are not computed yet"):
        export(half.path, target, ["scores"], rows=[7, 8])
    export(half.path, target, ["scores"], rows=slice(8, 16))
    with pytest.raises(OutputError, match="already exists"):
        export(store.path, target)
    export(store.path, target, ["predictions"], overwrite=True)
    assert sorted(os.listdir(tmp_path)) == ["half", f"run.{suffix}"]


@pytest.mark.parametrize("suffix", ["h5", "npz", "csv", "parquet"])
def test_what_reads_back_otherwise_is_not_there(
    store: Store, tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from deeplift_engine.jobs import export_formats

    writer, reader = export_formats.FORMATS[f".{suffix}"]

    def wrong(*arguments: Any) -> Any:
        for column, values, expected in reader(*arguments):
            yield column, values, expected + 1

    monkeypatch.setitem(export_formats.FORMATS, f".{suffix}", (writer, wrong))  # type: ignore[arg-type]
    with pytest.raises(OutputError, match="array 'predictions' differs from the store"):
        export(store.path, tmp_path / f"run.{suffix}", ["predictions"])
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("suffix", "arrays", "error", "words"),
    [
        ("h5", ["score"], InputError, "Near it: scores"),
        ("h5", "scores", InputError, "list of names"),
        ("txt", None, OutputError, "exported as .h5, .hdf5, .npz, .csv, .parquet, not as .txt"),
        ("", None, OutputError, "without a suffix"),
    ],
)
def test_what_cannot_be_exported_is_named(
    store: Store, tmp_path: Path, suffix: str, arrays: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        export(store.path, tmp_path / f"run{'.' * bool(suffix)}{suffix}", arrays)
    assert os.listdir(tmp_path) == []


def test_large_arrays_are_too_wide_for_csv(tmp_path: Path) -> None:
    plans = [ArrayPlan("x", (5000,), "int8", ("unit",))]
    store = Store.create(tmp_path / "run", 2, 2, 2, plans, {})
    store.write(0, {"x": np.zeros((2, 5000), np.int8)}, {})
    with pytest.raises(InputError, match="5000 values for each sample are too many for csv"):
        export(store.path, tmp_path / "run.csv")


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_an_array_called_sample_stands_for_the_numbers(tmp_path: Path, suffix: str) -> None:
    names = np.array([f"peak {row}" for row in range(3)])
    plans = [ArrayPlan("x", (), "int8", ())]
    store = Store.create(tmp_path / "run", 3, 3, 3, plans, {}, {"sample": names})
    store.write(0, {"x": np.arange(3)}, {})
    export(store.path, tmp_path / f"run.{suffix}")
    read = pandas.read_csv if suffix == "csv" else pandas.read_parquet
    table = read(tmp_path / f"run.{suffix}")
    assert sorted(table) == ["sample", "x"]
    assert table["sample"].tolist() == names.tolist()


def test_awkward_text_is_exported_as_it_is(tmp_path: Path) -> None:
    texts = np.array(['a,"b"', "two\nlines", "NA", "", " ☃ ", "nan\r\n"])
    plans = [ArrayPlan("text", (), "str", ())]
    store = Store.create(tmp_path / "run", 6, 4, 2, plans, {})
    for number in range(2):
        store.write(number, {"text": texts[store.rows(number)]}, {})
    for suffix in ("csv", "parquet", "h5", "npz"):
        export(store.path, tmp_path / f"run.{suffix}")
    table = pandas.read_csv(tmp_path / "run.csv", keep_default_na=False)
    assert table["text"].tolist() == texts.tolist()
    assert pandas.read_parquet(tmp_path / "run.parquet")["text"].tolist() == texts.tolist()
