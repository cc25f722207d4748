"""Several models as one explainer: means and spreads against those that numpy takes of each."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812

import deeplift_engine as de
from deeplift_engine.cli import main
from deeplift_engine.errors import InputError
from deeplift_engine.genomics.both_strands import both_strands
from tests.helpers import off

LENGTH, FOLDS = 20, 3

pytestmark = pytest.mark.filterwarnings("ignore::deeplift_engine.errors.ConvergenceWarning")


def model(seed: int, length: int = LENGTH) -> keras.Model:
    source = L.Input((length, 4), name="sequence")
    x = L.Conv1D(5, 5, activation="relu", padding="same", name="conv")(source)
    profile = L.Flatten(name="logits_profile_predictions")(L.Conv1D(1, 5, padding="same")(x))
    counts = L.Dense(1, name="logcount_predictions")(L.GlobalAveragePooling1D()(x))
    made = keras.Model(source, [profile, counts])
    generator = np.random.default_rng(seed)
    made.set_weights([generator.normal(0, 0.5, w.shape) for w in made.get_weights()])
    return made


@pytest.fixture(scope="module")
def networks() -> list[de.Network]:
    return [de.convert(model(seed), dtype="float64") for seed in range(FOLDS)]


X = np.eye(4)[np.random.default_rng(0).integers(4, size=(5, LENGTH))]
REFERENCES = de.references.dinucleotide_shuffle(3, seed=1)


@pytest.mark.parametrize("weights", ["input", "pair"])
def test_scores_are_means_with_their_spread(networks: list[de.Network], weights: str) -> None:
    target = {"counts": de.targets.counts(), "profile": de.targets.profile(weights)}
    each = [network.explainer("deeplift", target=target) for network in networks]
    result = de.folds(each).run(X, references=REFERENCES)
    alone = [made.run(X, references=REFERENCES) for made in each]
    for name in ("scores", "multipliers", "target_delta", "convergence_delta"):
        values = [getattr(one, name) for one in alone]
        scale = max(np.abs(alone[0].scores).max(), 1)
        expected = np.mean(values, 0)
        np.testing.assert_allclose(getattr(result, name), expected, rtol=0, atol=1e-12 * scale)
    assert off(result.spread, np.std([one.scores for one in alone], 0, ddof=1)) < 1e-10
    hypothetical = [one.hypothetical for one in alone]
    assert off(result.hypothetical, np.mean(hypothetical, 0)) < 1e-12
    assert off(result.hypothetical_spread, np.std(hypothetical, 0, ddof=1)) < 1e-10
    for name, values in result.predictions.items():
        assert off(values, np.mean([one.predictions[name] for one in alone], 0)) < 1e-12
    np.testing.assert_array_equal(
        result.relative_error, np.max([one.relative_error for one in alone], 0)
    )
    head = result.heads["profile"]
    np.testing.assert_array_equal(head.spread, result.spread[1])
    assert result.settings["folds"] == [one.settings["model_sha256"] for one in alone]


def test_parts_stores_and_files_hold_the_same(networks: list[de.Network], tmp_path: Path) -> None:
    made = de.folds([net.explainer("deeplift", target="profile:pair") for net in networks])
    expected = made.run(X, references=REFERENCES)
    for rows, part in made.stream(X, rows=2, references=REFERENCES):
        assert off(part.spread, expected.spread[rows]) < 1e-10
    arrays = ("hypothetical", "hypothetical_spread", "spread", "scores")
    job = de.Job(made, X, arrays=arrays, references=REFERENCES)
    job.run(job.create(tmp_path / "run.zarr"))
    store = de.open_store(tmp_path / "run.zarr")
    for name in arrays:
        assert off(store[name][:], getattr(expected, name)) < 1e-6
    expected.save(tmp_path / "result.h5")
    loaded = de.Attribution.load(tmp_path / "result.h5")
    np.testing.assert_array_equal(loaded.spread, expected.spread)
    np.testing.assert_array_equal(loaded.hypothetical_spread, expected.hypothetical_spread)
    copy = pickle.loads(pickle.dumps(made)).run(X, references=REFERENCES)
    np.testing.assert_array_equal(copy.scores, expected.scores)


def test_strands_are_averaged_within_each_fold(networks: list[de.Network]) -> None:
    each = [net.explainer("deeplift", target="profile") for net in networks]
    result = both_strands(de.folds(each)).run(X, references=0.25)
    alone = [both_strands(made).run(X, references=0.25).scores for made in each]
    assert off(result.scores, np.mean(alone, 0)) < 1e-12
    assert off(result.spread, np.std(alone, 0, ddof=1)) < 1e-10


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (lambda net: net.explainer("gradient", target="counts"), "the method"),
        (lambda net: net.explainer("deeplift", target="counts", rules="gradient"), "the method"),
        (lambda net: net.explainer("deeplift", target="profile"), "targets of shape"),
        (lambda net: net.explainer("deeplift"), "the heads"),
        (lambda net: net.explainer("deeplift", target="counts", layers="conv"), "scores at"),
        (lambda net: both_strands(net.explainer("deeplift", target="counts")), "the view"),
        (
            lambda net: de.convert(model(7, 24), dtype="float64").explainer(
                "deeplift", target="counts"
            ),
            "the inputs",
        ),
        (
            lambda net: de.convert(model(7)).explainer("deeplift", target="counts"),
            "the precision",
        ),
    ],
)
def test_folds_differ_in_weights_alone(networks: list[de.Network], other: Any, says: str) -> None:
    first = networks[0].explainer("deeplift", target="counts")
    with pytest.raises(InputError, match=f"Fold 1 .*{says}"):
        de.folds([first, other(networks[1])])


def test_few_and_equal_folds_are_refused(networks: list[de.Network], tmp_path: Path) -> None:
    made = networks[0].explainer("deeplift", target="counts")
    with pytest.raises(InputError, match="two models or more"):
        de.folds([made])
    model(0).save(tmp_path / "fold.h5")
    again = [de.load(tmp_path / "fold.h5").explainer("gradient", target="counts") for _ in "ab"]
    with pytest.raises(InputError, match="the same model"):
        de.folds(again)


def saved(folder: Path, count: int = FOLDS) -> list[str]:
    paths = [folder / f"fold_{number}.h5" for number in range(count)]
    for number, path in enumerate(paths):
        model(number).save(path)
    np.save(folder / "x.npy", X.astype("float32"))
    return list(map(str, paths))


def test_the_command_line_takes_several_models(tmp_path: Path) -> None:
    paths = saved(tmp_path)
    out, store = tmp_path / "out.npz", tmp_path / "run.zarr"
    common = ["-q", "--target", "counts", "--references", "constant:0.25"]
    assert main(["score", *paths, str(tmp_path / "x.npy"), "-o", str(out), *common]) == 0
    result = de.Attribution.load(out)
    alone = [
        de.load(path).explainer("deeplift", target="counts").run(X, references=0.25).scores
        for path in paths
    ]
    assert off(result.scores, np.mean(alone, 0)) < 1e-6
    assert off(result.spread, np.std(alone, 0, ddof=1)) < 1e-5
    arrays = ["--arrays", "scores,spread"]
    command = ["score", *paths, str(tmp_path / "x.npy"), "-o", str(store), *common, *arrays]
    assert main(command) == 0
    assert off(de.open_store(store)["spread"][:], result.spread) < 1e-6
    wrong: list[str] = [*command[:1], *paths[:2], *command[4:], "--resume"]
    assert main(wrong) == 5  # the store holds another run
