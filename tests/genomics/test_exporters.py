"""Exports of scored windows, read back by numpy, h5py and pyBigWig, against sums by brute force."""

from __future__ import annotations

import gc
import json
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.errors import DeepliftEngineError, InputError, OutputError
from deeplift_engine.genomics import bigwig
from deeplift_engine.genomics.exporters import EXPORTERS, export
from deeplift_engine.jobs.store import Store
from tests.genomics import scored

ALL = list(EXPORTERS)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("network")


@pytest.fixture(scope="module")
def store(folder: Path) -> Path:
    return scored.score(folder / "one.zarr", folder)


@pytest.fixture(scope="module")
def heads(folder: Path) -> Path:
    target = {"counts": "counts:0", "profile": "profile:1"}
    return scored.score(folder / "heads.zarr", folder, target=target)


@pytest.fixture(scope="module")
def sizes(folder: Path) -> Path:
    path = folder / "genome.sizes"
    path.write_text("".join(f"{chrom}\t{size}\n" for chrom, size in scored.SIZES.items()))
    return path


def made(count: int = 20, seed: int = 1, scale: float = 1.0) -> dict[str, np.ndarray]:
    """Inputs and hypothetical contributions of random windows."""
    x = scored.inputs(scored.constants(count))
    random = np.random.default_rng(seed).normal(size=x.shape).astype(np.float32)
    return {"inputs": x, "hypothetical": random * np.float32(scale)}


def rows_of(path: Path) -> list[list[str]]:
    return [line.split("\t") for line in path.read_text().splitlines()]


def test_modisco(store: Path, tmp_path: Path) -> None:
    run = de.open_store(store)
    (written,) = export(store, tmp_path, ["modisco"])
    with np.load(tmp_path / "one.ohe.npz") as ohe, np.load(tmp_path / "one.attr.npz") as attr:
        assert ohe["arr_0"].dtype == np.int8
        assert attr["arr_0"].dtype == np.float32
        assert np.array_equal(ohe["arr_0"], run["inputs"][:].transpose(0, 2, 1))
        assert np.array_equal(attr["arr_0"], run["hypothetical"][:].transpose(0, 2, 1))
        settings = json.loads(str(attr["settings"]))
        assert settings["holds"].startswith("hypothetical")
        assert settings["run"]["method"] == "deeplift"
    assert np.array_equal(np.load(tmp_path / "one.kept.npy"), run["kept"])
    lines = rows_of(tmp_path / "one.regions.bed")
    assert {len(line) for line in lines} == {10}
    for column, name in enumerate(["chrom", "start", "end", "sample"]):
        assert [line[column] for line in lines] == run[name].astype(str).tolist()
    assert [line[5] for line in lines] == run["strand"].tolist()
    for line in lines:
        centre = (int(line[1]) + int(line[2])) // 2
        assert int(line[1]) + int(line[9]) == centre
    assert {path.name for path in written.files} == {path.name for path in tmp_path.iterdir()}
    (note,) = written.notes
    assert f"{(run['strand'] == '-').sum()} windows lie on -" in note


def test_modisco_in_random_order(store: Path, tmp_path: Path) -> None:
    export(store, tmp_path / "a", ["modisco"])
    export(store, tmp_path / "b", ["modisco"], shuffle=7)
    order = np.random.default_rng(7).permutation(30)
    for name in ("ohe", "attr"):
        in_order = np.load(tmp_path / "a" / f"one.{name}.npz")["arr_0"]
        shuffled = np.load(tmp_path / "b" / f"one.{name}.npz")["arr_0"]
        assert np.array_equal(shuffled, in_order[order])
    plain, other = (rows_of(tmp_path / each / "one.regions.bed") for each in "ab")
    assert other == [plain[row] for row in order]


def test_chrombpnet(heads: Path, tmp_path: Path) -> None:
    run = de.open_store(heads)
    export(heads, tmp_path, ["chrombpnet"], prefix="p")
    x = run["inputs"][:].transpose(0, 2, 1)
    for head in ("counts", "profile"):
        hypothetical = run[f"{head}/hypothetical"][:].transpose(0, 2, 1)
        with h5py.File(tmp_path / f"p.{head}_scores.h5") as file:
            for name, expected in {
                "raw/seq": x,
                "shap/seq": hypothetical.astype(np.float16),
                "projected_shap/seq": (hypothetical * x).astype(np.float16),
            }.items():
                dataset = file[name]
                assert np.array_equal(dataset[:], expected)
                assert dataset.dtype == (np.int8 if name == "raw/seq" else np.float16)
                assert (dataset.compression, dataset.shuffle) == ("gzip", True)
            assert file.attrs["head"] == head
            assert json.loads(file.attrs["settings"])["run"]["method"] == "deeplift"
    assert len(rows_of(tmp_path / "p.interpreted_regions.bed")) == 30
    arguments = json.loads((tmp_path / "p.interpret.args.json").read_text())
    assert arguments["run"]["method"] == "deeplift"


