"""The benchmark's own workings; the times themselves are no test."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks import genome_way, growth, onednn, processors, run
from benchmarks.measure import ProblemCosts, RowCosts, _compare
from benchmarks.methods import renewed
from benchmarks.process import BenchmarkError, Cost
from benchmarks.scale import save_model
from benchmarks.table import problem_table, verdicts
from benchmarks.work import OWN, PROBLEMS, QUICK, REVEAL_CANCEL, load, make_data, save


def cost(seconds: float) -> Cost:
    return Cost(
        seconds,
        processor=2 * seconds,
        samples=1,
        batch_size=256,
        peak=2.0,
        idle=1.0,
        difference=0.0,
    )


def measured(engine: float, reveal_cancel: float, peer: float) -> ProblemCosts:
    forwards = {"keras_forward": cost(1.0), "engine_forward": cost(0.5)}
    rows = (
        RowCosts(OWN, forwards | {"engine": cost(engine), "captum": cost(peer)}),
        RowCosts(
            REVEAL_CANCEL,
            forwards | {"engine_base": cost(engine), "engine": cost(reveal_cancel)},
        ),
    )
    return ProblemCosts(PROBLEMS[0], rows, {})


def test_bars_that_are_met_and_missed_say_so():
    met = measured(engine=2.4, reveal_cancel=3.0, peer=8.0)
    assert [verdicts(row) for row in met.rows] == [
        ["at most 2.5 F: 2.40, met", "at least 3 x faster than the best peer: 3.33, met"],
        ["at most 1.3 x the first row: 1.25, met"],
    ]
    missed = measured(engine=2.6, reveal_cancel=4.0, peer=7.0)
    assert all("**missed**" in said for row in missed.rows for said in verdicts(row))


def test_every_line_of_a_table_has_as_many_cells_as_its_header():
    lines = problem_table(measured(2.4, 3.0, 8.0)).splitlines()
    cells = {line.count("|") for line in lines if line.startswith("|")}
    assert len(cells) == 1


def test_a_number_that_was_not_measured_is_marked():
    recorded = [line for line in problem_table(measured(1, 1, 1)).splitlines() if "0.6.13" in line]
    assert len(recorded) == 1
    assert "recorded, not measured" in recorded[0]


def test_contenders_that_disagree_are_not_timed():
    scores = np.ones((1, 2, 3))
    assert _compare(OWN, {"engine": scores, "captum": scores + 1e-6})["captum"] < 1e-5
    with pytest.raises(BenchmarkError, match="captum and engine disagree"):
        _compare(OWN, {"engine": scores, "captum": scores * 1.01})
    with pytest.raises(BenchmarkError, match="captum and engine disagree"):
        _compare(OWN, {"engine": scores, "captum": scores * np.nan})
    with pytest.raises(BenchmarkError, match="shape"):
        _compare(OWN, {"engine": scores, "captum": scores[:, :1]})


def test_what_is_handed_to_the_other_processes_comes_back_the_same(tmp_path: Path):
    data = make_data(QUICK[0])
    save(QUICK[0], data, tmp_path)
    problem, loaded = load(tmp_path)
    assert problem == QUICK[0]
    for one, other in zip(
        [data.inputs, data.own, data.shared, *data.weights],
        [loaded.inputs, loaded.own, loaded.shared, *loaded.weights],
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


def test_an_interpreter_without_peers_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(run, "available", lambda python: ["keras_forward"])
    assert run.main(["--quick", "--peers-python", "some/python"]) == 1
    assert "some/python has none of tangermeme, captum, shap" in capsys.readouterr().err


@pytest.mark.thorough
def test_the_quick_mode_measures_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    page = tmp_path / "BENCHMARKS.md"
    rows = [OWN, REVEAL_CANCEL]
    chosen = [option for row in rows for option in ("--row", row.name)]
    assert run.main(["--quick", "--problem", "genomics", *chosen, "--write", str(page)]) == 0
    written = page.read_text()
    assert written.splitlines()[0] == "# Benchmarks"
    for row in rows:
        line = next(line for line in written.splitlines() if f"**{row.title}**" in line)
        milliseconds = re.search(r"\| deeplift_engine \| (\d+) ms \|", line)
        assert milliseconds is not None
        assert 0 < int(milliseconds[1]) < 60_000
    assert "tensorflow" in capsys.readouterr().out


@pytest.mark.thorough
def test_with_onednn_and_without_are_measured_in_turns() -> None:
    (line,) = onednn.lines_of(QUICK[0], [OWN], 1, 0.0)
    assert re.fullmatch(r"\| genomics \| .* \| \d+\.\d\d \| \d+\.\d\d \|", line)


def test_one_problem_is_measured_again_in_the_page_that_is_there():
    page = "# Benchmarks\n\nnotes\n\n### A\n\nold\n\n### B\n\nkept\n\n## Where\n\n### A\n\nkept\n"
    assert run.renewed(page, ["### A\n\nnew"]) == page.replace("old", "new", 1)


def test_parts_of_the_page_are_renewed_by_themselves() -> None:
    page = renewed("", {"Methods": "a\n\n| b |", "References and sweeps": "c"})
    again = renewed(page, {"Saturation mutagenesis": "d", "References and sweeps": "e"})
    assert renewed(again, {}) == again
    assert re.findall(r"^## (.*)", again, re.M) == [
        "Methods",
        "Saturation mutagenesis",
        "References and sweeps",
    ]
    assert again.startswith(page[: page.index("## References")])
    assert again.endswith("\n\nd\n\n## References and sweeps\n\ne\n")


def test_differences_between_processors_are_shares_of_the_largest_value():
    expected = {"float32|predict|one": np.array([1.0, -4.0]), "float32|predict|two": np.ones(3)}
    found = {"float32|predict|one": np.array([1.0, -4.1]), "float32|predict|two": np.ones(3) * 1.5}
    assert processors.differences(found, expected) == {"float32|predict": pytest.approx(0.5)}
    heads = ("predict", *processors.METHODS)
    row = {f"{dtype}|{head}": 2e-7 for dtype in processors.DTYPES for head in heads}
    lines = processors.table({"8 threads": row}).splitlines()
    assert {line.count("|") for line in lines} == {len(heads) + 3}
    assert lines[2].startswith("| 8 threads | float32 | 2e-07 |")


@pytest.mark.slow
def test_the_way_from_a_genome_has_the_scores_of_an_array(tmp_path: Path) -> None:
    genome_way.write_genome(tmp_path, 3)
    save_model(tmp_path, "short", 60)
    ways = genome_way.Ways(tmp_path)
    ways.check()
    assert ways.array.shape == (3, 60, 4)
    assert {"run.bw", "run.ohe.npz"} <= {path.name for path in (tmp_path / "check").iterdir()}


def test_growth_is_an_exponent_and_what_is_off_it() -> None:
    exponent, residual = growth.fitted([2, 4, 8], [3.0, 12.0, 48.0])
    assert (exponent, residual) == (pytest.approx(2), pytest.approx(1))
    exponent, residual = growth.fitted([1, 2, 4], [1.0, 1.1, 1.0])
    assert exponent == pytest.approx(0, abs=1e-12)
    assert residual == pytest.approx(1.1 ** (2 / 3))
    assert set(growth.GROWING) == set(vars(growth.Sizes()))
