"""The 66 checks of DeepExplain's own test file, one by one: met here, met otherwise, or without
an object here. Names are those of its classes and functions.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import pytest

from deeplift_engine.compat.deepexplain import DeepExplain

L = keras.layers
pytestmark = [
    pytest.mark.filterwarnings("ignore::deeplift_engine.errors.DegenerateReferenceWarning"),
    pytest.mark.filterwarnings("ignore::deeplift_engine.errors.ConvergenceWarning"),
]
X = np.array([[-10.0, -5.0], [3.0, 1.0]])
PAIRS = [np.array([[-10.0, -5.0]]), np.array([[3.0, 1.0]])]
UNEVEN = [np.array([[-10.0, -5.0]]), np.array([[3.0]])]
SMALL = np.array([[2.0, -2.0], [4.0, 2.0]])
ELSEWHERE = {
    "General.test_simpler_model": "test_compat_deepexplain",
    "General.test_mismatch_input_lens": "below",
    "General.test_explain_not_in_context": "test_compat_deepexplain",
    "General.test_invalid_method": "test_compat_deepexplain",
    "General.test_T_is_tensor": "below",
    "General.test_X_is_tensor": "below",
    "General.test_all_in_X_are_tensor": "below",
    "General.test_use_of_target_weights": "below",
    "General.test_use_of_target_weights_batch": "below",
    "General.test_wrong_weight_len": "below",
    "EpsilonLRP.test_elrp_zero_epsilon": "test_compat_deepexplain",
}
"""Met by other tests."""
WITHOUT_OBJECT = {
    "General.test_tf_available": "TensorFlow 1",
    "General.test_simple_model": "numbers of a network alone",
    "General.test_training": "numbers of a network alone",
    "General.test_context": "gradients overridden in TensorFlow 1's graph",
    "General.test_supported_activations": "numbers of TensorFlow alone",
    "General.test_original_grad": "gradients overridden in TensorFlow 1's graph",
    "General.test_override_as_default": "gradients overridden in TensorFlow 1's graph",
    "General.test_explainer_api_memory": "operations added to TensorFlow 1's graph",
    "General.test_X_has_compatible_batch_dim": "inputs of a fixed number of samples",
    "General.test_T_has_compatible_batch_dim": "inputs of a fixed number of samples",
    "Dummy.test_gradient_restored": "gradients overridden in TensorFlow 1's graph",
}
OTHERWISE = {
    "General.test_warning_unsupported_activations": "relu6 is exact: there is nothing to warn of",
    "Occlusion.test_nan_warning": "refused: some elements are under no window, NaN there",
    "Occlusion.test_multiple_inputs_error": "several inputs are occluded, one after the other",
    "ShapleySampling.test_multiple_inputs_error": "several inputs have Shapley values",
    "ShapleySampling.test_shapley_sampling_dims": "scores have the input's shape: shares of theirs",
}
"""What is done here in place of what is checked there; see the last test."""


@dataclass(frozen=True)
class Row:
    """Checks that expect one array: names, network, method, options, inputs, scores, decimals."""

    names: tuple[str, ...]
    network: str
    method: str
    expected: Any
    options: dict[str, Any] = field(default_factory=dict)
    xs: Any = field(default_factory=lambda: X)
    decimals: int = 5
    repeats: int = 1
    batch_size: int | None = None


def named(group: str, *tests: str) -> tuple[str, ...]:
    return tuple(f"{group}.test_{test}" for test in tests)


RELU, ONE_STEP = [[0, 0], [3, -1]], {"baseline": np.array([1.0, 0.0])}
BATCHES = {"repeats": 25, "batch_size": 32}
ROWS = [
    Row(named("Dummy", "dummy_zero"), "sigmoid", "zero", [[0, 0]], xs=np.array([[10.0, -10.0]])),
    Row(
        named("General", "multiple_inputs"),
        "sum",
        "grad*input",
        ([[20]], [[30]]),
        xs=[[[2]], [[3]]],
    ),
    Row(named("Saliency", "saliency_method"), "relus", "saliency", [[0, 0], [1, 1]]),
    Row(
        named("Saliency", "multiple_inputs", "multiple_inputs_explainer_api"),
        "pairs",
        "saliency",
        ([[0, 0]], [[2, 2]]),
        xs=PAIRS,
    ),
    Row(
        named("GradInput", "saliency_method", "saliency_method_explainer_api"),
        "relus",
        "grad*input",
        RELU,
    ),
    Row(
        named("GradInput", "multiple_inputs"), "pairs", "grad*input", ([[0, 0]], [[6, 2]]), xs=PAIRS
    ),
    Row(named("IntGrad", "int_grad"), "relus", "intgrad", [[0, 0], [1.5, -0.5]], decimals=1),
    Row(
        named("IntGrad", "int_grad_higher_precision"),
        "relus",
        "intgrad",
        [[0, 0], [1.5, -0.5]],
        {"steps": 500},
        decimals=2,
    ),
    Row(
        named(
            "IntGrad",
            "int_grad_baseline",
            "int_grad_baseline_explainer_api",
            "int_grad_baseline_2",
        ),
        "relus",
        "intgrad",
        [[1, 0], [2, 0]],
        ONE_STEP,
        xs=np.array([[2.0, 0.0], [3.0, 0.0]]),
    ),
    Row(named("EpsilonLRP", "elrp_method"), "relus", "elrp", RELU, decimals=3),
    Row(
        named("EpsilonLRP", "elrp_epsilon", "elrp_epsilon_explainer_api"),
        "relus",
        "elrp",
        RELU,
        {"epsilon": 1e-9},
    ),
    Row(
        named("DeepLIFT", "deeplift", "deeplift_batches", "deeplift_batches_explainer_api"),
        "relus",
        "deeplift",
        [[0, 0], [2, -1]],
        **BATCHES,
    ),
    Row(
        named("DeepLIFT", "deeplift_baseline"),
        "relus",
        "deeplift",
        [[0, 0]],
        {"baseline": X[1]},
        xs=X[1:],
        decimals=5,
    ),
    Row(
        named("Occlusion", "occlusion", "occlusion_explainer_api", "occlusion_batches"),
        "relus",
        "occlusion",
        [[0, 0], [1, -1]],
        **BATCHES,
    ),
    Row(
        named("Occlusion", "window_shape"),
        "relus",
        "occlusion",
        [[0, 0], [0.5, 0.5]],
        {"window_shape": (2,)},
    ),
    Row(
        named(
            "ShapleySampling",
            "shapley_sampling",
            "shapley_sampling_batches",
            "shapley_sampling_batches_explainer_api",
        ),
        "minimum",
        "shapley_sampling",
        [[0, -2], [1, 1]],
        {"samples": 300},
        xs=SMALL,
        decimals=1,
        repeats=20,
        batch_size=5,
    ),
    *(
        Row(
            named(group, *tests),
            network,
            method,
            ([[0, 0]], expected),
            options,
            xs=xs,
            repeats=50 if "batches" in tests[-1] else 1,
            batch_size=32 if tests[-1].endswith("batches") else None,
        )
        for group, method, options in (
            ("IntGrad", "intgrad", {}),
            ("EpsilonLRP", "elrp", {"epsilon": 1e-9}),
            ("DeepLIFT", "deeplift", {}),
        )
        for network, tests, expected, xs in (
            ("pairs", ("multiple_inputs",), [[6, 2]], PAIRS),
            ("uneven", ("multiple_inputs_different_sizes",), [[6]], UNEVEN),
            ("uneven", ("multiple_inputs_different_sizes_batches",), [[6]], UNEVEN),
            ("uneven", ("multiple_inputs_different_sizes_batches_disable",), [[6]], UNEVEN),
        )
        if (len(xs[1][0]) == 2 or method != "elrp")
        and ("batches" not in tests[-1] or method == "deeplift")
    ),
]
EQUAL = {
    "IntGrad.test_intgrad_targeting_equivalence": ("intgrad", {}),
    "EpsilonLRP.test_elrp_targeting_equivalence": ("elrp", {}),
    "DeepLIFT.test_deeplift_targeting_equivalence": ("deeplift", {}),
    "Occlusion.test_occlusion_targeting_equivalence": ("occlusion", {}),
    "ShapleySampling.test_shapley_targeting_equivalence": ("shapley_sampling", {"samples": 10}),
}
"""Weights ``ys`` are as good as a target that is multiplied."""


def test_all_66_are_told_of() -> None:
    names = [name for row in ROWS for name in row.names]
    every = [*names, *EQUAL, *ELSEWHERE, *WITHOUT_OBJECT, *OTHERWISE]
    assert len(every) == len(set(every)) == 66


@functools.cache
def model(name: str) -> Any:
    """A network of DeepExplain's tests: its output and its inputs."""
    sizes = {"pairs": (2, 2), "uneven": (2, 1), "sum": (1, 1)}.get(name, (2,))
    sources = [keras.Input((size,)) for size in sizes]
    if len(sources) == 2:
        factors = (10.0, 10.0) if name == "sum" else (3.0, 2.0)
        x = [L.Rescaling(factor)(own) for factor, own in zip(factors, sources, strict=True)]
        made = keras.Model(sources, L.Add()(x) if name == "sum" else L.ReLU()(L.Concatenate()(x)))
        return made.outputs[0], made.inputs
    if name == "minimum":
        parts = [L.Dense(1, use_bias=False)(sources[0]) for _ in range(2)]
        made = keras.Model(sources, L.Minimum()(parts))
        made.set_weights([np.eye(2)[:, [column]] for column in range(2)])
        return made.outputs[0], made.inputs[0]
    first = L.Dense(2, activation="relu" if name == "relus" else name)
    made = keras.Model(sources, L.Dense(1 if name == "relus" else 2)(first(sources[0])))
    if name == "relus":
        made = keras.Model(sources, L.ReLU()(made.outputs[0]))
        made.set_weights([np.eye(2), np.array([-1.0, 0]), np.array([[1.0], [-1]]), np.zeros(1)])
    else:
        kernels = np.array([[1.0, -1], [-1, 1]]), np.array([[1.1, 1.4], [-0.5, 1]])
        made.set_weights([kernels[0], np.array([1.5, -1]), kernels[1], np.array([0.0, 2])])
    return made.outputs[0], made.inputs[0]


