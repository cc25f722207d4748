"""Gradients along paths: sums of TensorFlow's own at the same points, identities, costs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

import deeplift_engine as de
from deeplift_engine.engine.linear_front import front_of
from deeplift_engine.engine.mean_gradients import PathGradients
from deeplift_engine.errors import ConvergenceError, ConvergenceWarning, InputError, RuleError
from deeplift_engine.explainers.gradients.guided_path import advanced
from deeplift_engine.explainers.gradients.quadrature import RULES, quadrature, refinement
from tests.explainers.keras_nets import between, data, gradients, opened, parts, values
from tests.explainers.perturbation.perturbed_nets import tokens as masked_tokens
from tests.explainers.perturbation.perturbed_nets import words as masked_words
from tests.helpers import off, slow_among

EXACT = 1e-11  # float64, sums in another order
COMPLETE = {
    "integrated_gradients": {"steps": 3},
    "guided_integrated_gradients": {"steps": 7},
    "expected_gradients": {"samples": 5},
    "deeplift": {},
    "deepshap": {},
    "layer_conductance": {"steps": 3},
}
WALKED: list[int] = []


@pytest.fixture
def walked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many points each walk along paths has."""
    right = PathGradients.__call__
    WALKED.clear()

    def counting(self: PathGradients, paths: Any, positions: Any, *rest: Any) -> Any:
        WALKED.append(paths.count * len(positions))
        return right(self, paths, positions, *rest)

    monkeypatch.setattr(PathGradients, "__call__", counting)
    return WALKED


# ---------------------------------------------------------------- quadrature


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("steps", [2, 5])
def test_a_rule_integrates_polynomials_of_its_degree(rule: str, steps: int) -> None:
    positions, weights = quadrature(rule, steps)
    assert len(positions) == len(weights) == steps
    degree = {"gauss_legendre": 2 * steps - 1, "left": 0, "right": 0}.get(rule, 1)
    for power in range(degree + 2):
        exact = np.isclose((weights * positions**power).sum(), 1 / (power + 1), rtol=1e-12, atol=0)
        assert exact == (power <= degree)


@pytest.mark.parametrize("rule", RULES)
def test_more_steps_take_up_what_fewer_gave(rule: str) -> None:
    steps = 3
    positions, weights = quadrature(rule, steps)
    mean = weights @ np.exp(positions)
    for _ in range(3):
        more = refinement(rule, steps, 100)
        assert more is not None
        mean = more.kept * mean + more.weights @ np.exp(more.positions)
        positions, weights = quadrature(rule, more.steps)
        assert mean == pytest.approx(weights @ np.exp(positions), rel=1e-14)
        taken = 0 if rule == "gauss_legendre" else steps
        assert len(more.positions) == more.steps - taken
        steps = more.steps
    assert refinement(rule, steps, steps) is None


def test_rules_and_steps_that_are_none() -> None:
    _, net = opened("linear")
    for options, said in (
        ({"rule": "simpson"}, "rule is one of gauss_legendre, .* not 'simpson'"),
        ({"steps": 0}, "steps is a whole number of 1 or more, not 0"),
        ({"rule": "trapezoid", "steps": 1}, "steps is a whole number of 2 or more"),
        ({"tolerance": -1.0}, "tolerance is a finite number above 0"),
        ({"most_steps": 2.5}, "most_steps is a whole number"),
    ):
        with pytest.raises(RuleError, match=said):
            net.explainer("integrated_gradients", **options)


# ---------------------------------------------------------------- integrated gradients


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", ["sequence", "image", "several"])
@pytest.mark.filterwarnings("ignore::deeplift_engine.errors.ConvergenceWarning")
def test_it_is_the_sum_of_tensorflows_gradients(name: str, rule: str) -> None:
    model, net = opened(name)
    x, x0 = data(name), data(name, seed=2)
    found = net.explainer("intgrad", rule=rule, steps=4).run(x, target=[0, 2], references=x0)
    positions, weights = quadrature(rule, 4)
    for row, unit in enumerate((0, 2)):
        at = [gradients(model, between(x0, x, position), unit) for position in positions]
        means = [np.tensordot(weights, part, 1) for part in zip(*at, strict=True)]
        ends = zip(*([end] if not isinstance(end, list) else end for end in (x, x0)), strict=True)
        for number, (mean, (end, start)) in enumerate(zip(means, ends, strict=True)):
            assert off(parts(found.multipliers)[number][row], mean) < EXACT
            assert off(parts(found.scores)[number][row], mean * (end - start)) < EXACT
        change = values(model, x, unit) - values(model, x0, unit)
        assert off(found.target_delta[row], change) < EXACT


