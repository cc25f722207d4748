"""In-silico mutagenesis: the target's change where letters, or tokens, are replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Annotated, TypeAlias

import numpy as np

from deeplift_engine.engine.assemble import MethodResult
from deeplift_engine.engine.blocks import slices
from deeplift_engine.engine.request import Request
from deeplift_engine.engine.task import Task
from deeplift_engine.errors import InputError
from deeplift_engine.explainers.explainer import Explainer
from deeplift_engine.explainers.method import Method
from deeplift_engine.explainers.perturbation.alphabet import Alphabet, alphabet
from deeplift_engine.explainers.perturbation.incremental.incremental_forward import Incremental, Way
from deeplift_engine.explainers.perturbation.incremental.incremental_plan import Patches
from deeplift_engine.explainers.traits import Traits
from deeplift_engine.util.options import Among, Integer, Several
from deeplift_engine.util.progress import bar
from deeplift_engine.util.typing import Array

Numbers: TypeAlias = Annotated[Sequence[int], Several(Integer(0))]
CENTRES = ("reference", "mean")
TOGETHER = 1 << 18
"""How many mutations to prepare together."""
WINDOW_BYTES = 64 << 20
"""The same of windows that hold several positions."""
MOST_BYTES = 2 << 30
"""The largest result of pairs."""


class Mutagenesis(Explainer):
    """Alphabets, and the target's changes, for the methods of this file."""

    traits = Traits(uses_references=False, attributes_of=None, accepts_noise=False)

    def __init__(
        self,
        task: Task,
        letters: int,
        candidates: Sequence[int] | None,
        positions: Sequence[int] | None,
        way: str,
    ) -> None:
        super().__init__(task)
        self.positions = positions
        infos = {info.name: info for info in task.inputs}
        inside = [name for name in task.attribution_nodes if name not in infos]
        if inside:
            raise InputError(f"Mutagenesis is of inputs, {list(infos)}; {inside} are none.")
        self.alphabets = [
            alphabet(infos[name], letters, candidates) for name in task.attribution_nodes
        ]
        self.way, self._fused = way, task.fuses

    def forward(self, letters: Alphabet, width: int, density: float) -> Incremental:
        """Changes of the target for windows of an input."""
        patches = Patches(letters.name, (letters.positions,), (width,), density)
        task = self.task
        return Incremental(
            task.graph, task.target, self.values, patches, fused=self._fused, way=self.way
        )

    @cached_property
    def singles(self) -> list[Incremental]:
        """Of windows of one position, for each input that is mutated."""
        share = 1.0
        if self.positions is not None:
            share = len(set(self.positions)) / (max(self.positions) - min(self.positions) + 1)
        return [
            self.forward(letters, 1, share * (len(letters.choices) - 1))
            for letters in self.alphabets
        ]

    def changes(
        self,
        request: Request,
        number: int,
        positions: Array,
        tick: Callable[[int], object] = lambda done: None,
    ) -> Array:
        """The target's change (T, N, P, A) for every choice at the positions (P,) of one input."""
        letters, data = self.alphabets[number], request.data[self._input(number)]
        present = letters.present(data)[:, positions]
        shape = (len(request.weights), len(data), len(positions), len(letters.choices))
        changes = np.zeros(shape, request.weights.dtype)
        for rows in slices(len(data), max(1, TOGETHER // max(1, shape[2] * shape[3]))):
            new = present[rows, :, np.newaxis] != np.arange(shape[3])
            samples, columns, choices = np.nonzero(new)
            samples += rows.start
            changes[:, samples, columns, choices] = self.singles[number](
                request.data,
                samples,
                positions[columns],
                letters.written(choices).astype(data.dtype),
                request.weights,
                request.batch_size,
                tick,
            )
        return changes

    def _input(self, number: int) -> int:
        """The number of the input that is mutated."""
        return self.task.graph.inputs.index(self.task.attribution_nodes[number])


class SaturationMutagenesis(Mutagenesis):
    """The target's change for every letter, or token, put at every position by itself.

    Of L positions and A letters that is L·(A - 1) evaluations of each sample, of which only what a
    mutation can reach is computed where that looks cheaper.

    What is there has the score 0, and so have positions that are not asked for. Rows of several
    letters' shares, and of zeros (N), are replaced by every letter. Of tokens the scores have an
    axis of their own for the candidates, (N, L, candidates). Of several inputs each is mutated
    by itself, or those named as ``layers=``.

    Parameters
    ----------
    letters
        The axis of the letters in one sample of a one-hot input, -1 for the last.
    candidates
        Tokens to put in place of others, for an input of tokens; by default all, where its table
        is small.
    positions
        Which to mutate, whole numbers from 0; by default all.
    centre
        ``"reference"``: changes from what is there. ``"mean"``: from the mean over the letters.
    way
        ``"auto"``: only what a mutation can change is computed again where that looks cheaper;
        ``"incremental"``: it always is; ``"whole"``: whole forward passes.
    """

    def __init__(
        self,
        task: Task,
        *,
        letters: int = -1,
        candidates: Numbers | None = None,
        positions: Numbers | None = None,
        centre: Annotated[str, Among(CENTRES)] = "reference",
        way: Way = "auto",
    ) -> None:
        super().__init__(task, letters, candidates, positions, way)
        self.centre = centre

    def attribute(self, request: Request) -> MethodResult:
        """Changes (T, N, *S), of tokens (T, N, L, A)."""
        chosen = [
            _positions(self.positions, letters, request.data[self._input(number)])
            for number, letters in enumerate(self.alphabets)
        ]
        total = sum(
            len(positions) * len(letters.choices) * request.samples
            for positions, letters in zip(chosen, self.alphabets, strict=True)
        )
        scores = []
        with bar(total, request.progress, " mutations") as tick:
            for number, (letters, positions) in enumerate(zip(self.alphabets, chosen, strict=True)):
                changes = self.changes(request, number, positions, tick)
                if self.centre == "mean":
                    changes -= changes.mean(axis=-1, keepdims=True)
                length = letters.length(request.data[self._input(number)])
                values = np.zeros((*changes.shape[:2], length, changes.shape[3]), changes.dtype)
                values[:, :, positions] = changes
                scores.append(letters.shaped(values))
        return MethodResult(scores)


class PairwiseMutagenesis(Mutagenesis):
    """The effect of two mutations together beyond those of each by itself: their epistasis.

    With Δ the target's change, the score of letter a at position i and b at j is
    Δ(i→a, j→b) - Δ(i→a) - Δ(j→b), an array (N, P, A, Q, A) over the P ``positions`` and the Q
    ``others``; 0 where i is j, or where nothing is mutated. It costs P·Q·(A - 1)^2 evaluations of
    each sample, half of them where ``others`` are the same positions, and the array is at most
    2 GiB. The part of the sequence between the first position and the last counts as changed,
    so near positions cost less.

    Parameters
    ----------
    positions
        Which to mutate, whole numbers from 0.
    others
        Which to mutate besides; by default the same.
    letters
        The axis of the letters in one sample of a one-hot input, -1 for the last.
    candidates
        Tokens to put in place of others, for an input of tokens; by default all, where its table
        is small.
    way
        As for ``saturation_mutagenesis``.
    """

    traits = replace(Mutagenesis.traits, elementwise_scores=False)

    def __init__(
        self,
        task: Task,
        *,
        positions: Numbers,
        others: Numbers | None = None,
        letters: int = -1,
        candidates: Numbers | None = None,
        way: Way = "auto",
    ) -> None:
        super().__init__(task, letters, candidates, positions, way)
        if len(self.alphabets) > 1:
            names = [letters.name for letters in self.alphabets]
            raise InputError(f"Pairs are of one input: say with layers= which of {names}.")
        self.others = positions if others is None else others
        everywhere = [*positions, *self.others]
        self.first, width = min(everywhere), max(everywhere) - min(everywhere) + 1
        choices = len(self.alphabets[0].choices)
        pairs = len(positions) * len(self.others) * (choices - 1) ** 2
        self.pairs = self.forward(self.alphabets[0], width, pairs)

    def attribute(self, request: Request) -> MethodResult:
        """Epistasis (T, N, P, A, Q, A)."""
        letters, data = self.alphabets[0], request.data[self._input(0)]
        rows, columns = (
            _positions(numbers, letters, data) for numbers in (self.positions, self.others)
        )
        choices = len(letters.choices)
        shape = (len(rows), choices, len(columns), choices)
        full = (len(request.weights), len(data), *shape)
        size = int(np.prod(full)) * request.weights.itemsize
        if size > MOST_BYTES:
            raise InputError(
                f"Pairs of {shape[0]} and {shape[2]} positions of {len(data)} samples make an "
                f"array {full} of {size / 2**30:.1f} GiB, more than {MOST_BYTES / 2**30:.0f} GiB: "
                "give fewer samples, targets or positions."
            )
        one = self.changes(request, 0, rows)
        mirrored = self.others == self.positions
        other = one if mirrored else self.changes(request, 0, columns)
        scores = np.zeros(full, request.weights.dtype)
        present = letters.present(data)
        with bar(int(np.prod(full[1:])), request.progress, " pairs") as tick:
            for numbers in self._blocks(full[1:], data):
                sample, i, a, j, b = np.unravel_index(numbers, full[1:])
                new = (rows[i] != columns[j]) & (present[sample, rows[i]] != a)
                new &= present[sample, columns[j]] != b
                new &= (i < j) | (not mirrored)
                sample, i, a, j, b = (each[new] for each in (sample, i, a, j, b))
                patches = self._written(data, sample, rows[i], a, columns[j], b)
                starts = np.full(len(sample), self.first)
                weights = request.weights
                both = self.pairs(
                    request.data, sample, starts, patches, weights, request.batch_size
                )
                beyond = both - one[:, sample, i, a] - other[:, sample, j, b]
                scores[:, sample, i, a, j, b] = beyond
                if mirrored:
                    scores[:, sample, j, b, i, a] = beyond
                tick(len(numbers))
        return MethodResult([scores])

    def _blocks(self, shape: tuple[int, ...], data: Array) -> Iterator[Array]:
        """Numbers of pairs, so many together that their windows fit into memory."""
        sample = (
            data[0].nbytes // max(1, self.alphabets[0].length(data)) * self.pairs.patches.widths[0]
        )
        most = max(1, min(TOGETHER, WINDOW_BYTES // max(1, sample)))
        for pairs in slices(int(np.prod(shape)), most):
            yield np.arange(pairs.start, pairs.stop)

    def _written(self, data: Array, sample: Array, i: Array, a: Array, j: Array, b: Array) -> Array:
        """Windows (M, *features) from the first position to the last, with two mutations each."""
        letters = self.alphabets[0]
        axis = letters.positions + 1
        positions = np.arange(self.first, self.first + self.pairs.patches.widths[0])
        windows = data.take(positions, axis=axis)[sample]
        lines = np.moveaxis(windows, axis, 1)
        for position, choice in ((i, a), (j, b)):
            new = np.moveaxis(letters.written(choice), axis, 1)[:, 0]
            lines[np.arange(len(sample)), position - self.first] = new
        return windows


def _positions(numbers: Sequence[int] | None, letters: Alphabet, data: Array) -> Array:
    """Positions of an input (P,), all where none are named."""
    length = letters.length(data)
    if numbers is None:
        return np.arange(length)
    if max(numbers) >= length:
        raise InputError(
            f"Position {max(numbers)} is asked for; input {letters.name!r} has {length}, from 0."
        )
    return np.array(numbers)


METHODS = (
    Method(
        "saturation_mutagenesis",
        "perturbation",
        SaturationMutagenesis,
        "The target's change for every letter, or token, at every position.",
        "Zhou 2015, doi:10.1038/nmeth.3547; Nair 2022, doi:10.1093/bioinformatics/btac135",
        "N·(1 + L·(A - 1))",
        aliases=("in_silico_mutagenesis", "ism"),
    ),
    Method(
        "pairwise_mutagenesis",
        "perturbation",
        PairwiseMutagenesis,
        "What two mutations do together beyond what each does by itself.",
        "Koo 2021, doi:10.1371/journal.pcbi.1008925",
        "N·(1 + (P + Q)·(A - 1) + P·Q·(A - 1)^2)",
    ),
)
