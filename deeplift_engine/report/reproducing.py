"""The settings of a run for readers: as a command that does it again, and as a table."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from deeplift_engine.jobs.scored_run import ScoredRun
from deeplift_engine.util.jsonable import plain

_PROFILE = re.compile(r"profile\(weights='(\w+)'\)")
_CALL = re.compile(r"(\w+)\((.*)\)")
_SEED = re.compile(r"(?:, )?seed=(\d+)")
_HIDDEN = ("command_line", "heads", "axes", "constants")
_MOST = 2000


def command_of(run: ScoredRun) -> str:
    """The command of a run: as it was given, or put together from its settings.

    A word that the settings do not tell, as the path of arrays in memory, stands in capitals.
    """
    settings = run.settings
    given = settings.get("command_line")
    if given:
        return str(given)
    words = ["deeplift-engine", "score", *_models(settings), _source(settings)]
    for name, value in _options(run):
        words += [name] if value is None else [name, value]
    return shlex.join(words)


def settings_of(run: ScoredRun) -> list[tuple[str, str]]:
    """Names and texts of all settings, in their order."""
    return [
        (name.replace("_", " "), _in_words(value))
        for name, value in run.settings.items()
        if name not in _HIDDEN and value not in (None, "", [], {})
    ]


def _models(settings: Mapping[str, Any]) -> list[str]:
    several = settings.get("fold_models")
    named = several if several else [settings.get("model") or "MODEL"]
    return [str(each) for each in named]


def _source(settings: Mapping[str, Any]) -> str:
    for name in ("regions", "sequences", "source"):
        if settings.get(name):
            return str(settings[name])
    return "INPUTS"


def _options(run: ScoredRun) -> Iterator[tuple[str, str | None]]:
    settings = run.settings
    if settings.get("genome"):
        yield "--genome", str(settings["genome"])
    if settings.get("length"):
        yield "--length", str(settings["length"])
    yield from _of_kind(settings)
    yield "-o", f"{run.name}.zarr"
    if settings.get("method", "deeplift") != "deeplift":
        yield "--method", str(settings["method"])
    for name, value in (settings.get("options") or {}).items():
        if value is not None:
            yield "--option", f"{name}={value if isinstance(value, str) else _in_words(value)}"
    yield from (("--target", text) for text in _targets(settings))
    if settings.get("layers"):
        yield "--layers", ",".join(map(str, settings["layers"]))
    yield from _references(settings.get("references"))
    if settings.get("reverse_complement"):
        yield "--reverse-complement", None
    if settings.get("references_averaged") is False:
        yield "--keep-references-apart", None
    if settings.get("standard_errors"):
        yield "--standard-errors", None
    if settings.get("arrays"):
        yield "--arrays", ",".join(settings["arrays"])
    if settings.get("stored_dtype", "float32") != "float32":
        yield "--stored-dtype", str(settings["stored_dtype"])
    if settings.get("dtype", "float32") != "float32":
        yield "--dtype", str(settings["dtype"])


def _of_kind(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Options of a field's front end."""
    kind = settings.get("kind")
    if kind == "text" and settings.get("tokenizer"):
        yield "--tokenizer", "TOKENIZER"
    if kind == "image" and settings.get("preprocess"):
        yield "--preprocess", str(settings["preprocess"])
    if kind == "signal" and settings.get("rate"):
        yield "--rate", str(settings["rate"])


def _targets(settings: Mapping[str, Any]) -> Iterator[str]:
    layer, units = settings.get("target_layer"), settings.get("target")
    if isinstance(layer, Mapping):
        for head, own in layer.items():
            of_head = units.get(head) if isinstance(units, Mapping) else None
            for text in _targets({"target_layer": own, "target": of_head}):
                yield f"{head}={text}"
        return
    several = re.findall(r"\([^)]*\)|[^\s,\[\]]+", str(units)) if units else []
    for unit in several if str(units).startswith("[") else [str(units)]:
        yield str(layer) if unit == "None" else f"{layer}:{_units(unit)}"


def _units(text: str) -> str:
    """Units as the command line has them; in capitals what it has no words for."""
    if match := _PROFILE.fullmatch(text):
        return "profile" if match[1] == "input" else f"profile:{match[1]}"
    words = text.strip("()").replace(" ", "")
    return "UNITS" if set("=(") & set(words) else words


def _references(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, own in value.items():
            for flag, text in _references(own):
                yield flag, text if flag == "--seed" else f"{name}={text}"
        return
    for text in value if isinstance(value, list) else [value] if value else []:
        call = _CALL.fullmatch(str(text))
        if call is None:
            yield "--references", str(text)
            continue
        name, arguments = call.groups()
        seed = _SEED.search(arguments)
        rest = _SEED.sub("", arguments).replace(" ", "")
        in_words = not set("=([") & set(rest)
        yield "--references", (f"{name}:{rest}" if rest else name) if in_words else "REFERENCES"
        if seed and seed[1] != "0":
            yield "--seed", seed[1]


def _in_words(value: Any) -> str:
    if isinstance(value, str):
        return value
    text = json.dumps(plain(value), ensure_ascii=False)
    return text if len(text) <= _MOST else f"{text[:_MOST]}…"


__all__ = ["command_of", "settings_of"]