@pytest.mark.filterwarnings("ignore::deeplift_engine.errors.ConvergenceWarning")
@pytest.mark.parametrize("name", ["sequence", "several"])
def test_it_is_the_same_compiled_and_in_blocks_of_few_steps(name: str) -> None:
    """Behind the cut; a ReLU there is computed with the points."""
    model, net = opened(name)
    x, x0 = data(name), data(name, seed=2)
    run = net.explainer("integrated_gradients", steps=9, fused=True).run
    found = run(x, target=[0, 2], references=x0, batch_size=4)
    positions, weights = quadrature("gauss_legendre", 9)
    at = [gradients(model, between(x0, x, position), 2) for position in positions]
    for number, means in enumerate(zip(*at, strict=True)):
        expected = np.tensordot(weights, np.stack(means), 1)
        assert off(parts(found.multipliers)[number][1], expected) < EXACT


@pytest.mark.parametrize(
    ("name", "cut"),
    [
        ("sequence", ["conv/pre_activation"]),
        ("several", ["row", "scan/pre_activation"]),
        ("linear", ["x"]),
    ],
)
def test_a_path_is_cut_behind_its_first_linear_layers(name: str, cut: list[str]) -> None:
    task = opened(name)[1].explainer("integrated_gradients").task
    assert sorted(front_of(task)) == cut


@pytest.mark.filterwarnings("ignore::deeplift_engine.errors.ConvergenceWarning")
def test_many_references_are_averaged_or_kept_apart() -> None:
    _, net = opened("sequence")
    x, several = data("sequence"), data("sequence", 5, seed=3)
    run = net.explainer("integrated_gradients", steps=40).run
    alone = [run(x, target="all", references=each).scores for each in several]
    expected = np.stack(alone, axis=2)
    shared = de.references.shared(several)
    apart = run(x, target="all", references=shared, average=False)
    assert apart.axes == ("target", "sample", "reference")
    assert off(apart.scores, expected) < EXACT
    assert apart.standard_errors is None
    mean = run(x, target="all", references=shared)
    assert off(mean.scores, expected.mean(axis=2)) < EXACT
    assert off(mean.standard_errors, expected.std(axis=2, ddof=1) / np.sqrt(5)) < EXACT
    own = run(x, target="all", references=np.stack([several] * len(x)))
    assert off(own.scores, mean.scores) < EXACT
    assert off(mean.target_delta, apart.target_delta.mean(axis=2)) < EXACT
    small = run(x, target="all", references=shared, batch_size=7)
    assert off(small.standard_errors, mean.standard_errors) < EXACT


def test_a_tolerance_is_met_where_so_many_steps_do_not() -> None:
    _, net = opened("sequence")
    x = 3 * data("sequence", 6)
    with pytest.warns(ConvergenceWarning, match="More steps="):
        coarse = net.explainer("integrated_gradients", steps=4).run(x, target="all")
    assert coarse.relative_error.max() > 0.05
    wanted = {"steps": 4, "tolerance": 5e-3, "most_steps": 6000}
    fine = net.explainer("integrated_gradients", **wanted).run(x, target="all")
    assert fine.relative_error.max() <= 5e-3
    assert 4 < fine.settings["most_steps_taken"] <= 6000
    again = net.explainer("integrated_gradients", **wanted)
    small = again.run(x[::-1], target="all", batch_size=100)
    assert off(small.scores[:, ::-1], fine.scores) < EXACT