def repeated(values: Any, times: int) -> Any:
    if isinstance(values, list | tuple) and isinstance(values[0], np.ndarray):
        return [np.repeat(each, times, axis=0) for each in values]
    return np.repeat(np.asarray(values, float), times, axis=0)


@pytest.mark.thorough
def test_expected_scores_are_met() -> None:
    with DeepExplain() as context:
        for row in ROWS:
            xs = [np.array(x, float) for x in row.xs] if isinstance(row.xs, list) else row.xs
            scores = context.explain(
                row.method,
                *model(row.network),
                repeated(xs, row.repeats),
                batch_size=row.batch_size,
                **row.options,
            )
            several = isinstance(row.expected, tuple)
            for ours, theirs in zip(
                scores if several else [scores],
                row.expected if several else [row.expected],
                strict=True,
            ):
                np.testing.assert_almost_equal(
                    ours, repeated(theirs, row.repeats), row.decimals, err_msg=str(row.names)
                )


@pytest.mark.thorough
def test_weights_are_as_good_as_a_target_that_is_multiplied() -> None:
    output, source = model("relu")
    x = np.array([[5.0, 3.0]])
    chosen = [L.Rescaling(list(map(float, unit)), name=f"only{unit}") for unit in ((1, 0), (0, 1))]
    targets = [keras.Model(source, each(output)).outputs[0] for each in chosen]
    with DeepExplain() as context:
        for name, (method, options) in EQUAL.items():
            explainer = context.get_explainer(method, output, source, **options)
            for unit, target in enumerate(targets):
                multiplied = context.explain(method, target, source, x, **options)
                weighted = explainer.run(x, ys=np.eye(2)[[unit]])
                np.testing.assert_allclose(weighted, multiplied, atol=1e-5, err_msg=name)


