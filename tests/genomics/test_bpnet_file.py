"""A file that the first bpnet saved, beside what Keras computed of it; see `saved.make_bpnet`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.errors import UnsupportedModelError
from tests.helpers import off

FOLDER = Path(__file__).parent / "saved"


def test_heads_of_each_task_are_found_and_scored() -> None:
    with pytest.raises(UnsupportedModelError, match="Oct4/profile"):
        de.load(FOLDER / "bpnet.h5")
    net = de.load(FOLDER / "bpnet.h5", functions="bpnet")
    stored = dict(np.load(FOLDER / "bpnet.npz"))
    inputs, outputs = (
        {
            name.partition("/")[2]: values
            for name, values in stored.items()
            if name.startswith(f"{group}/")
        }
        for group in ("inputs", "outputs")
    )
    predicted = net.predict(inputs)
    assert {*predicted} == {*outputs}
    for name, expected in outputs.items():
        assert off(predicted[name], expected) < 1e-5, name
    assert net.known_heads is not None
    assert net.known_heads.program == "bpnet"
    result = net.explainer("deeplift").run(inputs, references={"seq": 0.25})
    assert [*result.heads] == ["Oct4.counts", "Sox2.counts", "Oct4.profile", "Sox2.profile"]
    without = net.predict({**inputs, "seq": np.full_like(inputs["seq"], 0.25)})
    for task in ("Oct4", "Sox2"):
        change = (predicted[f"{task}/counts"] - without[f"{task}/counts"]).sum(-1)
        assert off(result.heads[f"{task}.counts"].scores["seq"].sum((1, 2)), change) < 1e-5