def test_only_paths_that_miss_the_tolerance_are_taken_again(walked: list[int]) -> None:
    _, net = opened("without_bias")  # against zeros its gradient is the same all along
    x = data("without_bias", 4)
    references = np.zeros_like(x)
    references[1], references[3] = 1.0, -1.0
    explainer = net.explainer("integrated_gradients", steps=2, tolerance=1e-2)
    found = explainer.run(x, target=0, references=references)
    assert found.relative_error.max() <= 1e-2
    assert walked[0] == 4 * 2
    assert walked[1] == 2 * 3  # five points, of which two are there
    # then one sample or two, with twice as many new points each time
    each = zip(walked[1:], 3 << np.arange(len(walked) - 1), strict=True)
    assert all(points in (new, 2 * new) for points, new in each)
    steps = found.settings["most_steps_taken"]
    assert steps == walked[0] // 4 + (3 << np.arange(len(walked) - 1)).sum()
    last = net.explainer("integrated_gradients", rule="nested", steps=int(steps)).run
    at_once = last(x, target=0, references=references)
    assert any(off(found.scores[0, i], at_once.scores[0, i]) < EXACT for i in (1, 3))


@pytest.mark.parametrize(("rule", "reached"), [("gauss_legendre", 10), ("nested", 7)])
def test_a_tolerance_that_is_not_met_is_told(rule: str, reached: int) -> None:
    _, net = opened("sequence")
    x = 3 * data("sequence")
    explainer = net.explainer(
        "integrated_gradients", rule=rule, steps=3, tolerance=1e-6, most_steps=10
    )
    with pytest.warns(
        ConvergenceWarning, match=r"in 3 of 3 samples.*tolerance 1e-06.*more most_steps="
    ):
        found = explainer.run(x, target=0)
    assert found.settings["most_steps_taken"] == reached
    with pytest.raises(ConvergenceError):
        explainer.run(x, target=0, strict=True)


@pytest.mark.parametrize("layer", ["conv", "pool", "hidden"])
@pytest.mark.filterwarnings("ignore::deeplift_engine.errors.ConvergenceWarning")
def test_a_path_between_activations_of_a_layer(layer: str) -> None:
    model, net = opened("sequence")
    x, x0 = data("sequence"), data("sequence", seed=2)
    found = net.explainer("integrated_gradients", layers=layer, steps=3).run(
        x, target=1, references=x0
    )
    lower = tf.keras.Model(model.input, model.get_layer(layer).output)
    upper = tf.keras.Model(model.get_layer(layer).output, model.output)
    y, y0 = lower(x).numpy(), lower(x0).numpy()
    positions, weights = quadrature("gauss_legendre", 3)
    mean = sum(
        weight * gradients(upper, between(y0, y, position), 1)[0]
        for position, weight in zip(positions, weights, strict=True)
    )
    assert off(found.scores, mean * (y - y0)) < EXACT


@pytest.mark.parametrize("method", ["integrated_gradients", "guided_integrated_gradients"])
def test_tokens_are_explained_at_their_embedding(method: str) -> None:
    _, net = opened("words")
    x = data("words")
    found = net.explainer(method, layers="embedding", steps=100).run(x, target="all", references=0)
    assert found.scores.shape == (3, len(x), 6, 4)
    assert found.relative_error.max() < 0.03
    same = x == 0
    assert same.any()
    assert not found.scores[:, same].any()
    with pytest.raises(InputError, match=r"hold tokens.*layers=.*read by \['embedding'\]"):
        net.explainer(method)


def test_masked_tokens_are_explained_at_their_embedding_and_its_mask() -> None:
    """The mask is held, or a layer; tokens put for others, padding kept, do not change it."""
    net, x = masked_tokens(), masked_words()
    x[0, 4:] = 0
    held = net.explainer("integrated_gradients", layers="embedding").run(
        x, target="all", references=de.references.replaced(1, keep=(0,))
    )
    assert held.settings["held"] == ["memory/used"]
    layers = ["embedding", "memory/used"]
    found = net.explainer("integrated_gradients", layers=layers).run(
        x, target="all", references=de.references.replaced(1, keep=(0,))
    )
    predicted = [net.predict(each) for each in (x, np.where(x == 0, 0, 1).astype("int32"))]
    assert off(found.target_delta, (predicted[0] - predicted[1]).T) < EXACT
    assert found.relative_error.max() < 1e-9
    assert found.scores["embedding"].any()
    assert not found.scores["memory/used"].any()
    assert off(held.scores, found.scores["embedding"]) < EXACT


@pytest.mark.filterwarnings("ignore::deeplift_engine.errors.ConvergenceWarning")
def test_its_points_are_walked_once_each(walked: list[int]) -> None:
    _, net = opened("sequence")
    explainer = net.explainer("integrated_gradients", steps=50)
    shared = de.references.shared(data("sequence", 3, seed=4))
    explainer.run(data("sequence", 7), target=0, references=shared)
    assert sum(walked) == 7 * 3 * 50


