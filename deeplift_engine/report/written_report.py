"""Writing a report: its data collected, put into the page, and the page onto the disk."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine.errors import InputError, OutputError
from deeplift_engine.jobs.scored_run import ScoredRun, open_scored
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
from deeplift_engine.report.views import views_of
from deeplift_engine.util.durable import disk_errors, sync_folder
from deeplift_engine.util.optional import optional
from deeplift_engine.util.options import Integer, checked
from deeplift_engine.util.output_file import check_writable, output_file
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from deeplift_engine.network import Network

SAMPLES = 100
"""Samples that a page shows unless it is told otherwise."""
ACTIVATIONS = 4
"""Samples of which it shows activations."""
_PAGES = (".html", ".htm")


def write(
    source: Any,
    path: str | os.PathLike[str],
    *,
    model: Network | str | os.PathLike[str] | bool | None = None,
    motifs: str | os.PathLike[str] | None = None,
    samples: int | Sequence[int] | slice | None = SAMPLES,
    activations: int = ACTIVATIONS,
    kind: str | None = None,
    inputs: Any = None,
    title: str | None = None,
    overwrite: bool = False,
) -> None:
    """Write a report: a page that shows a run to whoever opens it, without any network.

    Sums and predictions are told of all samples. Those that are shown can be opened: as a logo,
    highlighted text, a picture, traces or bars. Their contributions are whole steps, of which the
    largest of a sample has 32,767; hypothetical contributions and activations have 127.

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
    activations
        Of how many of these the layers of the model open to their activations, where the run
        keeps the inputs, and to their part of the contributions, where DeepLIFT's settings tell
        how to compute it again; 0 computes none.
    kind
        ``"sequence"``, ``"text"``, ``"image"``, ``"signal"`` or ``"table"``, where what is found
        from the run is not meant.
    inputs
        What was scored, as `tables.read`, `images.read`, `tables.read_signals` or `text.texts` gave
        it, of an `Attribution`: its names, kind and units. Stores and files of scores have them.
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
    optional("jinja2", "jinja2", "report")  # before any work
    target = Path(path)
    as_folder = target.suffix.lower() not in _PAGES
    if as_folder and (target.suffix or os.path.lexists(target)):
        raise OutputError(
            f"{target}: a report is one file that ends in .html, or a new folder without a suffix"
        )
    if not as_folder:
        check_writable(target, overwrite=overwrite)
    runs = [run.of_inputs(inputs) for run in _runs(source)]
    if not runs:
        raise InputError("there is no run to report: give one, or several in a list or by names")
    for run in runs:
        run.require()
    shown = _shown(samples, len(runs[0]))
    most = int(checked("activations", activations, Integer(0), InputError))
    about = _model(model, runs[0], shown[:most])
    data, texts = _collected(runs, shown, about.opens_to, motifs, kind)
    data["parts"] = about.parts
    heading, opens = title or _heading(runs), bool(about.opens_to)
    page = Page(heading, runs, data, about.drawing, about.why_not, opens, as_folder)
    if as_folder:
        _write_folder(target, page, texts)
    else:
        with output_file(target, overwrite=overwrite) as disk:
            disk.write(rendered(page, texts).encode())


def _collected(
    runs: Sequence[ScoredRun],
    shown: Array,
    beside: Mapping[int, Mapping[str, Any]],
    motifs: Any,
    kind: str | None,
) -> tuple[dict[str, Any], list[str]]:
    """What the page's program reads, and the packed values of each sample that is shown."""
    views = views_of(runs)
    kinds = [kind_of(view, kind) for view in views]
    data = page_data(views, kinds, shown)
    data["motifs"] = None if motifs is None else motifs_of(motifs, views[0], kinds[0], shown)
    data["agreement"] = agreement(views, kinds, shown)
    data["predictions"] = [
        {"name": name, **distribution(values)} for name, values in predictions_of(runs[0])
    ]
    texts: list[str] = []
    totals: list[Array] = []
    for block, sums in packed_samples(views, kinds, shown, beside):
        texts += block
        totals.append(sums)
    for view, sums in zip(data["views"], np.concatenate(totals, axis=1), strict=True):
        view["sums"]["total"] = [number(np.float32(each)) for each in sums]
    return data, texts


