"""Heads by the names that the field's programs save, tasks by name, Lambdas of files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812

import deeplift_engine as de
from deeplift_engine.cli import main
from deeplift_engine.errors import InputError, TargetError
from deeplift_engine.graph.known_heads import known_heads
from deeplift_engine.util.typing import Array
from tests.helpers import off

LENGTH = 30


def profile_model(names: tuple[str, str], flat: bool = True, prefix: str = "") -> keras.Model:
    source = L.Input((LENGTH, 4), name="sequence")
    x = L.Conv1D(5, 5, activation="relu", name=f"{prefix}conv")(source)
    profile = L.Conv1D(1 if flat else 2, 7, name=f"{prefix}precrop")(x)
    profile = L.Flatten(name=names[0])(profile) if flat else L.Cropping1D(1, name=names[0])(profile)
    counts = L.Dense(1, name=names[1])(L.GlobalAveragePooling1D(name=f"{prefix}gap")(x))
    return keras.Model(source, [profile, counts], name=f"{prefix}model")


def deepstarr() -> keras.Model:
    source = L.Input((LENGTH, 4), name="sequence")
    x = L.Flatten()(L.Conv1D(5, 5, activation="relu")(source))
    return keras.Model(source, [L.Dense(1, name="Dense_Dev")(x), L.Dense(1, name="Dense_Hk")(x)])


def with_bias() -> keras.Model:
    """The layers of chrombpnet_with_bias_model.py that are not convolutions."""
    source = L.Input((LENGTH, 4), name="sequence")
    own = profile_model(
        ("wo_bias_bpnet_logits_profile_predictions", "wo_bias_bpnet_logcount_predictions"),
        prefix="wo_bias_bpnet_",
    )(source)
    bias = profile_model(("logits_profile_predictions", "logcount_predictions"))(source)
    profile = L.Add(name="logits_profile_predictions")([own[0], bias[0]])
    counts = L.Lambda(
        lambda x: keras.ops.logsumexp(x, axis=-1, keepdims=True), name="logcount_predictions"
    )(L.Concatenate(axis=-1)([own[1], bias[1]]))
    return keras.Model(source, [profile, counts])


MODELS: dict[str, tuple[Any, str, dict[str, str]]] = {
    "bias model": (
        lambda: profile_model(("logits_profile_predictions", "logcount_predictions")),
        "chrombpnet",
        {"counts": "logcount_predictions", "profile": "logits_profile_predictions"},
    ),
    "without bias": (
        lambda: profile_model(
            ("wo_bias_bpnet_logits_profile_predictions", "wo_bias_bpnet_logcount_predictions")
        ),
        "chrombpnet",
        {
            "counts": "wo_bias_bpnet_logcount_predictions",
            "profile": "wo_bias_bpnet_logits_profile_predictions",
        },
    ),
    "basepairmodels": (
        lambda: profile_model(("profile_predictions", "logcounts_predictions"), flat=False),
        "basepairmodels",
        {"counts": "logcounts_predictions", "profile": "profile_predictions"},
    ),
    "basepairmodels, older": (
        lambda: profile_model(("profile_predictions", "logcount_predictions"), flat=False),
        "basepairmodels",
        {"counts": "logcount_predictions", "profile": "profile_predictions"},
    ),
    "DeepSTARR": (deepstarr, "DeepSTARR", {"Dev": "Dense_Dev", "Hk": "Dense_Hk"}),
}


def x(samples: int = 3) -> Array:
    return np.eye(4, dtype="float32")[np.random.default_rng(0).integers(4, size=(samples, LENGTH))]


@pytest.mark.parametrize("name", MODELS)
def test_heads_are_known_by_their_names(name: str) -> None:
    build, program, outputs = MODELS[name]
    net = de.convert(build())
    assert net.known_heads is not None
    assert (net.known_heads.program, dict(net.known_heads.outputs)) == (program, outputs)
    result = net.explainer("gradient").run(x())
    assert list(result.heads) == list(outputs)
    for head, output in outputs.items():
        units = f":{head}" if head in ("counts", "profile") else ""
        own = net.explainer("gradient", target=f"{output}{units}").run(x())
        np.testing.assert_array_equal(result.heads[head].scores, own.scores)
        alone = net.explainer("gradient", target=head).run(x())
        np.testing.assert_array_equal(alone.scores, own.scores)
        assert result.settings["target_layer"][head] == own.settings["target_layer"]


def test_targets_of_heads_need_no_layer_where_these_are_known() -> None:
    net = de.convert(MODELS["bias model"][0]())
    heads = {"counts": de.targets.counts(), "profile": de.targets.profile("pair")}
    result = net.explainer("deeplift", target=heads).run(x(), references=0.25)
    assert result.settings["target_layer"] == dict(net.known_heads.outputs)
    own = net.explainer("deeplift", target="profile:pair").run(x(), references=0.25)
    assert off(result.heads["profile"].scores, own.scores) < 1e-6
    assert result.settings["target"]["profile"] == "profile(weights='pair')"


def test_bpnet_has_heads_for_each_task() -> None:
    names = [f"{task}/{head}" for task in ("Oct4", "Sox2") for head in ("profile", "counts")]
    heads = known_heads(dict.fromkeys(names, ""))
    assert heads is not None
    assert heads.targets == {
        "Oct4.counts": "Oct4/counts:counts",
        "Sox2.counts": "Sox2/counts:counts",
        "Oct4.profile": "Oct4/profile:profile",
        "Sox2.profile": "Sox2/profile:profile",
    }
    assert known_heads(dict.fromkeys([*names, "other"], "")) is None
    assert known_heads(dict.fromkeys(names[:1], "")) is None


def test_other_models_are_as_before() -> None:
    source = L.Input((LENGTH, 4))
    flat = L.Flatten()(source)
    net = de.convert(keras.Model(source, [L.Dense(2, name="a")(flat), L.Dense(1, name="b")(flat)]))
    assert net.known_heads is None
    with pytest.raises(TargetError, match="several outputs"):
        net.explainer("gradient")
    with pytest.raises(TargetError, match="several outputs"):
        net.explainer("gradient", target="profile").run(x())


def test_the_command_line_finds_heads_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = MODELS["bias model"][0]()
    model.save(tmp_path / "model.h5")
    np.save(tmp_path / "x.npy", x())
    common = ["score", str(tmp_path / "model.h5"), str(tmp_path / "x.npy"), "-q"]
    for name, more in (("all", []), ("two", ["--target", "counts", "--target", "profile"])):
        assert main([*common, "-o", str(tmp_path / f"{name}.npz"), *more]) == 0
        printed = capsys.readouterr()
        said = "heads by the names that chrombpnet saves" in printed.err
        assert said is (name == "all")
    both = [de.Attribution.load(tmp_path / f"{name}.npz") for name in ("all", "two")]
    assert list(both[0].heads) == list(both[1].heads) == ["counts", "profile"]
    np.testing.assert_array_equal(both[0].scores, both[1].scores)


def test_tasks_are_heads_of_their_names(tmp_path: Path) -> None:
    source = L.Input((LENGTH, 4))
    model = keras.Model(source, L.Dense(4, activation="sigmoid")(L.Flatten()(source)))
    model.save(tmp_path / "model.h5")
    np.save(tmp_path / "x.npy", x())
    names = ["GM12878", "K562", "HepG2", "A549"]
    (tmp_path / "tasks.txt").write_text("\n".join(names) + "\n")
    net = de.load(tmp_path / "model.h5")
    expected = net.explainer("gradient").run(x(), target="all").scores
    result = net.explainer("gradient", target=de.targets.tasks(names)).run(x())
    assert list(result.heads) == names
    for number, name in enumerate(names):
        np.testing.assert_allclose(result.heads[name].scores, expected[number], atol=1e-7)
    command = ["score", str(tmp_path / "model.h5"), str(tmp_path / "x.npy"), "-q", "--tasks"]
    command += [str(tmp_path / "tasks.txt"), "-o", str(tmp_path / "one.npz"), "--method=gradient"]
    assert main([*command, "--target", "HepG2"]) == 0
    one = de.Attribution.load(tmp_path / "one.npz")
    assert list(one.heads) == ["HepG2"]
    np.testing.assert_allclose(one.heads["HepG2"].scores, expected[2], atol=1e-7)


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("a\nb\n", InputError, "2 names of tasks"),
        ("a\nb\na\n", InputError, "line 3: the task 'a', after line 1"),
        ("a\n\nb\n", InputError, "line 2"),
        ("a\nb\nc\n", TargetError, "'K562' is no task"),
    ],
)
def test_files_of_tasks_that_are_wrong(
    tmp_path: Path, text: str, error: type[Exception], says: str
) -> None:
    (tmp_path / "tasks.txt").write_text(text)
    with pytest.raises(error) as caught:
        de.targets.tasks(tmp_path / "tasks.txt", "K562", units=3)
    assert says in str(caught.value)


def test_the_lambda_of_chrombpnet_is_exact(tmp_path: Path) -> None:
    model = with_bias()
    model.save(tmp_path / "chrombpnet.h5")
    net = de.load(tmp_path / "chrombpnet.h5", functions="chrombpnet", dtype="float64")
    assert net.coverage().supported
    assert "approximate" not in str(net.coverage())
    predicted = net.predict(x())
    for found, expected in zip(predicted.values(), model.predict(x(), verbose=0), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    references = np.full((1, LENGTH, 4), 0.25)
    result = net.explainer("deeplift").run(x(), references=references)
    counts = net.predict(x())["logcount_predictions"][:, 0]
    change = counts - net.predict(references)["logcount_predictions"][0, 0]
    np.testing.assert_allclose(
        result.heads["counts"].scores.sum((1, 2)), change, rtol=0, atol=1e-10
    )


def test_a_set_of_functions_leaves_other_layers_alone(tmp_path: Path) -> None:
    MODELS["bias model"][0]().save(tmp_path / "bias.h5")
    plain, named = (
        de.load(tmp_path / "bias.h5", functions=functions) for functions in (None, "chrombpnet")
    )
    for one, other in zip(plain.output_arrays(x()), named.output_arrays(x()), strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(InputError, match="chrombpnet"):
        de.load(tmp_path / "bias.h5", functions="chrombpnett")
