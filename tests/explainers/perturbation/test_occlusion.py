"""Occlusion, ablation and permutation against loops over windows and groups in plain numpy."""

from __future__ import annotations

import functools
import itertools
from typing import Any

import keras
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.errors import InputError, RuleError
from tests.explainers.perturbation.perturbed_nets import (
    UNITS,
    curved,
    image,
    linear,
    pairs,
    pictures,
    rows,
    several,
    tokens,
    words,
)
from tests.helpers import off

EXACT = 1e-11  # float64, but for the order of sums


def shared_windows(
    value: Any, x: Any, reference: Any, window: tuple[int, ...], starts: list[list[int]]
) -> Any:
    """DeepExplain's definition for one sample (*S): losses over summed window sizes."""
    lost = np.zeros((UNITS, *x.shape))
    sizes = np.zeros(x.shape)
    for corner in itertools.product(*starts):
        place = tuple(slice(c, c + w) for c, w in zip(corner, window, strict=True))
        masked = x.copy()
        masked[place] = reference[place]
        change = value(x[np.newaxis])[0] - value(masked[np.newaxis])[0]
        lost[(slice(None), *place)] += change.reshape(-1, *[1] * x.ndim)
        sizes[place] += np.prod(window)
    return lost / sizes


# occlusion


def test_one_feature_at_a_time_of_a_linear_network_is_its_contribution() -> None:
    net, w = linear()
    x, reference = rows(), rows(seed=11)
    found = net.explainer("occlusion").run(x, target="all", references=reference)
    assert off(found.scores, np.einsum("fu,nf->unf", w, x - reference)) < EXACT


@pytest.mark.parametrize(
    ("window", "stride", "starts"),
    [
        ((2, 3, 2), (1, 1, 1), [[0, 1, 2, 3, 4], [0, 1, 2, 3, 4, 5], [0]]),
        ((3, 3, 1), (3, 2, 1), [[0, 3], [0, 2, 4, 5], [0, 1]]),  # the last ends at the end
        (4, 2, [[0, 2], [0, 2, 4], [0]]),  # at most as long as the axis
    ],
)
def test_windows_are_shared_by_what_is_under_them(window: Any, stride: Any, starts: Any) -> None:
    x, reference = pictures(), pictures(seed=12)
    found = image().explainer("occlusion", window=window, stride=stride)
    scores = found.run(x, target="all", references=reference).scores
    size = (4, 4, 2) if window == 4 else window
    expected = [
        shared_windows(image().predict, x[n], reference[n], size, starts) for n in range(len(x))
    ]
    assert off(scores, np.stack(expected, axis=1)) < EXACT


def test_references_are_averaged_or_kept_apart() -> None:
    net, value = curved()
    x, references = rows(3), rows(3 * 4, seed=11).reshape(3, 4, -1)
    made = net.explainer("occlusion", window=2)
    apart = made.run(x, target="all", references=references, average=False)
    assert apart.axes == ("target", "sample", "reference")
    for k in range(4):
        expected = [
            shared_windows(value, x[n], references[n, k], (2,), [[0, 1, 2, 3]]) for n in range(3)
        ]
        assert off(apart.scores[:, :, k], np.stack(expected, axis=1)) < EXACT
    whole = made.run(x, target="all", references=references)
    assert off(whole.scores, apart.scores.mean(axis=2)) < EXACT


def test_each_input_has_its_own_windows() -> None:
    net, (letters, row) = several(), pairs()
    made = net.explainer("occlusion", window={"letters": (2, 4), "row": 1}, stride=[(2, 1), 1])
    found = made.run([letters, row], target=1)
    for n in range(len(row)):
        full = net.predict([letters[n : n + 1], row[n : n + 1]])[0, 1]
        for start in (0, 2, 4):
            masked = letters[n : n + 1].copy()
            masked[:, start : start + 2] = 0
            lost = full - net.predict([masked, row[n : n + 1]])[0, 1]
            assert np.allclose(found.scores["letters"][n, start : start + 2], lost / 8)
        for place in range(3):
            masked = row[n : n + 1].copy()
            masked[:, place] = 0
            lost = full - net.predict([letters[n : n + 1], masked])[0, 1]
            assert np.isclose(found.scores["row"][n, place], lost)


def test_tokens_are_replaced_by_tokens() -> None:
    net, x = tokens(), words()
    found = net.explainer("occlusion").run(x, target="all", references=0)  # which is masked
    for place in range(6):
        masked = x.copy()
        masked[:, place] = 0
        assert off(found.scores[..., place], (net.predict(x) - net.predict(masked)).T) < EXACT
    kept = de.references.replaced(by=[5, 7])
    either = net.explainer("occlusion").run(x, target=0, references=kept).scores
    masked = [np.where(np.arange(6) == 2, token, x) for token in (5, 7)]
    lost = net.predict(x) - np.mean([net.predict(part) for part in masked], axis=0)
    assert off(either[:, 2], lost[:, 0]) < EXACT


