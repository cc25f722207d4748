"""The page of all metrics is what their table says."""

from __future__ import annotations

import inspect
from pathlib import Path

from deeplift_engine import evaluate
from docs.generate import metrics as metric_table
from tests.helpers import ROOT

PAGE = ROOT / "docs" / "METRICS.md"


def test_the_page_is_what_the_table_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == metric_table.page(), (
        f"write it again: {metric_table.COMMAND}"
    )


def test_the_command_writes_the_page(tmp_path: Path) -> None:
    assert metric_table.main([str(tmp_path / "page.md")]) == 0
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == metric_table.page()
    assert metric_table.main([]) == 2


def test_every_metric_and_option_is_explained() -> None:
    for name, metric in evaluate.METRICS.items():
        assert getattr(evaluate, name) is metric.measure
        assert inspect.getdoc(metric.measure)
        assert all(option.text for option in metric.options.values())
