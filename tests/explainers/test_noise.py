"""Methods on noisy copies: of linear nets, where the noise can be seen, and beside plain loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

import deeplift_engine as de
from deeplift_engine.engine.blocks import Block
from deeplift_engine.engine.request import resolved_request
from deeplift_engine.engine.running_mean import RunningMean
from deeplift_engine.errors import InputError, RuleError
from deeplift_engine.explainers.draws import normal, streams, uniform
from tests.explainers.keras_nets import data, gradients, opened, parts
from tests.helpers import off

EXACT = 1e-11  # float64, sums in another order


def drawn(x: Any, columns: slice, seed: int = 0) -> Any:
    """Where the streams of some draws start."""
    _, net = opened("linear")
    request = resolved_request(x, net.inputs, lambda _: (3,), "float64", target=0)
    return streams(request, Block(slice(0, len(x)), columns), seed)


# ---------------------------------------------------------------- draws


def test_draws_are_uniform_normal_and_independent() -> None:
    x = data("linear", 4)
    starts = drawn(x, slice(0, 200))
    numbers = uniform(starts, 50)
    assert stats.kstest(numbers.ravel(), "uniform").pvalue > 0.01
    wide, narrow = normal(starts, [(7, 7), (1,)])
    assert wide.shape == (4, 200, 7, 7)
    assert narrow.shape == (4, 200, 1)
    flat = np.concatenate([wide.reshape(800, -1), narrow.reshape(800, -1)], axis=1)
    assert stats.kstest(flat.ravel(), "norm").pvalue > 0.01
    for sets in (flat, flat.T):  # neighbours in a draw, and from draw to draw
        correlation = np.mean(sets[:, 1:] * sets[:, :-1])
        assert abs(correlation) < 4 / np.sqrt(flat.size)
    assert np.isfinite(normal(starts[:1, :1], [(1_000_000,)])[0]).all()


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("smoothgrad", {}),
        ("vargrad", {"of": "integrated_gradients", "of_options": {"steps": 3}}),
        ("squaregrad", {"of": "deeplift"}),
        ("expected_gradients", {}),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_sign_of_zero_draws_no_other_noise(
    method: str, options: dict[str, Any], dtype: str
) -> None:
    _, net = opened("linear")
    x = np.where(data("linear", 3) > 0, data("linear", 3), 0.0).astype(dtype)
    minus = np.where(x == 0, -0.0, x).astype(dtype)
    assert np.signbit(minus[x == 0]).all()
    made = net.explainer(method, **{"samples": 4, **options})
    run = [made.run(each, target=0).scores for each in (x, minus)]
    np.testing.assert_array_equal(*run)


def test_a_draw_does_not_depend_on_others() -> None:
    x = data("linear", 3)
    whole = drawn(x, slice(0, 20))
    np.testing.assert_array_equal(drawn(x, slice(5, 9)), whole[:, 5:9])
    np.testing.assert_array_equal(drawn(x[[2, 0]], slice(0, 20)), whole[[2, 0]])
    assert len(np.unique(whole)) == whole.size
    assert not np.isin(drawn(x, slice(0, 20), seed=1), whole).any()
    a_bit = x.copy()
    a_bit[0, 0, 0] += 1e-3
    assert not np.isin(drawn(a_bit, slice(0, 20))[0], whole).any()


@pytest.mark.parametrize("sizes", [(9,), (4, 5), (1,) * 9, (2, 6, 1)])
def test_means_of_blocks_are_those_of_all(sizes: tuple[int, ...]) -> None:
    values = 1e6 + np.random.default_rng(0).normal(size=(2, 3, 9, 4))
    mean, before = RunningMean((2, 3)), 0
    for size in sizes:
        for row in range(3):
            where = (slice(None), slice(row, row + 1))
            mean.add(where, values[:, row : row + 1, before : before + size])
        before += size
    assert off(mean.mean, values.mean(axis=2)) < 1e-15
    assert off(mean.variance, values.var(axis=2, ddof=1)) < 1e-9
    assert off(mean.standard_error, values.std(axis=2, ddof=1) / 3) < 1e-9


# ---------------------------------------------------------------- methods


@pytest.mark.parametrize("name", ["linear", "several"])
def test_of_gradients_that_do_not_change(name: str) -> None:
    """A linear net has one gradient everywhere; noise of nothing changes none."""
    model, net = opened(name)
    x = data(name)
    noise = 0.3 if name == "linear" else 0.0
    for number, expected in enumerate(gradients(model, x, 1)):
        for method, wanted in (
            ("smoothgrad", expected),
            ("squaregrad", expected**2),
            ("vargrad", 0 * expected),
        ):
            found = net.explainer(method, samples=5, noise=noise).run(x, target=1)
            assert np.abs(parts(found.scores)[number] - wanted).max() < EXACT
            assert (found.standard_errors is None) == (method == "vargrad")


def test_the_noise_is_a_share_of_each_inputs_range() -> None:
    """Seen in w · (x + noise), whose variance is (w · width)²."""
    model, net = opened("linear")
    x = data("linear") * np.array([1.0, 10.0, 0.0])[:, np.newaxis, np.newaxis]
    weights = gradients(model, x, 0)[0]
    options = {"of": "grad*input", "samples": 2000, "noise": 0.2}
    width = 0.2 * (x.max(axis=(1, 2)) - x.min(axis=(1, 2)))[:, np.newaxis, np.newaxis]
    expected = np.square(weights * width)
    found = net.explainer("vargrad", **options).run(x, target=0)
    assert width[2] == 0
    assert np.abs(found.scores[2]).max() < EXACT
    ratio = found.scores[:2] / expected[:2]
    assert np.abs(ratio - 1).max() < 5 * np.sqrt(2 / 2000)
    smooth = net.explainer("smoothgrad", **options).run(x, target=0)
    assert off(smooth.standard_errors[:2], np.sqrt(found.scores[:2] / 2000)) < EXACT
    assert (np.abs(smooth.scores - weights * x)[:2] < 5 * smooth.standard_errors[:2]).all()
    square = net.explainer("squaregrad", **options).run(x, target=0)
    assert off(square.scores, found.scores * 1999 / 2000 + smooth.scores**2) < 1e-9


@pytest.mark.parametrize(
    ("of", "options"),
    [
        ("gradient", {"part": "absolute"}),
        ("integrated_gradients", {"steps": 3}),
        ("deeplift", {"rules": "reveal_cancel"}),
        ("deepshap", {}),
        ("guided_backprop", {}),
    ],
)
@pytest.mark.filterwarnings("ignore::deeplift_engine.errors.ConvergenceWarning")
def test_it_is_the_mean_over_noisy_copies(of: str, options: dict[str, Any]) -> None:
    """The copies that the method is given, one by one, have these scores."""
    _, net = opened("image")
    x, references = data("image", 2), data("image", 2, seed=3)
    inner = net.explainer(of, **options)
    smooth = net.explainer("smoothgrad", of=of, of_options=options, samples=6, noise=0.3, seed=4)
    given: list[Any] = []
    right = smooth.inner.attribute

    def watched(request: Any) -> Any:
        given.append(request.data[0])
        return right(request)

    smooth.inner.attribute = watched
    against = {"references": references} if inner.traits.uses_references else {}
    found = smooth.run(x, target="all", **against)
    copies = np.concatenate(given).reshape(2, 6, *x.shape[1:])
    assert off(copies.mean(axis=1), x) > 0.01
    alone = [inner.run(copies[:, number], target="all", **against).scores for number in range(6)]
    assert off(found.scores, np.mean(alone, axis=0)) < EXACT
    assert off(found.standard_errors, np.std(alone, axis=0, ddof=1) / np.sqrt(6)) < 1e-9


def test_random_methods_draw_anew_for_each_copy() -> None:
    """Expected gradients of one draw, of 400 copies without noise, are those of 400 draws."""
    _, net = opened("sequence")
    x = data("sequence", 2)
    found = net.explainer(
        "smoothgrad", of="expected_gradients", of_options={"samples": 1}, samples=400, noise=0.0
    ).run(x, target=1)
    exact = net.explainer("integrated_gradients", steps=500).run(x, target=1)
    assert (np.abs(found.scores - exact.scores) < 5 * found.standard_errors + 1e-12).all()
    assert found.standard_errors.max() > 1e-3


def test_references_kept_apart_stay_apart() -> None:
    _, net = opened("image")
    x = data("image", 2)
    background = de.references.shared(data("image", 3, seed=5))
    options = {"of": "deeplift", "samples": 4}
    apart, mean = (
        net.explainer("smoothgrad", **options).run(
            x, target=0, references=background, average=average
        )
        for average in (False, True)
    )
    assert apart.axes == ("sample", "reference")
    assert off(apart.scores.mean(axis=1), mean.scores) < EXACT


def test_noise_on_tokens_is_noise_on_their_embedding() -> None:
    _, net = opened("words")
    x = data("words")
    with pytest.raises(InputError, match=r"hold tokens.*layers="):
        net.explainer("smoothgrad")
    found = net.explainer("smoothgrad", layers="embedding", samples=400, noise=0.01).run(
        x, target="all"
    )
    exact = net.explainer("gradient", layers="embedding").run(x, target="all")
    assert 1e-6 < off(found.scores, exact.scores) < 0.01


@pytest.mark.parametrize("of", ["grad_cam", "layer_cam", "score_cam", "guided_grad_cam"])
def test_maps_on_one_of_several_inputs(of: str) -> None:
    """A map is of a layer, and not one of each input."""
    _, net = opened("several")
    x = data("several")
    found = net.explainer("smoothgrad", of=of, samples=2, noise=0.0).run(x, target=1)
    expected = net.explainer(of).run(x, target=1)
    assert off(found.scores, expected.scores) < EXACT
    assert found.settings["layers"] == expected.settings["layers"] == ["scan"]
    twice = net.explainer(
        "smoothgrad", of="smoothgrad", of_options={"of": of, "samples": 2}, samples=2
    ).run(x, target=1, batch_size=2)
    assert twice.settings["layers"] == ["scan"]
    assert twice.scores.shape == expected.scores.shape


def test_references_are_taken_where_the_method_compares() -> None:
    _, net = opened("linear")
    x = data("linear")
    with pytest.raises(InputError, match="smoothgrad compares with no references"):
        net.explainer("smoothgrad").run(x, target=0, references=0.5)
    found = net.explainer("smoothgrad", of="deeplift", samples=2).run(x, target=0, references=0.5)
    assert found.settings["references"] == "constant(0.5)"


def test_a_map_behind_the_noise_needs_a_convolution_there() -> None:
    _, net = opened("sequence")
    with pytest.raises(InputError, match=r"no convolution between \['conv'\] and 'units'"):
        net.explainer("smoothgrad", of="grad_cam", layers="conv")


def test_options_that_make_no_sense() -> None:
    _, net = opened("linear")
    for options, said in (
        ({"samples": 0}, "samples is a whole number of 1 or more"),
        ({"noise": -0.1}, "noise is a finite number of 0 or more"),
        ({"of": "nothing"}, "There is no method 'nothing'"),
        ({"of_options": {"steps": 3}}, "gradient takes no option 'steps'"),
        ({"statistic": "mean"}, "smoothgrad takes no option 'statistic'"),
        ({"of": "feature_permutation"}, "depend on which samples are scored together"),
        ({"of": "smoothgrad", "of_options": {"of": "saturation_mutagenesis"}}, "mutates letters"),
    ):
        with pytest.raises(RuleError, match=said):
            net.explainer("smoothgrad", **options)
    with pytest.raises(RuleError, match="samples is a whole number of 2 or more"):
        net.explainer("vargrad", samples=1)