def test_embeddings_are_occluded_where_they_come_out() -> None:
    """Without a mask, which the tokens themselves would still make."""
    model = keras.Sequential(
        [
            keras.Input((6,), dtype="int32"),
            keras.layers.Embedding(9, 4, name="embedding"),
            keras.layers.GRU(5),
            keras.layers.Dense(UNITS),
        ]
    )
    net, x = de.convert(model, dtype="float64"), words()
    made = net.explainer("occlusion", layers="embedding", window=(1, 4))
    found = made.run(x, target=1, references=7).scores  # the token 7
    for place in range(6):
        masked = np.where(np.arange(6) == place, 7, x)
        lost = (net.predict(x) - net.predict(masked))[:, 1]
        assert off(found[:, place].sum(axis=-1), lost) < EXACT
    with pytest.raises(InputError, match="beside the layers"):
        tokens().explainer("occlusion", layers="embedding")


def test_a_layer_is_occluded_as_an_input_is() -> None:
    net, x = image(), pictures()
    found = net.explainer("occlusion", layers="conv").run(x, target=2)
    gradient = net.explainer("gradient", layers="conv").run(x, target=2).scores
    inside, zero = (net.activations(data, ["conv"])["conv"] for data in (x, np.zeros_like(x)))
    assert off(found.scores, gradient * (inside - zero)) < EXACT  # linear from there


def test_a_reference_is_drawn_for_each_window() -> None:
    net, value = curved()
    x, references = rows(3), rows(6, seed=13)
    made = net.explainer("occlusion", replacement="sample", seed=4)
    found = made.run(x, target=0, references=de.references.shared(references)).scores
    lost = np.zeros((6, 3, 5))
    for k, place in itertools.product(range(6), range(5)):
        masked = x.copy()
        masked[:, place] = references[k, place]
        lost[k, :, place] = (value(x) - value(masked))[:, 0]
    drawn = np.abs(lost - found).argmin(axis=0)
    assert (drawn == drawn[0]).all()  # one for each window, whatever the sample
    assert off(np.take_along_axis(lost, drawn[np.newaxis], 0)[0], found) < EXACT
    assert len(set(drawn[0])) > 1
    with pytest.raises(InputError, match="apart"):
        made.run(x, target=0, references=0.0, average=False)


def test_a_blur_replaces_what_is_under_the_window() -> None:
    from scipy.ndimage import gaussian_filter

    x = pictures()
    blurred = np.stack([gaussian_filter(sample, (1.5, 1.5, 0)) for sample in x])
    expected = (
        image()
        .explainer("occlusion", window=(2, 2, 2))
        .run(x, target=0, references=de.references.per_sample(blurred))
    )
    made = image().explainer("occlusion", window=(2, 2, 2), replacement="blur", sigma=1.5)
    assert off(made.run(x, target=0).scores, expected.scores) < EXACT
    with pytest.raises(InputError, match="compares with no references"):
        made.run(x, target=0, references=0.0)
    with pytest.raises(InputError, match="tokens"):
        tokens().explainer("occlusion", replacement="blur").run(words(), target=0)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"window": 0}, "whole number of 1 or more"),
        ({"window": (1, 2)}, "each of the 3 axes"),
        ({"window": (2, 2, 2), "stride": (3, 1, 1)}, "under no window"),
        ({"stride": 1.5}, "whole number"),
        ({"replacement": "noise"}, "replacement is one of"),
    ],
)
def test_windows_that_do_not_fit_are_refused(options: dict[str, Any], text: str) -> None:
    with pytest.raises(RuleError, match=text):
        image().explainer("occlusion", **options).run(pictures(), target=0)


def test_names_of_other_packages_lead_to_the_options() -> None:
    with pytest.raises(RuleError, match="Near it: window"):
        image().explainer("occlusion", window_shape=3)
    options = de.methods()["occlusion"].options
    for name, theirs in (("window", "window_shape"), ("stride", "step")):
        assert theirs in options[name].text


@functools.cache
def scanning(length: int = 60) -> de.Network:
    """Sequences through three convolutions, of which a window changes little."""
    keras.utils.set_random_seed(5)
    layers = keras.layers
    return de.convert(
        keras.Sequential(
            [
                keras.Input((length, 4), name="letters"),
                layers.Conv1D(6, 5, activation="relu", padding="same", name="first"),
                layers.Conv1D(6, 3, activation="tanh", dilation_rate=2, name="second"),
                layers.MaxPooling1D(2),
                layers.Conv1D(5, 3, activation="relu"),
                layers.GlobalAveragePooling1D(),
                layers.Dense(UNITS),
            ]
        ),
        dtype="float64",
    )


