#!/usr/bin/env bash
# Keras 3.15: TimeDistributed calls its layer's call() and not quantized_call(), so that a Dense whose
# weights are quantised multiplies by the integers as they are stored, without their scales. Exits 1
# if that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet keras==3.15.0 jax==0.10.2 jaxlib==0.10.2
cat >"$folder/case.py" <<'PY'
import sys

import keras
import numpy as np

dense = keras.layers.Dense(1, use_bias=False)
source = keras.Input((1, 1))
model = keras.Model(source, keras.layers.TimeDistributed(dense)(source))
dense.set_weights([np.array([[2.0]])])
x = np.ones((1, 1, 1), "float32")
before = float(model(x)[0, 0, 0])
dense.quantize(config=keras.quantizers.Int8QuantizationConfig(activation_quantizer=None))
after, alone = float(model(x)[0, 0, 0]), float(dense(x)[0, 0, 0])
print(f"keras {keras.__version__}: 1 * 2 is {before:g}, quantised {after:g}, the layer alone {alone:g}")
sys.exit(abs(after - 127) > 0.5 or abs(alone - 2) > 0.02)
PY
if ! KERAS_BACKEND=jax "$folder/venv/bin/python" "$folder/case.py" 2>/dev/null; then
  echo "changed: the scale is applied now, or the script failed"
  exit 1
fi
echo "as found"
