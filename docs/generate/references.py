"""The page docs/REFERENCES.md: every kind of references, in Python and on the command line.

    python -m docs.generate.references docs/REFERENCES.md

writes it from the table of kinds; a test fails where it is out of date.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from deeplift_engine.references import KINDS
from deeplift_engine.references.reference_kind import ReferenceKind
from docs.generate.pages import table, write

COMMAND = "python -m docs.generate.references docs/REFERENCES.md"

INTRODUCTION = f"""# References

Written by `{COMMAND}` from the table of kinds of
references; do not edit it by hand.

```python
result = explainer.run(x, target=0, references=deeplift_engine.references.shuffle(20, seed=1))
```

`references=` takes what these functions of `deeplift_engine.references` return. It also takes a
number, an array (one reference, one or several for each sample) or a function of the inputs. A
model with several inputs takes a mapping of their names; inputs that it leaves out are held fixed
(`unchanged`), and a number, `zeros()` or another single reference is for all. The command line
takes `--references shuffle:20`, with `INPUT=` before it where the model has several inputs; `FILE`
is a `.npy`, `.npz` or `.h5` file, or `FILE.h5:KEY`, and a file by itself is an array. Where the
inputs are a table, it may be a `.csv`, `.tsv` or `.parquet` file, whose columns go by name as
those of the inputs are, and by itself is one set that all samples share:
`--references healthy.csv`, `--references drawn:50:people.csv`.

Nothing, or None for an input, is zeros. For tokens that are looked up and masked it is
`replaced(1, keep=(0,))`: the token that the mask leaves out is kept, all others are replaced by the
first that is not left out. The result's settings, the log and `score` say so."""


def page() -> str:
    """The whole page."""
    rows = [
        (f"`{kind.name}({_arguments(kind)})`", kind.summary.replace("``", "`"), _code(kind.syntax))
        for kind in KINDS.values()
    ]
    arguments: dict[tuple[str, str], list[str]] = {}
    for kind in KINDS.values():
        for argument in kind.parameters.values():
            arguments.setdefault((argument.name, argument.text), []).append(f"`{kind.name}`")
    explained = [
        (f"`{name}`", text.replace("``", "`"), ", ".join(names))
        for (name, text), names in arguments.items()
    ]
    parts = [
        INTRODUCTION,
        table(("references", "what they are", "on the command line"), rows),
        "## Arguments",
        table(("argument", "what it is", "of"), explained),
    ]
    return "\n\n".join(parts) + "\n"


def _arguments(kind: ReferenceKind) -> str:
    return ", ".join(map(str, kind.parameters.values()))


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def main(arguments: Sequence[str]) -> int:
    """Write the page to the file that is named."""
    return write(page(), COMMAND, arguments)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))


__all__ = ["main", "page"]
