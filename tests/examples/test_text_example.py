"""A classifier that looked at the wrong word: the example's numbers, and what it writes."""

from __future__ import annotations

import contextlib
import io
import json
import re
import runpy
from pathlib import Path

import pytest

import deeplift_engine as de
from tests.helpers import ROOT

pytestmark = [
    pytest.mark.slow,
    # of integrated gradients of a review: the program prints the warning and goes on
    pytest.mark.filterwarnings("ignore::deeplift_engine.errors.ConvergenceWarning"),
]

EXAMPLE = ROOT / "examples" / "text" / "wrong_word.py"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the example writes and prints; it ends with 0 only where its finding holds."""
    for module in ("jinja2", "matplotlib"):
        pytest.importorskip(module)
    out = tmp_path_factory.mktemp("text")
    script = runpy.run_path(str(EXAMPLE))
    fewer = script["Size"](train=3000, explained=40, shown=3)
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()) as told:
        patch.setitem(script["main"].__globals__, "SMALL", fewer)
        assert script["main"](["--small", "--out", str(out)]) == 0
    (out / "printed.txt").write_text(told.getvalue())
    return out


def test_the_wrong_word_has_the_largest_score_by_all_methods_but_one(folder: Path) -> None:
    printed = (folder / "printed.txt").read_text()
    shares = dict(re.findall(r"^    (\w.*?) +([\d.]+)%$", printed, re.MULTILINE))
    assert len(shares) == 7
    assert float(shares.pop("saliency")) < 80
    assert all(float(share) > 90 for share in shares.values()), shares


def test_without_the_word_predictions_change_and_the_mended_model_is_better(folder: Path) -> None:
    printed = (folder / "printed.txt").read_text()
    before, after = map(float, re.findall(r"falls from ([\d.]+) to ([\d.]+)", printed)[0])
    assert before - after > 0.2
    held_out, elsewhere, mended = map(float, re.findall(r"right about ([\d.]+)%", printed))
    assert held_out > 90
    assert elsewhere + 5 < mended


def test_what_is_written_shows_the_word(folder: Path) -> None:
    assert json.loads((folder / "tokenizer.json").read_text())["class_name"] == "Tokenizer"
    for text in de.text.scored_texts(folder / "scores.h5"):
        assert max(text.pieces("token"), key=lambda piece: piece.score).text == "Filmhub"
    assert (folder / "reviews.png").read_bytes().startswith(b"\x89PNG")
    assert ">Filmhub</span>" in (folder / "reviews.html").read_text()
    assert (folder / "report.html").stat().st_size < 5e6
