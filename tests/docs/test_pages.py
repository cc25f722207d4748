"""The pages of the site: their code runs in order, their calls are those there are, links hold."""

from __future__ import annotations

import ast
import contextlib
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.cli import main
from docs.generate import site

ROOT = Path(__file__).resolve().parents[2]


def blocks(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / "docs" / page).read_text(), re.DOTALL)


@pytest.fixture(scope="module")
def toured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What the tour leaves behind, in its folder."""
    folder = tmp_path_factory.mktemp("tour")
    (folder / "examples").symlink_to(ROOT / "examples")
    with contextlib.chdir(folder):
        names: dict[str, Any] = {}
        for block in blocks("TOUR.md"):
            told = io.StringIO()
            with contextlib.redirect_stdout(told):
                exec(block, names)
            promised = re.findall(r"^print\(.*\)  # (\(.*\)|True)$", block, re.MULTILINE)
            lines = told.getvalue().splitlines()
            assert all(line in lines for line in promised), told.getvalue()
        yield names


def test_the_tour_leaves_its_files(toured: dict[str, Any]) -> None:
    assert Path("logo.png").stat().st_size > 1000
    text = (ROOT / "docs/TOUR.md").read_text()
    np.save("x.npy", toured["x"][:3])
    commands = re.findall(r"^    deeplift-engine (.*)$", text, re.MULTILINE)
    assert [main(command.split()) for command in commands] == [0] * 3
    assert any(Path("out").iterdir())


def test_the_questions_are_answered(toured: dict[str, Any]) -> None:
    names = dict(toured)
    for block in blocks("QUESTIONS.md"):
        with contextlib.redirect_stdout(io.StringIO()) as told:
            exec(block, names)
        assert told.getvalue()


def test_calls_beside_other_packages_are_calls() -> None:
    text = (ROOT / "docs/FROM_OTHERS.md").read_text()
    calls = re.findall(r"`(network\.explainer\(.*?\))`", text)
    named = re.findall(r"`\"(\w+)\"`", text)
    assert len(calls) > 30
    table = de.methods()
    for call in calls:
        tree = ast.parse(call, mode="eval").body
        assert isinstance(tree, ast.Call)
        named += [ast.literal_eval(argument) for argument in tree.args]
        method = table[ast.literal_eval(tree.args[0])]
        known = {*method.options, "layers", "target"}
        assert {keyword.arg for keyword in tree.keywords} <= known, call
    assert set(named) <= {*table}
    for path in re.findall(r"`de\.([\w.]+)", text):
        thing: Any = de
        for name in path.split("."):
            thing = getattr(thing, name)


def test_links_hold_in_the_site(tmp_path: Path) -> None:
    """And every page has its place in the navigation."""
    site.gather(tmp_path)
    written = {path.name for path in tmp_path.glob("*.md")}
    assert len(written) == len(site.places()) + 1  # no two pages in one place
    for page in tmp_path.glob("*.md"):
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
            assert "://" in target or (tmp_path / target).exists(), (page.name, target)
    pages = {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")}
    pages |= {f"{path.relative_to(ROOT)}" for path in (ROOT / "examples").glob("*/README.md")}
    assert pages <= set(site.places())
