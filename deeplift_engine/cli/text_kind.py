"""Texts on the command line: files of them, words highlighted, and scores for other programs."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deeplift_engine.cli import console
from deeplift_engine.cli.beside_inputs import with_others
from deeplift_engine.cli.declarations import Group, choice, option
from deeplift_engine.cli.input_kind import Kind
from deeplift_engine.text.word_columns import BAGS, TOKENS

if TYPE_CHECKING:
    from deeplift_engine.jobs.scored_run import ScoredRun
    from deeplift_engine.network import Network
    from deeplift_engine.text import TextPairs, TextScores
    from deeplift_engine.text.text_array import TextArray

MOST = 20
"""Texts that are drawn where none is named."""
OPTIONS = Group(
    "texts (a .txt file, a text a line; a column of a .csv, .tsv or .jsonl file)",
    (
        option(
            "--tokenizer FILE",
            Path,
            "how texts become tokens: JSON of Keras's Tokenizer or of the library tokenizers, or a "
            "vocabulary, a word a line (default: the model's own text layer)",
        ),
        option("--name-column NAME", str, "the column that holds their names"),
        option(
            "--second-column NAME",
            str,
            "of pairs, the column of the second text; --column has the first",
        ),
        option("--second-input NAME", str, "the input that reads the second text of pairs"),
        choice(
            "--bag",
            "how words are counted, where the model reads a column for each word: as "
            "Tokenizer.texts_to_matrix or as TextVectorization; tokens: it reads numbers of words",
            *BAGS,
            TOKENS,
        ),
        choice(
            "--padding",
            "where short texts are filled up (default: as the tokenizer was trained: of Keras's "
            "Tokenizer pre, the beginning)",
            *("pre", "post"),
        ),
        choice("--truncating", "where long texts are cut (default: likewise)", "pre", "post"),
    ),
)
DRAWING = Group(
    "texts",
    (
        option(
            "--contrast N",
            int,
            "take the scores of this target from those of --target-number: what speaks for one "
            "class and against another",
        ),
    ),
)


def read(options: argparse.Namespace, network: Network) -> Any:
    """The texts as the network reads them; of several inputs with those of ``--beside``."""
    from deeplift_engine import text
    from deeplift_engine.genomics.other_inputs import rows_of_records
    from deeplift_engine.util.array_files import open_array

    common: dict[str, Any] = {
        "network": network,
        "tokenizer": options.tokenizer,
        "names": options.name_column,
        "length": options.length,
        "padding": options.padding,
        "truncating": options.truncating,
        "strict": getattr(options, "strict", False),
    }
    texts: TextArray | TextPairs
    if options.second_column is None:
        texts = text.texts(
            options.inputs, column=options.column, bag=options.bag, input=options.input, **common
        )
        own = texts.with_forms(network) if isinstance(texts, text.TextInput) else texts
    else:
        texts = text.pairs(
            options.inputs,
            columns=(options.column or "", options.second_column),
            inputs=_named(options),
            **common,
        )
        own = texts.inputs
    _tell(texts, options)

    def rows(file: str) -> Any:
        return rows_of_records(open_array(Path(file)), texts)

    inputs = own if isinstance(own, Mapping) else {own.input: own}
    return with_others(options, network, inputs, rows)


def _named(options: argparse.Namespace) -> list[str] | None:
    """The inputs of pairs that are named; None where none is."""
    return [name for name in (options.input, options.second_input) if name is not None] or None


def _tell(texts: TextArray | TextPairs, options: argparse.Namespace) -> None:
    """What a reader of the scores must know, to stderr."""
    for note in texts.notes[: -1 if getattr(options, "references", None) else None]:
        console.complain("note", note)
    if texts.records.counts:
        console.complain("note", f"{options.inputs}: {texts.records}")


def chosen(options: argparse.Namespace, run: ScoredRun, most: int | None) -> Iterator[TextScores]:
    """The texts that are named, else the first ``most``, or all."""
    from deeplift_engine.text import scored_texts

    samples = getattr(options, "sample", None) or range(len(run))[:most]
    where = {"head": getattr(options, "head", None), "input": getattr(options, "input", None)}
    target, other = getattr(options, "target_number", 0), getattr(options, "contrast", None)
    texts = scored_texts(run, samples, **where, target=target)
    if other is None:
        return texts
    others = scored_texts(run, samples, **where, target=other)
    return (one.minus(against) for one, against in zip(texts, others, strict=True))


def draw(options: argparse.Namespace, run: ScoredRun) -> list[Path]:
    """A picture, or a page, of highlighted texts."""
    from deeplift_engine.text import write_texts

    write_texts(chosen(options, run, MOST), options.output, overwrite=options.overwrite)
    return [options.output]


def show(options: argparse.Namespace, run: ScoredRun) -> str:
    """Highlighted texts for a terminal; without colours where the output is none."""
    from deeplift_engine.text import to_terminal

    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    return to_terminal(list(chosen(options, run, MOST)), colour=colour)


def export(options: argparse.Namespace, run: ScoredRun) -> list[Path]:
    """The scores of all texts and of each target in a file."""
    from deeplift_engine.text import write_texts

    write_texts(of_all_targets(run), options.output, overwrite=options.overwrite)
    return [options.output]


def of_all_targets(run: ScoredRun) -> Iterator[TextScores]:
    """The texts of a run, once for each head and target."""
    from deeplift_engine.text import scored_texts

    for head in run.heads or (None,):
        for target in range(run.targets(head)):
            yield from scored_texts(run, head=head, target=target)


TEXT = Kind(
    "text",
    (".txt", ".text", ".csv", ".tsv", ".jsonl", ".ndjson"),
    OPTIONS,
    DRAWING,
    read,
    draw,
    pages=(".html",),
    show=show,
    exports=(".csv", ".jsonl", ".html"),
    export=export,
)

__all__ = ["TEXT"]
