"""Inputs of the command line that are sequences: FASTA files, regions of a genome, letters."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deeplift_engine.cli import console
from deeplift_engine.cli.beside_inputs import with_others
from deeplift_engine.errors import InputError
from deeplift_engine.util.array_files import SUFFIXES as ARRAYS
from deeplift_engine.util.array_files import open_array

if TYPE_CHECKING:
    from deeplift_engine.genomics import SequenceInput
    from deeplift_engine.network import Network

FASTA = (".fa", ".fasta", ".fna")
_FLAGS = {
    "genome": "--genome",
    "stranded": "--ignore-strand",
    "length": "--length",
    "beside": "--beside",
}


def sequences_of(options: argparse.Namespace, network: Network) -> Any:
    """The sequences of a FASTA file or of regions; None where the file holds arrays.

    Of a model of several inputs, a mapping of them and the inputs of ``--beside``.

    Raises
    ------
    InputError
        If regions have no genome, or options mean nothing to such a file; as the library does.
    """
    sequences = _of_records(options, network)
    if sequences is None:
        return None
    if sequences.missing_summits:
        console.complain(
            "note",
            f"{sequences.missing_summits} records of {options.inputs} have no summit: the middle "
            "is the centre",
        )
    from deeplift_engine.genomics.sequence_input import sequence_input_of

    name = sequence_input_of(network, len(options.letters), options.input).name
    return with_others(options, network, {name: sequences}, partial(_beside, sequences))


def _of_records(options: argparse.Namespace, network: Network) -> SequenceInput | None:
    """The sequences of a FASTA file or of regions."""
    from deeplift_engine import genomics
    from deeplift_engine.genomics.region_files import is_region_file

    path: Path = options.inputs
    chosen = {
        "network": network,
        "length": options.length,
        "axes": options.axes,
        "input": options.input,
        "strict": getattr(options, "strict", False),
        **_letters(options),
    }
    if is_fasta(path):
        _refuse(options, "genome", "stranded")
        return genomics.sequences(path, **chosen)
    if options.genome is not None and path.suffix.lower() not in ARRAYS:
        return genomics.regions(path, options.genome, stranded=options.stranded, **chosen)
    if is_region_file(path):
        raise InputError(f"{path} holds regions: say of which genome, --genome FASTA")
    _refuse(options, *_FLAGS)
    return None


def column_of(options: argparse.Namespace) -> Any:
    """The sequences in the column of ``--column``; None where the file is no table.

    Raises
    ------
    InputError
        For a table without the option, the option without a table, and as `read_column`.
    """
    from deeplift_engine.genomics.table_column import is_table, read_column

    if options.column is not None:
        return read_column(options.inputs, options.column)
    if is_table(options.inputs):
        raise InputError(f"{options.inputs} is a table: say which column has sequences, --column")
    return None


def is_fasta(path: Path) -> bool:
    """Whether a file is FASTA, by its name."""
    name = path.name.lower()
    for compressed in (".gz", ".bgz"):
        name = name.removesuffix(compressed)
    return Path(name).suffix in FASTA


def _beside(sequences: SequenceInput, file: str) -> Any:
    """An input beside the sequences: rows of an array, or tracks with commas between."""
    from deeplift_engine.genomics.other_inputs import BIGWIG, rows_of_records, tracks

    paths = file.split(",")
    if all(Path(path).suffix.lower() in BIGWIG for path in paths):
        return tracks(paths, sequences)
    return rows_of_records(open_array(Path(file)), sequences)


def arranged(data: Any, options: argparse.Namespace, network: Network) -> Any:
    """Arrays of a file as the network reads them: turned by ``--axes``, letters as numbers."""
    from deeplift_engine.genomics.array_input import as_input, is_text
    from deeplift_engine.genomics.sequence_input import sequence_input_of

    letters = _letters(options)
    if not isinstance(data, Mapping):
        return as_input(data, network, axes=options.axes, **letters)
    if options.axes is None and not any(map(is_text, data.values())):
        return data
    name = sequence_input_of(network, len(options.letters), options.input).name
    own = as_input(data[name], network, axes=options.axes, input=name, **letters)
    return {**data, name: own}


def records_in_words(constants: Mapping[str, Any]) -> dict[str, Any]:
    """What of a file of records is scored, for the summary of a run."""
    from deeplift_engine.genomics.record_table import RecordTable

    if "reason" not in constants:
        return {}
    table = RecordTable(list(constants["reason"]))
    left_out = [f"{count} {kind}" for kind, count in table.counts.items()]
    return {"records": len(table), "left out": left_out or "none"}


def _letters(options: argparse.Namespace) -> dict[str, Any]:
    return {
        "letters": options.letters,
        "unknown": options.unknown,
        "first_code": options.first_code,
    }


def _refuse(options: argparse.Namespace, *names: str) -> None:
    """Refuse options that mean nothing to the file of inputs."""
    path = options.inputs
    for name in names:
        if getattr(options, name) not in (None, True, []):
            what = "is FASTA" if is_fasta(path) else "holds arrays"
            takes = "regions" if name in ("genome", "stranded") else "regions and FASTA files"
            raise InputError(f"{_FLAGS[name]} is for {takes}, and {path} {what}")


__all__ = ["FASTA", "arranged", "column_of", "is_fasta", "records_in_words", "sequences_of"]
