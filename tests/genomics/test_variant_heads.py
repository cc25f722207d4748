"""What outputs mean: kinds by name and shape, both strands, other inputs and other axes."""

from __future__ import annotations

import functools

import keras
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.errors import InputError
from deeplift_engine.genomics import VariantScorer
from deeplift_engine.genomics.variants.variant import Record, Variant, split
from deeplift_engine.genomics.variants.variant_heads import outputs_of
from tests.genomics.variant_files import (
    LENGTH,
    at,
    encoded,
    genome,
    model,
    network,
    other,
    reverse_complement,
    surgery,
)
from tests.helpers import off

L = keras.layers
TOLERANCE = 1e-5
"""float32 on both sides, as a share of the largest value."""


@functools.cache
def stranded() -> keras.Model:
    """A model of two strands with controls, as BPNet's, and outputs of every other kind."""
    keras.utils.set_random_seed(5)
    sequence = keras.Input((LENGTH, 4), name="sequence")
    control = keras.Input((LENGTH, 2), name="control")
    x = L.Conv1D(8, 5, activation="relu", padding="same")(sequence)
    x = L.Concatenate()([x, control])
    pooled = L.GlobalAveragePooling1D()(x)
    outputs = {
        "profile": L.Conv1D(2, 3, padding="same")(x),
        "logcounts": L.Dense(2)(pooled),
        "counts": L.Dense(1, activation="softplus")(pooled),
        "splice": L.Dense(3, activation="softmax")(x),
        "activity": L.Dense(2)(pooled),
    }
    return keras.Model({"sequence": sequence, "control": control}, outputs)


@functools.cache
def stranded_network() -> de.Network:
    return de.convert(stranded())


def variants() -> list[Variant]:
    rows = [(100, at("chr1", 100), other(at("chr1", 100))), (140, at("chr1", 140, 4), "")]
    records = [
        Record("f", number, number, "chr1", position, ".", ref, (alt,), "")
        for number, (position, ref, alt) in enumerate(rows)
    ]
    found = [each for record in records for each in split(record, genome(), LENGTH)]
    assert [each.reason for each in found] == [None, None]
    return found


def windows() -> list[list[str]]:
    pairs = [surgery("chr1", each.record.position, each.ref, each.alt) for each in variants()]
    return [[pair[allele] for pair in pairs] for allele in (0, 1)]


def test_kinds_are_by_name_and_shape() -> None:
    outputs = outputs_of(stranded_network())
    assert {each.name: (each.kind, each.strands) for each in outputs} == {
        "profile": ("profile", True),
        "logcounts": ("log_counts", True),
        "counts": ("counts", False),
        "splice": ("track", False),
        "activity": ("value", False),
    }
    assert [each.kind for each in outputs_of(network())] == ["profile", "log_counts"]
    chosen = outputs_of(stranded_network(), {"splice": "probabilities", "counts": "value"})
    assert {each.name: each.kind for each in chosen}["splice"] == "probabilities"


@pytest.mark.parametrize(
    ("kinds", "message"),
    [
        ({"logcount": "counts"}, "no output 'logcount'. Near it: logcounts"),
        ({"counts": "reads"}, "'reads' of 'counts' is none of counts, log_counts"),
        ({"counts": "profile"}, "'counts' of shape (1,) has no positions"),
    ],
)
def test_kinds_that_are_none_are_refused(kinds: dict[str, str], message: str) -> None:
    with pytest.raises(InputError) as error:
        outputs_of(stranded_network(), kinds)
    assert message in str(error.value)


def predictions(texts: list[str]) -> dict[str, np.ndarray]:
    """The means over both strands, by Keras: positions reversed, strands exchanged."""
    controls = np.full((len(texts), LENGTH, 2), 0.5, "float32")
    forward, back = (
        stranded().predict({"sequence": encoded(each), "control": controls}, verbose=0)
        for each in (texts, list(map(reverse_complement, texts)))
    )
    for arrays in (forward, back):
        arrays["logcounts"] = np.exp(arrays["logcounts"].astype(float))
    back["profile"] = back["profile"][:, ::-1, ::-1]
    back["logcounts"] = back["logcounts"][:, ::-1]
    back["splice"] = back["splice"][:, ::-1]
    return {name: (forward[name].astype(float) + back[name]) / 2 for name in forward}


