"""Valid model files, and changes of their configurations, arrays and bytes."""

from __future__ import annotations

import copy
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
from hypothesis import strategies as st
from keras import layers as L  # noqa: N812

LEGACY = Path(__file__).resolve().parents[1] / "conversion" / "legacy" / "saved"
VALUES = (
    *(None, True, False, -1, 0, 1, 2, 3, 7, 0.5, -2.5, 1e30, float("nan"), float("inf")),
    *(1000, 10**6, 2**31, 10**12, 10**30, "", "same", "valid", "causal", "relu", "softmax"),
    *("channels_first", "float16", "int32", "Dense", "Conv1D", "Functional", "\udc80", "x" * 300),
    *([], {}, [1], [2, 3], [0, 0, 0], [[1]], [None, 3], {"class_name": "Dense"}, [[[["a", 0, 0]]]]),
)


def convolutions() -> keras.Model:
    x = source = keras.Input((16, 4), name="letters")
    x = L.Conv1D(4, 3, activation="relu", padding="same", name="conv")(x)
    x = L.MaxPooling1D(2, name="pool")(L.BatchNormalization(name="norm")(x))
    x = L.Add(name="add")([x, L.Conv1D(4, 1, name="other")(x)])
    x = L.Dense(3, activation="tanh", name="hidden")(L.Flatten(name="flat")(x))
    return keras.Model(source, L.Dense(2, activation="softmax", name="units")(x))


def images() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((8, 7, 3)),
            L.ZeroPadding2D(1),
            L.DepthwiseConv2D(3, strides=2),
            L.LeakyReLU(negative_slope=0.1),
            L.UpSampling2D(2),
            L.Conv2DTranspose(2, 2),
            L.GlobalAveragePooling2D(),
            L.Dense(1, activation="sigmoid"),
        ]
    )


def tokens() -> keras.Model:
    x = source = keras.Input((9,), dtype="int32", name="tokens")
    x = L.Embedding(6, 4, mask_zero=True, name="table")(x)
    x = L.Bidirectional(L.LSTM(2, return_sequences=True), name="both")(x)
    x = L.GRU(3, name="last")(L.TimeDistributed(L.Dense(2), name="each")(x))
    return keras.Model(source, L.Dense(1, name="unit")(x))


def attention() -> keras.Model:
    x = source = keras.Input((6, 4), name="x")
    y = L.MultiHeadAttention(2, 2, name="heads")(x, x)
    x = L.LayerNormalization(name="norm")(L.Concatenate(name="join")([x, y]))
    return keras.Model(source, L.Dense(2, name="units")(L.Reshape((-1,), name="flat")(x)))


def nested() -> keras.Model:
    inner_source = keras.Input((5,))
    inner = keras.Model(inner_source, L.Dense(4, activation="elu")(inner_source), name="inner")
    left, right = keras.Input((5,), name="left"), keras.Input((5,), name="right")
    x = L.Multiply(name="product")([inner(left), inner(right)])
    return keras.Model({"left": left, "right": right}, [L.Dense(2, name="units")(x), L.ReLU()(x)])


@dataclass(frozen=True)
class ModelFile:
    """A model's bytes; ``suffix`` is ``".h5"`` or ``".keras"``."""

    name: str
    suffix: str
    data: bytes

    def config(self) -> Any:
        if self.suffix == ".h5":
            with h5py.File(io.BytesIO(self.data), "r") as file:
                return json.loads(file.attrs["model_config"])
        with zipfile.ZipFile(io.BytesIO(self.data)) as archive:
            return json.loads(archive.read("config.json"))

    def with_config(self, config: Any) -> bytes:
        text = json.dumps(config)
        if self.suffix == ".h5":
            image = io.BytesIO(self.data)
            with h5py.File(image, "r+") as file:
                file.attrs["model_config"] = text
            return image.getvalue()
        return self._repacked({"config.json": text.encode()})

    def with_arrays(self, change: Any) -> bytes:
        """``change(file)`` changes the HDF5 file with the arrays."""
        if self.suffix == ".h5":
            image = io.BytesIO(self.data)
            with h5py.File(image, "r+") as file:
                change(file)
            return image.getvalue()
        with zipfile.ZipFile(io.BytesIO(self.data)) as archive:
            image = io.BytesIO(archive.read("model.weights.h5"))
        with h5py.File(image, "r+") as file:
            change(file)
        return self._repacked({"model.weights.h5": image.getvalue()})

    def _repacked(self, changed: dict[str, bytes]) -> bytes:
        packed = io.BytesIO()
        with (
            zipfile.ZipFile(io.BytesIO(self.data)) as old,
            zipfile.ZipFile(packed, "w") as new,
        ):
            for name in old.namelist():
                new.writestr(name, changed.get(name) or old.read(name))
        return packed.getvalue()


