"""The pages of the site: their code runs in order, their calls are those there are, links hold."""

from __future__ import annotations

import ast
import contextlib
import io
import re
import shutil
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


def prints(page: str, names: dict[str, Any]) -> str:
    """What the code of a page prints, each block something."""
    told = []
    for block in blocks(page):
        with contextlib.redirect_stdout(io.StringIO()) as shown:
            exec(block, names)
        assert shown.getvalue()
        told.append(shown.getvalue())
    return "".join(told)


def test_the_questions_are_answered(toured: dict[str, Any]) -> None:
    prints("QUESTIONS.md", dict(toured))


@pytest.mark.slow
def test_calls_from_other_packages_run(toured: dict[str, Any]) -> None:
    names = dict(toured)
    told = prints("FROM_OTHERS.md", names)
    assert "True" in told
    assert "(3, 200, 4, 3)" in told
    assert "(3, 200, 24)" in told
    (found,) = names["detector"].predict(names["image"], verbose=0)
    scores = [likeness_of_boxes(box) for box in found.astype(float)]
    np.testing.assert_allclose(names["scored"].predict(names["image"]), [[max(scores)]], rtol=1e-5)


def likeness_of_boxes(found: Any) -> float:
    """D-RISE of one detection and the page's box: overlap x probability x cosine of classes."""
    first, last = np.array([0.4, 0.4]), np.array([0.9, 0.9])
    sides = np.minimum(found[2:4], last) - np.maximum(found[:2], first)
    shared = np.maximum(sides, 0).prod()
    areas = (found[2:4] - found[:2]).prod() + (last - first).prod()
    cosine = found[5] / np.linalg.norm(found[5:])
    return float(shared / (areas - shared) * found[4] * cosine)


@pytest.mark.slow
def test_runs_of_any_length_run(toured: dict[str, Any], tmp_path: Path) -> None:
    shutil.copy("examples/genomics/model.h5", tmp_path / "model.h5")
    x = toured["x"]
    np.save(tmp_path / "sequences.npy", x[:4])
    with contextlib.chdir(tmp_path):
        shuffles = de.references.dinucleotide_shuffle(2)
        told = prints("SCALE.md", {**toured, "data": x, "shuffles": shuffles})
        assert "float32" in told
        text = re.sub(r"\\\n +", "", (ROOT / "docs/SCALE.md").read_text())
        own = text.split("## Into a store")[1].split("\n## ")[0]
        own = own.replace("sequences.npy", "sequences.npy --target 0")  # of three outputs
        commands = re.findall(r"^    deeplift-engine (.*)$", own, re.MULTILINE)
        assert [main(command.split()) for command in commands] == [0] * 3
        names = dict.fromkeys(("first", "second"), toured["result"])
        exec(blocks("REPORT.md")[0], {"de": de, **names})
        assert Path("both.html").stat().st_size > 10_000


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


def anchors(page: Path) -> set[str]:
    """What the headings of a page are called in links to them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


WISHES = (
    "which reference?", "does it sum?", "which method when?", "a million sequences",
    "my own layer", "deeplift 0.6", "DeepExplain", "SHAP", "Captum",
)  # fmt: skip


def test_every_wish_is_one_click_from_the_first_page() -> None:
    wishes = (ROOT / "README.md").read_text().split("## By wish")[1].split("\n## ")[0]
    for wish in WISHES:
        (row,) = (line for line in wishes.splitlines() if wish in line)
        assert "](docs/" in row.partition(wish)[2], wish


def test_links_hold_in_the_site(tmp_path: Path) -> None:
    """And every page has its place in the navigation."""
    site.gather(tmp_path)
    written = {path.name for path in tmp_path.glob("*.md")}
    assert len(written) == len(site.places()) + 1  # no two pages in one place
    for page in tmp_path.glob("*.md"):
        for target, _, anchor in re.findall(r"\]\(([^)#\s]+)(#([^)\s]+))?", page.read_text()):
            assert "://" in target or (tmp_path / target).exists(), (page.name, target)
            assert not anchor or anchor in anchors(tmp_path / target), (page.name, anchor)
    pages = {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")}
    pages |= {f"{path.relative_to(ROOT)}" for path in (ROOT / "examples").glob("*/README.md")}
    assert pages <= set(site.places())


def test_what_libraries_do_is_told_line_by_line_with_the_tests_that_say_so() -> None:
    page = (ROOT / "docs/LIBRARIES.md").read_text()
    rows = re.findall(r"^\| (\d+) \| .+ \| (.+) \|$", page, re.MULTILINE)
    assert [int(number) for number, _ in rows] == [*range(1, 62)]
    named = {name for _, told in rows for name in re.findall(r"`(test_\w+)`", told)}
    known = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)
    }
    assert named - known == set()
    assert len(named) > 45