@pytest.mark.filterwarnings("ignore::deeplift_engine.errors.ConvergenceWarning")
def test_targets_of_each_samples_own() -> None:
    """One unit a sample, against references that all share and those of its own."""
    _, net = opened("sequence")
    x, several = data("sequence", 3), data("sequence", 4, seed=5)
    units = np.array([2, 0, 1])
    run = net.explainer("integrated_gradients", steps=60).run
    shared = de.references.shared(several)
    whole = run(x, target="all", references=shared, average=False)
    for references in (shared, np.stack([several] * 3)):
        found = run(x, target=units, references=references, average=False)
        assert off(found.scores, whole.scores[units, range(3)]) < EXACT
        assert off(found.target_delta, whole.target_delta[units, range(3)]) < EXACT


# ---------------------------------------------------------------- identities


@pytest.mark.parametrize("method", COMPLETE)
def test_of_a_linear_net_every_complete_method_gives_the_weighted_difference(method: str) -> None:
    model, net = opened("linear")
    x, x0 = data("linear"), data("linear", seed=2)
    found = net.explainer(method, **COMPLETE[method]).run(x, target="all", references=x0)
    for unit in range(3):
        expected = gradients(model, x, unit)[0] * (x - x0)
        assert off(found.scores[unit], expected) < EXACT
    assert np.abs(found.convergence_delta).max() < EXACT


def test_without_biases_gradient_times_input_is_deeplift_is_integrated_gradients() -> None:
    _, net = opened("without_bias")
    x = data("without_bias", 20)
    expected = net.explainer("grad*input").run(x, target="all").scores
    for method in ("deeplift", "integrated_gradients", "expected_gradients", "deepshap"):
        found = net.explainer(method).run(x, target="all")
        assert off(found.scores, expected) < 1e-10
    with_conductance = net.explainer("layer_conductance", layers="hidden").run(x, target="all")
    at_layer = net.explainer("grad*input", layers="hidden").run(x, target="all")
    assert off(with_conductance.scores, at_layer.scores) < 1e-10


# ---------------------------------------------------------------- expected gradients, DeepSHAP


def test_expected_gradients_come_near_what_they_are_expected_to_be() -> None:
    """Within five standard errors of integrated gradients; and those are what they say."""
    _, net = opened("sequence")
    x, background = data("sequence", 2), de.references.shared(data("sequence", 4, seed=5))
    exact = net.explainer("integrated_gradients", steps=400).run(x, target=1, references=background)
    explainer, drawn = net.explainer("expected_gradients", samples=100), []
    for seed in range(60):
        explainer.seed = seed
        drawn.append(explainer.run(x, target=1, references=background))
    scores = np.stack([found.scores for found in drawn])
    errors = np.stack([found.standard_errors for found in drawn])
    assert (np.abs(scores[0] - exact.scores) < 5 * errors[0]).mean() > 0.99
    whole = np.abs(scores.mean(axis=0) - exact.scores) * np.sqrt(60)
    assert (whole < 5 * scores.std(axis=0, ddof=1) + 1e-3 * np.abs(exact.scores)).all()
    ratio = (errors**2).mean() / scores.var(axis=0, ddof=1).mean()
    assert 0.85 < ratio < 1.15
    assert off(drawn[0].target_delta, exact.target_delta) < EXACT
    sums = drawn[0].scores.sum(axis=(1, 2))
    assert off(drawn[0].convergence_delta, sums - exact.target_delta) < EXACT


def test_draws_are_of_the_sample_and_the_seed() -> None:
    _, net = opened("sequence")
    x = data("sequence", 2)
    explainer = net.explainer("gradient_shap", samples=10)
    found = explainer.run(x, target=0)
    again = explainer.run(x[[1, 1, 0]], target=0)
    assert off(again.scores, found.scores[[1, 1, 0]]) < EXACT
    other = net.explainer("gradient_shap", samples=10, seed=1).run(x, target=0)
    assert off(other.scores, found.scores) > 0.01
    one = net.explainer("gradient_shap", samples=1).run(x, target=0)
    assert one.standard_errors is None


