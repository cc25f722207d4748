"""The page docs/METHODS.md: every method, its options, what it costs, and where it is from.

    python -m docs.generate.methods docs/METHODS.md

writes it from the table of methods; a test fails where it is out of date.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from deeplift_engine.explainers.catalogue import TABLE
from deeplift_engine.explainers.method import Method
from deeplift_engine.util.signatures import Option
from docs.generate.pages import table, write

COMMAND = "python -m docs.generate.methods docs/METHODS.md"

FAMILIES = {
    "difference": "Differences from references",
    "gradient": "Gradients",
    "relevance": "Relevance",
    "map": "Maps",
    "perturbation": "Perturbation",
}
"""Family → heading."""

INTRODUCTION = f"""# Methods

Written by `{COMMAND}` from the table of methods; do not
edit it by hand.

```python
explainer = network.explainer("integrated_gradients", steps=100)
result = explainer.run(x, target=0, references=0.0)
```

`network.explainer` takes a name or one of its other names, the options of the method, and for all
methods `target` (a layer, units of it, or both) and `layers` (where to score).
`deeplift_engine.methods()` is this table, and `deeplift-engine methods NAME` prints a method's
part of it.

- **Options** are given with their defaults; one with `...` must be given.
- **Seeds** are whole numbers of 0 or more; the same seed draws the same numbers.
- **Complete**: scores sum to the target's difference from the reference or, of relevance, to the
  target; every run checks it.
- **Cost**: forward passes of one sample, for N samples with K references of each; a walk back
  counts as one."""


def page() -> str:
    """The whole page."""
    parts = [INTRODUCTION]
    for family, heading in FAMILIES.items():
        methods = [method for method in TABLE.values() if method.family == family]
        parts += [f"## {heading}", _methods(methods), _options(methods)]
    return "\n\n".join(parts) + "\n"


def _methods(methods: Sequence[Method]) -> str:
    rows = [
        (
            ", also ".join(filter(None, (_code(method.name), _code(*method.aliases)))),
            method.summary,
            _code(*map(_said, method.options.values())),
            "yes" if method.complete else "no",
            method.passes,
            method.source,
        )
        for method in methods
    ]
    return table(("method", "what it is", "options", "complete", "cost", "source"), rows)


def _options(methods: Sequence[Method]) -> str:
    """Each option once, with the methods of which the same is said."""
    having: dict[tuple[str, str], list[str]] = {}
    for method in methods:
        for option in method.options.values():
            having.setdefault((option.name, option.text), []).append(method.name)
    rows = [
        (_code(name), text.replace("``", "`"), _code(*names))
        for (name, text), names in having.items()
    ]
    return table(("option", "what it is", "of"), rows)


def _said(option: Option) -> str:
    return f"{option.name}=..." if option.required else f"{option.name}={option.default!r}"


def _code(*names: str) -> str:
    return ", ".join(f"`{name}`" for name in names)


def main(arguments: Sequence[str]) -> int:
    """Write the page to the file that is named."""
    return write(page(), COMMAND, arguments)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))


__all__ = ["main", "page"]
