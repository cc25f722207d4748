"""Effects of variants by one network or several, block by block."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.genomics.nucleotides import LETTERS
from deeplift_engine.genomics.variants.allele_inputs import AlleleInputs, allele_inputs
from deeplift_engine.genomics.variants.variant import Sequences, Variant, refuse, split
from deeplift_engine.genomics.variants.variant_effects import effects, over_folds
from deeplift_engine.genomics.variants.variant_files import VariantFile
from deeplift_engine.genomics.variants.variant_heads import Output, outputs_of, shapes_of
from deeplift_engine.genomics.variants.variant_windows import windows
from deeplift_engine.jobs.stored_constants import content_of
from deeplift_engine.network import Network
from deeplift_engine.util.typing import Array

BLOCK_BYTES = 64 << 20
"""Size of the windows that are computed together, as float32."""
MOST = 1024
"""And never more variants than this."""


class VariantScorer:
    """Effects of variants on all outputs of a network, or of several in the mean.

    Parameters
    ----------
    networks
        A network, or the folds of one model: their inputs and outputs are the same.
    genome
        A `deeplift_engine.genomics.Genome`, or what has its ``sizes`` and ``fetch``.
    kinds
        What outputs are, by their names, where `outputs_of` takes them for something else.
    peaks
        Windows of peaks (P, ...) with the axes of the input, such as `regions` gives: the counts
        of the more active allele are ranked among theirs.
    reverse_complement
        Whether predictions are means over both strands.
    length, letters, axes, input, fixed
        As for `allele_inputs`.
    batch_size
        Windows that are computed together; by default by the size of the network.

    Raises
    ------
    InputError
        If the networks do not fit each other or the sequences.
    """

    def __init__(
        self,
        networks: Network | Sequence[Network],
        genome: Sequences,
        *,
        kinds: Mapping[str, str] | None = None,
        peaks: Any = None,
        reverse_complement: bool = True,
        length: int | None = None,
        letters: str = LETTERS,
        axes: str | None = None,
        input: str | None = None,
        fixed: Mapping[str, Any] | None = None,
        batch_size: int | None = None,
    ) -> None:
        self.networks = [networks] if isinstance(networks, Network) else list(networks)
        self.genome, self.both_strands, self.batch_size = genome, reverse_complement, batch_size
        each = [
            allele_inputs(
                network, length=length, letters=letters, axes=axes, input=input, fixed=fixed
            )
            for network in self.networks
        ]
        outputs = [
            outputs_of(network, kinds, _shapes(network, inputs))
            for network, inputs in zip(self.networks, each, strict=True)
        ]
        _check_folds(self.networks, each, outputs)
        self.inputs: AlleleInputs = each[0]
        self.outputs: tuple[Output, ...] = outputs[0]
        self._peaks = [self._sorted_counts(network, peaks) for network in self.networks]

    @property
    def length(self) -> int:
        """Of the windows."""
        return self.inputs.length

    @property
    def description(self) -> dict[str, Any]:
        """What is computed, in plain values."""
        inputs = self.inputs
        return {
            "models": [network.spec.sha256 for network in self.networks],
            "dtype": self.networks[0].dtype,
            "outputs": {output.name: output.kind for output in self.outputs},
            "length": self.length,
            "letters": inputs.letters,
            "axes": inputs.form.layout.axes,
            "reverse_complement": self.both_strands,
            "batch_size": self.batch_size,
            "fixed": {name: content_of(array) for name, array in inputs.fixed.items()},
            "peaks": [
                {head: content_of(counts) for head, counts in peaks.items()}
                for peaks in self._peaks
            ],
        }

    @property
    def columns(self) -> dict[str, np.dtype[Any]]:
        """Names of the columns that `effects` gives, and their types."""
        levels = [
            np.ones((1, len(output.heads), *output.shape[: output.has_positions]))
            for output in self.outputs
        ]
        alleles = np.ones((1, 2), int)
        one = [
            effects(self.outputs, levels, levels, alleles, self.length, peaks)
            for peaks in self._peaks
        ]
        return {name: values.dtype for name, values in over_folds(one).items()}

    @property
    def rows(self) -> int:
        """Variants of a block."""
        window = self.length * len(self.inputs.letters) * 4
        return max(1, min(MOST, BLOCK_BYTES // (2 * window)))

    def one_hot(self, variants: Sequence[Variant]) -> Array:
        """Windows (2N, L, C): those with REF of all variants, then those with ALT."""
        pairs = [windows(variant, self.genome, self.length) for variant in variants]
        return self.inputs.encoded([pair[allele] for allele in (0, 1) for pair in pairs])

    def effects(
        self, variants: Sequence[Variant], one_hot: Array | None = None
    ) -> dict[str, Array]:
        """Columns (N,) of variants without a reason to skip them.

        ``one_hot`` are their windows, where `one_hot` made them before.
        """
        one_hot = self.one_hot(variants) if one_hot is None else one_hot
        alleles = np.array([(len(variant.ref), len(variant.alt)) for variant in variants])
        count, folds = len(variants), []
        for network, peaks in zip(self.networks, self._peaks, strict=True):
            levels = self._levels(network, one_hot)
            ref, alt = [each[:count] for each in levels], [each[count:] for each in levels]
            folds.append(effects(self.outputs, ref, alt, alleles, self.length, peaks))
        return over_folds(folds)

    def _levels(self, network: Network, one_hot: Array) -> list[Array]:
        """What `Output.levels` gives for each output, of windows (M, L, C)."""
        forward = network.output_arrays(self.inputs.batch(one_hot), self.batch_size, False)
        if not self.both_strands:
            return [
                output.levels(array) for output, array in zip(self.outputs, forward, strict=True)
            ]
        mirrored = self.inputs.batch(self.inputs.mirrored(one_hot))
        back = network.output_arrays(mirrored, self.batch_size, False)
        return [
            output.levels(*arrays)
            for output, *arrays in zip(self.outputs, forward, back, strict=True)
        ]

    def _sorted_counts(self, network: Network, peaks: Any) -> dict[str, Array]:
        """Rising counts of peaks by head; empty without peaks."""
        counted = [output for output in self.outputs if output.kind in ("counts", "log_counts")]
        if peaks is None:
            return {}
        if not len(peaks) or not counted:
            raise InputError(
                "peaks= rank counts: "
                + ("there are no peaks" if counted else "no output is counts")
            )
        most = 2 * self.rows
        blocks = []
        for start in range(0, len(peaks), most):
            levels = self._levels(
                network, self.inputs.rows(np.asarray(peaks[start : start + most]))
            )
            blocks.append(
                [
                    each
                    for output, each in zip(self.outputs, levels, strict=True)
                    if output in counted
                ]
            )
        counts = [np.concatenate(each) for each in zip(*blocks, strict=True)]
        return {
            head: np.sort(values[:, column])
            for output, values in zip(counted, counts, strict=True)
            for column, head in enumerate(output.heads)
        }


def _shapes(network: Network, inputs: AlleleInputs) -> list[tuple[int | None, ...]]:
    """Shapes of one sample of each output: of a window, where a network takes any length."""
    shapes = shapes_of(network)
    if all(None not in shape for shape in shapes):
        return shapes
    window = np.zeros((1, inputs.length, len(inputs.letters)), np.float32)
    return [array.shape[1:] for array in network.output_arrays(inputs.batch(window), 1, False)]


def _check_folds(
    networks: Sequence[Network],
    inputs: Sequence[AlleleInputs],
    outputs: Sequence[tuple[Output, ...]],
) -> None:
    """Refuse networks that differ in what they read or return."""
    if not networks:
        raise InputError("no networks: give at least one.")
    for network, one, several in zip(networks, inputs, outputs, strict=True):
        if (one.length, several) != (inputs[0].length, outputs[0]):
            raise InputError(
                f"{network.spec.source} reads {one.length} letters and returns "
                f"{', '.join(f'{each.name} {each.shape}' for each in several)}; "
                f"{networks[0].spec.source} reads {inputs[0].length} and returns "
                f"{', '.join(f'{each.name} {each.shape}' for each in outputs[0])}: folds of one "
                "model have the same"
            )


@dataclass(frozen=True)
class Survey:
    """The variants of a file, counted before anything is computed.

    Attributes
    ----------
    records, variants, scored
        How many there are, and how many of the variants can be scored.
    skipped
        Numbers of the others by the word for the reason.
    """

    records: int
    variants: int
    scored: int
    skipped: Mapping[str, int]


def survey(
    file: VariantFile,
    genome: Sequences,
    length: int,
    *,
    strict: bool = False,
    skip_mismatches: bool = False,
) -> Survey:
    """Read a file of variants from end to end.

    Parameters
    ----------
    file, genome, length
        The variants, and the genome and windows that they are for.
    strict
        Whether a variant that cannot be scored is an error.
    skip_mismatches
        Whether variants whose REF is not that of the genome are skipped, too.

    Raises
    ------
    InputError
        For a line that is no record, a variant that may not be skipped, and where none is left.
    """
    records, reasons, first = 0, Counter[str](), None
    for variants in split_records(file, genome, length):
        records += 1
        for variant in variants:
            code = variant.reason.code if variant.reason else ""
            if code and (strict or (code == "mismatch" and not skip_mismatches)):
                raise refuse(variant)
            first = first or (variant if code else None)
            reasons[code] += 1
    scored = reasons.pop("", 0)
    if not records:
        raise InputError(f"{file.path} has no records.")
    if not scored:
        assert first is not None
        assert first.reason is not None
        raise InputError(
            f"{file.path}: none of its {reasons.total()} variants can be scored: "
            f"{', '.join(f'{code} {count}' for code, count in reasons.items())}. The first: "
            f"{first.record.where}: {first.reason.text}" + _advice(first.record.chrom, genome.sizes)
        )
    return Survey(records, reasons.total() + scored, scored, dict(reasons))


def _advice(chrom: str, sizes: Mapping[str, int]) -> str:
    """The other spelling of a chromosome that the genome has."""
    other = chrom.removeprefix("chr") if chrom.startswith("chr") else f"chr{chrom}"
    if chrom in sizes or other not in sizes:
        return "."
    return f", but {other!r}: rename the chromosomes, as bcftools annotate --rename-chrs does."


def split_records(file: VariantFile, genome: Sequences, length: int) -> Iterator[list[Variant]]:
    """The variants of each record of a file, in its order."""
    for record in file:
        yield split(record, genome, length)


def blocks(
    file: VariantFile, genome: Sequences, length: int, most: int
) -> Iterator[list[list[Variant]]]:
    """Records with their variants, about ``most`` variants together."""
    block: list[list[Variant]] = []
    count = 0
    for variants in split_records(file, genome, length):
        block.append(variants)
        count += len(variants)
        if count >= most:
            yield block
            block, count = [], 0
    if block:
        yield block


__all__ = ["Survey", "VariantScorer", "blocks", "split_records", "survey"]
