"""Axes of inputs from their shapes, and arrays that are turned to them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.errors import InputError
from deeplift_engine.genomics import as_input, one_hot, regions, rows_of_records, sequences, tracks
from deeplift_engine.genomics.input_layout import InputLayout, layout_of
from deeplift_engine.graph.inputs import InputInfo
from tests.genomics.fasta_files import fasta, random_sequences, write

L = keras.layers
SEQUENCES = random_sequences({"chr1": 400}, "ACGT")
TEXTS = [SEQUENCES["chr1"][start : start + 12] for start in range(0, 60, 5)]


def network(*shapes: tuple[int | None, ...], **options: Any) -> Any:
    """A network that sums tanh of each input's elements, each times a weight of its own."""
    keras.utils.set_random_seed(1)
    inputs = [L.Input(shape, name="ab"[n], **options) for n, shape in enumerate(shapes)]
    flat = [
        L.GlobalMaxPooling1D()(x) if None in x.shape[1:] else L.Flatten()(L.Activation("tanh")(x))
        for x in inputs
    ]
    both = L.Concatenate()(flat) if len(flat) > 1 else flat[0]
    return de.convert(keras.Model(inputs, L.Dense(1)(both)))


@pytest.mark.parametrize(
    ("shape", "axes", "length"),
    [
        ((100, 4), "NLC", 100),
        ((4, 100), "NCL", 100),
        ((None, 4), "NLC", None),
        ((4, None), "NCL", None),
        ((100, 4, 1), "NLC1", 100),
        ((4, 100, 1), "NCL1", 100),
        ((1, 100, 4), "N1LC", 100),
        ((1, 4), "NLC", 1),
        ((4, 1, 1000), "NC1L", 1000),
    ],
)
def test_axes_are_told_by_sizes(shape: Any, axes: str, length: int | None) -> None:
    layout = layout_of(InputInfo("x", shape, "float32"), 4)
    assert layout.axes == axes
    assert layout.length(shape) == length
    sizes = dict(zip(axes, (3, *shape), strict=True))
    block = np.random.default_rng(0).normal(size=(3, sizes["L"] or 7, 4))
    turned = layout.arrange(block)
    assert layout.fits(turned.shape[1:], 4)
    np.testing.assert_array_equal(layout.normalize(turned), block)
    order = [axes.index(axis) for axis in "NLC"]
    ones = [axis for axis in range(len(axes)) if axis not in order]
    np.testing.assert_array_equal(np.transpose(turned, order + ones).reshape(block.shape), block)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((4, 4), "it may be NLC or NCL; say which axis is which, axes= "),
        ((100, 5), "it holds no sequences"),
        ((100,), "it holds no sequences"),
        ((None, None), "it holds no sequences"),
    ],
)
def test_axes_that_sizes_do_not_tell_are_asked_for(shape: Any, message: str) -> None:
    info = InputInfo("x", shape, "float32")
    with pytest.raises(InputError, match=message):
        layout_of(info, 4)
    if len(shape) == 2 and 5 not in shape:
        assert layout_of(info, 4, "NCL") == InputLayout("NCL")
    with pytest.raises(InputError, match=r"axes='NLC1' does not fit the input 'x'"):
        layout_of(info, 4, "NLC1")


