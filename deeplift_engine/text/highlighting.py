"""Texts with their words highlighted by scores: in the terminal, and as one HTML page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deeplift_engine.figures.text_figure import HIGH, LOW, NONE
from deeplift_engine.text.text_scores import Stretch, TextScores, stretches
from deeplift_engine.util.optional import optional

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""What a terminal would obey."""
DIGITS = 3


def scale_of(texts: Sequence[TextScores]) -> float:
    """The score of the full colour: the largest magnitude of any stretch of these texts."""
    scores = (abs(each.score or 0.0) for text in texts for each in stretches(text))
    return max(scores, default=0.0) or 1.0


def blended(score: float, scale: float) -> tuple[int, int, int]:
    """The colour of a score, of red, green and blue 0 to 255: orange for, blue against."""
    share = float(np.clip(score / scale, -1, 1))
    colour = HIGH if share > 0 else LOW
    red, green, blue = (
        round(none + (full - none) * abs(share)) for none, full in zip(NONE, colour, strict=True)
    )
    return red, green, blue


def to_terminal(
    texts: Sequence[TextScores], *, colour: bool = True, scale: float | None = None
) -> str:
    """Texts for a terminal, each with its sum and its words on coloured ground.

    Parameters
    ----------
    texts
        The texts.
    colour
        Whether to colour by ANSI escapes; else each stretch with a score is followed by it.
    scale
        The score of the full colour; by default the largest of all.
    """
    full = scale_of(texts) if scale is None else scale
    return "\n\n".join(_told(text, full, colour) for text in texts)


def _told(text: TextScores, scale: float, colour: bool) -> str:
    line = "".join(_stretch(each, scale, colour) for each in stretches(text))
    return f"{_plain(headline(text))}\n{line}"


def _stretch(stretch: Stretch, scale: float, colour: bool) -> str:
    shown = _plain(stretch.text if stretch.shown else f"{stretch.text} ")
    if stretch.score is None or not shown.strip():
        return shown
    if not colour:
        return f"{shown}({stretch.score:+.{DIGITS}g})"
    red, green, blue = blended(stretch.score, scale)
    return f"\x1b[48;2;{red};{green};{blue}m\x1b[38;2;0;0;0m{shown}\x1b[0m"


def _plain(text: str) -> str:
    """Text that a terminal shows and does not obey."""
    return _CONTROL.sub("\ufffd", text)


def headline(text: TextScores) -> str:
    """The name of a text, what its scores explain, their sum, and the predictions."""
    told = [f"sum {text.total:+.{DIGITS}g}"]
    if text.predictions:
        shown = ", ".join(f"{value:.{DIGITS}g}" for value in text.predictions[:8])
        told.append(f"prediction {shown}{', …' * (len(text.predictions) > 8)}")
    padding = int(np.sum(text.is_padding))
    if padding:
        score = float(np.sum(text.scores[text.is_padding]))
        told.append(
            f"{padding} tokens of padding hidden" + f", of {score:+.{DIGITS}g}" * bool(score)
        )
    return f"{text.name}{' · ' * bool(text.target)}{text.target}: {', '.join(told)}"


@dataclass(frozen=True)
class _Shown:
    """A stretch as the page shows it."""

    text: str
    title: str
    style: str
    kind: str


PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ title }}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
:root{color-scheme:light}
body{font:16px/1.9 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;
color:#1b1b1b;background:#fff}
h1{font-size:1.3rem}h2{font-size:1rem;margin:1.8rem 0 .2rem}
p{white-space:pre-wrap;overflow-wrap:anywhere;margin:.2rem 0}
.s{border-radius:.2em;padding:.12em 0}.t{font:.8em monospace;border:1px solid #888;
border-radius:.3em;padding:0 .25em;margin-right:.2em}
.legend span{padding:.1em .6em}
@media print{.s,.legend span{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
</style></head><body>
<h1>{{ title }}</h1>
<p class="legend"><span style="{{ low }}">{{ "%.3g"|format(-scale) }}</span>
{{- " against" }}<span>0</span>for {{ "" -}}
<span style="{{ high }}">{{ "%+.3g"|format(scale) }}</span></p>
{% for text in texts %}<h2>{{ text.headline }}</h2>
<p>{% for each in text.stretches %}
{%- if each.kind -%}<span class="{{ each.kind }}" style="{{ each.style }}" title="{{ each.title }}">
{{- each.text }}</span>
{%- else -%}{{ each.text }}{%- endif -%}
{%- endfor %}</p>
{% endfor %}</body></html>
"""
"""The page; everything in it that is not of this module is escaped."""


def to_html(
    texts: Sequence[TextScores], *, title: str = "Scores of texts", scale: float | None = None
) -> str:
    """One page that needs nothing else, with a text below the other.

    Each stretch tells its score and tokens where the pointer rests on it.

    Parameters
    ----------
    texts
        The texts.
    title
        Of the page.
    scale
        The score of the full colour; by default the largest of all.

    Raises
    ------
    DeepliftEngineError
        If jinja2 is not installed.
    """
    jinja2 = optional("jinja2", "jinja2", "report")
    full = scale_of(texts) if scale is None else scale
    page = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(PAGE)
    shown: str = page.render(
        title=title,
        scale=full,
        low=_style(-full, full),
        high=_style(full, full),
        texts=[
            {
                "headline": headline(text),
                "stretches": [_on_page(each, text, full) for each in stretches(text)],
            }
            for text in texts
        ],
    )
    return shown


def _on_page(stretch: Stretch, text: TextScores, scale: float) -> _Shown:
    if stretch.score is None:
        return _Shown(stretch.text, "", "", "")
    names = ", ".join(text.tokens[number] for number in stretch.tokens)
    title = f"{stretch.score:+.{DIGITS}g}: {names}"
    kind = "s" if stretch.shown else "s t"
    return _Shown(stretch.text, title, _style(stretch.score, scale), kind)


def _style(score: float, scale: float) -> str:
    red, green, blue = blended(score, scale)
    return f"background:rgb({red},{green},{blue});color:#000"


__all__ = [
    "DIGITS",
    "blended",
    "headline",
    "scale_of",
    "to_html",
    "to_terminal",
]
