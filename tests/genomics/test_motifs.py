"""Motifs of modisco-lite: planted sites are met in genome coordinates, whatever was cropped."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import h5py
import numpy as np
import pytest

from deeplift_engine.cli import main
from deeplift_engine.errors import InputError, OutputError
from deeplift_engine.genomics.exporters import export
from deeplift_engine.genomics.genome import Genome
from deeplift_engine.genomics.motif_boxes import read_sites
from deeplift_engine.genomics.motifs import export_motifs, read_motifs
from deeplift_engine.genomics.scored_windows import ScoredWindows
from tests.genomics import planted, scored
from tests.genomics.planted import MOTIF, Planted

MODISCO = os.environ.get("DEEPLIFT_ENGINE_MODISCO", "")
COUNT, LENGTH, WINDOW = 24, 61, 50
FLANK = 4
WIDTH = len(MOTIF) + 2 * FLANK
needs_modisco = pytest.mark.skipif(
    not MODISCO,
    reason="set DEEPLIFT_ENGINE_MODISCO to modisco-lite's program modisco; finemo is beside it",
)


def write_result(path: Path, world: Planted, ohe: np.ndarray, attr: np.ndarray,
                 rows: np.ndarray, window: int = WINDOW) -> None:  # fmt: skip
    """A result in the layout of `modisco motifs` 3.0.0, with a seqlet at each planted site."""
    run = scored_rows(world)
    cropped = ohe.shape[2] // 2 - window // 2
    start, turned = [], []
    for row in rows:
        first = world.start[row] - FLANK - run["start"][row]
        if run["strand"][row] == "-":
            first = world.length - first - WIDTH
        start.append(first - cropped)
        turned.append((world.strand[row] == "-") != (run["strand"][row] == "-"))
    seqlets: dict[str, list[np.ndarray]] = {"sequence": [], "hypothetical_contribs": []}
    for at, (first, turn) in enumerate(zip(start, turned, strict=True)):
        stretch = slice(first + cropped, first + cropped + WIDTH)
        for name, array in zip(seqlets, (ohe, attr), strict=True):
            letters = array[at, :, stretch].T.astype(np.float32)
            seqlets[name].append(letters[::-1, ::-1] if turn else letters)
    arrays = {name: np.stack(each) for name, each in seqlets.items()}
    arrays["contrib_scores"] = arrays["sequence"] * arrays["hypothetical_contribs"]
    with h5py.File(path, "w") as file:
        file.attrs["window_size"] = window
        pattern = file.create_group("pos_patterns/pattern_0")
        for name, array in arrays.items():
            pattern[name] = array.mean(axis=0)
            pattern[f"seqlets/{name}"] = array
        pattern["seqlets/n_seqlets"] = np.array([len(rows)])
        pattern["seqlets/start"] = np.array(start)
        pattern["seqlets/end"] = np.array(start) + WIDTH
        pattern["seqlets/example_idx"] = np.arange(len(rows))
        pattern["seqlets/is_revcomp"] = np.array(turned)


def scored_rows(world: Planted) -> dict[str, np.ndarray]:
    import deeplift_engine as de

    run = de.open_store(world.store)
    return {name: run[name] for name in ("start", "strand", "sample")}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    folder = tmp_path_factory.mktemp("planted")
    return planted.plant(folder, COUNT, LENGTH, margin=(LENGTH - WINDOW) // 2 + 1 + FLANK)


@pytest.fixture(scope="module")
def result(world: Planted) -> Path:
    folder = world.store.parent
    export(world.store, folder, ["modisco"])
    path = folder / "motifs.h5"
    ohe, attr = (np.load(folder / f"planted.{name}.npz")["arr_0"] for name in ("ohe", "attr"))
    write_result(path, world, ohe, attr, np.arange(COUNT))
    return path


def sites(path: Path) -> list[list[str]]:
    return [line.split("\t") for line in path.read_text().splitlines()]


def test_sites_lie_where_they_were_planted(world: Planted, result: Path, tmp_path: Path) -> None:
    written = export_motifs(result, tmp_path, store=world.store)
    lines = sites(tmp_path / "motifs.sites.bed")
    assert {line[0] for line in lines} == {"chr7"}
    assert [int(line[1]) + FLANK for line in lines] == world.start.tolist()
    assert {int(line[2]) - int(line[1]) for line in lines} == {WIDTH}
    assert {line[3] for line in lines} == {"pos_patterns.pattern_0"}
    assert [line[5] for line in lines] == world.strand.tolist()
    assert [line[7] for line in lines] == scored_rows(world)["sample"].tolist()
    assert max(int(line[4]) for line in lines) == 1000
    assert not written.notes


def test_sequences_are_those_of_the_genome(world: Planted, result: Path, tmp_path: Path) -> None:
    export_motifs(result, tmp_path, store=world.store)
    genome = Genome(world.fasta)
    records = (tmp_path / "motifs.sites.fa").read_text().split(">")[1:]
    assert len(records) == COUNT
    for record in records:
        header, letters = record.splitlines()
        chrom, start, end, strand = re.search(r" (\w+):(\d+)-(\d+)\((.)\)", header).groups()
        text = genome.fetch(chrom, int(start), int(end))
        assert letters == (text[::-1].translate(scored.COMPLEMENT) if strand == "-" else text)
        assert letters[FLANK:-FLANK] == MOTIF


def test_motifs_are_meme_with_their_sites(world: Planted, result: Path, tmp_path: Path) -> None:
    export_motifs(result, tmp_path, store=world.store)
    text = (tmp_path / "motifs.meme").read_text()
    assert text.startswith("MEME version 4\n\nALPHABET= ACGT\n")
    assert f"MOTIF pos_patterns.pattern_0\nletter-probability matrix: alength= 4 w= {WIDTH}" in text
    assert f"nsites= {COUNT} E= 0" in text
    matrix = np.array([line.split() for line in text.splitlines() if re.match(r"[01]\.", line)])
    probabilities = matrix.astype(float)
    assert np.allclose(probabilities.sum(axis=1), 1, atol=2e-6)
    letters = [record.splitlines()[1] for record in
               (tmp_path / "motifs.sites.fa").read_text().split(">")[1:]]  # fmt: skip
    counted = np.mean([scored.one_hot(each) for each in letters], axis=0)
    assert np.allclose(probabilities, counted, atol=1e-6)


def test_rows_in_random_order_are_met_by_their_regions(world: Planted, tmp_path: Path) -> None:
    export(world.store, tmp_path, ["modisco"], shuffle=3)
    ohe, attr = (np.load(tmp_path / f"planted.{name}.npz")["arr_0"] for name in ("ohe", "attr"))
    order = np.random.default_rng(3).permutation(COUNT)
    write_result(tmp_path / "motifs.h5", world, ohe, attr, order)
    with pytest.raises(InputError, match=r"holds other letters than row \d+ of .*--regions"):
        export_motifs(tmp_path / "motifs.h5", tmp_path / "out", store=world.store)
    assert not (tmp_path / "out").exists()
    export_motifs(
        tmp_path / "motifs.h5",
        tmp_path / "out",
        regions=tmp_path / "planted.regions.bed",
        sequences=tmp_path / "planted.ohe.npz",
    )
    lines = sites(tmp_path / "out" / "motifs.sites.bed")
    assert [int(line[1]) + FLANK for line in lines] == world.start[order].tolist()


def test_without_sequences_nothing_is_compared_and_said(
    world: Planted, result: Path, tmp_path: Path
) -> None:
    regions = world.store.parent / "planted.regions.bed"
    written = export_motifs(result, tmp_path, regions=regions)
    assert any("not compared" in note for note in written.notes)
    lines = sites(tmp_path / "motifs.sites.bed")
    assert [int(line[1]) + FLANK for line in lines] == world.start.tolist()


def test_results_that_tell_too_little_are_refused(
    world: Planted, result: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="windows of 50 bases, and the rows have 40"):
        read_motifs(result, 40)
    old = tmp_path / "old.h5"
    with h5py.File(result) as source, h5py.File(old, "w") as file:
        source.copy("pos_patterns", file)
    with pytest.raises(InputError, match="does not say its window_size"):
        export_motifs(old, tmp_path, store=world.store)
    with pytest.raises(InputError, match="cannot be read as a result of modisco"):
        export_motifs(world.fasta, tmp_path, store=world.store)
    with pytest.raises(InputError, match="need the rows that modisco was given"):
        export_motifs(result, tmp_path)
    export_motifs(result, tmp_path, store=world.store)
    with pytest.raises(OutputError, match="already exists"):
        export_motifs(result, tmp_path, store=world.store)


def run(command: str, program: Path) -> None:
    """A command that an export hints at, by the program of the tests."""
    name, *arguments = shlex.split(command)
    if name == "deeplift-engine":
        assert main(arguments) == 0
        return
    done = subprocess.run(
        [program.with_name(name), *arguments], capture_output=True, text=True, check=False,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.slow
@needs_modisco
def test_modisco_and_finemo_read_what_is_written(tmp_path: Path) -> None:
    """Windows of an odd length: as modisco is hinted at, and cropped."""
    world = planted.plant(tmp_path, 300, 121, margin=25)
    written = export(world.store, tmp_path, ["modisco", "chrombpnet", "bpnet"], shuffle=1)
    for command in (command for each in written for command in each.hints):
        run(command, Path(MODISCO))
    with np.load(tmp_path / "planted.finemo.npz") as file:
        ohe = np.load(tmp_path / "planted.ohe.npz")["arr_0"]
        assert np.array_equal(file["sequences"], ohe[:, :, :120])
    check_hits(world, tmp_path)
    cropped = tmp_path / "cropped.h5"
    run(
        f"modisco motifs -s {tmp_path}/planted.ohe.npz -a {tmp_path}/planted.attr.npz -n 1000 "
        f"-w 100 -o {cropped}",
        Path(MODISCO),
    )
    order = np.random.default_rng(1).permutation(300)
    for result in (tmp_path / "planted.motifs.h5", cropped):
        out = tmp_path / result.stem
        export_motifs(
            result, out, regions=tmp_path / "planted.regions.bed",
            sequences=tmp_path / "planted.ohe.npz",
        )  # fmt: skip
        lines = sites(out / f"{result.stem}.sites.bed")
        assert MOTIF in consensus(out / f"{result.stem}.meme")
        letters = (out / f"{result.stem}.sites.fa").read_text().split(">")[1:]
        for line, record in zip(lines, letters, strict=True):
            row = order[int(line[6])]
            start = world.start[row]
            text = record.splitlines()[1]
            # modisco tells nothing of how many; each of them holds the planted site
            assert int(line[1]) <= start
            assert start + len(MOTIF) <= int(line[2])
            expected = MOTIF if line[5] == world.strand[row] else reverse(MOTIF)
            offset = start - int(line[1])
            if line[5] == "-":
                offset = int(line[2]) - start - len(MOTIF)
            assert text[offset : offset + len(MOTIF)] == expected
        assert lines


def check_hits(world: Planted, folder: Path) -> None:
    """Hits of finemo are boxes at the planted sites, on their strands."""
    stem = folder / "planted"
    run(
        f"finemo call-hits -r {stem}.finemo.npz -m {stem}.motifs.h5 -p {stem}.regions.bed "
        f"-o {folder}/hits",
        Path(MODISCO),
    )
    hits = read_sites(folder / "hits" / "hits.tsv", ScoredWindows(world.store))
    met = 0
    for start, strand in zip(world.start, world.strand, strict=True):
        boxes = hits.within("chr7", start, start + len(MOTIF))
        met += any(
            box.strand == strand and abs(box.start - start) <= 3 and box.end > start + 6
            for box in boxes
        )
    assert met > 0.9 * len(world.start)


def reverse(text: str) -> str:
    return text[::-1].translate(scored.COMPLEMENT)


def consensus(path: Path) -> str:
    """The likeliest letters of the motifs of a MEME file, on both strands."""
    texts = []
    for block in path.read_text().split("MOTIF ")[1:]:
        rows = [line.split() for line in block.splitlines() if re.match(r"[01]\.\d", line)]
        texts.append("".join("ACGT"[int(np.argmax([float(v) for v in row]))] for row in rows))
    return " ".join([*texts, *map(reverse, texts)])
