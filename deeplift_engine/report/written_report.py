"""Writing a report: its data collected, put into the page, and the page onto the disk."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine.errors import InputError, OutputError
from deeplift_engine.report.motif_drawings import motifs_of
from deeplift_engine.report.packing import number
from deeplift_engine.report.page import Page, rendered, split_samples
from deeplift_engine.report.page_data import (
    agreement,
    distribution,
    packed_samples,
    page_data,
    predictions_of,
)
from deeplift_engine.report.sample_kinds import kind_of
from deeplift_engine.report.scored_run import ScoredRun, read_run
from deeplift_engine.report.views import views_of
from deeplift_engine.util.durable import disk_errors, sync_folder
from deeplift_engine.util.output_file import check_writable, output_file
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from deeplift_engine.network import Network

SAMPLES = 100
"""Samples that a page shows unless it is told otherwise."""


def write(
    source: Any,
    path: str | os.PathLike[str],
    *,
    model: Any = None,
    motifs: str | os.PathLike[str] | None = None,
    samples: int | Sequence[int] | slice | None = SAMPLES,
    kind: str | None = None,
    title: str | None = None,
    overwrite: bool = False,
) -> None:
    """Write a report: a page that shows a run to whoever opens it, without a network.

    Sums and predictions are told of all samples. Samples that are shown can be opened: as a logo,
    highlighted text, a picture, traces or bars. Their contributions are whole steps, the largest of
    a sample being 32,767 of them (hypothetical contributions 127).

    Parameters
    ----------
    source
        A store's folder; a ``.h5`` or ``.npz`` file of scores; an `Attribution`; or several of the
        same samples, in a list or by names of your own, between which the page switches.
    path
        ``report.html``, one file; or a folder that does not exist, of ``index.html`` and files of
        some samples each, which the page reads when one is opened.
    model
        The network, or its file, of which the layers are drawn. None takes the file that the
        run names, where it is there and unchanged; False draws none.
    motifs
        A result of ``modisco motifs`` on the export of this run (`genomics.export`).
    samples
        How many are shown, the first ones; their numbers; or None for all.
    kind
        ``"sequence"``, ``"text"``, ``"image"``, ``"signal"`` or ``"table"``, where what is found
        from the run is not meant.
    title
        Of the page.
    overwrite
        Whether an existing file may be replaced.

    Raises
    ------
    InputError
        If runs do not belong together or a run has nothing to draw, the model is another than
        the run's, or motifs are of other samples.
    OutputError
        If a store is not complete, or the report cannot be written.
    DeepliftEngineError
        If jinja2 is not installed.
    """
    target = Path(path)
    as_folder = target.suffix.lower() not in (".html", ".htm")
    if as_folder and (target.suffix or os.path.lexists(target)):
        raise OutputError(
            f"{target}: a report is one file that ends in .html, or a new folder without a suffix"
        )
    if not as_folder:
        check_writable(target, overwrite=overwrite)
    page, texts = _collected(source, model, motifs, samples, kind, title, as_folder)
    if as_folder:
        _write_folder(target, page, texts)
    else:
        with output_file(target, overwrite=overwrite) as disk:
            disk.write(rendered(page, texts).encode())


def _collected(
    source: Any,
    model: Any,
    motifs: Any,
    samples: Any,
    kind: str | None,
    title: str | None,
    as_folder: bool,
) -> tuple[Page, list[str]]:
    runs = _runs(source)
    views = views_of(runs)
    kinds = [kind_of(view, kind) for view in views]
    first = runs[0]
    shown = _shown(samples, first.samples)
    data = page_data(views, kinds, shown)
    texts: list[str] = []
    totals: list[Array] = []
    for block, sums in packed_samples(views, kinds, shown):
        texts += block
        totals.append(sums)
    for view, sums in zip(data["views"], np.concatenate(totals, axis=1), strict=True):
        view["sums"]["total"] = [number(np.float32(each)) for each in sums]
    data["agreement"] = agreement(views, kinds, shown)
    data["predictions"] = [
        {"name": name, **distribution(values)} for name, values in predictions_of(first)
    ]
    data["motifs"] = None if motifs is None else motifs_of(motifs, views[0], kinds[0], shown)
    drawing, why_not = _model(model, first)
    heading = title or _heading(runs)
    return Page(heading, runs, data, drawing, why_not, as_folder), texts


def _heading(runs: Sequence[ScoredRun]) -> str:
    """The names of the runs, and the method of a single one."""
    method = str(runs[0].settings.get("method", ""))
    alone = len(runs) == 1 and method not in ("", runs[0].name)
    return f"{runs[0].name}: {method}" if alone else ", ".join(run.name for run in runs)


def _runs(source: Any) -> list[ScoredRun]:
    if isinstance(source, Mapping):
        return [read_run(each, str(name)) for name, each in source.items()]
    if not isinstance(source, list | tuple):
        return [read_run(source)]
    runs = [read_run(each) for each in source]
    names = [run.name for run in runs]
    methods = [str(run.settings.get("method", "")) for run in runs]
    if len({*methods}) == len(runs):
        names = methods
    if len({*names}) < len(runs):
        names = [f"{name} {number}" for number, name in enumerate(names, 1)]
    return [read_run(each, name) for each, name in zip(source, names, strict=True)]


def _shown(samples: Any, count: int) -> Array:
    if samples is None:
        return np.arange(count)
    if isinstance(samples, slice):
        return np.arange(count)[samples]
    if isinstance(samples, int | np.integer) and not isinstance(samples, bool):
        if samples < 1:
            raise InputError(f"samples={samples!r}: expected 1 or more, numbers, or None for all")
        return np.arange(min(int(samples), count))
    rows = np.asarray(samples)
    if rows.ndim != 1 or rows.dtype.kind not in "iu" or not len(rows):
        raise InputError(f"samples={samples!r}: expected how many, a slice, numbers, or None")
    outside = rows[(rows < 0) | (rows >= count)]
    if len(outside):
        raise InputError(f"there is no sample {outside[0]}: the run has {count} samples")
    return rows.astype(np.int64)


def _model(model: Any, run: ScoredRun) -> tuple[Any, str]:
    """The drawing of the model, or None and why there is none."""
    if model is False:
        return None, "No model was drawn, as was asked for."
    named = run.settings.get("model")
    digest = run.settings.get("model_sha256")
    if model is None:
        file = Path(str(named)) if named else None
        if file is None or not file.is_file():
            return None, (
                f"The model's file, {named or 'which the run does not name'}, is not here: "
                "write the report with --model FILE to see its layers."
            )
        if hashlib.sha256(file.read_bytes()).hexdigest() != digest:
            return None, (
                f"The file {named} is another model now, or has its architecture in a file of its "
                "own: write the report with --model FILE to see its layers."
            )
        model = file
    from deeplift_engine.loading import load
    from deeplift_engine.report.model_drawing import draw_model

    network: Network = load(Path(model)) if isinstance(model, str | os.PathLike) else model
    if digest and network.spec.sha256 != digest:
        raise InputError(
            f"{network.spec.source} is not the model of {run.name}, which is {named} with the "
            f"SHA-256 {digest}: name that one, or none"
        )
    return draw_model(network, run.settings), ""


def _write_folder(target: Path, page: Page, texts: list[str]) -> None:
    with disk_errors(target, "written"), ExitStack() as stack:
        folder = target.with_name(f".{target.name}-{secrets.token_hex(8)}.partial")
        folder.mkdir()
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        (folder / "index.html").write_text(rendered(page, []), encoding="utf-8")
        for name, content in split_samples(texts):
            (folder / name).write_text(content, encoding="utf-8")
        sync_folder(folder)
        folder.rename(target)
        sync_folder(target.absolute().parent)


__all__ = ["SAMPLES", "write"]
