"""What every method keeps: options said, batches, targets, saving, no tracing, no growth."""

from __future__ import annotations

import functools
import gc
import inspect
import os
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers as L  # noqa: N812

import deeplift_engine as de
from deeplift_engine.errors import InputError, RuleError
from deeplift_engine.graph.graph import Graph
from tests.helpers import off, slow_among

UNITS = 3
RUNS = int(os.environ.get("DEEPLIFT_ENGINE_RUNS", "20"))
OPTIONS: dict[str, dict[str, Any]] = {
    "exact_shapley": {"groups": 3},
    "guided_integrated_gradients": {"steps": 8},
    "hsic": {"samples": 12},
    "kernel_shap": {"groups": "positions", "samples": 60},
    "lime": {"samples": 60},
    "partition_shap": {"groups": "positions"},
    "rise": {"samples": 60},
    "shapley_interactions": {"groups": 3},
    "shapley_sampling": {"samples": 4},
    "sobol": {"samples": 4},
    "concept_sensitivity": {"vector": np.arange(48.0).reshape(12, 4)},
    "neuron_conductance": {"layer": "hidden"},
    "pairwise_mutagenesis": {"positions": [2, 3, 8]},
    "xrai": {"of": "deeplift", "size": None, "scales": (5, 50), "min_size": 8, "least": 4},
    "lrp_epsilon_gamma_box": {"low": -1, "high": 2},
}
"""Options of methods that need some, or that take long as they are."""
FITTED = {"pattern_attribution", "pattern_net"}
"""Methods that need patterns, fitted from data."""
ON_IMAGES: set[str] = {"xrai"}
"""Methods of images alone; the others explain a one-hot sequence."""
DRAWN: set[str] = {"expected_gradients", "smoothgrad", "squaregrad", "vargrad"}
"""Methods that draw for each sample, and so for each noisy copy of it anew."""

pytestmark = [
    pytest.mark.filterwarnings("ignore::deeplift_engine.errors.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::deeplift_engine.errors.DegenerateReferenceWarning"),
]


@pytest.fixture(scope="module", autouse=True)
def few_kernels() -> Iterator[None]:
    yield
    gc.collect()


def sequences() -> keras.Model:
    x = source = keras.Input((12, 4), name="letters")
    x = L.Conv1D(5, 3, activation="relu", name="conv")(x)
    x = L.MaxPooling1D(2, name="pool")(x)
    x = L.Dense(6, activation="tanh", name="hidden")(L.Flatten()(x))
    return keras.Model(source, L.Dense(UNITS, activation="softmax")(x))


def images() -> keras.Model:
    x = source = keras.Input((16, 16, 3), name="pixels")
    x = L.Conv2D(4, 3, activation="relu", name="conv")(x)
    x = L.Flatten()(L.MaxPooling2D(2, name="pool")(x))
    return keras.Model(source, L.Dense(UNITS, activation="softmax")(x))


@pytest.fixture(scope="module")
def networks() -> dict[bool, de.Network]:
    keras.utils.set_random_seed(0)
    return {
        image: de.convert(make(), dtype="float64")
        for image, make in ((False, sequences), (True, images))
    }


def data(image: bool, samples: int) -> Any:
    generator = np.random.default_rng(0)
    if image:
        return generator.uniform(size=(samples, 16, 16, 3))
    return np.eye(4)[generator.integers(4, size=(samples, 12))]


def options_of(networks: dict[bool, de.Network], name: str) -> dict[str, Any]:
    options = dict(OPTIONS.get(name, {}))
    if name in FITTED:
        options["patterns"] = de.fit_patterns(networks[False], data(False, 30))
    return options


def create(networks: dict[bool, de.Network], name: str) -> Any:
    return networks[name in ON_IMAGES].explainer(name, **options_of(networks, name))


@pytest.fixture(scope="module")
def explainer(networks: dict[bool, de.Network]) -> Callable[[str], Any]:
    """Each method's explainer, made once for all tests here: tracing it takes longest."""
    return functools.cache(functools.partial(create, networks))


def parts(found: Any) -> list[Any]:
    return list(found.values()) if isinstance(found, dict) else [found]


def test_options_are_of_methods_that_are_there() -> None:
    assert {*OPTIONS, *FITTED, *ON_IMAGES, *DRAWN} <= set(de.methods())


