#!/usr/bin/env bash
# Keras 3 before 3.15: a transposed convolution with output_padding saves every option but that one, so that
# Keras itself loads its own .keras file as a model of another output shape. No message tells. Exits
# 1 if 3.14 saves it, or 3.15 does not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/case.py" <<'PY'
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
import sys

import keras

model = keras.Sequential(
    [keras.Input((8, 9, 2)), keras.layers.Conv2DTranspose(3, 3, strides=2, output_padding=1)]
)
model.save(sys.argv[1])
again = keras.saving.load_model(sys.argv[1])
print("keras", keras.__version__, "saved", model.output_shape, "loaded", again.output_shape)
raise SystemExit(0 if model.output_shape == again.output_shape else 1)
PY
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet keras==3.14.0 tensorflow-cpu==2.21.0
before=0
"$folder/venv/bin/python" "$folder/case.py" "$folder/m.keras" || before=$?
"$folder/venv/bin/pip" install --quiet keras==3.15.0
after=0
"$folder/venv/bin/python" "$folder/case.py" "$folder/m.keras" || after=$?
if [ "$before" = 1 ] && [ "$after" = 0 ]; then
  echo "as found: 3.14 loses it, 3.15 saves it"
else
  echo "changed: exit codes $before and $after"
  exit 1
fi
