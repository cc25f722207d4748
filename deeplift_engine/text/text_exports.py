"""Scores of texts in files: a table of pieces, lines of JSON, a page, a picture."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from deeplift_engine.errors import OutputError
from deeplift_engine.figures.text_figure import ColouredText, ColouredWord, draw_texts
from deeplift_engine.text.highlighting import headline, scale_of, to_html
from deeplift_engine.text.text_scores import LEVELS, TextScores, stretches
from deeplift_engine.text.tokenizer import ABSENT
from deeplift_engine.util.output_file import output_file
from deeplift_engine.util.tables import PICTURES, to_picture

COLUMNS = ("sample", "target", "level", "number", "text", "begin", "end", "score")


def to_rows(text: TextScores, levels: Sequence[str] = LEVELS) -> Iterator[dict[str, Any]]:
    """A row for each token, word and sentence of a text, with `COLUMNS`."""
    for level in levels:
        for number, piece in enumerate(text.pieces(level)):
            values = (text.name, text.target, level, number, *piece)
            yield dict(zip(COLUMNS, values, strict=True))


def to_json(text: TextScores) -> dict[str, Any]:
    """A text as one object, with its tokens, words and sentences.

    Numbers of characters are code points from 0, the end excluded; -1 where a token has none.
    ``sum`` is that of all tokens, padding's too, which ``tokens`` has with an empty name.
    """
    rows = zip(text.tokens, text.spans.tolist(), text.scores.tolist(), strict=True)
    return {
        "sample": text.name,
        "text": text.text,
        "target": text.target,
        "predictions": list(text.predictions),
        "sum": text.total,
        "tokens": [
            {"token": name, "begin": begin, "end": end, "score": score}
            for name, (begin, end), score in rows
            if name or begin != ABSENT or score
        ],
        **{f"{level}s": [piece._asdict() for piece in text.pieces(level)] for level in LEVELS[1:]},
    }


def picture_of(texts: Sequence[TextScores], *, scale: float | None = None) -> Any:
    """A figure of texts below each other, with the sum of each above it."""
    full = scale_of(texts) if scale is None else scale
    drawn = [
        ColouredText(
            headline(text),
            [
                ColouredWord(each.text if each.shown else f"{each.text} ", each.score)
                for each in stretches(text)
            ],
        )
        for text in texts
    ]
    return draw_texts(drawn, scale=full, label="score (units of the target)")


def _as_csv(texts: Iterable[TextScores]) -> Iterator[bytes]:
    yield _line(COLUMNS)
    for text in texts:
        yield b"".join(_line(row.values()) for row in to_rows(text))


def _line(values: Iterable[Any]) -> bytes:
    """A line of a table."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(values)
    return line.getvalue().encode("utf-8", "replace")


def _as_json_lines(texts: Iterable[TextScores]) -> Iterator[bytes]:
    for text in texts:
        yield (json.dumps(to_json(text), ensure_ascii=False) + "\n").encode("utf-8", "replace")


def _as_page(texts: Iterable[TextScores]) -> Iterator[bytes]:
    yield to_html(list(texts)).encode("utf-8", "replace")


Writer = Callable[[Iterable[TextScores]], Iterator[bytes]]
FORMATS: Mapping[str, Writer] = {
    ".csv": _as_csv,
    ".jsonl": _as_json_lines,
    ".html": _as_page,
}
"""What is written as text, by suffix."""


def _as_picture(kind: str) -> Writer:
    def write(texts: Iterable[TextScores]) -> Iterator[bytes]:
        yield to_picture(picture_of(list(texts)), kind)

    return write


def write_texts(
    texts: Iterable[TextScores], path: str | os.PathLike[str], *, overwrite: bool = False
) -> None:
    """Write scores of texts to one file: all of it, or no file.

    Parameters
    ----------
    texts
        The texts; a table and JSON are written one by one, pages and pictures have all at once.
    path
        ``.csv``, a row for each token, word and sentence; ``.jsonl``, an object a text; ``.html``,
        a page that needs nothing else; ``.png``, ``.pdf`` or ``.svg``.
    overwrite
        Whether an existing file may be replaced.

    Raises
    ------
    OutputError
        For another suffix, an existing file, and any error of the disk.
    """
    suffix = Path(path).suffix.lower()
    writers = {**FORMATS, **{kind: _as_picture(kind) for kind in PICTURES}}
    if suffix not in writers:
        raise OutputError(
            f"{path}: scores of texts are written as {', '.join(writers)}, not as "
            f"{suffix or 'a file without a suffix'}."
        )
    with output_file(path, overwrite=overwrite) as disk:
        for piece in writers[suffix](texts):
            disk.write(piece)


__all__ = ["COLUMNS", "FORMATS", "picture_of", "to_json", "to_rows", "write_texts"]
