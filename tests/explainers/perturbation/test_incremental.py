"""Changes followed in spans are those of whole forward passes of the Keras model, one by one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import deeplift_engine as de
from benchmarks.architectures import DILATED, GENOMICS, build_keras, make_weights
from deeplift_engine.engine.forward import ForwardPass
from deeplift_engine.errors import InputError, RuleError
from deeplift_engine.explainers.perturbation.incremental.incremental_forward import (
    Incremental,
    grouped,
)
from deeplift_engine.explainers.perturbation.incremental.incremental_plan import Patches
from deeplift_engine.explainers.perturbation.incremental.leaving import Recompute
from deeplift_engine.layers.spans import Span
from tests.explainers.keras_nets import float64
from tests.helpers import off

L = keras.layers
LENGTH, UNITS, TOKENS = 40, 3, 9
ROUNDING = 1e-12  # of the largest change, in float64


def stacked(*layers: Any, shape: tuple[int, ...] = (LENGTH, 4)) -> keras.Model:
    return keras.Sequential([keras.Input(shape), *layers, L.Flatten(), L.Dense(UNITS)])


def residual() -> keras.Model:
    x = source = keras.Input((LENGTH, 4))
    x = L.Conv1D(6, 5, padding="same")(x)
    y = L.Conv1D(6, 3, padding="same", activation="relu")(x)
    x = L.Add()([x, y])
    gate = L.Conv1D(6, 3, padding="same", dilation_rate=2, activation="sigmoid")(x)
    x = L.Concatenate()([L.Multiply()([x, gate]), L.Subtract()([x, y]), L.Maximum()([x, gate])])
    x = L.LayerNormalization()(L.SpatialDropout1D(0.5)(x))
    return keras.Model(source, L.Dense(UNITS)(L.GlobalAveragePooling1D()(x)))


def gated_images() -> keras.Model:
    """Channels weighed by their means: a change goes two ways, one of them everywhere."""
    x = source = keras.Input((LENGTH, LENGTH, 2))
    x = L.Conv2D(4, 3, padding="same", activation="relu")(x)
    row = L.GlobalAveragePooling2D(keepdims=True)(x)
    x = L.Add()([L.Conv2D(4, 3, padding="same")(x), x])
    x = L.Multiply()([x, L.Dense(4, activation="sigmoid")(row)])
    return keras.Model(source, L.Dense(UNITS)(L.GlobalAveragePooling2D()(x)))


def strided_branches() -> keras.Model:
    x = source = keras.Input((LENGTH, 4))
    left = L.Conv1D(5, 5, strides=2, padding="same", activation="relu")(x)
    right = L.MaxPooling1D(2)(L.Conv1D(5, 2, padding="causal")(x))
    x = L.Minimum()([left, right])
    return keras.Model(source, L.Dense(UNITS)(L.GlobalMaxPooling1D()(x)))


def branch_without_change() -> keras.Model:
    source, other = keras.Input((LENGTH, 4)), keras.Input((LENGTH, 5))
    x, y = L.Conv1D(5, 3)(source), L.Conv1D(5, 3, activation="relu")(other)
    x = L.Concatenate()([L.Add()([x, y]), L.Multiply()([x, y]), L.Average()([y, x])])
    x = L.Flatten()(L.Conv1D(4, 3, activation="tanh")(x))
    return keras.Model([source, other], L.Dense(UNITS)(x))


def tokens() -> keras.Model:
    source = keras.Input((LENGTH,), dtype="int32")
    x = L.Conv1D(5, 5, activation="relu", padding="same")(L.Embedding(TOKENS, 4)(source))
    return keras.Model(source, L.Dense(UNITS)(L.GlobalMaxPooling1D()(x)))


CASES: dict[str, Callable[[], keras.Model]] = {
    "same": lambda: stacked(L.Conv1D(5, 7, padding="same", activation="relu")),
    "valid": lambda: stacked(L.Conv1D(5, 6, activation="silu"), L.GlobalAveragePooling1D()),
    "causal": lambda: stacked(L.Conv1D(5, 4, padding="causal", dilation_rate=2), L.ReLU()),
    "dilated": lambda: stacked(
        L.Conv1D(5, 5, padding="same", activation="relu"),
        L.Conv1D(5, 3, padding="same", dilation_rate=4, activation="relu"),
        L.GlobalAveragePooling1D(),
    ),
    "two kernels in a row": lambda: stacked(
        L.Conv1D(5, 3, padding="same"), L.Conv1D(5, 3, padding="same"), L.Activation("tanh")
    ),
    "groups": lambda: stacked(L.Conv1D(6, 3, groups=2, activation="relu")),
    "strides": lambda: stacked(
        L.Conv1D(5, 6, strides=2, padding="same", activation="relu"),
        L.Conv1D(6, 3, strides=3, activation="tanh"),
    ),
    "stride longer than the kernel": lambda: stacked(L.Conv1D(5, 2, strides=4, activation="elu")),
    "max pooling": lambda: stacked(L.Conv1D(5, 3), L.MaxPooling1D(3, 2, padding="same"), L.ELU()),
    "mean pooling": lambda: stacked(L.ReLU(), L.AveragePooling1D(4, 3, padding="same")),
    "pooling in windows that fit": lambda: stacked(L.MaxPooling1D(2), L.AveragePooling1D(3)),
    "mean over all but the end": lambda: stacked(
        L.Conv1D(5, 5, activation="relu"), L.AveragePooling1D(30)
    ),
    "largest": lambda: stacked(L.Conv1D(5, 5, activation="relu"), L.GlobalMaxPooling1D()),
    "batch norm": lambda: stacked(L.Conv1D(5, 5), L.BatchNormalization(), L.ReLU()),
    "separable": lambda: stacked(L.SeparableConv1D(5, 5, strides=2, activation="relu")),
    "depthwise": lambda: stacked(L.DepthwiseConv1D(5, depth_multiplier=2, padding="same")),
    "moved": lambda: stacked(
        L.ZeroPadding1D((2, 1)),
        L.Conv1D(4, 3, activation="exponential"),
        L.Cropping1D((1, 3)),
        L.UpSampling1D(2),
        L.Conv1D(3, 5, strides=2, activation="relu"),
    ),
    "reshaped": lambda: stacked(
        L.Reshape((LENGTH, 2, 2)), L.Conv2D(3, (4, 2), activation="relu"), L.Permute((2, 1, 3))
    ),
    "sequence of height 1": lambda: stacked(
        L.Conv2D(5, (1, 5), padding="same", activation="relu"),
        L.MaxPooling2D((1, 3), padding="same"),
        shape=(1, LENGTH, 4),
    ),
    "letters as rows": lambda: stacked(
        L.Conv2D(5, (4, 5), activation="relu"), L.AveragePooling2D((1, 3)), shape=(4, LENGTH, 1)
    ),
    "images": lambda: stacked(
        L.Conv2D(4, 3, padding="same", activation="relu"),
        L.MaxPooling2D(2),
        L.Conv2D(3, (3, 2), activation="tanh"),
        L.AveragePooling2D(3, 2, padding="same"),
        shape=(LENGTH, LENGTH, 2),
    ),
    "means of images": lambda: stacked(
        L.ZeroPadding2D(((1, 0), (2, 1))),
        L.DepthwiseConv2D(3, depth_multiplier=2),
        L.BatchNormalization(),
        L.ReLU(),
        L.GlobalAveragePooling2D(),
        shape=(LENGTH, LENGTH, 2),
    ),
    "largest of images": lambda: stacked(
        L.Conv2D(3, 3, dilation_rate=2, activation="relu"),
        L.GlobalMaxPooling2D(),
        shape=(LENGTH, LENGTH, 2),
    ),
    "gated images": gated_images,
    "dense at every position": lambda: stacked(
        L.Dense(6, activation="softmax"), L.Dense(5, activation="relu"), L.PReLU(shared_axes=[1])
    ),
    "weights of positions": lambda: stacked(L.Conv1D(3, 3), L.PReLU(), L.Conv1D(3, 2)),
    "attention": lambda: stacked(L.Conv1D(5, 3, activation="relu"), L.Softmax(axis=1)),
    "recurrent": lambda: stacked(L.Conv1D(5, 3, activation="relu"), L.MaxPooling1D(4), L.LSTM(4)),
    "time distributed": lambda: stacked(L.TimeDistributed(L.Dense(5, activation="relu"))),
    "residual": residual,
    "strided branches": strided_branches,
    "branch without change": branch_without_change,
    "tokens": tokens,
}


def filled(model: keras.Model, seed: int = 0) -> keras.Model:
    """Weights for which nothing is 0 or 1 by habit; positive where they are variances."""
    random = np.random.default_rng(seed)
    for weight in model.weights:
        values = 0.4 * random.standard_normal(weight.shape)
        weight.assign(np.abs(values) + 0.5 if "variance" in weight.path else values)
    return model


class Question:
    """Windows in samples of a model, and what the target does, by Keras on each by itself."""

    def __init__(
        self,
        model: keras.Model,
        width: int,
        seed: int = 0,
        windows: int = 24,
        length: int = LENGTH,
    ) -> None:
        random = np.random.default_rng(seed)
        self.model, self.width = model, width
        self.data = [self._draw(random, source, (3, *source.shape[1:])) for source in model.inputs]
        shape = self.data[0].shape[1:]
        self.axes = tuple(axis for axis, size in enumerate(shape) if size == length)
        self.samples = random.integers(0, 3, windows)
        # both ends, and windows that lie over them
        edges = np.array([-width + 1, 0, length - width, length - 1])
        self.starts = np.column_stack(
            [
                np.r_[np.roll(edges, number), random.integers(0, length, windows - 4)]
                for number, _ in enumerate(self.axes)
            ]
        )
        features = [width if axis in self.axes else size for axis, size in enumerate(shape)]
        self.patches = self._draw(random, model.inputs[0], (windows, *features))
        self.seeds = random.standard_normal((2, 3, UNITS))

    @staticmethod
    def _draw(random: np.random.Generator, source: Any, shape: tuple[int, ...]) -> Any:
        if source.dtype == "int32":
            return random.integers(0, TOKENS, shape).astype("int32")
        return random.standard_normal(shape)

    def expected(self) -> Any:
        rows = [array[self.samples] for array in self.data]
        fronts = [axis + 1 for axis in self.axes], list(range(1, 1 + len(self.axes)))
        lines, new = (np.moveaxis(each, *fronts) for each in (rows[0], self.patches))
        lengths = lines.shape[1 : 1 + len(self.axes)]
        for window, start in enumerate(self.starts):
            for step in np.ndindex(*[self.width] * len(self.axes)):
                at = start + step
                if (at >= 0).all() and (at < lengths).all():
                    lines[(window, *at)] = new[(window, *step)]
        before = self._called([array[self.samples] for array in self.data])
        self.largest = np.abs(before).max()
        changes = self._called(rows) - before
        return np.einsum("tmu,mu->tm", self.seeds[:, self.samples], changes)

    def _called(self, rows: list[Any]) -> Any:
        tensors = [tf.constant(array) for array in rows]
        return self.model(tensors if len(tensors) > 1 else tensors[0], training=False).numpy()

    def opened(self, way: str = "incremental", dtype: str = "float64", **options: Any) -> Any:
        network = de.convert(self.model, dtype=dtype)
        task = network.task("output")
        widths = (self.width,) * len(self.axes)
        patches = Patches(
            task.graph.inputs[0], self.axes, widths, 2.0 / LENGTH ** (len(widths) - 1)
        )
        values = ForwardPass(task)
        return Incremental(task.graph, task.target, values, patches, way=way, **options)

    def asked(self, opened: Any, chosen: Any = slice(None), **options: Any) -> Any:
        return opened(
            self.data,
            self.samples[chosen],
            self.starts[chosen],
            self.patches[chosen],
            self.seeds,
            **options,
        )


@pytest.mark.parametrize("width", [1, 4])
@pytest.mark.parametrize("name", CASES)
def test_changes_are_those_of_whole_forward_passes(name: str, width: int) -> None:
    with float64():
        question = Question(filled(CASES[name]()), width)
        expected = question.expected()
    opened = question.opened()
    assert not isinstance(opened.plan.steps[0].crossing, Recompute)
    found = question.asked(opened)
    assert np.abs(expected).max() > 0
    assert off(found, expected) < ROUNDING


CARRIED = set(CASES) - {
    "weights of positions",
    "attention",
    "recurrent",
    "letters as rows",
    "images",
}


@pytest.mark.parametrize("name", sorted(CARRIED))
def test_layers_that_can_be_crossed_are(name: str) -> None:
    """Up to a flattening, a pooling of all, or what is behind a branch that a change fills."""
    question = Question(filled(CASES[name]()), 1)
    for step in question.opened().plan.steps:
        if isinstance(step.crossing, Recompute):
            assert all(form in ("anywhere", None) for form in step.site.forms), step.site.node.name


CONVOLUTIONS = {1: L.Conv1D, 2: L.Conv2D}
POOLS = {
    "max": {1: L.MaxPooling1D, 2: L.MaxPooling2D},
    "mean": {1: L.AveragePooling1D, 2: L.AveragePooling2D},
}
HEADS = {
    1: [L.Flatten, L.GlobalAveragePooling1D, L.GlobalMaxPooling1D],
    2: [L.Flatten, L.GlobalAveragePooling2D, L.GlobalMaxPooling2D],
}
IMAGE = 12
"""Height and width of images."""


@st.composite
def architectures(
    draw: Callable[[Any], Any], axes: int = 1, length: int = LENGTH
) -> list[Callable[[], Any]]:
    """What makes some layers in a row, of sizes that fit."""
    made: list[Callable[[], Any]] = []
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["convolution", "max", "mean", "norm", "pad", "up"]))
        padding = draw(st.sampled_from(["valid", "same"]))
        stride = draw(st.integers(1, 3))
        if kind == "convolution":
            width, dilation = draw(st.integers(1, 5)), draw(st.integers(1, 3))
            reach = (width - 1) * dilation + 1
            if reach > length or (stride > 1 and dilation > 1):
                continue
            causal = axes == 1 and padding == "same" and draw(st.booleans())
            padding = "causal" if causal else padding
            made.append(
                partial(
                    CONVOLUTIONS[axes],
                    draw(st.integers(1, 4)),
                    width,
                    stride,
                    padding,
                    dilation_rate=dilation,
                    activation=draw(st.sampled_from(["relu", "tanh", "linear"])),
                )
            )
            length = -(-length // stride) if padding != "valid" else (length - reach) // stride + 1
        elif kind in POOLS:
            size = draw(st.integers(1, 4))
            if size > length:
                continue
            made.append(partial(POOLS[kind][axes], size, stride, padding))
            length = -(-length // stride) if padding == "same" else (length - size) // stride + 1
        elif kind == "norm":
            made.append(L.BatchNormalization)
        elif kind == "pad":
            before, after = draw(st.integers(0, 3)), draw(st.integers(0, 3))
            sides = (before, after)
            made.append(
                partial(L.ZeroPadding1D, sides)
                if axes == 1
                else partial(L.ZeroPadding2D, (sides, sides))
            )
            length += before + after
        elif length <= LENGTH:
            made.append(partial({1: L.UpSampling1D, 2: L.UpSampling2D}[axes], 2))
            length *= 2
    return [*made, draw(st.sampled_from(HEADS[axes]))]


def holds(made: list[Callable[[], Any]], width: int, seed: int, axes: int = 1) -> None:
    length = LENGTH if axes == 1 else IMAGE
    with float64():
        model = filled(stacked(*(make() for make in made), shape=(*[length] * axes, 4)), seed)
        question = Question(model, width, seed, windows=12, length=length)
        expected = question.expected()
    found = question.asked(question.opened())
    # where little changes, it is the values whose rounding the whole passes are left with
    assert (
        np.abs(found - expected).max()
        < 1e-13 * question.largest + ROUNDING * np.abs(expected).max()
    )


@settings(max_examples=6, deadline=None, derandomize=True)
@given(architectures(), st.integers(1, 6), st.integers(0, 100))
def test_any_layers_in_a_row(made: list[Callable[[], Any]], width: int, seed: int) -> None:
    holds(made, width, seed)


@settings(max_examples=4, deadline=None, derandomize=True)
@given(architectures(axes=2, length=IMAGE), st.integers(1, 4), st.integers(0, 100))
def test_any_layers_of_images(made: list[Callable[[], Any]], width: int, seed: int) -> None:
    holds(made, width, seed, axes=2)


@pytest.mark.thorough
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(architectures(), st.integers(1, 6), st.integers(0, 100))
def test_many_layers_in_a_row(made: list[Callable[[], Any]], width: int, seed: int) -> None:
    holds(made, width, seed)


@pytest.mark.thorough
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(architectures(axes=2, length=IMAGE), st.integers(1, 4), st.integers(0, 100))
def test_many_layers_of_images(made: list[Callable[[], Any]], width: int, seed: int) -> None:
    holds(made, width, seed, axes=2)


def test_blocks_order_and_neighbours_change_nothing() -> None:
    question = Question(filled(CASES["max pooling"]()), 2, windows=40)
    opened = question.opened()
    whole = question.asked(opened)
    for batch_size in (1, 5, 17):
        assert off(question.asked(opened, batch_size=batch_size), whole) < ROUNDING
    order = np.random.default_rng(1).permutation(40)
    assert off(question.asked(opened, order), whole[:, order]) < ROUNDING
    assert off(question.asked(opened, order[:3]), whole[:, order[:3]]) < ROUNDING


def test_few_samples_together_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    question = Question(filled(CASES["residual"]()), 1)
    whole = question.asked(question.opened())
    monkeypatch.setattr(
        "deeplift_engine.explainers.perturbation.incremental.incremental_forward.ACTIVATION_BYTES",
        1,
    )
    for way in ("incremental", "whole"):
        assert off(question.asked(question.opened(way)), whole) < ROUNDING


def test_kernels_of_xla_give_the_same() -> None:
    question = Question(filled(CASES["dilated"]()), 1)
    fused = question.asked(question.opened(fused=True))
    assert off(fused, question.asked(question.opened())) < ROUNDING


def test_float32_to_its_rounding() -> None:
    with float64():
        question = Question(filled(CASES["residual"]()), 1)
        expected = question.expected()
    for name in ("data", "patches", "seeds"):
        value = getattr(question, name)
        cast = [part.astype("float32") for part in value] if name == "data" else None
        setattr(question, name, cast or value.astype("float32"))
    found = question.asked(question.opened(dtype="float32"))
    assert found.dtype == np.float32
    assert off(found, expected) < 1e-5


def test_every_window_is_told() -> None:
    question = Question(filled(CASES["same"]()), 1)
    for way in ("incremental", "whole"):
        done: list[int] = []
        question.asked(question.opened(way), tick=done.append)
        assert sum(done) == len(question.starts)


# what is chosen


def plan_of(architecture: Any, width: int = 1) -> Any:
    network = de.convert(build_keras(architecture, make_weights(architecture, 0)))
    task = network.task()
    patches = Patches(task.graph.inputs[0], (0,), (width,), 3.0)
    return Incremental(task.graph, task.target, ForwardPass(task), patches).plan


@pytest.mark.parametrize("architecture", [DILATED, GENOMICS], ids=["dilated", "genomics"])
def test_it_is_chosen_where_little_changes(architecture: Any) -> None:
    assert plan_of(architecture) is not None


def test_whole_passes_are_chosen_where_most_changes() -> None:
    assert plan_of(GENOMICS, width=180) is None
    assert Question(stacked(L.Dense(4)), 30).opened("auto").plan is None


def test_frames_part_at_multiples_of_all_strides() -> None:
    plan = Question(CASES["strides"](), 1).opened().plan
    assert plan.box[0].step % 6 == 0


def test_a_free_axis_takes_whole_passes() -> None:
    x = source = keras.Input((None, 4))
    model = keras.Model(source, L.Dense(2)(L.GlobalMaxPooling1D()(L.Conv1D(3, 3)(x))))
    task = de.convert(model).task()
    patches = Patches(task.graph.inputs[0])
    assert Incremental(task.graph, task.target, ForwardPass(task), patches).plan is None
    with pytest.raises(RuleError, match="any length"):
        Incremental(task.graph, task.target, ForwardPass(task), patches, way="incremental")


def test_what_does_not_fit_is_refused() -> None:
    question = Question(CASES["same"](), 2)
    question.patches = question.patches[:, :1]
    with pytest.raises(InputError, match="hold"):
        question.asked(question.opened())


# spans


@settings(max_examples=300, deadline=None)
@given(
    st.tuples(*[st.integers(1, 4)] * 3),
    st.integers(0, 6),
    st.integers(1, 3),
    st.integers(-5, 5),
    st.integers(1, 6),
)
def test_a_span_goes_through_windows_to_what_reads_it(
    window: tuple[int, int, int], before: int, steps: int, start: int, width: int
) -> None:
    from deeplift_engine.layers.spans import Window

    size, dilation, stride = window
    taken = Window(size, dilation, stride, before)
    span = Span(0, stride * steps, start, width, 1000)
    found = span.through(taken, 1000)
    assert found is not None
    for frame in (0, 3):
        changed = set(range(frame * span.step + start, frame * span.step + span.stop))
        reads = {
            output: {output * stride - before + tap * dilation for tap in range(size)}
            for output in range(-40, 80)
        }
        hit = [output for output, inputs in reads.items() if inputs & changed]
        first = frame * found.step + found.start
        if hit:  # a stride may step over all of them
            assert first <= min(hit)
            assert first + found.width > max(hit)
            if dilation == 1:
                assert (first, first + found.width) == (min(hit), max(hit) + 1)
        read = span.read_by(taken, found)
        if found.width > 0:
            outputs = range(first, first + found.width)
            needed = set().union(*(reads[output] for output in outputs))
            assert frame * span.step + read.start == min(needed)
            assert frame * span.step + read.stop == max(needed) + 1


def test_windows_are_grouped_by_sample_and_frame() -> None:
    samples, starts = np.array([1, 0, 1, 1, 0, 1]), np.array([7, 0, 4, 5, 9, 6])
    found = grouped(samples, starts[:, np.newaxis], np.array([4]), rows=2)
    assert found.samples.tolist() == [0, 0, 1, 1]
    assert found.frames[:, 0].tolist() == [0, 2, 1, 1]
    assert sorted(found.slots[found.slots >= 0].tolist()) == list(range(6))
    for group, slots in enumerate(found.slots):
        for slot in slots[slots >= 0]:
            assert (samples[slot], starts[slot] // 4) == (
                found.samples[group],
                found.frames[group, 0],
            )


# methods


def test_windows_and_groups_of_images_are_those_of_whole_passes() -> None:
    """Windows over a part of the channels too, groups with holes, and elements of no group."""
    with float64():
        model = filled(
            stacked(
                L.Conv2D(4, 3, padding="same", activation="relu"),
                L.MaxPooling2D(2),
                L.Conv2D(3, 3, activation="tanh"),
                shape=(24, 20, 2),
            )
        )
    random = np.random.default_rng(0)
    x = random.standard_normal((2, 24, 20, 2))
    cells = np.arange(24)[:, np.newaxis, np.newaxis] // 5 * 4 + np.arange(20)[:, np.newaxis] // 6
    labels = np.where(random.random((24, 20, 2)) < 0.8, cells, -1)
    network = de.convert(model, dtype="float64")
    for method, options in (
        ("occlusion", {"window": (5, 4, 1), "stride": (3, 3, 1)}),
        ("occlusion", {"window": (5, 4, 2), "replacement": "sample", "stride": 2}),
        ("feature_ablation", {"groups": labels}),
    ):
        scores = {}
        for way in ("incremental", "whole"):
            explainer = network.explainer(method, target="output", **options)
            explainer.forwards.way = way
            references = de.references.shared(0.3 * x + 0.1)
            result = explainer.run(x, target=1, references=references, progress=False)
            scores[way] = result.scores
            assert any(explainer.forwards.plans) == (way == "incremental")
        assert off(scores["incremental"], scores["whole"]) < ROUNDING
