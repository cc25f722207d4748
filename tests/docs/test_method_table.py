"""The page of all methods is what their table says."""

from __future__ import annotations

from pathlib import Path

import deeplift_engine as de
from docs.generate import methods as method_table
from tests.helpers import ROOT

PAGE = ROOT / "docs" / "METHODS.md"


def test_the_page_is_what_the_table_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == method_table.page(), (
        f"write it again: {method_table.COMMAND}"
    )


def test_the_command_writes_the_page(tmp_path: Path) -> None:
    assert method_table.main([str(tmp_path / "page.md")]) == 0
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == method_table.page()
    assert method_table.main([]) == 2


def test_every_method_and_option_has_a_row() -> None:
    """Fails where a method has a family that the page has no heading for."""
    lines = method_table.page().splitlines()
    for method in de.methods().values():
        rows = [line for line in lines if line.startswith(f"| `{method.name}`")]
        assert any(method.summary in line and method.source in line for line in rows)
        for alias in method.aliases:
            assert any(f"`{alias}`" in line for line in rows)
        for option in method.options:
            assert any(line.startswith(f"| `{option}` |") for line in lines)
