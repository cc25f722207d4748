"""Contributions sum to the target's difference: every layer, every rule, any data.

At the inputs and behind every layer, by `Network.audit`: 1e-4 in float32, 1e-10 in float64, of
the larger of the target's difference and the contributions' sizes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import deeplift_engine as de
from tests.cases.generated_models import LAYERS, NETWORKS, Opened, first_of_each
from tests.helpers import off

Opening = Callable[[str], Opened]
RULES = ("rescale", "reveal_cancel", "genomics_default")
FLOAT32, FLOAT64 = 1e-4, 1e-10
UNDERFLOW = 1e-30  # products of several small differences
EXAMPLES = settings(
    max_examples=1,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # one sample of each style is small enough
)

# One sample each: how the reference differs from the input, and the scale of both.
STYLES = ("random", "parts equal", "equal", "ties", "moved", "zeros", "close")
SAMPLES = st.lists(
    st.tuples(st.sampled_from(STYLES), st.floats(-3, 3)), min_size=7, max_size=7
).map(lambda drawn: [(style, scale) for style, (_, scale) in zip(STYLES, drawn, strict=True)])
ALONE = 3
"""The sample, one with ties, that is also scored by itself: its neighbours change nothing."""
SEEDS = st.integers(0, 2**32 - 1)


def pair(case: Opened, samples: list[tuple[str, float]], seed: int) -> tuple[list[Any], list[Any]]:
    """Inputs and references in the given styles, at 10 to the power of the scale."""
    generator = np.random.default_rng(seed)
    inputs = case.inputs(len(samples), generator)
    references = case.inputs(len(samples), generator)
    for x, x0 in zip(inputs, references, strict=True):
        if x.dtype.kind != "f":
            continue  # tokens, masks: random ones
        for row, (style, power) in enumerate(samples):
            if style == "parts equal":
                same = generator.random(x[row].shape) < 0.5
                x0[row][same] = x[row][same]
            elif style == "equal":
                x0[row] = x[row]
            elif style == "ties":
                x[row], x0[row] = np.sign(np.round(x[row])), np.sign(np.round(x0[row]))
            elif style == "moved":
                x0[row] = np.roll(x[row], 1, axis=0)
            elif style == "zeros":
                x0[row] = 0
            elif style == "close":
                x0[row] = x[row] + 1e-5 * x0[row]
            scale = min(10.0**power, case.case.largest)
            x[row], x0[row] = scale * x[row], scale * x0[row]
    return inputs, references


def check(
    case: Opened,
    samples: list[tuple[str, float]],
    seed: int,
    exact: bool,
    several: tuple[str, ...] = RULES,
) -> None:
    x, x0 = pair(case, samples, seed)
    network = case.exact if exact else case.network
    for rules in several:
        audit = network.audit(x, x0, target=case.unit(), target_layer=case.target, rules=rules)
        for row in audit.rows:
            small = abs(row.arrived - row.sent) < UNDERFLOW
            assert small or row.error < (FLOAT64 if exact else FLOAT32), f"{rules}\n{audit}"


@pytest.mark.parametrize("name", NETWORKS)
@EXAMPLES
@given(samples=SAMPLES, seed=SEEDS)
def test_a_network_keeps_the_sum(
    opened: Opening, name: str, samples: list[tuple[str, float]], seed: int
) -> None:
    check(opened(name), samples, seed, exact=False)


@pytest.mark.parametrize("name", first_of_each(LAYERS))
@EXAMPLES
@given(samples=SAMPLES, seed=SEEDS)
def test_every_layer_keeps_the_sum(
    opened: Opening, name: str, samples: list[tuple[str, float]], seed: int
) -> None:
    """In float32 a layer is a layer; its options are told apart in float64."""
    check(opened(name), samples, seed, exact=False, several=("rescale", "reveal_cancel"))


@pytest.mark.parametrize("name", first_of_each(first=(), again=pytest.mark.slow))
@EXAMPLES
@given(samples=SAMPLES, seed=SEEDS)
def test_every_layer_keeps_the_sum_in_float64(
    opened: Opening, name: str, samples: list[tuple[str, float]], seed: int
) -> None:
    """Of the rules, the one that keeps parts apart: the others are slow tests.

    So are the options of a layer beyond its first case.
    """
    check(opened(name), samples, seed, exact=True, several=("reveal_cancel",))


@pytest.mark.parametrize("name", first_of_each())
@EXAMPLES
@given(samples=SAMPLES, seed=SEEDS)
def test_every_layer_keeps_the_sum_in_float64_by_the_other_rules(
    opened: Opening, name: str, samples: list[tuple[str, float]], seed: int
) -> None:
    several = ("rescale", "genomics_default") if name in NETWORKS else ("rescale",)
    check(opened(name), samples, seed, exact=True, several=several)


def compiled(case: Opened, rules: str, exact: bool) -> None:
    network = case.exact if exact else case.network
    explainer = network.explainer(rules=rules, target=case.target, fused=False)
    x, x0 = pair(case, [(style, 0.0) for style in STYLES], 3)

    def run(samples: Any = slice(None)) -> de.Attribution:
        inputs, references = ([array[samples] for array in end] for end in (x, x0))
        references = references if len(x) > 1 else references[0]
        return explainer.run(inputs, target=case.unit(), references=references, strict=True)

    result, alone = run(), run([ALONE])
    tolerance = FLOAT64 if exact else FLOAT32
    assert np.max(result.relative_error) < tolerance
    layer = case.target
    ends = [network.activations(end, [layer])[layer] for end in (x, x0)]
    change = (ends[0] - ends[1])[(slice(None), *case.unit())]
    scores, its = (
        found.scores if isinstance(found.scores, dict) else {"": found.scores}
        for found in (result, alone)
    )
    largest = max(float(np.max(np.abs(values[ALONE]))) for values in scores.values())
    for name, values in scores.items():
        assert np.max(np.abs(its[name][0] - values[ALONE])) <= tolerance * largest
    sums = sum(values.reshape(len(x[0]), -1).sum(1) for values in scores.values())
    assert off(sums, change) < tolerance
    assert off(result.target_delta, change) < tolerance


@pytest.mark.filterwarnings("ignore::deeplift_engine.errors.DegenerateReferenceWarning")
@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize("name", NETWORKS)
def test_a_run_sums_up(opened: Opening, name: str, rules: str) -> None:
    compiled(opened(name), rules, exact=rules == "genomics_default")


@pytest.mark.filterwarnings("ignore::deeplift_engine.errors.DegenerateReferenceWarning")
@pytest.mark.parametrize("name", first_of_each())
def test_a_run_of_any_layer_sums_up(opened: Opening, name: str) -> None:
    compiled(opened(name), "reveal_cancel", exact=True)
