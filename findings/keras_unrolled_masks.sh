#!/usr/bin/env bash
# Keras 3 on TensorFlow (on JAX not): unroll=True, which should change speed alone, changes what a backward layer gives at
# masked steps with zero_output_for_mask=True, which Bidirectional sets of itself: the outputs, in
# reversed order, are zeroed by the mask in forward order. Exits 1 if that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet keras==3.15.0 tensorflow-cpu==2.21.0
cat >"$folder/case.py" <<'PY'
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
import keras
import numpy as np

x = np.random.default_rng(0).normal(size=(1, 4, 2)).astype("float32")
mask = np.array([[True, True, True, False]])
layers = [
    keras.layers.LSTM(
        1, return_sequences=True, go_backwards=True, zero_output_for_mask=True, unroll=unroll
    )
    for unroll in (False, True)
]
for layer in layers:
    layer.build(x.shape)
layers[1].set_weights(layers[0].get_weights())
rolled, unrolled = (np.asarray(layer(x, mask=mask)).ravel() for layer in layers)
print("keras", keras.__version__, "backend", keras.backend.backend())
print("steps in reversed order, the first is masked")
print("unroll=False", rolled)
print("unroll=True ", unrolled)
wrong = unrolled[-1] == 0 != rolled[-1]
print("as found" if wrong else "changed: the two agree now")
raise SystemExit(0 if wrong else 1)
PY
"$folder/venv/bin/python" "$folder/case.py"