@pytest.mark.slow
def test_weights_of_units_add_up_and_errors_are_told() -> None:
    output, source = model("linear")
    x, units = np.array([[1.0, 0.0]]).repeat(20, 0), np.eye(2)[:, np.newaxis].repeat(20, 1)
    with DeepExplain() as context:
        explainer = context.get_explainer("saliency", output, source)
        each = [explainer.run(x, ys=ys, batch_size=5) for ys in (*units, 0 * units[0])]
        assert not each[2].any()
        with pytest.raises(Exception, match="expected that of the target"):
            explainer.run(x, ys=units[0][:1], batch_size=5)
        for target, inputs in (([output], source), (output, np.eye(2)), (output, [source, X])):
            with pytest.raises(Exception, match="no symbolic tensors"):
                context.get_explainer("grad*input", target, inputs)
        with pytest.raises(Exception, match="3 given, the network has 2 inputs"):
            context.explain("grad*input", *model("sum"), [[[1]], [[2]], [[3]]])


@pytest.mark.slow
def test_what_is_done_otherwise() -> None:
    with DeepExplain() as context:
        source = keras.Input((3,))
        clipped = keras.Model(source, L.ReLU(max_value=6.0)(source))
        scores = context.explain("elrp", clipped.outputs[0], source, np.array([[-1.0, 0, 1]]))
        np.testing.assert_allclose(scores, [[0, 0, 1]], atol=1e-3)
        with pytest.raises(Exception, match="under no window"):
            context.explain("occlusion", *model("relus"), X, step=2)
        for method in ("occlusion", "shapley_sampling"):
            scores = context.explain(method, *model("pairs"), PAIRS)
            np.testing.assert_allclose(np.concatenate(scores), [[0, 0], [6, 2]], atol=1e-5)
        square = keras.Input((2, 2))
        flat = L.Flatten()(square)
        parts = [L.Dense(1, use_bias=False)(flat) for _ in range(4)]
        least = keras.Model(square, L.Minimum()(parts))
        least.set_weights([np.eye(4)[:, [column]] for column in range(4)])
        x = np.array([[[-1.0, 4], [-2, 1]]])
        scores = context.explain(
            "shapley_sampling", least.outputs[0], square, x, samples=300, sampling_dims=[1]
        )
        np.testing.assert_almost_equal(scores.sum(axis=-1), [[-0.5, -1.5]], 1)