def valid_files(folder: Path) -> list[ModelFile]:
    """Files of today's Keras in both formats, and of older ones."""
    keras.utils.set_random_seed(0)
    files = []
    for build in (convolutions, images, tokens, attention, nested):
        model = build()
        for suffix in (".h5", ".keras"):
            path = folder / f"{build.__name__}{suffix}"
            model.save(path)
            files.append(ModelFile(build.__name__, suffix, path.read_bytes()))
    for name in ("sequential_cnn.h5", "sequential_lstm.h5", "nested.keras", "shapes.h5"):
        path = LEGACY / name
        files.append(ModelFile(f"legacy {path.stem}", path.suffix, path.read_bytes()))
    return files


# ------------------------------------------------------------ changes

Change = tuple[str, float, float, int]
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(("set", "copy", "delete", "double", "swap", "rename")),
        st.floats(0, 1, exclude_max=True),
        st.floats(0, 1, exclude_max=True),
        st.integers(0, len(VALUES) - 1),
    ),
    min_size=1,
    max_size=3,
)
"""What is done, where, with which other place, and with which of `VALUES`."""


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in a configuration, with each of its keys."""
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for key, entry in list(entries):
        yield value, key
        if isinstance(entry, dict | list):
            yield from places(entry)


_MEANINGLESS = ("_initializer", "_regularizer", "_constraint", "name", "trainable", "dtype")


def is_option(container: Any, key: Any) -> bool:
    """Whether a place is an option of a layer that says what it computes."""
    return isinstance(container, dict) and "trainable" in container and not (
        key.endswith(_MEANINGLESS)
    )  # fmt: skip


def changed_config(config: Any, changes: list[Change]) -> Any:
    config = copy.deepcopy(config)
    for what, first, second, number in changes:
        every = list(places(config))
        if not every:
            break
        options = [place for place in every if is_option(*place)]
        likely = options if number % 2 and options else every
        container, key = likely[int(first * len(likely))]
        other, other_key = every[int(second * len(every))]
        if what == "set":
            container[key] = copy.deepcopy(VALUES[number])
        elif what == "copy":
            container[key] = copy.deepcopy(other[other_key])
        elif what == "delete":
            del container[key]
        elif what == "double" and isinstance(container, list):
            container.insert(key, copy.deepcopy(container[key]))
        elif what == "swap" and isinstance(container, list):
            beside = number % len(container)
            container[key], container[beside] = container[beside], container[key]
        elif what == "rename" and isinstance(container, dict) and isinstance(other_key, str):
            container[other_key] = container.pop(key)
    return config


def change_arrays(file: h5py.File, changes: list[Change]) -> None:
    for what, first, second, number in changes:
        names: list[str] = []
        file.visititems(
            lambda name, item, names=names: (
                names.append(name) if isinstance(item, h5py.Dataset) else None
            )
        )
        if not names:
            return
        name, other = names[int(first * len(names))], names[int(second * len(names))]
        values = file[name][()]
        del file[name]
        if what == "set":
            value = VALUES[number]
            file[name] = (
                np.full_like(values, value) if isinstance(value, float) else values[..., :1]
            )
        elif what == "copy" and other != name:
            file[name] = h5py.SoftLink("/" + other)
        elif what == "double":
            file[name] = np.concatenate([values, values]) if np.ndim(values) else values
        elif what == "swap":
            file[name] = np.transpose(values)
        elif what == "rename":
            file[name + "x"] = values


def changed_bytes(data: bytes, changes: list[Change]) -> bytes:
    content = bytearray(data)
    for what, first, second, number in changes:
        start, end = int(first * len(content)), int(second * len(content))
        if what in ("set", "rename"):
            content[start] = number * 7 % 256
        elif what == "copy":
            content[start : start + number] = content[end : end + number]
        elif what == "delete":
            del content[start : start + number]
        elif what == "double":
            content[start:start] = content[start : start + number]
        elif number == 0:
            del content[start:]
        else:
            content[start] ^= 1 << number % 8
        if not content:
            break
    return bytes(content)