WAYS = ("incremental", "whole", "auto")


@functools.cache
def scanned(way: str, options: tuple[tuple[str, Any], ...]) -> Any:
    """Each way's explainer, traced once for runs averaged and apart, in batches or not."""
    return scanning().explainer("occlusion", way=way, **dict(options))


@pytest.mark.parametrize("batch_size", [None, 7])
@pytest.mark.parametrize(
    "options",
    [
        {"window": (5, 4), "stride": (2, 1)},
        {"window": 1},
        {"window": (3, 2), "stride": (3, 2)},
        {"window": (5, 4), "replacement": "sample"},
        {"window": (4, 3), "replacement": "blur"},
        {"window": (6, 2), "layers": "first"},
    ],
)
def test_what_a_window_can_change_alone_gives_the_same(
    options: dict[str, Any], batch_size: int | None
) -> None:
    generator = np.random.default_rng(0)
    x = np.eye(4)[generator.integers(4, size=(3, 60))]
    run: dict[str, Any] = {"target": "all", "batch_size": batch_size}
    if options.get("replacement") != "blur":
        run["references"] = np.eye(4)[generator.integers(4, size=(3, 2, 60))]
    explainers = {way: scanned(way, tuple(options.items())) for way in WAYS}
    found = {way: explainer.run(x, **run).scores for way, explainer in explainers.items()}
    assert off(found["incremental"], found["whole"]) < EXACT
    assert off(found["auto"], found["whole"]) < EXACT
    if "replacement" in options:
        return
    apart = [
        explainers[way].run(x, average=False, **run).scores for way in ("incremental", "whole")
    ]
    assert off(*apart) < EXACT


def test_it_is_chosen_by_itself_where_it_pays() -> None:
    def chosen(net: de.Network, **options: Any) -> list[Any]:
        made = net.explainer("occlusion", **options)
        made.run(np.ones((1, *net.inputs[0].shape)), target=0)
        return made.forwards.plans

    assert all(chosen(scanning(400), window=(3, 4)))
    assert chosen(curved()[0]) == [None]
    assert chosen(scanning(400), window=(3, 4), way="whole") == [None]
    with pytest.raises(RuleError, match="way is"):
        chosen(scanning(400), way="fast")


@pytest.mark.parametrize("name", ["words", "several", "image"])
def test_tokens_inputs_beside_and_images_change_alone(name: str) -> None:
    net, x = {
        "words": (tokens(), words()),
        "several": (several(), pairs()),
        "image": (image(), pictures()),
    }[name]
    found = [
        net.explainer("occlusion", window=2, way=way).run(x, target="all").scores
        for way in ("incremental", "whole")
    ]
    if name != "several":
        found = [{"x": scores} for scores in found]
    for key, scores in found[0].items():
        assert off(scores, found[1][key]) < EXACT


def test_only_the_windows_are_evaluated() -> None:
    """One forward pass for each window and reference of a sample, and its own; none in vain."""
    net, _ = curved()
    made = net.explainer("occlusion", window=2)
    points = []
    forward = made.values._function
    made.values._function = lambda *given: points.append(len(given[0])) or forward(*given)
    made.run(rows(3), target="all", references=rows(3 * 2, seed=11).reshape(3, 2, -1))
    assert sum(points) == 3 + 3 * 2 * 4


# ablation


GROUPS = np.array([3, 3, -1, 8, 0])


def test_groups_are_ablated_and_share_what_is_lost() -> None:
    net, value = curved()
    x, reference = rows(), rows(seed=14)
    expected = np.zeros((UNITS, *x.shape))
    for label in (0, 3, 8):
        lost = value(x) - value(np.where(label == GROUPS, reference, x))
        expected[..., label == GROUPS] = lost.T[..., np.newaxis]
    run = {"target": "all", "references": reference}
    undivided = net.explainer("feature_ablation", groups=GROUPS, divide=False).run(x, **run)
    assert off(undivided.scores, expected) < EXACT  # Captum's
    found = net.explainer("feature_ablation", groups=GROUPS).run(x, **run)
    assert off(found.scores, expected / [2, 2, 1, 1, 1]) < EXACT


def test_without_groups_it_is_occlusion_of_single_elements() -> None:
    x = pictures()
    assert (
        off(
            image().explainer("ablation").run(x, target="all").scores,
            image().explainer("occlusion").run(x, target="all").scores,
        )
        < EXACT
    )