def test_bpnet(heads: Path, tmp_path: Path) -> None:
    run = de.open_store(heads)
    export(heads, tmp_path, ["bpnet"])
    for head in ("counts", "profile"):
        with h5py.File(tmp_path / f"heads.{head}.bpnet.h5") as file:
            assert np.array_equal(file["hyp_scores"][:], run[f"{head}/hypothetical"][:])
            assert np.array_equal(file["input_seqs"][:], run["inputs"][:])
            assert file["coords_chrom"].asstr()[:].tolist() == run["chrom"].tolist()
            assert file["coords_start"][:].tolist() == run["start"].tolist()
            assert file["names"].asstr()[:].tolist() == run["sample"].tolist()


def brute_force(store: Path, name: str, rule: str) -> dict[str, np.ndarray]:
    """Values of all bases, base by base; NaN where no window is."""
    run = de.open_store(store)
    values = (run[name][:] * run["inputs"][:]).sum(axis=2)
    lines = {}
    for chrom, size in scored.SIZES.items():
        rows = np.flatnonzero(run["chrom"] == chrom)
        line = np.full(size, np.nan, np.float32)
        for base in range(size):
            covering = [r for r in rows if run["start"][r] <= base < run["end"][r]]
            if not covering:
                continue
            at = [
                values[r][run["end"][r] - 1 - base]
                if run["strand"][r] == "-"
                else values[r][base - run["start"][r]]
                for r in covering
            ]
            if rule == "nearest":
                # a base lies at base + 1/2, a window's centre at its middle; the later one of two
                far = [abs(base + 0.5 - (run["start"][r] + run["end"][r]) / 2) for r in covering]
                ties = [i for i, each in enumerate(far) if each == min(far)]
                latest = max(run["start"][covering[i]] for i in ties)
                line[base] = next(at[i] for i in ties if run["start"][covering[i]] == latest)
            elif rule == "mean":
                line[base] = np.mean(np.array(at, np.float32), dtype=np.float64)
            elif rule == "max_abs":
                line[base] = max(at, key=abs)
            else:
                line[base] = at[0]
        lines[chrom] = line
    return lines


@pytest.mark.parametrize("rule", ["nearest", "mean", "max_abs", "first"])
def test_bigwig(store: Path, sizes: Path, tmp_path: Path, rule: str) -> None:
    library = pytest.importorskip("pyBigWig")
    export(store, tmp_path, ["bigwig"], overlaps=rule, sizes=sizes)
    expected = brute_force(store, "hypothetical", rule)
    with library.open(str(tmp_path / "one.bw")) as file:
        assert list(file.chroms().items()) == list(scored.SIZES.items())
        for chrom, line in expected.items():
            found = file.values(chrom, 0, scored.SIZES[chrom], numpy=True)
            assert np.array_equal(np.isnan(found), np.isnan(line))
            assert np.nanmax(np.abs(found - line)) <= 1e-6 * np.nanmax(np.abs(line))
        entries = file.intervals("chr1", 100, 103)
    assert entries is not None
    assert 0.0 in [value for _, _, value in entries]  # where letters are unknown


