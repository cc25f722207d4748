#!/usr/bin/env bash
# Keras 3: sparsemax gives a point of the simplex, so outputs sum to 1 (Martins 2016). Keras 3.15's sums the
# cumulative sums of the elements it keeps instead of taking the last one: where more than one element
# is not zero, outputs do not sum to 1, often all are 0. Exits 1 if that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet keras==3.15.1 tensorflow-cpu==2.21.0
cat >"$folder/case.py" <<'PY'
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
import keras
import numpy as np

x = np.array([[0.7, 0.65, 0.3, 0.1, -0.2, -1.2]], "float32")
met = np.asarray(keras.activations.sparsemax(x))[0]
ordered = np.sort(x[0])[::-1]
sums, numbers = np.cumsum(ordered), np.arange(1, 7)
count = np.flatnonzero(1 + numbers * ordered > sums)[-1]
expected = np.maximum(x[0] - (sums[count] - 1) / numbers[count], 0)
print("keras", keras.__version__)
print("x       ", x[0])
print("expected", expected, "sum", expected.sum())
print("sparsemax", met, "sum", met.sum())
wrong = abs(met.sum() - 1) > 0.1
print("as found" if wrong else "changed: it sums to 1 now")
raise SystemExit(0 if wrong else 1)
PY
"$folder/venv/bin/python" "$folder/case.py"
