"""Tables of letters and explanations, read by pandas, numpy and shap, against the store."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.errors import InputError
from deeplift_engine.genomics.checked_files import check
from deeplift_engine.genomics.exporters import export
from deeplift_engine.genomics.letter_tables import COLUMNS
from deeplift_engine.genomics.shap_format import explanation
from deeplift_engine.genomics.verdicts import RIGHT, WRONG
from tests.genomics import scored

COUNT, NAME = 6, 'a,b "%s"'


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    known = scored.constants(COUNT)
    known["sample"][1] = NAME
    known["strand"][:3] = ["-", "+", "-"]
    x = scored.inputs(known)
    hypothetical = np.random.default_rng(0).normal(size=x.shape).astype(np.float32)
    path = tmp_path_factory.mktemp("tables") / "run.zarr"
    return scored.fill(path, {"inputs": x, "hypothetical": hypothetical}, constants=known, shard=4)


@pytest.fixture(scope="module")
def exported(store: Path) -> Path:
    folder = store.with_name("out")
    export(store, folder, ["csv", "parquet", "json", "shap"])
    return folder


def expected(store: Path) -> dict[str, np.ndarray]:
    """Columns of all windows, letter by letter, on the forward strand of the genome."""
    run = de.open_store(store)
    columns: dict[str, list] = {name: [] for name in COLUMNS}
    places = zip(run["sample"], run["chrom"], run["start"], run["end"], run["strand"], strict=True)
    for row, (sample, chrom, start, end, strand) in enumerate(places):
        letters = scored.genome()[chrom][start:end]
        for position in range(start, end):
            own = end - 1 - position if strand == "-" else position - start
            values = run["hypothetical"][row][own]
            values = values[::-1] if strand == "-" else values
            letter = letters[position - start]
            there = values["ACGT".index(letter)] if letter in "ACGT" else np.float32(0)
            cells = sample, chrom, position, letter, there, *values
            for name, cell in zip(COLUMNS, cells, strict=True):
                columns[name].append(cell)
    return {name: np.array(each) for name, each in columns.items()}


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])
def test_pandas_reads_a_row_for_each_letter(store: Path, exported: Path, suffix: str) -> None:
    pandas = pytest.importorskip("pandas")
    read = {
        "csv": pandas.read_csv,
        "parquet": pandas.read_parquet,
        "jsonl": lambda path: pandas.read_json(path, lines=True),
    }[suffix]
    table = read(exported / f"run.{suffix}")
    assert list(table.columns) == list(COLUMNS)
    for name, values in expected(store).items():
        if values.dtype.kind == "f":
            assert np.array_equal(table[name].to_numpy().astype(np.float32), values), name
        else:
            assert table[name].astype(str).tolist() == values.astype(str).tolist(), name
    assert NAME in set(table["sample"])


def test_an_explanation_has_values_letters_and_names(store: Path, exported: Path) -> None:
    run = de.open_store(store)
    x, hypothetical = run["inputs"][:], run["hypothetical"][:]
    with np.load(exported / "run.shap.npz", allow_pickle=False) as file:
        np.testing.assert_allclose(file["values"], (x * hypothetical).sum(axis=2), rtol=1e-6)
        assert not file["base_values"].any()
        letters = np.where(x.any(axis=2), np.array([*"ACGT"])[x.argmax(axis=2)], "N")
        assert np.array_equal(file["data"], letters)
        assert "N" in letters
        assert file["feature_names"][[0, -1]].tolist() == [
            "position 0",
            f"position {x.shape[1] - 1}",
        ]
        assert file["sample"].tolist() == run["sample"].tolist()
        assert json.loads(str(file["settings"]))["holds"].startswith("values: projected")


def test_shap_draws_an_explanation(exported: Path) -> None:
    shap = pytest.importorskip("shap")
    pyplot = pytest.importorskip("matplotlib.pyplot")
    read = explanation(exported / "run.shap.npz")
    assert read.shape == (COUNT, scored.LENGTH)
    shap.plots.bar(read, show=False)
    shap.plots.waterfall(read[0], show=False)
    pyplot.close("all")
    with pytest.raises(InputError, match="cannot be read as an explanation"):
        explanation(exported / "run.csv")


def test_explanations_are_checked(exported: Path, tmp_path: Path) -> None:
    (verdict,) = check([exported / "run.shap.npz"])
    assert (verdict.level, verdict.check) == (RIGHT, "explanation")
    with np.load(exported / "run.shap.npz") as file:
        right = dict(file)

    def told(**changes: np.ndarray | None) -> str:
        arrays = {name: array for name, array in (right | changes).items() if array is not None}
        path = tmp_path / "x.npz"
        np.savez(path, **arrays)
        (verdict,) = check([path])
        assert verdict.level == WRONG
        return verdict.text

    values = right["values"]
    unknown = tuple(np.argwhere(right["data"] == "N")[0])
    other = values.copy()
    other[unknown] = 1
    assert f"row {unknown[0]}, position {unknown[1]} has a value" in told(values=other)
    assert "has no data" in told(data=None)
    assert "bar and beeswarm take (N, L)" in told(values=values[:, :, np.newaxis])
    assert "sample is (5,)" in told(sample=right["sample"][1:])
    assert "not all finite" in told(values=values + np.float32(np.nan))
    assert "all zeros" in told(values=0 * values)
