"""MEME files, cores of motifs, and the names that TOMTOM finds for them."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from deeplift_engine.errors import DeepliftEngineError, InputError
from deeplift_engine.genomics.motif_matches import (
    labels_of,
    match_lines,
    match_motifs,
    read_meme,
    trimmed,
)
from deeplift_engine.genomics.motifs import Motif, meme_lines
from tests.genomics import scored

CORE = "TGACTCAGCA"


def motif(word: str, flank: int = 3, name: str = "pos_patterns.pattern_0") -> Motif:
    """Two seqlets, one as it is and one turned, with flanks of little weight before the word."""
    random = np.random.default_rng(0)
    texts = ["".join(random.choice([*"ACGT"], flank)) + word + "A" for _ in range(2)]
    letters = np.stack([scored.one_hot(text) for text in texts])
    weights = np.full((flank + len(word) + 1, 4), 0.01)
    weights[flank : flank + len(word)] = scored.one_hot(word)
    start = np.array([10, 20])
    return Motif(
        name, letters.mean(axis=0), np.array([0, 1]), start, start + len(weights),
        np.array([False, True]), letters, np.ones(2), weights,
    )  # fmt: skip


def database(path: Path, *words: str) -> Path:
    """Words as motifs ``M0 name0`` …, and 40 random ones."""
    random = np.random.default_rng(1)
    text = "MEME version 4\n\nALPHABET= ACGT\n\nstrands: + -\n\n"
    others = ["".join(random.choice([*"ACGT"], 9)) for _ in range(40)]
    for number, word in enumerate([*words, *others]):
        text += f"MOTIF M{number} name{number}\n"
        text += f"letter-probability matrix: alength= 4 w= {len(word)} nsites= 9 E= 0\n"
        for row in scored.one_hot(word) * 0.88 + 0.03:
            text += " ".join(f"{value:.4f}" for value in row) + "\n"
        text += "\n"
    path.write_text(text)
    return path


def test_flanks_of_little_weight_are_cut_on_both_strands() -> None:
    whole = motif(CORE)
    core = trimmed(whole)
    assert core.sequences == [CORE, CORE]
    assert core.probabilities.shape == core.weights.shape == (len(CORE), 4)
    assert core.start.tolist() == [13, 21]  # of the turned seqlet the end is the motif's start
    assert core.end.tolist() == [23, 31]
    assert np.array_equal(trimmed(core).start, core.start)


def test_meme_files_are_read_as_they_are_written(tmp_path: Path) -> None:
    motifs = [motif(CORE), motif("GATAAG", name="neg_patterns.pattern_1")]
    path = tmp_path / "x.meme"
    path.write_text("".join(meme_lines(motifs)))
    read = read_meme(path)
    assert list(read) == [each.name for each in motifs]
    for each in motifs:
        np.testing.assert_allclose(read[each.name], each.probabilities, atol=1e-6)
    assert "M1 name1" in read_meme(database(path, CORE))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("ALPHABET= ACGT", "ALPHABET= ACDEFGHIKLMNPQRSTVWY", "line 3: the letters are ACDE"),
        ("MOTIF M1 name1", "MOTIF M0 name0", "a motif twice: M0 name0"),
        ("MOTIF M0 name0", "MOTIF ", "a motif without a name"),
        ("w= 10 ", "", "line 8: a matrix without its width"),
        ("w= 10 ", "w= 11 ", "line 19: expected four probabilities"),
        ("0.0300 0.0300 0.0300 0.9100", "0.1 0.1 0.1 0.1", "line 9: expected four probabilities"),
        ("0.0300 0.0300 0.0300 0.9100", "a b c d", "line 9: expected four probabilities"),
        ("MOTIF", "MOTIV", "without its width .* or its MOTIF line"),
        ("letter-probability", "log-odds", "has no motifs"),
    ],
)
def test_what_is_no_meme_file_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = database(tmp_path / "x.meme", CORE)
    assert old in path.read_text()
    count = -1 if old in ("MOTIF", "letter-probability") else 1
    path.write_text(path.read_text().replace(old, new, count))
    with pytest.raises(InputError, match=message):
        read_meme(path)


def test_matches_are_named_by_rising_p(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against what TOMTOM answers, put in its place: it takes a minute to compile."""
    asked = {}

    def tomtom(queries, targets, n_nearest):
        asked.update(queries=queries, targets=targets, nearest=n_nearest)
        rows = ([1e-9, 0.02], [9.0, 2.0], [0, 1], [10, 5], [1.0, 0.0], [3, 0])
        return np.array([[row, row] for row in rows], float)

    monkeypatch.setitem(sys.modules, "memelite", SimpleNamespace(tomtom=tomtom))
    motifs = [motif(CORE), motif("GATAAG", name="neg_patterns.pattern_12")]
    matches = match_motifs(motifs, database(tmp_path / "x.meme", CORE), nearest=2)
    assert asked["nearest"] == 2
    assert [query.shape for query in asked["queries"]] == [(4, 10), (4, 6)]
    assert len(asked["targets"]) == 41
    first, second = matches["pos_patterns.pattern_0"]
    assert (first.target, first.strand, first.overlap) == ("M3 name3", "-", 10)
    assert (first.p, first.e) == (1e-9, pytest.approx(41e-9))
    assert (second.target, second.strand) == ("M0 name0", "+")
    assert labels_of(matches) == {
        "pos_patterns.pattern_0": "name3 (0)",
        "neg_patterns.pattern_12": "name3 (12)",
    }
    assert labels_of({"a_0": [second]}) == {}  # an E-value of 0.8
    lines = [line.rstrip("\n").split("\t") for line in match_lines(matches)]
    assert lines[1] == [motifs[0].name, "M3 name3", "1.000e-09", "4.100e-08", "10", "-"]
    assert len(lines) == 5


def test_without_memelite_the_message_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "memelite", None)
    with pytest.raises(DeepliftEngineError, match=r"deeplift_engine\[motifs\]"):
        match_motifs([motif(CORE)], database(tmp_path / "x.meme", CORE))


@pytest.mark.slow
def test_tomtom_names_a_planted_motif_on_either_strand(tmp_path: Path) -> None:
    pytest.importorskip("memelite")
    turned = CORE[::-1].translate(scored.COMPLEMENT)
    for word, strand in ((CORE, "+"), (turned, "-")):
        matches = match_motifs([motif(CORE)], database(tmp_path / f"{strand}.meme", word))
        best, *others = matches["pos_patterns.pattern_0"]
        assert (best.target, best.strand, best.overlap) == ("M0 name0", strand, len(CORE))
        assert best.e < 1e-3 < others[0].e
