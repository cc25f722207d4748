#!/usr/bin/env bash
# tf.keras 2.15: a BatchNormalization with virtual_batch_size saves its axis counted with the axis
# that it adds within, so that tf.keras cannot load its own file. Exits 1 if that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet tensorflow-cpu==2.15.1
cat >"$folder/case.py" <<'PY'
import sys

import tensorflow as tf

layer = tf.keras.layers.BatchNormalization(virtual_batch_size=2)
model = tf.keras.Sequential([tf.keras.Input((4,)), layer])
model.save(sys.argv[1])
print(f"TensorFlow {tf.__version__}: axis -1 of (samples, 4) is saved as", layer.get_config()["axis"])
try:
    tf.keras.models.load_model(sys.argv[1])
except ValueError as error:
    print("loading it:", str(error).split(". ")[0])
else:
    sys.exit("it loads")
PY
if ! TF_CPP_MIN_LOG_LEVEL=3 "$folder/venv/bin/python" "$folder/case.py" "$folder/m.h5" 2>/dev/null; then
  echo "changed: the file is loaded now, or the script failed"
  exit 1
fi
echo "as found"
