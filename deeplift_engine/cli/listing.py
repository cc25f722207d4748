"""The commands that list methods and metrics, and explain one of them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from deeplift_engine.cli import console
from deeplift_engine.util.jsonable import plain

if TYPE_CHECKING:
    from deeplift_engine.util.signatures import Option

BETTER = {"high": "higher", "low": "lower", "": "neither"}


def methods(options: argparse.Namespace) -> int:
    """List the methods, or explain one."""
    console.postpone_tensorflow()
    from deeplift_engine.explainers.catalogue import TABLE, find

    if options.name is None:
        return _list("methods", TABLE.values(), lambda row: {"family": row.family}, options)
    method = find(options.name)
    about = {
        "name": method.name,
        "also called": list(method.aliases),
        "family": method.family,
        "summary": method.summary,
        "source": method.source,
        "forward passes": method.passes,
        "sums to the target's difference": method.complete,
    }
    return _explain(about, method.options.values(), "--option ", options)


def metrics(options: argparse.Namespace) -> int:
    """List the metrics, or explain one."""
    console.postpone_tensorflow()
    from deeplift_engine.evaluate.metrics import METRICS, find_metric

    if options.name is None:
        return _list("metrics", METRICS.values(), lambda row: {"better": BETTER[row.best]}, options)
    metric = find_metric(options.name)
    about = {
        "name": metric.name,
        "summary": metric.summary,
        "better": BETTER[metric.best],
        "source": metric.source,
        "forward passes": metric.passes,
    }
    return _explain(about, metric.options.values(), f"{metric.name}:", options)


def _list(
    what: str,
    rows: Iterable[Any],
    column: Callable[[Any], dict[str, str]],
    options: argparse.Namespace,
) -> int:
    if options.json:
        listed = [{"name": row.name, **column(row), "summary": row.summary} for row in rows]
        print_json({what: listed})
    else:
        for row in rows:
            console.say(f"{row.name:32} {row.summary}")
    return 0


def _explain(
    about: dict[str, Any], known: Iterable[Option], prefix: str, options: argparse.Namespace
) -> int:
    if options.json:
        print_json({**about, "options": [_option(option) for option in known]})
        return 0
    print_lines({name: value for name, value in about.items() if value != []})
    for option in known:
        value = "...   (required)" if option.required else option.default
        console.say(f"\n{prefix}{option.name}={value}\n{console.wrapped(option.text)}")
    return 0


def _option(option: Option) -> dict[str, Any]:
    return {
        "name": option.name,
        "required": option.required,
        "default": None if option.required else option.default,
        "text": option.text,
    }


def print_json(value: Mapping[str, Any]) -> None:
    """Write a result for machines."""
    console.say(json.dumps(value, indent=2, default=plain))


def print_lines(values: Mapping[str, Any]) -> None:
    """Write a result as ``name: value`` lines."""
    for name, value in values.items():
        console.say(f"{name}: {_text(value)}")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, tuple):
        return " x ".join("any" if size is None else str(size) for size in value)
    return "" if value is None else str(value)
