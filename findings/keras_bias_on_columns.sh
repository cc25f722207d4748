#!/usr/bin/env bash
# Keras 3.7 to 3.15 on TensorFlow: a convolution with channels first adds its bias to the columns
# instead of the channels where there are as many of both, and keras.ops.add(x, c) adds a constant c
# of one axis to the last axis where its size fits. On JAX neither happens. Exits 1 if that is no
# longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet keras==3.15.0 tensorflow-cpu==2.21.0 jax==0.10.2 jaxlib==0.10.2
cat >"$folder/case.py" <<'PY'
import keras
import numpy as np

layer = keras.layers.Conv1D(2, 1, data_format="channels_first")
layer.build((1, 1, 2))
layer.set_weights([np.zeros((1, 1, 2), "float32"), np.array([1, 2], "float32")])
channels = layer(np.zeros((1, 1, 2), "float32"))
added = keras.ops.add(np.zeros((1, 2, 2), "float32"), np.array([[1], [2]], "float32"))
print(
    f"keras {keras.__version__} on {keras.backend.backend()}:",
    *(keras.ops.convert_to_numpy(values).tolist() for values in (channels, added)),
)
PY
run() { KERAS_BACKEND=$1 TF_CPP_MIN_LOG_LEVEL=3 "$folder/venv/bin/python" "$folder/case.py" 2>/dev/null; }
echo "zeros through Conv1D of two channels with the bias [1, 2]; zeros (1, 2, 2) + [[1], [2]]"
tensorflow=$(run tensorflow)
jax=$(run jax)
printf '%s\n' "$tensorflow" "$jax"
if [ "${tensorflow#*:}" = "${jax#*:}" ]; then
  echo "changed: the two agree now"
  exit 1
fi
echo "as found"