@pytest.mark.parametrize("name", de.methods())
def test_what_is_said_of_it(name: str) -> None:
    method = de.methods()[name]
    assert method.name == name
    assert method.family in ("difference", "gradient", "relevance", "perturbation", "map")
    assert method.summary.endswith(".")
    assert method.source
    assert method.passes
    for option in method.options.values():
        assert option.text, f"{option.name} is not explained"
    assert inspect.getdoc(method.make)


@pytest.mark.parametrize("name", slow_among(de.methods()))
def test_batches_neighbours_and_order_change_nothing(
    explainer: Callable[[str], Any], name: str, tmp_path: Path
) -> None:
    x = data(name in ON_IMAGES, 5)
    made = explainer(name)
    run = made.run
    whole = run(x, target=1)
    assert all(np.isfinite(values).all() for values in parts(whole.scores))
    assert any(np.any(values != 0) for values in parts(whole.scores)) == (name != "zero")
    for batch_size in (1, 3):
        again = run(x, target=1, batch_size=batch_size)
        for ours, theirs in zip(parts(again.scores), parts(whole.scores), strict=True):
            assert off(ours, theirs) < 1e-9
    if not made.traits.depends_on_batch:
        some = [3, 0]
        alone = run(x[some], target=1)
        for ours, theirs in zip(parts(alone.scores), parts(whole.scores), strict=True):
            assert off(ours, theirs[some]) < 1e-9
    whole.save(tmp_path / "scores.h5")
    again = de.Attribution.load(tmp_path / "scores.h5")
    for ours, theirs in zip(parts(again.scores), parts(whole.scores), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert again.settings["method"] == name
    assert again.settings["samples"] == len(x)
    method = de.methods()[name]
    defaults = {option: described.default for option, described in method.options.items()}
    given = {**method.fixed, **defaults, **OPTIONS.get(name, {})}
    said = again.settings["options"]
    assert set(said) == set(given)
    for option, value in given.items():
        if value is None or isinstance(value, str | float):
            assert said[option] == value


@pytest.mark.parametrize("name", slow_among(de.methods()))
def test_standard_errors_are_given_or_refused(explainer: Callable[[str], Any], name: str) -> None:
    x, made = data(name in ON_IMAGES, 2), explainer(name)
    references = (
        {"references": de.references.shared(x[::-1])} if made.traits.uses_references else {}
    )
    if made.traits.has_reference_errors:
        assert made.run(x, target=1, standard_errors=True, **references).standard_errors is not None
        return
    with pytest.raises(InputError, match="gives no standard errors over references"):
        made.run(x, target=1, standard_errors=True, **references)


@pytest.mark.parametrize("name", slow_among(de.methods()))
def test_references_are_kept_apart_or_that_is_refused(
    explainer: Callable[[str], Any], name: str
) -> None:
    x, made = data(name in ON_IMAGES, 2), explainer(name)
    references = (
        {"references": de.references.shared(x[::-1])} if made.traits.uses_references else {}
    )
    if not made.traits.supports_per_reference:
        with pytest.raises(InputError, match=f"{name} takes all references together"):
            made.run(x, target=1, average=False, **references)
    elif made.traits.uses_references:
        whole, apart = (
            made.run(x, target=1, average=average, **references) for average in (True, False)
        )
        assert apart.axes == ("sample", "reference")
        for ours, theirs in zip(parts(apart.scores), parts(whole.scores), strict=True):
            assert ours.shape[:2] == (2, 2)
            if made.traits.attributes_of == "difference" and name != "lime":
                assert off(ours.mean(axis=1), theirs) < 1e-6


@pytest.mark.parametrize("name", slow_among(de.methods()))
def test_noisy_copies_without_noise_have_the_methods_scores(
    networks: dict[bool, de.Network], explainer: Callable[[str], Any], name: str
) -> None:
    """And say the same of themselves; what noise means nothing to is refused when it is made."""
    x, inner = data(name in ON_IMAGES, 2), explainer(name)
    network, options = networks[name in ON_IMAGES], options_of(networks, name)

    def noisy() -> Any:
        return network.explainer("smoothgrad", of=name, of_options=options, samples=1, noise=0.0)

    if inner.traits.depends_on_batch or not inner.traits.accepts_noise:
        with pytest.raises(RuleError, match="give another method as of="):
            noisy()
        return
    made = noisy()
    for trait in (
        "uses_references",
        "supports_per_reference",
        "attributes_of",
        "elementwise_scores",
        "default_references",
    ):
        assert getattr(made.traits, trait) == getattr(inner.traits, trait)
    found, expected = (each.run(x, target=[0, 1]) for each in (made, inner))
    assert found.settings["layers"] == expected.settings["layers"]
    assert found.settings["references"] == expected.settings["references"]
    if name not in DRAWN:
        for ours, theirs in zip(parts(found.scores), parts(expected.scores), strict=True):
            assert off(ours, theirs) < 1e-9


@pytest.mark.parametrize("name", ["deeplift", "occlusion", "gradient", "lrp_epsilon", "grad_cam"])
def test_a_result_says_what_it_was_compared_with(
    networks: dict[bool, de.Network], name: str
) -> None:
    explainer = networks[name in ON_IMAGES].explainer(name)
    found = explainer.run(data(name in ON_IMAGES, 2), target=0)
    compared = [found.settings[f"references{part}"] for part in ("", "_per_sample", "_averaged")]
    assert compared == (["zeros", 1, True] if explainer.traits.uses_references else [None] * 3)
    assert ("references zeros" in repr(found)) is explainer.traits.uses_references
    assert repr(explainer).startswith(f"<{name} of {explainer.origin.target} at ")


@pytest.mark.parametrize("name", slow_among(de.methods()))
def test_several_targets_are_each_alone(explainer: Callable[[str], Any], name: str) -> None:
    x = data(name in ON_IMAGES, 2)
    run = explainer(name).run
    whole = run(x, target="all")
    alone = [run(x, target=unit) for unit in range(UNITS)]
    for number, values in enumerate(parts(whole.scores)):
        assert values.shape[:2] == (UNITS, len(x))
        expected = np.stack([parts(result.scores)[number] for result in alone])
        assert off(values, expected) < 1e-9


@pytest.mark.parametrize("name", slow_among(de.methods()))
def test_nothing_is_traced_again(
    networks: dict[bool, de.Network], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other numbers of samples and other targets: the Python of the walks never runs again."""
    made = create(networks, name)  # no other test has traced it
    x = data(name in ON_IMAGES, 5)
    traced: list[str] = []
    for walk in ("forward", "backward"):
        right = getattr(Graph, walk)

        def counting(*given: Any, walk: str = walk, right: Any = right) -> Any:
            traced.append(walk)
            return right(*given)

        monkeypatch.setattr(Graph, walk, counting)
    made.run(x, target=0)
    traced.clear()
    for samples, target in ((1, 1), (4, "all"), (3, [0, 2]), (2, np.array([0, 1]))):
        made.run(x[: max(samples, 1 + made.traits.depends_on_batch)], target=target)
    assert traced == []


@pytest.mark.parametrize("name", slow_among(de.methods()))
def test_few_frames_lie_between_a_call_and_tensorflow(
    explainer: Callable[[str], Any], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nine of the package from `Explainer.run` to a compiled function, at most."""
    made, x = explainer(name), data(name in ON_IMAGES, 2)
    made.run(x, target=0)
    package, depths, right = str(Path(de.__file__).parent), [0], tf.constant

    def counting(*arguments: Any, **options: Any) -> Any:
        """As tf.constant, which turns each block into a tensor right before the call."""
        frames = (frame.f_code for frame, _ in traceback.walk_stack(None))
        ours = [code.co_qualname for code in frames if code.co_filename.startswith(package)]
        depths.append(ours.index("Explainer.run") + 1)
        return right(*arguments, **options)

    monkeypatch.setattr(tf, "constant", counting)
    made.run(x, target=0)
    assert max(depths) <= 9


@pytest.mark.slow
@pytest.mark.parametrize("name", de.methods())
def test_runs_without_end_take_no_more_memory(explainer: Callable[[str], Any], name: str) -> None:
    """Once warm. `DEEPLIFT_ENGINE_RUNS=1000` makes it a thousand runs of each method."""
    made = explainer(name)
    x = data(name in ON_IMAGES, 2)

    def repeat(count: int) -> float:
        for _ in range(count):
            made.run(x, target=0, progress=False)
        gc.collect()
        return _resident()

    before = repeat(max(10, RUNS // 4))
    grown = repeat(RUNS) - before
    assert grown < 4 << 20, f"{grown / 2**20:.1f} MiB in {RUNS} runs"


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096.0
