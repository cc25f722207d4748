"""Old names of figures work for one release, with a warning."""

from __future__ import annotations

import pytest

from deeplift_engine import figures, report


@pytest.mark.parametrize("name", ["draw_logo", "draw_sweep"])
def test_the_old_module_of_a_figure_warns_and_returns_the_new_one(name: str) -> None:
    with pytest.warns(DeprecationWarning, match=f"figures.{name}") as caught:
        old = getattr(report, name)
    assert old is getattr(figures, name)
    assert caught[0].filename == __file__


def test_the_old_module_has_no_other_names() -> None:
    with pytest.raises(AttributeError, match="draw_anything"):
        report.draw_anything  # noqa: B018
