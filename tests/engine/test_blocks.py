"""Sizes of blocks: few of them, nothing filled up, memory bounded."""

from __future__ import annotations

import keras
import pytest
from keras import layers

import deeplift_engine as de
from deeplift_engine.engine import block_sizes
from deeplift_engine.engine.blocks import even_size, exact_slices, padded_slices


@pytest.mark.parametrize("most", [1, 3, 6, 7, 50, 64])
def test_slices_hold_all_in_few_sizes(most: int) -> None:
    powers = {1 << number for number in range(6)}
    for count in (1, 2, 16, 20, 49, 50, 51):
        size = even_size(count, most)
        assert size <= most
        assert -(-count // size) == -(-count // most)
        assert size == 1 or -(-count // (size - 1)) > -(-count // size)
        exact = list(exact_slices(count, most))
        assert [each.start for each in exact] == [0, *(each.stop for each in exact[:-1])]
        assert exact[-1].stop == count
        assert {each.stop - each.start for each in exact} <= powers | {most}


@pytest.mark.parametrize("most", [1, 3, 45, 64, 143])
def test_blocks_that_are_filled_up_are_of_few_sizes_and_fill_up_little(most: int) -> None:
    for count in (1, 2, 16, 49, 64, 100, 300):
        blocks = list(padded_slices(count, most))
        assert [rows.start for rows, _ in blocks] == [0, *(rows.stop for rows, _ in blocks[:-1])]
        assert blocks[-1][0].stop == count
        assert {size for _, size in blocks} <= {most, *(1 << number for number in range(8))}
        assert count <= sum(size for _, size in blocks) <= count + max(1, count // 4)
        assert all(rows.stop - rows.start == size <= most for rows, size in blocks[:-1])
    assert [size for _, size in padded_slices(64, 45)] == [32, 32]


@pytest.mark.parametrize("stepped", [False, True])
def test_bytes_that_are_given_bound_the_pairs_of_a_block(
    stepped: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(block_sizes, "BLOCK_BYTES", 1 << 40)
    start = keras.Input((None, 4))
    middle = layers.SimpleRNN(8)(start) if stepped else layers.GlobalAveragePooling1D()(start)
    task = de.convert(keras.Model(start, layers.Dense(1)(middle))).explainer("gradient").task
    length = 100_000

    def pairs(most: int | None) -> int:
        found = block_sizes.pairs_of_data(task.graph, [task.target], "float32", [(length, 4)], most)
        assert found is not None
        return found

    assert pairs(1) == 1
    assert pairs(1 << 50) == pairs(block_sizes.STEPPED_TOTAL_BYTES) == pairs(None) > 1
    assert (pairs(block_sizes.TOTAL_BYTES) < pairs(None)) == stepped