def test_equal_labels_of_several_inputs_are_one_group() -> None:
    net, (letters, row) = several(), pairs()
    labels = {"letters": np.arange(6)[:, np.newaxis], "row": np.array([0, 6, 6])}
    made = net.explainer("feature_ablation", groups=labels, divide=False)
    found = made.run([letters, row], target=0).scores
    masked = [letters.copy(), row.copy()]
    masked[0][:, 0], masked[1][:, 0] = 0, 0
    lost = (net.predict([letters, row]) - net.predict(masked))[:, 0]
    assert off(found["row"][:, 0], lost) < EXACT
    assert off(found["letters"][:, 0], np.repeat(lost[:, np.newaxis], 4, axis=1)) < EXACT
    apart = net.explainer("feature_ablation", groups=["positions", None], divide=False)
    positions = apart.run([letters, row], target=0).scores
    assert not np.allclose(positions["row"][:, 0], lost)
    assert off(positions["row"][:, 1:], found["row"][:, 1:]) > 0.01  # 6 and 6 no longer together


def test_groups_of_each_sample_and_functions_that_make_them() -> None:
    net, x = image(), pictures()
    labels = (x[..., :1] > 0).astype(int) + (x[..., 1:] > 1)
    run = net.explainer("feature_ablation", groups=labels).run(x, target=0)
    for n in range(len(x)):
        alone = net.explainer("feature_ablation", groups=labels[n]).run(x[n : n + 1], target=0)
        assert off(run.scores[n], alone.scores[0]) < EXACT
    made = net.explainer(
        "feature_ablation",
        groups=lambda image: (image[..., :1] > 0).astype(int) + (image[..., 1:] > 1),
    )
    np.testing.assert_array_equal(made.run(x, target=0).scores, run.scores)


def test_cells_and_positions() -> None:
    x = pictures()
    cells = image().explainer("feature_ablation", groups=2, divide=False).run(x, target=0).scores
    corners = np.arange(6)[:, np.newaxis] // 3 * 2 + np.arange(8) // 4
    given = image().explainer("feature_ablation", groups=corners[..., np.newaxis], divide=False)
    np.testing.assert_array_equal(cells, given.run(x, target=0).scores)
    pixels = image().explainer("feature_ablation", groups="positions").run(x, target=0).scores
    window = image().explainer("occlusion", window=(1, 1, 2)).run(x, target=0).scores
    assert off(pixels, window) < EXACT


@pytest.mark.parametrize(
    ("groups", "text"),
    [
        ("letters", "give None, 'positions'"),
        (0, "give None, 'positions'"),
        (True, "give None, 'positions'"),
        (np.zeros(5), "whole numbers"),
        (np.zeros(4, int), "expected whole numbers of shape"),
        (np.full(5, -1), "nothing to replace"),
        (lambda sample: sample, "expected whole numbers of shape"),
        ("segments", "those of images"),
    ],
)
def test_groups_that_cannot_be_are_refused(groups: Any, text: str) -> None:
    with pytest.raises(RuleError, match=text):
        curved()[0].explainer("feature_ablation", groups=groups).run(rows(), target=0)


# permutation


def test_permutation_is_ablation_by_other_samples() -> None:
    net, value = curved()
    x = rows(40)
    found = net.explainer("feature_permutation", repeats=400).run(x, target=1).scores
    expected = np.zeros_like(x)
    for place in range(x.shape[1]):
        masked = np.repeat(x[:, np.newaxis], len(x), axis=1)
        masked[..., place] = x[:, place]
        kept = value(masked.reshape(-1, 5)).reshape(40, 40, -1).sum(axis=1) - value(x)
        expected[:, place] = (value(x) - kept / 39)[:, 1]  # its own value is none of the others'
    assert off(found, expected) < 0.2
    fewer = net.explainer("feature_permutation", repeats=16).run(x, target=1).scores
    shrinks = np.std(fewer - expected) / np.std(found - expected)
    assert 3.5 < shrinks < 7  # 1/√repeats: 5


def test_permutation_depends_on_the_set_but_not_on_its_order() -> None:
    net, _ = curved()
    x = rows(8)
    made = net.explainer("feature_permutation")
    whole = made.run(x, target=1).scores
    order = np.array([3, 1, 0, 7, 2, 6, 5, 4])
    assert off(made.run(x[order], target=1).scores, whole[order]) < EXACT
    assert off(made.run(x[:4], target=1).scores, whole[:4]) > 0.01
    other = net.explainer("feature_permutation", seed=1).run(x, target=1).scores
    assert off(other, whole) > 0.01
    with pytest.raises(InputError, match="needs other samples"):
        made.run(x[:1], target=1)
    with pytest.raises(InputError, match="compares with no references"):
        made.run(x, target=1, references=0.0)


@pytest.mark.parametrize("name", ["occlusion", "feature_ablation"])
def test_batches_change_nothing(name: str) -> None:
    x, references = pairs(5), [de.references.zeros(), rows(15)[:, :3].reshape(5, 3, 3)]
    run = several().explainer(name).run
    whole = run(x, target="all", references=references).scores
    for size in (1, 2, 7, 100):
        part = run(x, target="all", references=references, batch_size=size).scores
        for key, values in whole.items():
            assert off(part[key], values) < EXACT
