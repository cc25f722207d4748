"""What must not change a run: batches, neighbours, kernels, form of the references, repetition.

Whatever changes the batch's size changes how TensorFlow blocks its sums, so results agree to
rounding, not bitwise: scores and multipliers to 1e-5 of the largest, differences of the target to
1e-5 of the largest of all samples: each is a difference of two outputs, whose rounding it has, and
one that is small against them has fewer digits. The same call again is bitwise the same.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.compat.util import run_function_in_batches
from deeplift_engine.errors import ConvergenceError, ConvergenceWarning, InputError
from deeplift_engine.graph.graph import Graph
from deeplift_engine.layers import Activation
from deeplift_engine.rules.deeplift.elementwise import Factor
from tests.cases.generated_models import Opened, build, seeded
from tests.helpers import off, slow_among

Opening = Callable[[str], Opened]
ROUNDING = 1e-5
SEVERAL = ["stack", "residual", "shared model", "hidden softmax"]


def parts(found: Any) -> list[Any]:
    return list(found.values()) if isinstance(found, dict) else [found]


def agree(first: de.Attribution, second: de.Attribution, samples: Any = slice(None)) -> None:
    for kind in ("scores", "multipliers"):
        pairs = zip(parts(getattr(first, kind)), parts(getattr(second, kind)), strict=True)
        for ours, theirs in pairs:
            assert off(ours, theirs[samples]) < ROUNDING
    changes = first.target_delta, second.target_delta[samples]
    largest = np.max(np.abs(second.target_delta))  # of all samples: a small one has lost digits
    assert np.max(np.abs(changes[0] - changes[1])) < ROUNDING * largest


def asked(case: Opened, samples: int, references: int) -> tuple[Any, list[Any]]:
    """Inputs, and references of their own, (N, K, ...)."""
    generator = seeded(case.name)
    x = case.inputs(samples, generator)
    x0 = [
        array.reshape(samples, references, *array.shape[1:])
        for array in case.inputs(samples * references, generator)
    ]
    return x, x0


def explainer(case: Opened, rules: str = "genomics_default", **options: Any) -> de.Explainer:
    return case.network.explainer(rules=rules, target=case.target, **{"fused": False, **options})


@pytest.mark.parametrize("name", SEVERAL)
def test_batches_and_neighbours_change_nothing(opened: Opening, name: str) -> None:
    """More references than the batch holds, a last short batch, a sample alone, another order."""
    case = opened(name)
    x, x0 = asked(case, 5, 4)
    run = explainer(case).run
    whole = run(x, target=case.unit(), references=x0)
    again = run(x, target=case.unit(), references=x0)
    for ours, theirs in zip(parts(again.scores), parts(whole.scores), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for batch_size in (1, 3, 8):
        agree(run(x, target=case.unit(), references=x0, batch_size=batch_size), whole)
    for samples in ([2], [4, 0, 3], [1, 1, 1]):
        some = [array[samples] for array in x], [array[samples] for array in x0]
        agree(run(some[0], target=case.unit(), references=some[1]), whole, samples)


@pytest.mark.parametrize("rules", ["rescale", "reveal_cancel"])
@pytest.mark.parametrize("name", slow_among(["stack", "image stack", "gated"], ["image stack"]))
def test_fused_kernels_change_nothing(opened: Opening, name: str, rules: str) -> None:
    case = opened(name)
    x, x0 = asked(case, 3, 2)
    results = [
        explainer(case, rules, fused=fused).run(x, target=case.unit(), references=x0)
        for fused in (False, True)
    ]
    agree(*results)


@pytest.mark.filterwarnings("ignore::deeplift_engine.errors.DegenerateReferenceWarning")
def test_every_form_of_one_set_of_references_is_that_set(opened: Opening) -> None:
    case = opened("stack")
    x = case.inputs(3, seeded("x"))[0]
    shape = x.shape[1:]
    run = explainer(case, "rescale").run
    zeros = run(x, target=0)
    same: list[Any] = [
        0,
        0.0,
        de.references.zeros(),
        np.zeros(shape),
        np.zeros(shape[-1]),
        np.zeros_like(x),
        np.zeros((3, 2, *shape)),
        de.references.shared(np.zeros((4, *shape))),
        de.references.per_sample(np.zeros_like(x)),
        lambda inputs: np.zeros_like(inputs),
        de.references.function(lambda inputs: np.zeros((len(inputs), 2, *shape)), 2),
        [np.zeros_like(x)],
        {"letters": np.zeros_like(x)},
    ]
    for references in same:
        agree(run(x, target=0, references=references), zeros)
    for inputs in ([x], (x,), {"letters": x}, x.tolist()):
        agree(run(inputs, target=0), zeros)


def test_thirty_different_runs_trace_nothing(
    opened: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other numbers of samples, targets and references, and other lengths: the Python of the two
    walks, which runs while they are traced, never runs again."""
    case = opened("residual")
    scorer = explainer(case)
    generator = seeded("runs")
    traced: list[str] = []

    def run(number: int) -> None:
        length, samples, references = 10 + number % 7, 1 + number % 5, 1 + number % 3
        x = generator.normal(size=(samples, length, 4))
        x0 = generator.normal(size=(samples, references, length, 4))
        target: Any = [0, [0, 1], "all", np.arange(samples) % 2][number % 4]
        scorer.run(x, target=target, references=x0, batch_size=1 + number)

    for walk in ("forward", "backward"):
        right = getattr(Graph, walk)

        def counting(*given: Any, walk: str = walk, right: Any = right) -> Any:
            traced.append(walk)
            return right(*given)

        monkeypatch.setattr(Graph, walk, counting)
    run(0)
    assert set(traced) == {"forward", "backward"}
    traced.clear()
    for number in range(1, 30):
        run(number)
    assert traced == []


