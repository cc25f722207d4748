#!/usr/bin/env bash
# Quantus 0.6: the test of randomised parameters (MPRT; Adebayo 2018) randomises a network layer by layer, from
# the top down, each layer on top of those before. Of a Keras model it copies the layers and not their weights, so
# that all layers are new from the first step on, and its curve is flat. Exits 1 if that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet quantus==0.6.0 keras==3.15.1 tensorflow-cpu==2.21.0
cat >"$folder/case.py" <<'PY'
import keras
import numpy as np
import quantus

keras.utils.set_random_seed(0)
x = source = keras.Input((6,))
for name in ("first", "second", "third"):
    x = keras.layers.Dense(6, name=name)(x)
model = keras.Model(source, x)
steps = quantus.TensorFlowModel(model).get_random_layer_generator("top_down")
randomised, copy = next(steps)
print("quantus", quantus.__version__, "keras", keras.__version__)
print("randomised so far:", randomised)
changed = {}
for name in ("first", "second", "third"):
    kernels = [each.get_layer(name).get_weights()[0] for each in (model, copy)]
    changed[name] = not np.array_equal(*kernels)
    print(name, "has other weights:", changed[name], "expected:", name == "third")
wrong = randomised == "third" and all(changed.values())
print("as found" if wrong else "changed: layers below keep their weights")
raise SystemExit(0 if wrong else 1)
PY
"$folder/venv/bin/python" "$folder/case.py"
