"""Writes the models of this folder by chrombpnet's own code, and what it computes of them.

Run once, from the repository's root, by a Python that has chrombpnet 1.0.1 and its TensorFlow 2.8:

    python -m tests.genomics.saved.make

``bias.h5`` is a bias model, ``chrombpnet.h5`` a model with it, whose counts are a Lambda, and
``chrombpnet_nobias.h5`` the same without it. ``chrombpnet.npz`` holds inputs, references, and of
each file NAME its outputs on both (``NAME/profile``, ``NAME/counts``: the inputs, then their
references) and the scores of chrombpnet's fork of SHAP (``NAME/profile_scores`` …).
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import shap
import tensorflow as tf

tf.compat.v1.disable_eager_execution()

from chrombpnet.evaluation.interpret import input_utils, shap_utils  # noqa: E402
from chrombpnet.training.models import bpnet_model, chrombpnet_with_bias_model  # noqa: E402

FOLDER = Path(__file__).parent
LENGTH, OUTPUTS, INPUTS, REFERENCES = 150, 40, 2, 3
COUNTS_SCALE = 50
FILES = ("bias", "chrombpnet", "chrombpnet_nobias")


def save_models(inputs: Any) -> None:
    """All three, with biases and counts that are not near zero."""
    arguments = Namespace(seed=0, learning_rate=0.001)
    options = {
        "filters": 3,
        "n_dil_layers": 1,
        "counts_loss_weight": 1,
        "inputlen": LENGTH,
        "outputlen": OUTPUTS,
        "bias_model_path": str(FOLDER / "bias.h5"),
    }
    bias = bpnet_model.getModelGivenModelOptionsAndWeightInits(arguments, options)
    spread_outputs(bias, inputs)
    bias.save(FOLDER / "bias.h5")
    both = chrombpnet_with_bias_model.getModelGivenModelOptionsAndWeightInits(
        arguments, {**options, "filters": 4}
    )
    spread_outputs(both.get_layer("model_wo_bias"), inputs)
    both.save(FOLDER / "chrombpnet.h5")
    chrombpnet_with_bias_model.save_model_without_bias(both, str(FOLDER / "chrombpnet"))


def spread_outputs(model: Any, inputs: Any) -> None:
    """Random biases in place of zeros, and counts that differ by units, around 0."""
    random = np.random.default_rng(0)
    weights = model.get_weights()
    model.set_weights([w if w.ndim > 1 else random.normal(0, 0.1, w.shape) for w in weights])
    counts = next(layer for layer in model.layers if layer.name.endswith("logcount_predictions"))
    kernel, bias = counts.get_weights()
    counts.set_weights([COUNTS_SCALE * kernel, bias])
    mean = model.predict(inputs)[1].mean()
    counts.set_weights([COUNTS_SCALE * kernel, bias - mean])


def numbers_of(name: str, inputs: Any, references: Any) -> Mapping[str, Any]:
    """What chrombpnet computes of one model."""
    tf.keras.backend.clear_session()
    model = input_utils.load_model_wrapper(Namespace(model_h5=str(FOLDER / f"{name}.h5")))
    profile, counts = model.predict(np.concatenate([inputs, references.reshape(-1, LENGTH, 4)]))
    numbers = {f"{name}/profile": profile, f"{name}/counts": counts}
    targets = {
        "counts": tf.reduce_sum(model.outputs[1], axis=-1),
        "profile": shap_utils.get_weightedsum_meannormed_logits(model),
    }
    for head, target in targets.items():
        rows = iter(references)
        explainer = shap.explainers.deep.TFDeepExplainer(
            (model.input, target),
            lambda sequence, rows=rows: [next(rows)],
            combine_mult_and_diffref=shap_utils.combine_mult_and_diffref,
        )
        numbers[f"{name}/{head}_scores"] = explainer.shap_values(inputs).astype("float32")
    return numbers


def main() -> None:
    """Write all files."""
    letters = np.random.default_rng(0).integers(0, 4, (INPUTS, LENGTH))
    inputs = np.eye(4, dtype="int8")[letters]
    save_models(inputs)
    references = np.stack([shap_utils.shuffle_several_times([x], REFERENCES)[0] for x in inputs])
    numbers = {"inputs": inputs, "references": references.astype("int8")}
    for name in FILES:
        numbers |= numbers_of(name, inputs, references)
    np.savez_compressed(FOLDER / "chrombpnet.npz", **numbers)


if __name__ == "__main__":
    main()