@pytest.mark.parametrize("rules", slow_among(["rescale", "reveal_cancel"], ["reveal_cancel"]))
def test_deepshap_is_deeplift_over_a_background_with_its_error(rules: str) -> None:
    _, net = opened("image")
    x, background = data("image", 3), de.references.shared(data("image", 6, seed=6))
    apart = net.explainer("deeplift", rules=rules).run(
        x, target="all", references=background, average=False
    )
    for batch_size in (None, 4, 1):
        found = net.explainer("deepshap", rules=rules).run(
            x, target="all", references=background, batch_size=batch_size
        )
        assert off(found.scores, apart.scores.mean(axis=2)) < EXACT
        assert off(found.multipliers, apart.multipliers.mean(axis=2)) < EXACT
        error = apart.scores.std(axis=2, ddof=1) / np.sqrt(6)
        assert off(found.standard_errors, error) < EXACT
        assert found.relative_error.max() < 1e-9
    both = net.explainer("deepshap", rules=rules).run(
        x, target="all", references=background, average=False
    )
    assert off(both.scores, apart.scores) < EXACT
    one = net.explainer("deepshap", rules=rules).run(x, target=0)
    assert one.standard_errors is None


# ---------------------------------------------------------------- other paths


def guided_step_by_step(
    model: Any, x: Any, x0: Any, unit: int, steps: int, fraction: float, most: float
) -> Any:
    """Kapishnikov 2021, algorithm 1 with bounds, of one sample, a group of elements at a time."""
    at, scores, delta = x0.copy(), np.zeros_like(x), x - x0
    group = max(1, int(fraction * x.size))
    whole = np.abs(delta).sum()
    for step in range(1, steps + 1):
        share = step / steps
        gradient = gradients(model, at[np.newaxis], unit)[0][0]
        lower = x0 + max(share - most, 0) * delta
        upper = x0 + min(share + most, 1) * delta
        behind = np.abs(at - x0) < np.abs(lower - x0)
        moved = np.where(behind, lower, at)
        scores += (moved - at) * gradient
        at = moved
        waiting = list(np.argsort(np.abs(gradient), axis=None))
        waiting = [i for i in waiting if abs(at.flat[i] - upper.flat[i]) > 0]
        while waiting:
            need = np.abs(x - at).sum() - whole * (1 - share)
            if need <= 1e-14 * whole:
                break
            chosen, waiting = waiting[:group], waiting[group:]
            room = np.abs(upper.flat[chosen] - at.flat[chosen]).sum()
            part = min(1.0, need / room)
            for i in chosen:
                change = part * (upper.flat[i] - at.flat[i])
                scores.flat[i] += change * gradient.flat[i]
                at.flat[i] += change
    np.testing.assert_allclose(at, x, atol=1e-12)
    return scores


@pytest.mark.parametrize(("fraction", "most"), [(0.25, 0.02), (0.1, 0.3), (0.02, 1.0)])
@pytest.mark.filterwarnings("ignore::deeplift_engine.errors.ConvergenceWarning")
def test_guided_paths_are_those_of_the_algorithm_step_by_step(fraction: float, most: float) -> None:
    model, net = opened("sequence")
    x, x0 = data("sequence", 2), data("sequence", 2, seed=7)
    explainer = net.explainer("guided_ig", steps=12, fraction=fraction, max_distance=most)
    found = explainer.run(x, target="all", references=x0)
    for unit in (0, 2):
        for row in (0, 1):
            expected = guided_step_by_step(model, x[row], x0[row], unit, 12, fraction, most)
            assert off(found.scores[unit, row], expected) < 1e-9


@pytest.mark.filterwarnings("ignore::deeplift_engine.errors.ConvergenceWarning")
def test_a_guided_path_that_may_not_leave_the_straight_one_is_straight() -> None:
    _, net = opened("several")
    x, x0 = data("several"), data("several", seed=2)
    guided = net.explainer("guided_ig", steps=9, max_distance=0.0)
    straight = net.explainer("integrated_gradients", rule="left", steps=9)
    found, expected = (each.run(x, target=1, references=x0).scores for each in (guided, straight))
    for ours, theirs in zip(parts(found), parts(expected), strict=True):
        assert off(ours, theirs) < EXACT


