"""Files that are not what they should be, as others' glue makes them, are told by name."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from deeplift_engine.errors import InputError
from deeplift_engine.genomics.checked_files import check
from deeplift_engine.genomics.exporters import export
from deeplift_engine.genomics.verdicts import DOUBTFUL, RIGHT, WRONG, worst
from tests.genomics import scored

COUNT, LENGTH = 60, 40
MOTIF = scored.one_hot("TGACTCAGG").T


def planted(count: int = COUNT) -> tuple[np.ndarray, np.ndarray]:
    """Sequences with one motif each, and contributions that answer to it; (N, 4, L)."""
    random = np.random.default_rng(2)
    ohe = np.eye(4, dtype=np.int8)[random.integers(0, 4, (count, LENGTH))].transpose(0, 2, 1).copy()
    attr = random.normal(size=ohe.shape, scale=0.02).astype(np.float32)
    for row in range(count):
        at = random.integers(0, LENGTH - MOTIF.shape[1])
        ohe[row, :, at : at + MOTIF.shape[1]] = MOTIF
        attr[row, :, at : at + MOTIF.shape[1]] += MOTIF - 0.25
    return ohe, attr


def saved(folder: Path, ohe: np.ndarray, attr: np.ndarray) -> list[Path]:
    paths = [folder / "x.ohe.npz", folder / "x.attr.npz"]
    for path, array in zip(paths, (ohe, attr), strict=True):
        np.savez_compressed(path, array)
    return paths


def texts(paths: list[Path], level: str, **options: Path) -> str:
    verdicts = check(paths, **options)
    assert worst(verdicts) == level, [str(verdict) for verdict in verdicts]
    return " / ".join(verdict.text for verdict in verdicts if verdict.level == level)


def test_a_right_pair(tmp_path: Path) -> None:
    assert "100% of the rows fit their own strand better" in texts(
        saved(tmp_path, *planted()), RIGHT
    )


def test_swapped_arrays(tmp_path: Path) -> None:
    ohe, attr = planted()
    assert "swapped" in texts(saved(tmp_path, attr, ohe), WRONG)


def test_names_of_files_tell_sequences_from_contributions(tmp_path: Path) -> None:
    paths = saved(tmp_path, *planted())
    assert worst(check(paths[::-1])) == RIGHT


def test_projected_for_hypothetical(tmp_path: Path) -> None:
    ohe, attr = planted()
    assert "it is projected" in texts(saved(tmp_path, ohe, attr * ohe), WRONG)


def test_reverse_complement(tmp_path: Path) -> None:
    ohe, attr = planted()
    paths = saved(tmp_path, ohe, attr[:, ::-1, ::-1])
    assert "looks reverse complemented" in texts(paths, DOUBTFUL)


def test_nothing_is_told_of_strands_where_there_is_nothing_to_tell(tmp_path: Path) -> None:
    ohe, attr = planted()
    random = np.random.default_rng(4).normal(size=attr.shape)
    paths = saved(tmp_path, ohe, random)
    assert "nothing to be told" in texts(paths, RIGHT)


def test_letters_on_the_last_axis(tmp_path: Path) -> None:
    ohe, attr = (array.transpose(0, 2, 1) for array in planted())
    verdict = texts(saved(tmp_path, ohe, attr), WRONG)
    assert verdict == f"{ohe.shape}: the format is (N, 4, L), transpose the arrays"
    both = texts(saved(tmp_path, attr, ohe), WRONG)
    assert "swapped" in both


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite(tmp_path: Path, value: float) -> None:
    ohe, attr = planted()
    attr[17, 2, 3] = value
    assert "not finite in row 17" in texts(saved(tmp_path, ohe, attr), WRONG)


def test_zeros(tmp_path: Path) -> None:
    ohe, attr = planted()
    assert "all zeros" in texts(saved(tmp_path, ohe, np.zeros_like(attr)), WRONG)
    attr[:5] = 0
    assert f"5 of {COUNT} rows are zeros" in texts(saved(tmp_path, ohe, attr), DOUBTFUL)


def test_shapes_that_differ(tmp_path: Path) -> None:
    ohe, attr = planted()
    assert "two of one shape" in texts(saved(tmp_path, ohe, attr[:, :, 2:-2]), WRONG)


def test_another_key(tmp_path: Path) -> None:
    paths = saved(tmp_path, *planted())
    np.savez(paths[0], onehot=planted()[0])
    assert "modisco reads arr_0" in texts(paths, WRONG)


@pytest.mark.parametrize("turn", [False, True])
def test_products_of_chrombpnet(tmp_path: Path, turn: bool) -> None:
    ohe, attr = planted()
    path = tmp_path / "x.counts_scores.h5"
    shown = attr[:, ::-1, ::-1] if turn else attr
    with h5py.File(path, "w") as file:
        file["raw/seq"], file["shap/seq"] = ohe, attr.astype(np.float16)
        file["projected_shap/seq"] = (shown * ohe).astype(np.float16)
    told = texts([path], WRONG if turn else RIGHT)
    assert ("reverse complemented" if turn else "is hypothetical x one-hot") in told


def test_bpnet(tmp_path: Path) -> None:
    ohe, attr = planted()
    path = tmp_path / "x.h5"
    for turned, level in ((True, RIGHT), (False, WRONG)):
        with h5py.File(path, "w") as file:
            for name, array in (("input_seqs", ohe), ("hyp_scores", attr)):
                file[name] = array.transpose(0, 2, 1) if turned else array
        assert "(N, L, 4)" in texts([path], level)


class TestRegions:
    @pytest.fixture
    def exported(self, tmp_path: Path) -> list[Path]:
        random = np.random.default_rng(0)
        known = scored.constants(20)
        x = scored.inputs(known)
        arrays = {"inputs": x, "hypothetical": random.normal(size=x.shape).astype(np.float32)}
        export(scored.fill(tmp_path / "x.zarr", arrays, constants=known), tmp_path, ["modisco"])
        scored.fasta(tmp_path / "genome.fa")
        names = ("ohe.npz", "attr.npz", "kept.npy", "regions.bed")
        return [tmp_path / f"x.{name}" for name in names]

    def test_they_agree(self, exported: list[Path]) -> None:
        told = texts(exported, RIGHT, genome=exported[0].with_name("genome.fa"))
        assert "20 regions, of 20 rows" in told
        assert "20 records are kept, of 20 rows" in told
        assert "all 20 rows hold the letters of their regions" in told

    def test_a_row_too_many(self, exported: list[Path]) -> None:
        with exported[3].open("a") as file:
            file.write("chr1\t0\t24\tx\t0\t+\t0\t-1\t-1\t12\n")
        assert "21 regions, of 20 rows" in texts(exported, WRONG)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ("order", "other letters than their regions: row"),
            ("strand", "all rows are the reverse complement of their regions"),
            ("late", "all rows begin one base before their regions"),
        ],
    )
    def test_other_rows(self, exported: list[Path], change: str, message: str) -> None:
        lines = [line.split("\t") for line in exported[3].read_text().splitlines()]
        if change == "order":
            lines = lines[1:] + lines[:1]
        for line in lines:
            if change == "strand":
                line[5] = "+" if line[5] == "-" else "-"
            elif change == "late":
                line[1:3] = [str(int(line[1]) + 1), str(int(line[2]) + 1)]
        exported[3].write_text("".join("\t".join(line) + "\n" for line in lines))
        assert message in texts(exported, WRONG, genome=exported[0].with_name("genome.fa"))


def test_tracks(tmp_path: Path) -> None:
    library = pytest.importorskip("pyBigWig")
    path = tmp_path / "x.bw"

    def write(end: int, value: float) -> list[Path]:
        with library.open(str(path), "w") as file:
            file.addHeader([("chr1", 100)])
            file.addEntries(["chr1"], [10], ends=[end], values=[value])
        return [path]

    assert "80 bases, values up to 2" in texts(write(90, -2.0), RIGHT)
    assert "ends past 100" in texts(write(130, 1.0), WRONG)
    assert "all zeros" in texts(write(90, 0.0), WRONG)


def test_files_of_no_kind_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("x")
    with pytest.raises(InputError, match="expected one of"):
        check([path])
    with pytest.raises(InputError, match="cannot be read"):
        check([path.with_suffix(".npz")])