@pytest.mark.parametrize("rules", ["reveal_cancel", "genomics_default"])
def test_at_hidden_layers_multiplier_times_difference_is_the_contribution(
    opened: Opening, rules: str
) -> None:
    """Also behind a RevealCancel, where positive and negative parts have their own; and every
    cut of the network has one sum."""
    case = opened("stack")
    x, x0 = case.inputs(4, seeded("x"))[0], case.inputs(4, seeded("x0"))[0]
    for layer in ("conv_0", "relu_0", "norm_1", "relu_1", "hidden"):
        found = explainer(case, rules, layers=layer).run(x, target=1, references=x0)
        ends = [case.network.activations(end, [layer])[layer] for end in (x, x0)]
        delta = ends[0] - ends[1]
        assert off(found.multipliers * delta, found.scores) < ROUNDING
        assert np.all(found.scores[delta == 0] == 0)
        assert found.relative_error.max() < 1e-4


def test_two_layers_at_once_are_each_alone(opened: Opening) -> None:
    case = opened("stack")
    x, x0 = case.inputs(3, seeded("x"))[0], case.inputs(3, seeded("x0"))[0]
    both = explainer(case, layers=["relu_0", "hidden"]).run(x, target=0, references=x0)
    for layer in ("relu_0", "hidden"):
        alone = explainer(case, layers=layer).run(x, target=0, references=x0)
        assert off(both.scores[layer], alone.scores) < ROUNDING


def test_a_broken_rule_is_told_and_strict_raises(
    opened: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sample 2 alone has a difference to be wrong about."""
    case = opened("sequential")
    x = np.zeros((4, 7))
    x[2] = seeded("x").normal(size=7)
    right = Activation.slope
    monkeypatch.setattr(Activation, "slope", lambda *points: 1.1 * right(*points))
    assert Factor("rescale", "slope").complete
    scorer = explainer(case, "rescale")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", de.errors.DegenerateReferenceWarning)
        with pytest.warns(ConvergenceWarning, match="worst in sample 2"):
            wrong = scorer.run(x, target=0)
        with pytest.raises(ConvergenceError, match="worst in sample 2"):
            scorer.run(x, target=0, strict=True)
        audit = case.network.audit(x, target=0)
    assert wrong.relative_error.argmax() == 2
    assert audit.first_break is not None
    assert audit.first_break.layer == audit.worst.layer
    assert case.network.nodes[audit.worst.layer].layer == Activation("softplus")


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_a_file_that_keras_loads_is_verified(suffix: str, tmp_path: Any) -> None:
    case = build("two outputs, count", tmp_path, suffix)
    verification = case.network.verify()
    assert verification.ok
    assert verification.max_error is not None
    assert verification.max_error < 1e-5


@pytest.mark.parametrize("size", [-1, 0, 2.5, True, "2", np.float32(2), np.int64(0)])
def test_a_batch_size_that_is_none_is_refused_everywhere(opened: Opening, size: Any) -> None:
    network, x = opened("stack").network, opened("stack").inputs(3, seeded("stack"))
    calls = (
        lambda: network.predict(x, batch_size=size),
        lambda: network.output_arrays(x, size),
        lambda: network.activations(x, [network.outputs[0]], batch_size=size),
        lambda: network.reference_report(x, 0, target=0, batch_size=size),
        lambda: run_function_in_batches(network.predict, x, batch_size=size),
    )
    for call in calls:
        with pytest.raises(InputError, match="batch_size is a whole number of 1 or more"):
            call()


@pytest.mark.parametrize("layers", [[], (), {}, iter([])])
def test_activations_of_no_layer_are_refused(opened: Opening, layers: Any) -> None:
    network, x = opened("stack").network, opened("stack").inputs(3, seeded("stack"))
    with pytest.raises(InputError, match="names no layer"):
        network.activations(x, layers)