def test_effects_of_every_kind_on_both_strands() -> None:
    jensenshannon = pytest.importorskip("scipy.spatial.distance").jensenshannon
    scorer = VariantScorer(stranded_network(), genome(), fixed={"control": 0.5})
    values = scorer.effects(variants())
    assert list(values) == list(scorer.columns)
    ref, alt = map(predictions, windows())
    for strand in (0, 1):
        logfc = np.log2(alt["logcounts"][:, strand] / ref["logcounts"][:, strand])
        assert off(values[f"logcounts.{strand}.logfc"], logfc) < TOLERANCE
        one, two = (
            np.exp(each["profile"][0, :, strand]) / np.exp(each["profile"][0, :, strand]).sum()
            for each in (ref, alt)
        )
        expected = jensenshannon(one, two, base=2)
        assert values[f"profile.{strand}.jsd"][0] == pytest.approx(expected, rel=1e-3)
        change = alt["activity"][:, strand] - ref["activity"][:, strand]
        assert off(values[f"activity.{strand}.difference"], change) < 10 * TOLERANCE
    logfc = np.log2(alt["counts"][:, 0] / ref["counts"][:, 0])
    assert off(values["counts.logfc"], logfc) < 10 * TOLERANCE
    for channel in range(3):
        change = alt["splice"][0, :, channel] - ref["splice"][0, :, channel]
        # of a deletion of four letters: what is behind it moves to the left
        middle, sides = LENGTH // 2, [each["splice"][1, :, channel] for each in (ref, alt)]
        moved = np.concatenate(
            [
                sides[1][:middle] - sides[0][:middle],
                sides[1][middle : LENGTH - 4] - sides[0][middle + 4 :],
            ]
        )
        expected = [each[np.abs(each).argmax()] for each in (change, moved)]
        found = values[f"splice.{channel}.largest_difference"]
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-6)


def test_inputs_beside_the_sequence_must_be_said() -> None:
    with pytest.raises(InputError, match=r"beside 'sequence' are control, .*\{'control': 0\}"):
        VariantScorer(stranded_network(), genome())
    with pytest.raises(InputError, match=r"has shape \(3,\); expected a number or an array"):
        VariantScorer(stranded_network(), genome(), fixed={"control": np.zeros(3)})


def test_counts_that_are_none_are_refused() -> None:
    scorer = VariantScorer(
        stranded_network(), genome(), fixed={"control": 0}, kinds={"activity": "counts"}
    )
    with pytest.raises(InputError, match=r"'activity' is taken for counts.*--kind activity=value"):
        scorer.effects(variants())


def test_channels_first_and_other_orders_of_letters() -> None:
    source = keras.Input((4, LENGTH))
    order = L.Conv1D(4, 1, use_bias=False)  # from TGCA to ACGT
    turned = keras.Model(source, model()(order(L.Permute((2, 1))(source))))
    order.set_weights([np.eye(4)[["TGCA".index(letter) for letter in "ACGT"]].T[np.newaxis]])
    kinds = dict(zip(de.convert(turned).output_names, ["profile", "log_counts"], strict=True))
    scorer = VariantScorer(de.convert(turned), genome(), letters="TGCA", kinds=kinds)
    expected = VariantScorer(network(), genome()).effects(variants())
    for name, values in scorer.effects(variants()).items():
        assert off(values, expected[name]) < 10 * TOLERANCE


def test_folds_of_different_models_are_refused() -> None:
    source = keras.Input((LENGTH + 2, 4))
    longer = de.convert(keras.Model(source, L.Dense(1)(L.Flatten()(source))))
    with pytest.raises(InputError, match=r"reads 43 letters .* reads 41"):
        VariantScorer([network(), longer], genome())
    with pytest.raises(InputError, match="no networks"):
        VariantScorer([], genome())


def test_a_model_of_any_length_scores_windows_of_the_length_that_is_said() -> None:
    keras.utils.set_random_seed(2)
    first, second = (L.Conv1D(count, 5, padding="same") for count in (6, 1))
    last = L.Dense(1)

    def of_length(length: int | None) -> de.Network:
        source = keras.Input((length, 4))
        x = first(source)
        outputs = {"logcounts": last(L.GlobalMaxPooling1D()(x)), "profile": second(x)}
        return de.convert(keras.Model(source, outputs))

    scorer = VariantScorer(of_length(None), genome(), length=LENGTH)
    assert {each.name: each.shape for each in scorer.outputs} == {
        "logcounts": (1,),
        "profile": (LENGTH, 1),
    }
    expected = VariantScorer(of_length(LENGTH), genome()).effects(variants())
    for name, values in scorer.effects(variants()).items():
        assert off(values, expected[name]) < 10 * TOLERANCE
