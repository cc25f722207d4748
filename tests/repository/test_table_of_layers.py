"""What Keras's layers are stands in one table, and what versions changed in a second."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from deeplift_conversion.layers.table import LAYERS

CONVERTER = Path(__file__).resolve().parents[2] / "conversion" / "deeplift_conversion"


def words(path: Path) -> Iterator[str]:
    """Patterns of the words in a module's tables: what stands outside functions and classes."""
    for statement in ast.parse(path.read_text()).body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            continue
        for node in ast.walk(statement):
            if isinstance(node, ast.JoinedStr):
                pieces = [getattr(value, "value", None) for value in node.values]
                yield "".join(re.escape(p) if isinstance(p, str) else r"\w+" for p in pieces)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield from map(re.escape, node.value.split())


def test_a_keras_layer_stands_in_two_tables_at_most() -> None:
    tables: dict[str, set[str]] = defaultdict(set)
    for path in CONVERTER.rglob("*.py"):
        patterns = set(words(path))
        for name in LAYERS:
            if any(re.fullmatch(pattern, name) for pattern in patterns - {r"\w+"}):
                tables[name].add(path.relative_to(CONVERTER).as_posix())
    rows = {"layers/table.py", "layers/kernels.py", "layers/sequences.py"}
    rows |= {"eras/changes.py", "eras/quantization.py"}
    assert {name: modules for name, modules in tables.items() if modules - rows} == {}
    assert {name: modules for name, modules in tables.items() if len(modules) > 2} == {}


def test_no_layer_has_two_names_and_no_name_two_layers() -> None:
    names = [name for layer in LAYERS.values() for name in (*layer.aliases, *layer.keras1)]
    assert len(set(names)) == len(names)
    assert set(names).isdisjoint(LAYERS)
