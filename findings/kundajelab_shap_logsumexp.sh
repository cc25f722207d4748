#!/usr/bin/env bash
# kundajelab-shap 1, the fork of SHAP that chrombpnet 1.0.1 pins, on TensorFlow 2.8: where counts
# are tf.math.reduce_logsumexp of two models' counts, as in chrombpnet's models with bias, their
# scores do not add up to the change of the output, here by a tenth. TensorFlow takes the larger
# count off before exponentials and stops its gradient, so that its change is passed over.
# log(sum(exp)), the same number, is explained in full. Models without bias, which chrombpnet
# explains by default, have no such sum. Needs Python 3.10 (PYTHON=, else python3.10) and a compiler
# of C++. Exits 1 if that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.10}" -m venv "$folder/venv"
pip() { "$folder/venv/bin/pip" --quiet "$@"; }
pip install "setuptools<66" wheel
pip install tensorflow==2.8.0 tensorflow-estimator==2.8.0 numpy==1.23.4 protobuf==3.20.0 \
  scipy==1.10.1 scikit-learn==1.2.2 scikit-image==0.21.0 pandas==1.5.3 matplotlib==3.7.5 \
  h5py==3.8.0 ipython==8.39.0 tqdm==4.70.1
pip install --no-build-isolation --no-deps kundajelab-shap==1
cat >"$folder/case.py" <<'PY'
from importlib.metadata import version

import numpy as np
import tensorflow as tf

tf.compat.v1.disable_eager_execution()  # as chrombpnet does
from shap.explainers.deep import TFDeepExplainer
from tensorflow.keras import Input, Model, layers

random = np.random.default_rng(8)
x, references = np.split(np.eye(4)[random.integers(0, 4, (4, 20))], [1])
sequence = Input((20, 4))
convolved = [layers.Conv1D(3, 4, activation="relu")(sequence) for _ in range(2)]
heads = [layers.Dense(1) for _ in range(2)]
counts = [head(layers.GlobalAveragePooling1D()(at)) for head, at in zip(heads, convolved)]
both = layers.Concatenate()(counts)
model = Model(sequence, both)
model.set_weights([random.normal(0, 1.5, w.shape) for w in model.get_weights()])
for head, mean in zip(heads, model.predict(references).mean(0)):  # counts that are near each other
    kernel, bias = head.get_weights()
    head.set_weights([kernel, bias - mean])


def exact(counts):
    return np.log(np.exp(counts).sum(-1))


def held(end, start):
    """The change that is left where the rescale rule holds what is taken off, in numpy."""
    (e, s), change = (counts - counts.max() for counts in (end, start)), end - start
    same = np.abs(e - s) < 1e-6
    slopes = np.where(same, np.exp(e), (np.exp(e) - np.exp(s)) / np.where(same, 1, e - s))
    sums = np.exp(e).sum(), np.exp(s).sum()
    return np.log(sums[0] / sums[1]) / (sums[0] - sums[1]) * (slopes * change).sum()


def explained(join):
    """The sum of the scores of the one input, and the change that the model itself gives."""
    output = layers.Lambda(join)(both)
    scores = TFDeepExplainer((sequence, tf.reduce_sum(output, axis=-1)), references).shap_values(x)
    ends = Model(sequence, output)
    return scores.sum(), (ends.predict(x) - ends.predict(references)).mean()


(end,), starts = model.predict(x), model.predict(references)
change, left = exact(end) - exact(starts).mean(), np.mean([held(end, start) for start in starts])
lost = explained(lambda c: tf.math.reduce_logsumexp(c, axis=-1, keepdims=True))
full = explained(lambda c: tf.math.log(tf.reduce_sum(tf.exp(c), axis=-1, keepdims=True)))
print("kundajelab-shap", version("kundajelab-shap"), "TensorFlow", tf.__version__)
print("counts of the input", end, "of the references", *starts)
print(f"the change by numpy {change:.5f}, with the larger counts held {left:.5f}")
for name, (total, own) in {"reduce_logsumexp": lost, "log(sum(exp))": full}.items():
    print(f"{name}: scores add up to {total:.5f}, the output changes by {own:.5f}")
found = (
    np.allclose([lost[1], *full], change, atol=1e-4)
    and np.isclose(lost[0], left, atol=1e-4)
    and abs(lost[0] - change) > 0.05 * abs(change)
)
print("as found" if found else "changed")
raise SystemExit(0 if found else 1)
PY
TF_CPP_MIN_LOG_LEVEL=3 "$folder/venv/bin/python" "$folder/case.py" 2>"$folder/log" || {
  status=$?
  cat "$folder/log" >&2
  exit "$status"
}
