"""Writes ``bpnet.h5`` by the first bpnet's own code, and what Keras computes with it.

Run once, from the repository's root, by a Python 3.7 that has bpnet 0.0.23, keras 2.2.5 and
TensorFlow 1.15 and gin-config; what else bpnet imports does no work here
(``zip`` has no ``strict`` there):

    python -m tests.genomics.saved.make_bpnet

``bpnet.npz`` has the inputs (``inputs/NAME``) and the outputs (``outputs/NAME``).
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from unittest.mock import MagicMock

import numpy as np

FOLDER = Path(__file__).parent
IDLE = (
    "papermill",
    "kipoi",
    "kipoi.data",
    "kipoi.readers",
    "kipoi.writers",
    "kipoi_utils",
    "kipoi_utils.data_utils",
    "kipoi_utils.external",
    "kipoi_utils.external.flatten_json",
    "kipoi_utils.external.torch",
    "kipoi_utils.external.torch.sampler",
    "matplotlib",
    "matplotlib.pyplot",
    "sklearn",
    "sklearn.metrics",
    "concise",
    "concise.layers",
    "concise.utils",
    "concise.utils.helper",
)
LENGTH, TASKS, SAMPLES = 60, ("Oct4", "Sox2"), 2


def import_models() -> ModuleType:
    """``bpnet.models``, without what stands in the package's ``__init__``."""
    specification = importlib.util.find_spec("bpnet")
    package = ModuleType("bpnet")
    package.__path__ = specification.submodule_search_locations
    sys.modules["bpnet"] = package
    sys.modules.update({name: MagicMock() for name in IDLE})
    return importlib.import_module("bpnet.models")


def main() -> None:
    """Write both files."""
    model = (
        import_models()
        .bpnet_model(
            TASKS,
            filters=3,
            n_dil_layers=1,
            conv1_kernel_size=5,
            tconv_kernel_size=7,
            b_loss_weight=0,
            use_bias=True,
            profile_bias_window_sizes=[1, 5],
            seqlen=LENGTH,
        )
        .model
    )
    random = np.random.RandomState(0)
    model.set_weights([random.normal(0, 0.3, array.shape) for array in model.get_weights()])
    inputs = {
        name: random.uniform(size=(SAMPLES, *(size or LENGTH for size in shape[1:])))
        for name, shape in zip(model.input_names, model.input_shape)  # noqa: B905
    }
    inputs["seq"] = np.eye(4)[random.randint(0, 4, (SAMPLES, LENGTH))]
    outputs = dict(zip(model.output_names, model.predict(inputs)))  # noqa: B905
    model.save(str(FOLDER / "bpnet.h5"))
    numbers = {f"inputs/{name}": values.astype("float32") for name, values in inputs.items()}
    numbers.update({f"outputs/{name}": values for name, values in outputs.items()})
    np.savez_compressed(FOLDER / "bpnet.npz", **numbers)


if __name__ == "__main__":
    main()