def test_tokens_are_read_as_codes() -> None:
    model = keras.Sequential(
        [L.Input((12,)), L.Embedding(5, 3), L.GlobalAveragePooling1D(), L.Dense(1)]
    )
    net = de.convert(model)
    x = as_input(TEXTS, net, letters="NACGT")
    np.testing.assert_array_equal(x[:], [["NACGT".index(c) for c in text] for text in TEXTS])
    np.testing.assert_allclose(
        net.predict(x), model.predict(np.asarray(x), verbose=0), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("shape", [(12, 4), (4, 12), (12, 4, 1), (4, 12, 1), (None, 4)])
def test_a_network_says_the_axes_and_the_length(tmp_path: Path, shape: Any) -> None:
    net = network(shape)
    plain = one_hot(TEXTS)
    turned = InputLayout(layout_of(net.inputs[0], 4).axes).arrange(plain)
    expected = net.predict(turned)
    windows = [f"chr1:{start}-{start + 12}" for start in range(0, 60, 5)]
    genome = write(tmp_path / "genome.fa", fasta(SEQUENCES))
    length = 12 if None in shape else None
    for x in (
        sequences(TEXTS, network=net),
        as_input(TEXTS, net),
        as_input(np.array(TEXTS, "S"), net),
        as_input(np.array([list(text) for text in TEXTS]), net),
        as_input(plain, net, axes="NLC"),
        as_input(plain.swapaxes(1, 2), net, axes="NCL"),
        as_input(plain.swapaxes(1, 2)[:, :, np.newaxis], net, axes="NC1L"),
        regions(windows, genome, length, network=net),
    ):
        np.testing.assert_array_equal(x[3:5], turned[3:5])
        np.testing.assert_array_equal(net.predict(x), expected)
    if length is None:
        with pytest.raises(InputError, match="length=13: the input 'a' reads 12 positions"):
            regions(windows, genome, 13, network=net)


def test_arrays_of_other_axes_are_refused() -> None:
    net = network((12, 4))
    plain = one_hot(TEXTS)
    with pytest.raises(InputError, match=r"as_input\(x, network, axes='NCL'\)"):
        net.predict(plain.swapaxes(1, 2))
    with pytest.raises(InputError, match=r"as_input\(x, network\)"):
        net.predict(TEXTS)
    with pytest.raises(InputError, match="axes='NCL1' are 4 axes, and the array has shape"):
        as_input(plain, net, axes="NCL1")
    with pytest.raises(InputError, match="it holds no sequences"):
        as_input(plain[:, :, :3], net, axes="NLC")
    assert as_input(plain, net) is plain


def test_scores_of_lazy_inputs_are_those_of_arrays(tmp_path: Path) -> None:
    explainer = network((12, 4)).explainer()
    x = sequences(TEXTS)
    expected = explainer.run(x[:])
    np.testing.assert_array_equal(explainer.run(x).scores, expected.scores)
    parts = [part.scores for _, part in explainer.stream(x, rows=4)]
    np.testing.assert_array_equal(np.concatenate(parts), expected.scores)


# inputs beside the sequence


def test_inputs_beside_the_sequence_are_held(tmp_path: Path) -> None:
    pyBigWig = pytest.importorskip("pyBigWig")
    values = np.random.default_rng(0).random((2, 400)).astype("float32")
    paths = [str(tmp_path / f"{strand}.bw") for strand in ("plus", "minus")]
    for path, line in zip(paths, values, strict=True):
        with pyBigWig.open(path, "w") as file:
            file.addHeader([("chr1", 400)])
            file.addEntries("chr1", 10, values=line[10:], span=1, step=1)
    values[:, :10] = 0
    net = network((12, 4), (12, 2))
    bed = ["chr1:0-12", "chr1:394-400", "chr1:100-110:-", "chr1:200-211:+"]
    x = regions(bed, write(tmp_path / "genome.fa", fasta(SEQUENCES)), network=net)
    assert x.records.numbers.tolist() == [0, 2, 3]
    control = tracks(paths, x)
    starts = [0, 105 - 6, 205 - 6]
    expected = np.stack([values[:, start : start + 12].T for start in starts])
    expected[1] = expected[1, ::-1, ::-1]
    np.testing.assert_array_equal(np.asarray(control), expected)
    np.testing.assert_array_equal(control[1:2], expected[1:2])

    array = np.random.default_rng(1).random((4, 12, 2))
    rows = rows_of_records(array, x)
    np.testing.assert_array_equal(np.asarray(rows), array[[0, 2, 3]])
    np.testing.assert_array_equal(rows[1:], array[[2, 3]])
    assert rows[3:].shape == (0, 12, 2)
    with pytest.raises(InputError, match="has 3 rows, and their file has 4 records"):
        rows_of_records(array[:3], x)

    explainer = net.explainer()
    both = {"a": x, "b": control}
    result = explainer.run(both, references={"a": 0})
    whole = explainer.run({"a": x[:], "b": expected}, references={"a": 0})
    np.testing.assert_array_equal(result.scores["a"], whole.scores["a"])
    assert not result.scores["b"].any()

    with pytest.raises(InputError, match="these are sequences without one"):
        tracks(paths, sequences(TEXTS))
    with pytest.raises(InputError, match=r"genome\.fa cannot be read as bigWig"):
        tracks(tmp_path / "genome.fa", x)
    with pyBigWig.open(str(tmp_path / "short.bw"), "w") as file:
        file.addHeader([("chr1", 150)])
        file.addEntries("chr1", 10, values=[1.0], span=1, step=1)
    with pytest.raises(InputError, match=r"short\.bw has 150 positions of chr1, and a window is"):
        tracks(tmp_path / "short.bw", x)
