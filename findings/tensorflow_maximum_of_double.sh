#!/usr/bin/env bash
# TensorFlow 2.21 on a CPU with oneDNN (the default there): compiled by tf.function, the maximum of x
# and a multiple of it is rewritten as a leaky ReLU of that slope, whatever the slope. Above 1 a leaky
# ReLU is the minimum of the two: tf.maximum(x, 2 * x) of 1 is 1. Eager calls, and
# TF_ENABLE_ONEDNN_OPTS=0, give 2. So model.predict of Keras may differ from a call of the model.
# Exits 1 if that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet tensorflow-cpu==2.21.0
cat >"$folder/case.py" <<'PY'
import tensorflow as tf


def greater(x):
    return tf.maximum(x, 2 * x)


x = tf.constant([1.0, -1.0, 3.0])
eager, compiled = (f(x).numpy().tolist() for f in (greater, tf.function(greater)))
print(f"tensorflow {tf.__version__}: maximum of x and 2x, eager {eager}, in tf.function {compiled}")
raise SystemExit(eager == compiled)
PY
run() { TF_ENABLE_ONEDNN_OPTS=$1 TF_CPP_MIN_LOG_LEVEL=3 "$folder/venv/bin/python" "$folder/case.py" 2>/dev/null; }
echo "x = [1, -1, 3]; with oneDNN, then without"
if ! run 1 || run 0; then
  echo "changed: the two calls agree with oneDNN, or differ without"
  exit 1
fi
echo "as found"
