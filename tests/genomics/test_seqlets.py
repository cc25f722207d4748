"""Recursive seqlets against distributions by enumeration, and against planted sites."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.errors import InputError
from deeplift_engine.genomics.exporters import export
from deeplift_engine.genomics.seqlets import chance, recursive_seqlets, seqlets_of_row
from tests.genomics import planted
from tests.genomics.planted import MOTIF


def test_tails_are_those_of_all_draws() -> None:
    values = np.array([[0.0, 1, 1, 3], [0, 0, 1, 3]])
    null = chance(lambda: iter([values[:1], values[1:]]), longest=4, codes=4)
    for length in (1, 2, 3, 4):
        sums = np.array([sum(draw) for draw in itertools.product(values.ravel(), repeat=length)])
        expected = [np.mean(sums >= total) for total in range(3 * length + 1)]
        np.testing.assert_allclose(null.tails[length], expected, atol=1e-12)


def brute_force(values: np.ndarray, null, threshold: float, shortest: int, longest: int):
    """Spans of which every span within passes, the longest first; by looking at all."""
    codes = null.codes(values)

    def p(start: int, end: int) -> float:
        return float(null.tails[end - start][codes[start:end].sum()])

    spans = []
    for start, end in itertools.combinations(range(len(values) + 1), 2):
        if shortest <= end - start <= longest:
            inner = [
                p(a, b)
                for a, b in itertools.combinations(range(start, end + 1), 2)
                if b - a >= shortest
            ]
            if max(inner) < threshold:
                spans.append((start - end, max(inner), start))
    chosen, taken = [], set()
    for negative, worst, start in sorted(spans):
        bases = set(range(start, start - negative))
        if not bases & taken:
            taken |= bases
            chosen.append((start, start - negative, worst))
    return chosen


def test_seqlets_are_those_of_which_every_inner_span_passes() -> None:
    random = np.random.default_rng(0)
    values = random.normal(size=(20, 30))
    values[:, 10:16] += 1.2
    null = chance(lambda: iter([values]), longest=8)
    found = [seqlets_of_row(row, null, threshold=0.05, shortest=3) for row in values]
    expected = [brute_force(row, null, 0.05, 3, 8) for row in values]
    assert found == expected
    assert sum(map(len, found)) > 10


def test_planted_sites_are_met_on_both_strands_of_windows(tmp_path: Path) -> None:
    world = planted.plant(tmp_path, 60, 80, margin=12)
    export(world.store, tmp_path, ["seqlets"])
    run = de.open_store(world.store)
    met = set()
    for line in (tmp_path / "planted.seqlets.bed").read_text().splitlines():
        chrom, start, end, name, score, strand, row, contribution, p = line.split("\t")
        at = int(row)
        assert (chrom, strand, name) == ("chr7", ".", run["sample"][at])
        assert float(p) < 0.01
        assert 200 <= int(score) <= 1000
        site = world.start[at], world.start[at] + len(MOTIF)
        if int(start) <= site[0] + 1 and int(end) >= site[1] - 1:
            met.add(at)
            assert float(contribution) == pytest.approx(0.75 * len(MOTIF), rel=0.1)
    assert len(met) == 60


def test_negative_contributions_have_seqlets_of_their_own() -> None:
    values = np.random.default_rng(1).normal(0, 0.1, size=(40, 60))
    values[7, 20:28] -= 2
    found = [each for each in recursive_seqlets(lambda: iter([values])) if each.row == 7]
    (span,) = [each for each in found if each.contribution < -5]
    # a span of four bases passes where one of them is large: up to three more on each side
    assert 17 <= span.start <= 20
    assert 28 <= span.end <= 31


def test_what_cannot_be_is_refused() -> None:
    ones = np.ones((2, 9))
    with pytest.raises(InputError, match="all contributions are 1"):
        list(recursive_seqlets(lambda: iter([ones])))
    with pytest.raises(InputError, match="longest"):
        list(recursive_seqlets(lambda: iter([ones]), shortest=5, longest=4))
    with pytest.raises(InputError, match="threshold"):
        list(recursive_seqlets(lambda: iter([ones]), threshold=2))
