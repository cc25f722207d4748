"""Runs part by part: what they give is what one run gives, from data that are never whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812

import deeplift_engine as de
from deeplift_engine.engine.source import Source
from deeplift_engine.errors import InputError, TargetError
from deeplift_engine.explainers.streaming import Stream
from deeplift_engine.graph.inputs import InputInfo
from tests.helpers import off

N, LENGTH = 23, 12


@pytest.fixture(scope="module")
def network() -> de.Network:
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((LENGTH, 4)), L.Conv1D(5, 3, activation="relu"), L.Flatten(), L.Dense(3)]
    )
    return de.convert(model)


@pytest.fixture(scope="module")
def sequences() -> np.ndarray:
    return np.eye(4, dtype="int8")[np.random.default_rng(0).integers(0, 4, (N, LENGTH))]


def joined(parts: Any, field: str) -> np.ndarray:
    return np.concatenate([getattr(result, field) for _, result in parts])


class Counted:
    """Samples that note which of them were asked for."""

    def __init__(self, array: np.ndarray) -> None:
        self.array, self.read = array, list[slice]()

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, rows: slice) -> np.ndarray:
        self.read.append(rows)
        return self.array[rows]


@pytest.mark.parametrize("rows", [1, 4, 8, 100, None])
def test_parts_are_the_same_bits_as_the_whole(
    network: de.Network, sequences: np.ndarray, rows: int | None
) -> None:
    explainer = network.explainer()
    arguments: dict[str, Any] = {
        "references": de.references.shuffle(3),
        "target": np.arange(N) % 3,
        "batch_size": 12,
    }
    whole = explainer.run(sequences, **arguments)
    parts = list(explainer.stream(sequences, rows=rows, **arguments))
    assert [part for part, _ in parts] == [
        slice(start, min(start + (rows or N), N)) for start in range(0, N, rows or N)
    ]
    for field in ("scores", "multipliers", "predictions", "target_delta"):
        assert off(joined(parts, field), getattr(whole, field)) < 1e-6
    if rows in (4, 8, 100, None):  # whole blocks
        np.testing.assert_array_equal(joined(parts, "scores"), whole.scores)


@pytest.mark.parametrize("method", ["gradient", "integrated_gradients", "occlusion", "smoothgrad"])
def test_other_methods_go_part_by_part_too(
    network: de.Network, sequences: np.ndarray, method: str
) -> None:
    explainer = network.explainer(method)
    whole = explainer.run(sequences, target=1)
    parts = explainer.stream(sequences, rows=8, target=1)
    assert off(joined(list(parts), "scores"), whole.scores) < 1e-5


def test_references_targets_and_weights_of_each_sample_stay_with_it(
    network: de.Network, sequences: np.ndarray
) -> None:
    generator = np.random.default_rng(1)
    references = generator.uniform(size=(N, 2, LENGTH, 4)).astype("float32")
    weights = generator.normal(size=(N, 3))
    explainer = network.explainer()
    for target in (weights, [de.targets.weights(weights), 0], de.targets.difference(2, 0)):
        arguments = {"references": de.references.per_sample(references), "target": target}
        whole = explainer.run(sequences, **arguments)
        parts = list(explainer.stream(sequences, rows=5, **arguments))
        axis = whole.axes.index("sample")
        found = np.concatenate([result.scores for _, result in parts], axis=axis)
        assert off(found, whole.scores) < 1e-5


def test_open_numbers_of_references_and_their_errors(
    network: de.Network, sequences: np.ndarray
) -> None:
    references = de.references.shuffle("auto", most=16)
    explainer = network.explainer()
    with pytest.warns(de.errors.ConvergenceWarning):
        whole = explainer.run(sequences, references=references, target=0)
    with pytest.warns(de.errors.ConvergenceWarning, match="first of sample"):
        parts = list(explainer.stream(sequences, references=references, target=0, rows=10))
    assert off(joined(parts, "standard_errors"), whole.standard_errors) < 1e-5


def test_only_parts_are_read_each_once_and_the_next_ahead(
    network: de.Network, sequences: np.ndarray
) -> None:
    source = Counted(sequences)
    stream = network.explainer().stream(source, rows=5, target=0)
    next(stream)
    assert source.read[1:3] == [slice(0, 5), slice(5, 10)]
    assert len(list(stream)) == 4
    assert source.read[1:] == [slice(start, min(start + 5, N)) for start in range(0, N, 5)]


def test_files_are_sources(network: de.Network, sequences: np.ndarray, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", sequences)
    whole = network.explainer().run(sequences, target=0).scores
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["x"] = sequences
        for source in (np.load(tmp_path / "x.npy", mmap_mode="r"), file["x"]):
            parts = list(network.explainer().stream(source, rows=7, target=0))
            assert off(joined(parts, "scores"), whole) < 1e-6


def test_inputs_of_several_names_come_together() -> None:
    keras.utils.set_random_seed(0)
    left, right = keras.Input((4,), name="left"), keras.Input((2,), name="right")
    output = L.Dense(1)(L.Concatenate()([left, right]))
    network = de.convert(keras.Model({"left": left, "right": right}, output))
    generator = np.random.default_rng(0)
    arrays = {"left": generator.normal(size=(9, 4)), "right": generator.normal(size=(9, 2))}

    class Both:
        def __len__(self) -> int:
            return 9

        def __getitem__(self, rows: slice) -> dict[str, np.ndarray]:
            return {name: array[rows] for name, array in arrays.items()}

    whole = network.explainer().run(arrays).scores
    for source in (arrays, Both()):
        parts = [result.scores for _, result in network.explainer().stream(source, rows=4)]
        for name, scores in whole.items():
            assert off(np.concatenate([part[name] for part in parts]), scores) < 1e-6


def test_messages_number_samples_of_the_whole(network: de.Network, sequences: np.ndarray) -> None:
    bad = sequences.astype("float32")
    bad[17, 3, 1] = np.nan
    with pytest.raises(InputError, match="first in sample 17"):
        list(network.explainer().stream(bad, rows=5, target=0))


def test_what_run_refuses_a_stream_refuses_at_the_call(
    network: de.Network, sequences: np.ndarray
) -> None:
    explainer = network.explainer()
    with pytest.raises(InputError, match="takes no argument 'baselines'"):
        explainer.stream(sequences, baselines=0)
    with pytest.raises(TargetError):
        explainer.stream(sequences, target=7)
    with pytest.raises(InputError, match="has a length"):
        explainer.stream(iter(sequences), target=0)
    with pytest.raises(InputError, match="scored together"):
        network.explainer("feature_permutation").stream(sequences)


def test_blocks_follow_the_length_of_the_data_and_the_memory() -> None:
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((None, 4)), L.Conv1D(8, 3), L.ReLU(), L.GlobalAveragePooling1D(), L.Dense(1)]
    )
    explainer = de.convert(model).explainer()
    short, long = (np.zeros((2, length, 4), "float32") for length in (100, 50_000))
    sizes = [Stream(explainer, array).request.batch_size for array in (short, long)]
    assert sizes[0] > 10 * sizes[1] >= 10
    tight = Stream(explainer, short, memory=64 << 30).request.batch_size
    assert tight >= sizes[0]
    with pytest.raises(InputError, match="holds"):
        Stream(explainer, short, memory=1 << 20)


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="no /proc/self/smaps here")
def test_what_was_read_of_a_memory_map_does_not_stay_in_memory(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.ones((100, 1 << 16), "int8"))
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    source = Source(mapped, [InputInfo("x", (1 << 16,), "float32")], "float32")

    def resident() -> int:
        """KiB of the map."""
        entries = Path("/proc/self/smaps").read_text().partition("x.npy")[2]
        return int(entries.partition("Rss:")[2].split()[0])

    for start in range(0, 100, 20):
        assert source.raw(slice(start, start + 20)).sum() == 20 << 16
        assert resident() < 1000
    assert mapped.sum() == 100 << 16
    assert resident() > 6000


def test_a_map_of_its_own_keeps_what_was_written_to_it(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((4, 8)))
    mapped = np.load(tmp_path / "x.npy", mmap_mode="c")
    mapped[2] = 5
    source = Source(mapped, [InputInfo("x", (8,), "float32")], "float32")
    assert source.raw(slice(0, 4)).sum() == source.raw(slice(2, 3)).sum() == 40