def _heading(runs: Sequence[ScoredRun]) -> str:
    """The names of the runs, and the method of a single one."""
    method = str(runs[0].settings.get("method", ""))
    alone = len(runs) == 1 and method not in ("", runs[0].name)
    return f"{runs[0].name}: {method}" if alone else ", ".join(run.name for run in runs)


def _runs(source: Any) -> list[ScoredRun]:
    if isinstance(source, Mapping):
        return [open_scored(each, str(name)) for name, each in source.items()]
    if not isinstance(source, list | tuple):
        return [open_scored(source)]
    runs = [open_scored(each) for each in source]
    names = [run.name for run in runs]
    methods = [str(run.settings.get("method", "")) for run in runs]
    if len(runs) > 1 and len({*methods}) == len(runs):
        names = methods
    elif len({*names}) < len(runs):
        names = [f"{name} {count}" for count, name in enumerate(names, 1)]
    return [run.called(name) for run, name in zip(runs, names, strict=True)]


def _shown(samples: Any, count: int) -> Array:
    """The numbers of the samples that are shown."""
    if samples is None:
        return np.arange(count)
    if isinstance(samples, slice):
        return np.arange(count)[samples]
    if isinstance(samples, int | np.integer) and not isinstance(samples, bool):
        return np.arange(min(int(checked("samples", samples, Integer(1), InputError)), count))
    rows = np.asarray(samples)
    if rows.ndim != 1 or rows.dtype.kind not in "iu" or not len(rows):
        raise InputError(f"samples={samples!r}: expected how many, a slice, numbers, or None")
    outside = rows[(rows < 0) | (rows >= count)]
    if len(outside):
        raise InputError(f"there is no sample {outside[0]}: the run has {count} samples")
    return rows.astype(np.int64)


@dataclass(frozen=True)
class _Model:
    """The drawing of a model, or why there is none; by numbers of samples what layers open to.

    ``parts`` is what contributions at layers are to, or why there are none.
    """

    drawing: Any = None
    why_not: str = ""
    opens_to: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    parts: str = ""


def _model(model: Any, run: ScoredRun, samples: Array) -> _Model:
    if model is False:
        return _Model(why_not="No model was drawn, as was asked for.")
    digest = run.settings.get("model_sha256")
    if model is None:
        named = run.settings.get("model")
        file = Path(str(named)) if named else None
        if file is None or not file.is_file():
            where = f"The model's file, {named}, is not here" if named else "The run names no model"
            return _Model(why_not=f"{where}: write the report with --model FILE to see its layers.")
        if hashlib.sha256(file.read_bytes()).hexdigest() != digest:
            return _Model(
                why_not=f"The file {named} is another model now, or has its architecture in a file "
                "of its own: write the report with --model FILE to see its layers."
            )
        model = file
    from deeplift_engine.loading import load
    from deeplift_engine.report.layer_activations import layer_activations
    from deeplift_engine.report.layer_contributions import layer_contributions
    from deeplift_engine.report.model_drawing import draw_model

    network: Network = load(Path(model)) if isinstance(model, str | os.PathLike) else model
    if digest and network.spec.sha256 != digest:
        raise InputError(
            f"{network.spec.source} is not the model of {run.name}, which is "
            f"{run.settings.get('model')} with the SHA-256 {digest}: name that one, or none"
        )
    drawing = draw_model(network, run.settings)
    layers = [box.name for box in drawing.boxes]
    if not len(samples):
        return _Model(drawing)
    held = layer_activations(network, run, layers, samples)
    parts = layer_contributions(network, run, layers, samples)
    opens_to = {
        row: {**own, **parts.samples.get(row, {})}
        for row, own in zip(samples.tolist(), held, strict=False)
    }
    return _Model(drawing, "", opens_to, parts.of or parts.why_not)


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
