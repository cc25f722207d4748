#!/usr/bin/env bash
# Keras 3.13: Discretization(output_mode="one_hot") of inputs (N, 1) tells the shape (N, 1) when a
# model is built and gives (N, bins) when it is called, so that a Dense behind it is built with a
# kernel of one row and its model cannot be called. Keras 3.15 tells what it gives. Exits 1 if that
# is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/case.py" <<'PY'
import keras
import numpy as np

source = keras.Input((1,))
bins = keras.layers.Discretization([0.0, 1.0], output_mode="one_hot")
told = bins(source)
given = bins(np.array([[0.5]], "float32"))
model = keras.Model(source, keras.layers.Dense(2)(told))
try:
    called = tuple(model(np.array([[0.5]], "float32")).shape)
except Exception as error:
    called = type(error).__name__
print(
    f"keras {keras.__version__}: told {tuple(told.shape)}, given {tuple(given.shape)}, kernel",
    f"{tuple(model.layers[-1].kernel.shape)}, the model's call: {called}",
)
PY
for version in 3.13.0 3.15.0; do
  python3 -m venv "$folder/$version"
  "$folder/$version/bin/pip" install --quiet "keras==$version" tensorflow-cpu==2.21.0
  TF_CPP_MIN_LOG_LEVEL=3 "$folder/$version/bin/python" "$folder/case.py" 2>/dev/null |
    tee -a "$folder/seen"
done
if ! grep -q '^keras 3.13.0: told (None, 1), given (1, 3), kernel (1, 2)' "$folder/seen" ||
  ! grep -q '^keras 3.15.0: told (None, 3), given (1, 3), kernel (3, 2)' "$folder/seen"; then
  echo "changed"
  exit 1
fi
echo "as found"
