"""The page of a report: a template, a style and a program put together into one text."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deeplift_engine.jobs.scored_run import ScoredRun
from deeplift_engine.report.model_drawing import Drawing
from deeplift_engine.report.packing import for_a_script
from deeplift_engine.report.reproducing import command_of, settings_of
from deeplift_engine.util.optional import optional
from deeplift_engine.version import __version__

FOLDER = Path(__file__).parent / "page"
PROGRAM = ("core.js", "logo.js", "drawings.js", "table.js", "main.js")
"""Files of the page's program, in order."""
TOGETHER = 20
"""Samples in one file of a folder."""


@dataclass(frozen=True)
class Page:
    """What a page is made of.

    Attributes
    ----------
    title
        Its heading.
    runs
        What is reported on.
    data
        What its program reads, but for the samples.
    drawing
        The model; None with the reason in ``why_not``.
    activations
        Whether its layers open to activations.
    in_files
        Whether samples stand in files beside the page.
    """

    title: str
    runs: Sequence[ScoredRun]
    data: dict[str, Any]
    drawing: Drawing | None
    why_not: str
    activations: bool
    in_files: bool


def rendered(page: Page, samples: Sequence[str]) -> str:
    """The page as HTML, with its samples; all text of files is escaped.

    Raises
    ------
    DeepliftEngineError
        If jinja2 is not installed.
    """
    jinja2 = optional("jinja2", "jinja2", "report")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    program = "\n".join((FOLDER / name).read_text("utf-8") for name in PROGRAM)
    style = (FOLDER / "style.css").read_text("utf-8")
    data = {**page.data, "together": TOGETHER if page.in_files else 0}
    text: str = environment.get_template("page.html").render(
        page=page,
        style=style,
        program=program,
        hashes={"style": _digest(style), "program": _digest(program)},
        data=for_a_script(data),
        samples=samples,
        commands=[
            (run.name, command_of(run), bool(run.settings.get("command_line"))) for run in page.runs
        ],
        settings=[(run.name, settings_of(run)) for run in page.runs],
        version=__version__,
    )
    return text


def split_samples(samples: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Names and contents of the files of samples in a folder: scripts that hand them over."""
    for number, start in enumerate(range(0, len(samples), TOGETHER)):
        together = for_a_script(samples[start : start + TOGETHER])
        yield f"samples-{number:04d}.js", f"deliverSamples({number},{together});\n"


def _digest(text: str) -> str:
    """What a page's policy names a script or a style by."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


__all__ = ["Page", "rendered", "split_samples"]