@pytest.mark.filterwarnings("ignore::deeplift_engine.errors.ConvergenceWarning")
def test_elements_that_do_not_differ_are_left_where_they_are() -> None:
    _, net = opened("several")
    x, x0 = data("several"), data("several", seed=2)
    for array, reference in zip(x, x0, strict=True):
        array[0] = reference[0]
        array[1].flat[::2] = reference[1].flat[::2]
    guided = net.explainer("guided_ig", steps=5, max_distance=0.5)
    found = guided.run(x, target=1, references=x0)
    assert found.convergence_delta[0] == 0
    for scores, array, reference in zip(parts(found.scores), x, x0, strict=True):
        assert not scores[0].any()
        assert not scores[1].flat[::2].any()
        assert scores[1][array[1] != reference[1]].all()


def test_guided_steps_stay_in_their_bounds_and_go_as_far_as_the_straight_path() -> None:
    generator = np.random.default_rng(0)
    distance = generator.uniform(size=(5, 40))
    distance[:, :3] = 0
    moved = np.zeros((5, 40))
    for step in range(1, 11):
        share = step / 10
        bounds = (max(share - 0.15, 0), min(share + 0.15, 1))
        sizes = generator.uniform(size=(5, 40))
        following = advanced(moved, distance, sizes, share, bounds, 10)
        assert (following >= np.maximum(moved, bounds[0]) - 1e-15).all()
        assert (following <= bounds[1] + 1e-15).all()
        assert off((following * distance).sum(axis=1), share * distance.sum(axis=1)) < 1e-12
        moved = following
    assert off(moved[:, 3:], np.ones((5, 37))) < 1e-12


@pytest.mark.filterwarnings("ignore::deeplift_engine.errors.ConvergenceWarning")
def test_guided_paths_sum_up_when_there_are_steps_enough() -> None:
    _, net = opened("sequence")
    x = data("sequence")
    errors = []
    for steps in (25, 400):
        found = net.explainer("guided_ig", steps=steps).run(x, target="all", references=1.0)
        errors.append(np.abs(found.convergence_delta).mean())
    assert errors[1] < errors[0] / 2


@pytest.mark.parametrize(("name", "axes"), [("sequence", (0,)), ("image", (0, 1)), ("image", (1,))])
@pytest.mark.filterwarnings("ignore::deeplift_engine.errors.ConvergenceWarning")
def test_blurred_paths_beside_scipys_filter(name: str, axes: tuple[int, ...]) -> None:
    model, net = opened(name)
    x = data(name)
    steps, sigma = 6, 4.0
    given = {} if len(axes) == x.ndim - 2 else {"axes": axes}
    found = net.explainer("blur_ig", steps=steps, sigma=sigma, **given).run(x, target=2)
    path = []
    for width in sigma * np.linspace(1, 0, steps + 1) ** 2:
        widths = [0.0] + [width * (axis in axes) for axis in range(x.ndim - 1)]
        path.append(ndimage.gaussian_filter(x, widths, mode="constant", truncate=9))
    at = [gradients(model, point, 2)[0] for point in path]
    expected = sum((at[i] + at[i + 1]) / 2 * (path[i + 1] - path[i]) for i in range(steps))
    assert off(found.scores, expected) < 1e-9
    assert off(found.target_delta, values(model, x, 2) - values(model, path[0], 2)) < 1e-9


@pytest.mark.filterwarnings("ignore::deeplift_engine.errors.ConvergenceWarning")
def test_blurred_paths_sum_up() -> None:
    _, net = opened("sequence")
    x = data("sequence")
    errors = []
    for steps in (50, 400):
        found = net.explainer("blur_ig", steps=steps, sigma=5.0).run(x, target="all")
        errors.append(np.abs(found.convergence_delta).max())
    assert errors[1] < errors[0] / 3
    straight, linear = opened("linear")
    x = data("linear")
    found = linear.explainer("blur_ig", steps=5, sigma=3.0).run(x, target=0)
    blurred = ndimage.gaussian_filter(x, [0, 3.0, 0], mode="constant", truncate=9)
    assert off(found.scores, gradients(straight, x, 0)[0] * (x - blurred)) < EXACT
    with pytest.raises(InputError, match="compares with no references"):
        linear.explainer("blur_ig").run(x, target=0, references=0.0)
    with pytest.raises(RuleError, match="axes="):
        linear.explainer("blur_ig", axes=(2,)).run(x, target=0)
    with pytest.raises(RuleError, match="sigma is a finite number above 0"):
        linear.explainer("blur_ig", sigma=0)
