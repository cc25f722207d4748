"""What a network's outputs mean to variants: counts, their logarithms, profiles, other values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.graph.known_heads import kind_by_name
from deeplift_engine.network import Network
from deeplift_engine.util.probabilities import softmax
from deeplift_engine.util.suggestions import suggest
from deeplift_engine.util.typing import Array

KINDS = {
    "counts": "counts of reads, which are compared by their log2 ratio",
    "log_counts": "natural logarithms of counts: their exponentials are compared as counts are",
    "profile": "logits of a profile along the positions, before its softmax",
    "probabilities": "a profile along the positions that has crossed its softmax",
    "track": "values along the positions, which are compared where they differ most",
    "value": "anything else, which is compared by its difference",
}
"""The kinds of outputs."""
PROFILES = ("profile", "probabilities")
ALONG_POSITIONS = (*PROFILES, "track")


@dataclass(frozen=True)
class Output:
    """One output of a network, and its heads: each unit, or each channel along positions.

    Attributes
    ----------
    name
        As `Network.output_names` has it.
    kind
        One of `KINDS`.
    shape
        Of one sample.
    strands
        Whether two heads are the two strands, which the reverse complement exchanges.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    strands: bool = False

    @property
    def has_positions(self) -> bool:
        """Whether its first axis is that of positions."""
        return self.kind in ALONG_POSITIONS

    @property
    def heads(self) -> tuple[str, ...]:
        """Names of the heads: that of the output, with a number where there are several."""
        shape = self.shape[1:] if self.has_positions else self.shape
        count = int(np.prod(shape))
        if count == 1:
            return (self.name,)
        return tuple(f"{self.name}.{number}" for number in range(count))

    def levels(self, array: Array, mirrored: Array | None = None) -> Array:
        """Predictions (N, heads), or (N, heads, positions) along positions, in float64.

        Parameters
        ----------
        array
            What the network computes, (N, *shape).
        mirrored
            The same of the reverse complements, which is brought to the forward strand; the result
            is the mean of both. Counts are averaged as counts, profiles as what the output has:
            logits, or probabilities.
        """
        if mirrored is None:
            return self._arranged(array)
        back = self._arranged(mirrored)
        if self.has_positions:
            back = back[:, :, ::-1]
        if self.strands:
            back = back[:, ::-1]
        return np.asarray((self._arranged(array) + back) / 2)

    def _arranged(self, array: Array) -> Array:
        values = np.asarray(array, float)
        if self.has_positions:
            return np.moveaxis(values.reshape(len(values), self.shape[0], -1), 1, 2)
        values = values.reshape(len(values), -1)
        return np.exp(values) if self.kind == "log_counts" else values

    def probabilities(self, levels: Array) -> Array:
        """The levels of a profile as shares (N, heads, positions) that sum to 1."""
        if self.kind == "profile":
            return softmax(levels)
        return np.asarray(levels / levels.sum(axis=-1, keepdims=True))


def outputs_of(
    network: Network,
    kinds: Mapping[str, str] | None = None,
    shapes: Sequence[Sequence[int | None]] | None = None,
) -> tuple[Output, ...]:
    """The outputs of a network and what they mean.

    By default an output whose name has "count" in it is counts, or with "log" as well logarithms
    of counts; one whose name has "profile" is one, of probabilities where an activation as softmax
    ends it, else of logits; one with an axis of positions and others is a track; all else are
    values. Two channels of a profile are the two strands, and so are two units of counts beside it.

    Parameters
    ----------
    network
        The network.
    kinds
        Kinds by the names of outputs, where the default is not right.
    shapes
        Of one sample of each output, for windows of one length; by default as the network has them.

    Raises
    ------
    InputError
        For an output or a kind that does not exist, a profile without positions, a free size.
    """
    kinds = dict(kinds or {})
    for name, kind in kinds.items():
        if name not in network.output_names:
            known = ", ".join(network.output_names)
            raise InputError(
                f"kinds: there is no output {name!r}. "
                + suggest(name, network.output_names, f"The model has {known}.")
            )
        if kind not in KINDS:
            raise InputError(f"kinds: {kind!r} of {name!r} is none of {', '.join(KINDS)}.")
    shapes = shapes_of(network) if shapes is None else shapes
    outputs = []
    for name, node, shape in zip(network.output_names, network.outputs, shapes, strict=True):
        sizes = tuple(int(size) for size in shape if size is not None)
        if len(sizes) < len(shape):
            raise InputError(f"The output {name!r} has shape {tuple(shape)}; expected known sizes.")
        kind = kinds.get(name) or _kind(name, sizes, node in network.built.logits)
        if kind in ALONG_POSITIONS and sizes[0] < 2:
            raise InputError(f"The output {name!r} of shape {sizes} has no positions: no {kind}.")
        outputs.append(Output(name, kind, sizes))
    stranded = any(each.kind in PROFILES and len(each.heads) == 2 for each in outputs)
    return tuple(
        replace(each, strands=stranded and len(each.heads) == 2 and each.kind in _STRANDED)
        for each in outputs
    )


def shapes_of(network: Network) -> list[tuple[int | None, ...]]:
    """Shapes of one sample of each output, None for a size that the network leaves free."""
    return [tuple(network.nodes[node].shape) for node in network.outputs]


_STRANDED = (*PROFILES, "counts", "log_counts")


def _kind(name: str, shape: tuple[int, ...], activated: bool) -> str:
    """The kind of an output, by its name and shape, and whether a softmax or sigmoid ends it."""
    kind = kind_by_name(name, has_positions=shape[:1] > (1,))
    if kind == "profile" and activated:
        return "probabilities"
    return kind or ("track" if len(shape) > 1 and shape[0] > 1 else "value")


__all__ = ["ALONG_POSITIONS", "KINDS", "PROFILES", "Output", "outputs_of", "shapes_of"]