@pytest.mark.parametrize("rule", ["nearest", "max_abs"])
def test_the_size_of_batches_changes_nothing(
    store: Path, sizes: Path, tmp_path: Path, rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = pytest.importorskip("pyBigWig")
    export(store, tmp_path, ["bigwig"], overlaps=rule, sizes=sizes, prefix="whole")
    monkeypatch.setattr(bigwig, "BATCH", 1)
    export(store, tmp_path, ["bigwig"], overlaps=rule, sizes=sizes, prefix="pieces")
    with (
        library.open(str(tmp_path / "whole.bw")) as whole,
        library.open(str(tmp_path / "pieces.bw")) as pieces,
    ):
        for chrom, size in scored.SIZES.items():
            lines = [each.values(chrom, 0, size, numpy=True) for each in (whole, pieces)]
            np.testing.assert_array_equal(*lines)
    tables = [tmp_path / f"{prefix}.bw.stats.tsv" for prefix in ("whole", "pieces")]
    assert tables[0].read_text() == tables[1].read_text()


@pytest.mark.parametrize("rule", ["nearest", "mean"])
def test_statistics_of_a_bigwig(store: Path, sizes: Path, tmp_path: Path, rule: str) -> None:
    pytest.importorskip("pyBigWig")
    export(store, tmp_path, ["bigwig"], overlaps=rule, sizes=sizes)
    lines = brute_force(store, "hypothetical", rule)
    values = np.concatenate([line[~np.isnan(line)] for line in lines.values()])
    table = {name: float(value) for name, value in rows_of(tmp_path / "one.bw.stats.tsv")}
    for name, quantile in {"Min": 0, "1%": 0.01, "50%": 0.5, "99.9%": 0.999, "Max": 1}.items():
        assert table[name] == pytest.approx(np.quantile(values, quantile), rel=1e-5, abs=1e-7)
    assert table["Bases"] == len(values)
    assert table["Sum"] == pytest.approx(values.sum(dtype=float), rel=1e-5, abs=1e-6)


def test_neighbouring_windows_are_one_stretch(sizes: Path, tmp_path: Path) -> None:
    library = pytest.importorskip("pyBigWig")
    known = scored.constants(3)
    known |= {"chrom": np.array(["chr2"] * 3, object), "start": np.array([0, 24, 200])}
    known["end"] = known["start"] + 24
    x = scored.inputs(known)
    arrays = {"inputs": x, "hypothetical": np.full(x.shape, 2.5, np.float32)}
    store = scored.fill(tmp_path / "flat.zarr", arrays, constants=known)
    export(store, tmp_path, ["bigwig"], sizes=sizes)
    with library.open(str(tmp_path / "flat.bw")) as file:
        found = file.values("chr2", 0, 230, numpy=True)
        assert file.header()["nBasesCovered"] == 72
    assert np.flatnonzero(~np.isnan(found)).tolist() == [*range(48), *range(200, 224)]
    assert set(found[~np.isnan(found)]) == {2.5}


def test_sizes_come_from_the_genome_of_the_run(tmp_path: Path) -> None:
    library = pytest.importorskip("pyBigWig")
    genome = scored.fasta(tmp_path / "genome.fa")
    store = scored.fill(
        tmp_path / "run.zarr",
        made(),
        constants=scored.constants(20),
        settings={"genome": str(genome)},
    )
    export(store, tmp_path, ["bigwig"])
    with library.open(str(tmp_path / "run.bw")) as file:
        assert list(file.chroms().items()) == list(scored.SIZES.items())


def test_a_window_past_the_end_of_its_chromosome_is_refused(tmp_path: Path, store: Path) -> None:
    pytest.importorskip("pyBigWig")
    short = tmp_path / "short.sizes"
    short.write_text("chr1\t500\nchr2\t300\nchr10\t300\n")
    with pytest.raises(InputError, match=r"chr2:\d+-\d+, ends outside of its chromosome of 300"):
        export(store, tmp_path / "out", ["bigwig"], sizes=short)
    short.write_text("chr1\t500\n")
    with pytest.raises(InputError, match="which the chromosome sizes do not have"):
        export(store, tmp_path / "out", ["bigwig"], sizes=short)
    assert not (tmp_path / "out").exists()


def test_axes_and_letters_of_the_model_become_those_of_the_files(tmp_path: Path) -> None:
    arrays = made()
    expected = [arrays[name].transpose(0, 2, 1) for name in ("inputs", "hypothetical")]
    order = [0, 3, 1, 2]  # ATCG, letters first
    turned = {name: array[..., order].transpose(0, 2, 1) for name, array in arrays.items()}
    known = scored.constants(20, letters="ATCG")
    store = scored.fill(
        tmp_path / "run.zarr", turned, constants=known, dimensions=("letter", "position")
    )
    export(store, tmp_path, ["modisco"])
    for name, array in zip(("ohe", "attr"), expected, strict=True):
        assert np.array_equal(np.load(tmp_path / f"run.{name}.npz")["arr_0"], array)


def test_axes_without_names_are_those_that_look_like_letters(tmp_path: Path) -> None:
    arrays = made()
    store = scored.fill(tmp_path / "run.zarr", arrays, dimensions=("axis_0", "axis_1"))
    (written,) = export(store, tmp_path, ["modisco"])
    assert np.array_equal(
        np.load(tmp_path / "run.attr.npz")["arr_0"], arrays["hypothetical"].transpose(0, 2, 1)
    )
    assert not (tmp_path / "run.regions.bed").exists()
    assert any("no coordinates" in note for note in written.notes)
    assert np.load(tmp_path / "run.kept.npy").tolist() == [True] * 20


def test_targets_are_heads(folder: Path, tmp_path: Path) -> None:
    store = scored.score(tmp_path / "targets.zarr", folder, target=[1, 0])
    run = de.open_store(store)
    export(store, tmp_path, ["modisco"])
    for place, unit in enumerate((1, 0)):
        attr = np.load(tmp_path / f"targets.target_{unit}.attr.npz")["arr_0"]
        assert np.array_equal(attr, run["hypothetical"][:][:, place].transpose(0, 2, 1))


def test_samples_without_scores_are_no_rows(tmp_path: Path, sizes: Path) -> None:
    pytest.importorskip("pyBigWig")
    arrays, known = made(), scored.constants(20)
    arrays["hypothetical"][[3, 11]] = np.nan
    store = scored.fill(
        tmp_path / "run.zarr", arrays, {3: "not finite", 11: "not finite"}, constants=known
    )
    written = export(store, tmp_path, ALL, sizes=sizes)
    assert all("2 samples have no scores and are no rows" in each.notes for each in written)
    rows = [row for row in range(20) if row not in (3, 11)]
    attr = np.load(tmp_path / "run.attr.npz")["arr_0"]
    assert np.array_equal(attr, arrays["hypothetical"][rows].transpose(0, 2, 1))
    kept = known["kept"].copy()
    kept[known["record"][[3, 11]]] = False
    assert np.array_equal(np.load(tmp_path / "run.kept.npy"), kept)
    names = [line[3] for line in rows_of(tmp_path / "run.regions.bed")]
    assert names == known["sample"][rows].tolist()


def test_halves_say_what_they_lose_and_refuse_what_overflows(tmp_path: Path) -> None:
    small = made(scale=1e-7)
    small["hypothetical"][0] += 1
    store = scored.fill(tmp_path / "small.zarr", small, constants=scored.constants(20))
    (written,) = export(store, tmp_path, ["chrombpnet"])
    with h5py.File(tmp_path / "small.scores.h5") as file:
        lost = np.mean((file["shap/seq"][:] == 0) & (small["hypothetical"] != 0).transpose(0, 2, 1))
    assert any(f"hypothetical: {lost:.2%} of the values" in note for note in written.notes)
    large = made(scale=1e6)
    store = scored.fill(tmp_path / "large.zarr", large, constants=scored.constants(20))
    with pytest.raises(InputError, match="float16 ends at 65,504"):
        export(store, tmp_path / "out", ["chrombpnet"])
    assert not [path for path in (tmp_path / "out").iterdir() if path.suffix == ".h5"]


@pytest.mark.parametrize(
    ("arrays", "formats", "message"),
    [
        (("scores", "inputs"), ["modisco"], "--arrays hypothetical,inputs"),
        (("scores", "inputs"), ["bigwig"], "--arrays projected"),
        (("hypothetical",), ["bpnet"], "--arrays hypothetical,inputs"),
        (("predictions",), ["bpnet"], "no array of letters"),
    ],
)
def test_arrays_that_a_format_lacks_are_named(
    folder: Path, tmp_path: Path, arrays: Any, formats: list[str], message: str
) -> None:
    store = scored.score(tmp_path / "run.zarr", folder, arrays=arrays)
    with pytest.raises(InputError, match=message):
        export(store, tmp_path / "out", formats)
    assert not (tmp_path / "out").exists()


def test_projected_alone_is_enough_for_a_track(folder: Path, tmp_path: Path, sizes: Path) -> None:
    library = pytest.importorskip("pyBigWig")
    store = scored.score(tmp_path / "run.zarr", folder, arrays=("projected",))
    export(store, tmp_path, ["bigwig"], sizes=sizes, overlaps="first")
    run = de.open_store(store)
    with library.open(str(tmp_path / "run.bw")) as file:
        found = file.values(run["chrom"][0], int(run["start"][0]), int(run["end"][0]), numpy=True)
    line = run["projected"][0].sum(axis=1)
    expected = line[::-1] if run["strand"][0] == "-" else line
    assert np.array_equal(found, expected)


def test_formats_of_places_need_coordinates(tmp_path: Path) -> None:
    store = scored.fill(tmp_path / "run.zarr", made())
    for name in ("chrombpnet", "bigwig"):
        with pytest.raises(InputError, match="needs the place of each sequence"):
            export(store, tmp_path / "out", [name])


def test_what_is_there_is_not_replaced_and_nothing_is_half_written(
    store: Path, tmp_path: Path
) -> None:
    (tmp_path / "one.regions.bed").write_text("mine")
    with pytest.raises(OutputError, match="already exists"):
        export(store, tmp_path, ["modisco"])
    assert [path.name for path in tmp_path.iterdir()] == ["one.regions.bed"]
    export(store, tmp_path, ["modisco"], overwrite=True)
    assert len(rows_of(tmp_path / "one.regions.bed")) == 30


@pytest.mark.parametrize("lacks", ["sizes", "pyBigWig"])
def test_what_one_format_lacks_is_said_before_any_is_written(
    store: Path, sizes: Path, tmp_path: Path, lacks: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if lacks == "pyBigWig":
        monkeypatch.setitem(sys.modules, "pyBigWig", None)
    options = {"sizes": sizes} if lacks == "pyBigWig" else {}
    with pytest.raises(DeepliftEngineError, match=r"sizes=|deeplift_engine\[genomics\]"):
        export(store, tmp_path / "out", ["modisco", "bigwig"], **options)
    assert not (tmp_path / "out").exists()


def test_unknown_formats_and_rules_are_refused(store: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Near it: modisco"):
        export(store, tmp_path, ["modiscos"])
    with pytest.raises(InputError, match="Near it: nearest"):
        export(store, tmp_path, ["modisco"], overlaps="neares")


def test_scores_that_are_not_what_they_say_are_not_exported(tmp_path: Path) -> None:
    arrays = made()
    wrong = {
        "projected": arrays["hypothetical"] * arrays["inputs"],
        "zeros": np.zeros_like(arrays["hypothetical"]),
    }
    for message, hypothetical in wrong.items():
        store = scored.fill(
            tmp_path / f"{message}.zarr", {"inputs": arrays["inputs"], "hypothetical": hypothetical}
        )
        with pytest.raises(OutputError, match=message):
            export(store, tmp_path / "out", ["modisco"])
    other = np.random.default_rng(9).normal(size=arrays["inputs"].shape).astype(np.float32)
    store = scored.fill(tmp_path / "sums.zarr", {**arrays, "scores": other})
    with pytest.raises(OutputError, match="are not of one run"):
        export(store, tmp_path / "out", ["modisco"])


def test_a_store_that_is_not_complete_is_refused(tmp_path: Path, store: Path) -> None:
    whole = Store.open(store)
    part = Store.create(
        tmp_path / "part.zarr", whole.samples, whole.shard, 4, whole.plans, whole.settings, {}
    )
    with pytest.raises(OutputError, match="are not computed yet"):
        export(part.path, tmp_path / "out", ["modisco"])


def peak_of_export(folder: Path, count: int, name: str, **options: Any) -> int:
    """Bytes that an export of so many windows of 200 bases takes at most."""
    folder.mkdir()
    random = np.random.default_rng(0)
    start = 500 * np.arange(count)
    known = {
        "chrom": np.array(["chr1"] * count, object),
        "start": start,
        "end": start + 200,
        "strand": np.array(["+"] * count, object),
    }
    x = np.eye(4, dtype=np.int8)[random.integers(0, 4, (count, 200))]
    arrays = {"inputs": x, "hypothetical": random.normal(size=x.shape).astype(np.float32)}
    store = scored.fill(folder / "run.zarr", arrays, shard=50, constants=known)
    del arrays, x
    (folder / "sizes").write_text("chr1\t9000000\n")
    gc.collect()
    tracemalloc.start()
    export(store, folder, [name], sizes=folder / "sizes", **options)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


@pytest.mark.slow
@pytest.mark.parametrize("name", [*ALL, "shuffled"])
def test_memory_does_not_grow_with_the_arrays(tmp_path: Path, name: str) -> None:
    pytest.importorskip("pyBigWig")
    options = {"shuffle": 1} if name == "shuffled" else {}
    name = "modisco" if options else name
    peak_of_export(tmp_path / "first", 200, name, **options)  # imports, and what is made once
    few, many = (
        peak_of_export(tmp_path / str(count), count, name, **options) for count in (1000, 4000)
    )
    more = 3000 * 200 * 4 * 4  # bytes of hypothetical contributions
    assert many - few < more / 4
