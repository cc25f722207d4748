"""Saves every model of `builders` by one version of Keras, with what it computes.

Run from the repository's root, by a Python of that version (3.6 or later)::

    python -m tests.conversion.eras.make keras-2.2.4 /tmp/eras [pattern of names]

writes ``/tmp/eras/keras-2.2.4/``: one file a model, ``truths.npz`` (``<model>/x0``, ``/y0`` ...),
and ``cases.json``: layer and aspect of each, and why a version cannot make the others. The name
begins with ``keras-`` or ``tf-`` and may end in a backend: ``keras-3.15.0-torch``.
`keep` beside this file takes from there what is committed.
"""

import importlib
import json
import os
import re
import sys
import warnings
import zlib

import numpy as np

from tests.conversion.eras.builders import parts


def imported(era):
    """The Keras of an era, which must be the one that is installed."""
    kind, version, *backend = era.split("-")
    parts.quiet()
    backend = backend[0] if backend else "tensorflow"
    os.environ["KERAS_BACKEND"] = backend
    os.environ.setdefault("THEANO_FLAGS", "floatX=float32,optimizer=fast_compile")
    if kind == "tf":
        import tensorflow

        tensorflow.compat.v1.logging.set_verbosity("ERROR")
        met, keras = tensorflow.__version__, tensorflow.keras
        if not hasattr(keras, "__version__"):
            import keras as package

            keras.__version__ = package.__version__
    else:
        if backend == "theano":
            importlib.import_module("theano.ifelse")  # Keras 1 uses it without importing it
        if version.startswith("1."):
            import keras.engine
            import keras.layers
            import keras.models
        import keras

        met = keras.__version__
    if not met.startswith(version):
        sys.exit(f"{era} needs version {version}, met {met}")
    return keras, backend


def modules(keras):
    """The builders that fit this version's words."""
    if keras.__version__.startswith("1."):
        from tests.conversion.eras.builders import keras1

        return [keras1]
    from tests.conversion.eras.builders import arithmetic, arrays, borders, masks

    return [masks, borders, arithmetic, arrays]


def suffix(keras, backend):
    """What the files of a version are: HDF5 says its backend, an archive does not."""
    return ".keras" if keras.__version__.startswith("3.") and backend == "tensorflow" else ".h5"


def make(case, k, folder, truths):
    """Save one model; return its layer, aspect and file."""
    model = case.build()
    parts.random_weights(model, case.name, keras_backend(k.keras))
    parts.finish(model)
    inputs = case.inputs if len(case.inputs) > 1 else case.inputs[0]
    outputs = parts.flat(computed(model, inputs, k.eager and not case.predicts, k))
    if not all(np.isfinite(values).all() for values in outputs):
        raise ValueError("it computes numbers that are not finite")
    slug = "".join(c if c.isalnum() else "_" for c in case.name).lower()
    path = os.path.join(folder, slug + suffix(k.keras, k.backend))
    save(model, path, k)
    for letter, arrays in (("x", case.inputs), ("y", outputs)):
        for number, values in enumerate(arrays):
            truths[f"{slug}/{letter}{number}"] = values
    return {"layer": case.layer, "aspect": case.aspect, "file": os.path.basename(path)}


def keras_backend(keras):
    """What sets arrays: Keras 1 and 2's backend module; Keras 3's variables do it themselves."""
    return keras.ops if keras.__version__.startswith("3.") else keras.backend


def computed(model, inputs, eager, k):
    """What the model computes; without a graph of its own where there is no need of one."""
    if eager:
        outputs = model(inputs, training=False)
        outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
        return [k.array(output) for output in outputs]
    return model.predict(inputs)


def save(model, path, k):
    """The model as its version saves it, nothing of training with it."""
    if k.keras.__version__.startswith("1."):
        model.save(path)
    else:
        model.save(path, include_optimizer=False)


def known(folder):
    """What was made before: models by name, refusals, arrays."""
    with open(os.path.join(folder, "cases.json")) as file:
        record = json.load(file)
    return record["made"], record["refused"], dict(np.load(os.path.join(folder, "truths.npz")))


def main(era, out, wanted=""):
    keras, backend = imported(era)
    folder = os.path.join(out, era)
    os.makedirs(folder, exist_ok=True)
    k = parts.Keras(keras, backend)
    made, refused, truths = known(folder) if wanted else ({}, {}, {})
    names = set()
    for module in modules(keras):
        for case in module.cases(k):
            names.add(case.name)
            if wanted and not re.search(wanted, case.name):
                continue
            if hasattr(keras.backend, "clear_session"):
                keras.backend.clear_session()
            np.random.seed(zlib.crc32(case.name.encode()) % 2**31)  # noqa: NPY002
            refused.pop(case.name, None)
            try:
                made[case.name] = make(case, k, folder, truths)
            except Exception as error:  # what a version cannot do is written down
                lines = (str(error) or "-").splitlines()
                refused[case.name] = f"{type(error).__name__}: {lines[0][:160]}"
    np.savez_compressed(os.path.join(folder, "truths.npz"), **truths)
    for gone in (made.keys() | refused.keys()) - names:
        made.pop(gone, None)
        refused.pop(gone, None)
    record = {
        "keras": keras.__version__,
        "backend": backend,
        "made": made,
        "refused": refused,
    }
    with open(os.path.join(folder, "cases.json"), "w") as file:
        json.dump(record, file, indent=1, sort_keys=True)
    sys.stdout.write(f"{era}: {len(made)} made, {len(refused)} refused\n")


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    main(*sys.argv[1:])
