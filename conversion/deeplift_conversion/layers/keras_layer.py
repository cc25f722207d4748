"""What one of Keras's layers is, in all versions: the form of a row of the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Options = Mapping[str, Any]
Shape = tuple[Any, ...] | None

UNSAID = "unsaid"
"""Stands for a ``data_format`` that the file does not have."""


@dataclass(frozen=True)
class Slot:
    """One array that a layer must have.

    Attributes
    ----------
    role
        The role in `LayerSpec.weights`.
    shape
        Its expected shape: numbers, and symbols that must agree within the layer. None says
        nothing.
    names
        Endings of its name in files, the role itself included.
    trainable
        False for what training does not learn by gradient (moving averages).
    sublayer
        The sublayer that holds it in a ``.keras`` file (``"cell"``, ``"query_dense"``).
    """

    role: str
    shape: Shape = None
    names: tuple[str, ...] = ()
    trainable: bool = True
    sublayer: str = ""


@dataclass(frozen=True)
class KerasLayer:
    """One of Keras's layers.

    Attributes
    ----------
    name
        Keras 3's name of the class; the last one where Keras 3 has no such layer.
    options
        Those that change what the layer computes, with Keras 3's defaults. None where it does
        nothing at prediction, whatever they are.
    others
        Other options that it was saved with in any version, separated by spaces.
    arrays
        Its arrays in Keras's order, by its options.
    family
        What it shares with layers of other ranks or kinds, ``""`` for a layer by itself.
    aliases, keras1
        Its other names in any version, and those of Keras 0 and 1.
    renamed
        Options of Keras 3 by the names that Keras 2 has for them.
    older
        Defaults that were others, by the last era that had them.
    margins
        The option that says what is added or cut at both ends of each axis.
    gates
        The gates of a recurrent layer by Keras 1's names, in the order of Keras 2 and 3.
    inner
        The option that holds the wrapped layer.
    merge_mode
        The mode of Keras 1's ``Merge`` that does the same.
    sizes
        Options that the shape of its first array tells.
    quantized
        The modes of quantised weights that are read.
    reads_tokens
        Whether it reads whole numbers that stand for words or classes.
    mixes_axes
        Whether the order of axes may be another behind it.
    is_activation
        Whether tf.keras finds it where an activation's name is meant.
    has_policy
        Whether Keras 3 saves its policy for dtypes.
    """

    name: str
    options: Options | None = field(default_factory=dict)
    others: str = ""
    arrays: Callable[[Options], list[Slot]] = lambda _: []
    family: str = ""
    aliases: tuple[str, ...] = ()
    keras1: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    older: Mapping[int, Options] = field(default_factory=dict)
    margins: str = ""
    gates: str = ""
    inner: str = ""
    merge_mode: str = ""
    sizes: Callable[[tuple[int, ...]], Options] | None = None
    quantized: tuple[str, ...] = ()
    reads_tokens: bool = False
    mixes_axes: bool = False
    is_activation: bool = False
    has_policy: bool = True

    def defaults(self, era: int) -> dict[str, Any]:
        """Return the options with the defaults of an era."""
        defaults = dict(self.options or {})
        for last, options in sorted(self.older.items(), reverse=True):
            defaults |= options if era <= last else {}
        return defaults
