"""Windows put into sequences, and how that changes a target: what all experiments do."""

from __future__ import annotations

from typing import Any

import numpy as np

from deeplift_engine.engine.request import Request
from deeplift_engine.errors import InputError, TargetError
from deeplift_engine.explainers.perturbation.incremental.incremental_forward import Incremental
from deeplift_engine.explainers.perturbation.mutagenesis import Mutagenesis
from deeplift_engine.genomics.input_layout import layout_of
from deeplift_engine.genomics.nucleotides import LETTERS, Alphabet
from deeplift_engine.genomics.sequence_input import sequence_input_of
from deeplift_engine.network import Network
from deeplift_engine.util.typing import Array


class Insertions:
    """One target of a network on sequences, and its changes where windows are put into them.

    Only what a window can change is computed again where that looks cheaper than whole forward
    passes, as in mutagenesis.

    Parameters
    ----------
    network
        The network.
    target
        One unit, or several weighted and added, as for `Network.explainer`.
    units
        Units of the target's layer, in any form that `Explainer.run` takes; by default those that
        ``target`` names.
    letters
        The letters in the order of the network's channels.
    axes, input, first_code
        As for `deeplift_engine.genomics.regions`: the axes of the network's input, its name, and
        the number of the first letter where it takes whole numbers.
    way
        As for mutagenesis: ``"auto"``, ``"incremental"`` or ``"whole"``.
    batch_size
        Windows that are computed together; by default by the size of the network.
    """

    def __init__(
        self,
        network: Network,
        *,
        target: Any = "logits",
        units: Any = None,
        letters: str = LETTERS,
        axes: str | None = None,
        input: str | None = None,
        first_code: int = 0,
        way: str = "auto",
        batch_size: int | None = None,
    ) -> None:
        self.letters = Alphabet(letters).letters
        info = sequence_input_of(network, len(letters), input)
        layout = layout_of(info, len(letters), axes)
        options: dict[str, Any] = (
            {"candidates": list(range(first_code, first_code + len(letters)))}
            if layout.has_codes
            else {"letters": layout.axes.index("C") - 1}
        )
        explainer = network.explainer(
            "saturation_mutagenesis", target=target, way=way, layers=[info.name], **options
        )
        assert isinstance(explainer, Mutagenesis)
        self.explainer, self.units, self.batch_size = explainer, units, batch_size
        self.alphabet = explainer.alphabets[0]
        self._forwards: dict[int, Incremental] = {}

    def request(self, x: Any) -> Request:
        """Sequences, checked, with the weights of the target.

        Raises
        ------
        TargetError
            For several targets.
        """
        request = self.explainer.request(
            x, target=self.units, batch_size=self.batch_size, progress=False
        )
        if len(request.weights) != 1:
            raise TargetError(
                f"experiments are of one target, not of {len(request.weights)}: name a unit"
            )
        return request

    def values(self, request: Request) -> Array:
        """The target on sequences (N,)."""
        passes = self.explainer.values
        return np.asarray(passes(request.data, request.weights, request.batch_size)[0], float)

    def length(self, request: Request) -> int:
        """Positions of a sequence."""
        return self.alphabet.length(self.sequences(request))

    def sequences(self, request: Request) -> Array:
        """The input that is the sequence (N, ...)."""
        return request.data[self._number]

    def changes(self, request: Request, samples: Array, starts: Array, windows: Array) -> Array:
        """The target's change (M,) where windows (M, *features) are put into sequences.

        ``samples`` and ``starts`` (M,) are the number of the sequence and the first position.
        """
        width = windows.shape[self.alphabet.positions + 1]
        if width not in self._forwards:
            self._forwards[width] = self.explainer.forward(self.alphabet, width, 1.0)
        windows = windows.astype(self.sequences(request).dtype, copy=False)
        change = self._forwards[width](
            request.data, samples, starts, windows, request.weights, request.batch_size
        )
        return np.asarray(change[0], float)

    def written(self, request: Request, samples: Array, starts: Array, word: str) -> Array:
        """Windows (M, *features) of a word; where it has N they are what the sequences have."""
        codes = self.codes(word)
        windows = self.windows(request, samples, starts, len(word))
        lines, known = np.moveaxis(windows, self.alphabet.positions + 1, 1), codes >= 0
        rows = self.alphabet.written(codes[known])
        lines[:, known] = np.moveaxis(rows, self.alphabet.positions + 1, 1)[:, 0]
        return windows

    def windows(self, request: Request, samples: Array, starts: Array, width: int) -> Array:
        """What sequences have in windows (M, *features); a copy."""
        axis = self.alphabet.positions + 1
        lines = np.moveaxis(self.sequences(request), axis, 1)
        positions = np.asarray(starts)[:, np.newaxis] + np.arange(width)
        return np.moveaxis(lines[np.asarray(samples)[:, np.newaxis], positions], 1, axis)

    def inserted(self, request: Request, starts: Array, windows: Array) -> Request:
        """The same request of sequences into which a window each (N, *features) is put."""
        axis = self.alphabet.positions + 1
        data = self.sequences(request).copy()
        lines, new = np.moveaxis(data, axis, 1), np.moveaxis(windows, axis, 1)
        positions = np.asarray(starts)[:, np.newaxis] + np.arange(new.shape[1])
        lines[np.arange(len(data))[:, np.newaxis], positions] = new
        return self.with_sequences(request, data)

    def with_sequences(self, request: Request, data: Array) -> Request:
        """The same request of other sequences (N, ...)."""
        arrays = list(request.data)
        arrays[self._number] = data
        return request.replace(data=arrays)

    def codes(self, word: str) -> Array:
        """Numbers of letters (W,), -1 for N.

        Raises
        ------
        InputError
            For other letters, and none.
        """
        text = word.upper()
        if not text or not set(text) <= {*self.letters, "N"}:
            raise InputError(
                f"{word!r} is no motif: expected letters of {self.letters}, and N for what stays"
            )
        return np.array([self.letters.find(letter) for letter in text])

    def check_inside(self, length: int, first: int, end: int, what: str) -> None:
        """Refuse positions beyond the sequences."""
        if not 0 <= first < end <= length:
            raise InputError(
                f"{what} is at the positions {first} to {end} (from 0, end excluded), and the "
                f"sequences have {length}"
            )

    @property
    def _number(self) -> int:
        return self.explainer.task.graph.inputs.index(self.alphabet.name)


def named(motifs: Any) -> dict[str, str]:
    """Motifs by name: of a mapping, or of words that are their own names."""
    if isinstance(motifs, str):
        motifs = [motifs]
    several = dict(motifs) if hasattr(motifs, "keys") else {word: word for word in motifs}
    if not several:
        raise InputError("no motifs: give at least one")
    return several


def starts_of(count: int, start: int) -> tuple[Array, Array]:
    """Numbers of all of N samples, and one start for each."""
    return np.arange(count), np.full(count, start)


__all__ = ["Insertions", "named", "starts_of"]
