#!/usr/bin/env bash
# TensorFlow 2.21: nested tuples or lists of numpy's float64 scalars become a float64 tensor in eager
# calls and a float32 one in a graph (tf.function, Keras while it traces), where a flat numpy array of
# the same numbers is float64 in both. So constants of a saved network, handed on as nested numbers,
# lose half their digits, or fail against a float64 kernel, in the compiled call alone.
# Exits 1 if that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet tensorflow-cpu==2.21.0
cat >"$folder/case.py" <<'PY'
import numpy as np
import tensorflow as tf

array = np.array([[0.1, 0.2]])
nested = tuple(tuple(row) for row in array)  # of numpy.float64
dtypes = {}
for name, value in (("array", array), ("nested", nested)):
    eager = tf.convert_to_tensor(value).dtype.name
    with tf.Graph().as_default():
        graph = tf.convert_to_tensor(value).dtype.name
    dtypes[name] = (eager, graph)
print(f"tensorflow {tf.__version__}: eager and in a graph: {dtypes}")
raise SystemExit(dtypes != {"array": ("float64", "float64"), "nested": ("float64", "float32")})
PY
if ! TF_CPP_MIN_LOG_LEVEL=3 "$folder/venv/bin/python" "$folder/case.py" 2>/dev/null; then
  echo "changed"
  exit 1
fi
echo "as found"
