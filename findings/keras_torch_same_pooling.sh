#!/usr/bin/env bash
# Keras 3: AveragePooling with padding="same" leaves padding out of its means on TensorFlow and JAX; on
# PyTorch, where the padding is uneven, it repeats the edge and averages that in. And
# ops.pad(mode="symmetric") by two or more repeats the edge there instead of mirroring. One saved
# model so computes two things. Exits 1 if that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet keras==3.15.0 jax==0.10.2 jaxlib==0.10.2 torch==2.13.0
cat >"$folder/case.py" <<'PY'
import keras
import numpy as np

x = np.array([[[1.0], [2.0], [4.0], [8.0]]], "float32")
pooled = keras.layers.AveragePooling1D(2, strides=1, padding="same")(x)
padded = keras.ops.pad(x, [(0, 0), (2, 0), (0, 0)], mode="symmetric")
even = keras.layers.AveragePooling1D(3, strides=1, padding="same")(x)
print(
    keras.backend.backend(),
    *(keras.ops.convert_to_numpy(values).ravel().tolist() for values in (pooled, even, padded)),
    sep=" | ",
)
PY
run() { KERAS_BACKEND=$1 "$folder/venv/bin/python" "$folder/case.py"; }
echo "keras 3.15.0: backend | windows of 2 | windows of 3 | symmetric padding by 2"
jax=$(run jax)
torch=$(run torch)
printf '%s\n' "$jax" "$torch"
if [ "${jax#*|}" = "${torch#*|}" ]; then
  echo "changed: the two agree now"
  exit 1
fi
echo "as found"
