"""Recurrent layers against plain numpy: the stated rule, written out gate by gate.

Δ of a gate's product is shared by m_x = m·(y + y₀)/2, a nonlinearity passes m·Δy/Δx, a map its
transpose, and time runs backwards. In float64, to 1e-11 of the largest.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812

import deeplift_engine as de
from tests.helpers import off

STEPS, FEATURES, UNITS = 4, 3, 2


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def slope(function: Any, x: Any, x0: Any) -> Any:
    return (function(x) - function(x0)) / (x - x0)


def middle(x: Any, x0: Any) -> Any:
    return (x + x0) / 2


class Trace(dict[str, list[Any]]):
    """Values by name and step."""

    def put(self, **values: Any) -> None:
        for name, value in values.items():
            self.setdefault(name, []).append(value)


def lstm_forward(x: Any, kernel: Any, recurrent: Any, bias: Any, mask: Any) -> Trace:
    h = c = np.zeros(UNITS)
    trace = Trace()
    for step in range(STEPS):
        gates = x[step] @ kernel + h @ recurrent + bias
        i, f, g, o = np.split(gates, 4)
        carry = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        new = sigmoid(o) * np.tanh(carry)
        used = mask[step]
        trace.put(i=i, f=f, g=g, o=o, c_before=c, carry=carry, h_before=h, new=new)
        h, c = used * new + (1 - used) * h, used * carry + (1 - used) * c
    trace.put(h=h)
    return trace


def lstm_back(a: Trace, b: Trace, kernel: Any, recurrent: Any, m_h: Any, masks: Any) -> Any:
    """Multipliers (steps, features) and those of the mask, for input ``a`` and reference ``b``."""
    m_c = np.zeros(UNITS)
    sent, of_mask = np.zeros((STEPS, FEATURES)), np.zeros(STEPS)
    for t in reversed(range(STEPS)):
        x = {name: values[t] for name, values in a.items() if len(values) == STEPS}
        y = {name: values[t] for name, values in b.items() if len(values) == STEPS}
        used = middle(masks[0][t], masks[1][t])
        of_mask[t] = m_h @ (middle(x["new"], y["new"]) - middle(x["h_before"], y["h_before"]))
        of_mask[t] += m_c @ (middle(x["carry"], y["carry"]) - middle(x["c_before"], y["c_before"]))
        m_new, rest_h, m_carry, rest_c = m_h * used, m_h * (1 - used), m_c * used, m_c * (1 - used)
        m_o = m_new * middle(np.tanh(x["carry"]), np.tanh(y["carry"]))
        m_carry = m_carry + m_new * middle(sigmoid(x["o"]), sigmoid(y["o"])) * slope(
            np.tanh, x["carry"], y["carry"]
        )
        at = {
            "i": m_carry * middle(np.tanh(x["g"]), np.tanh(y["g"])),
            "f": m_carry * middle(x["c_before"], y["c_before"]),
            "g": m_carry * middle(sigmoid(x["i"]), sigmoid(y["i"])),
            "o": m_o,
        }
        gates = [
            at[name] * slope(np.tanh if name == "g" else sigmoid, x[name], y[name])
            for name in "ifgo"
        ]
        m_gates = np.concatenate(gates)
        sent[t] = kernel @ m_gates
        m_h = recurrent @ m_gates + rest_h
        m_c = m_carry * middle(sigmoid(x["f"]), sigmoid(y["f"])) + rest_c
    return sent, of_mask


def model(layer: Any, *, masked: bool) -> keras.Model:
    source = keras.Input((STEPS, FEATURES), name="x")
    inputs, arguments = [source], {}
    if masked:
        inputs.append(keras.Input((STEPS,), dtype="bool", name="mask"))
        arguments["mask"] = inputs[1]
    made = keras.Model(inputs, layer(source, **arguments))
    generator = np.random.default_rng(5)
    for weight in made.weights:
        weight.assign(generator.normal(size=weight.shape))
    return made


@pytest.mark.parametrize("masked", [False, True])
def test_lstm(masked: bool) -> None:
    made = model(L.LSTM(UNITS), masked=masked)
    kernel, recurrent, bias = (np.float64(weight.numpy()) for weight in made.weights)
    generator = np.random.default_rng(0)
    x, x0 = generator.normal(size=(2, 3, STEPS, FEATURES))
    masks = np.ones((2, 3, STEPS))
    data: dict[str, Any] = {"x": x}
    given: dict[str, Any] = {"x": x0}
    if masked:
        masks = (generator.random((2, 3, STEPS)) < 0.6).astype(float)
        data["mask"], given["mask"] = masks.astype(bool)
    network = de.convert(made, dtype="float64")
    found = network.explainer().run(data, target=1, references=given, strict=True)
    multipliers = found.multipliers["x"] if masked else found.multipliers
    for row in range(3):
        ends = [
            lstm_forward(end[row], kernel, recurrent, bias, mask[row])
            for end, mask in zip((x, x0), masks, strict=True)
        ]
        expected, of_mask = lstm_back(*ends, kernel, recurrent, np.eye(UNITS)[1], masks[:, row])
        assert off(multipliers[row], expected) < 1e-11
        change = ends[0]["h"][0][1] - ends[1]["h"][0][1]
        assert off(found.target_delta[row], change) < 1e-11
        if masked:
            share = of_mask * (masks[0, row] - masks[1, row])
            assert np.abs(found.scores["mask"][row] - share).max() < 1e-11


@pytest.mark.parametrize("reset_after", [True, False])
def test_gru(reset_after: bool) -> None:
    made = model(L.GRU(UNITS, reset_after=reset_after), masked=False)
    kernel, recurrent, bias = (np.float64(weight.numpy()) for weight in made.weights)
    entry, inner = (bias[0], bias[1]) if reset_after else (bias, np.zeros(3 * UNITS))
    generator = np.random.default_rng(1)
    x, x0 = generator.normal(size=(2, 3, STEPS, FEATURES))
    found = de.convert(made, dtype="float64").explainer().run(x, target=0, references=x0)
    split = lambda values: np.split(values, 3)  # noqa: E731

    def forward(sequence: Any) -> Trace:
        h, trace = np.zeros(UNITS), Trace()
        for step in range(STEPS):
            xz, xr, xh = split(sequence[step] @ kernel + entry)
            hz, hr, hh = split(h @ recurrent + inner)
            z, r = sigmoid(xz + hz), sigmoid(xr + hr)
            kept = r * hh if reset_after else (r * h) @ recurrent[:, 2 * UNITS :]
            trace.put(z=xz + hz, r=xr + hr, g=xh + kept, own=hh if reset_after else h, before=h)
            h = z * h + (1 - z) * np.tanh(xh + kept)
        return trace

    parts = split_columns(recurrent)
    for row in range(3):
        a, b = forward(x[row]), forward(x0[row])
        m = np.eye(UNITS)[0]
        expected = np.zeros((STEPS, FEATURES))
        for t in reversed(range(STEPS)):
            v, w = ({name: values[t] for name, values in end.items()} for end in (a, b))
            zs, rs = (
                middle(sigmoid(v["z"]), sigmoid(w["z"])),
                middle(sigmoid(v["r"]), sigmoid(w["r"])),
            )
            m_g = m * (1 - zs) * slope(np.tanh, v["g"], w["g"])
            m_z = m * (middle(v["before"], w["before"]) - middle(np.tanh(v["g"]), np.tanh(w["g"])))
            m_z = m_z * slope(sigmoid, v["z"], w["z"])
            at_kept = m_g if reset_after else parts[2] @ m_g
            m_r = at_kept * middle(v["own"], w["own"]) * slope(sigmoid, v["r"], w["r"])
            m_own = at_kept * rs
            expected[t] = kernel @ np.concatenate([m_z, m_r, m_g])
            back = parts[2] @ m_own if reset_after else m_own
            m = m * zs + parts[0] @ m_z + parts[1] @ m_r + back
        assert off(found.multipliers[row], expected) < 1e-11


def split_columns(recurrent: Any) -> list[Any]:
    return np.split(recurrent, 3, axis=1)
