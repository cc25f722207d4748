"""The workings of the comparison of methods with other packages; the times are no test."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import deeplift_engine as de
from benchmarks import beside_peers, tape_methods
from benchmarks.beside_peers import HERE, OURS, PEERS, entries, error_of, judged
from benchmarks.contenders import Setting
from benchmarks.engine import save_model
from benchmarks.method_engine import engine, in_float64
from benchmarks.method_rows import NETWORKS, ROWS, MethodRow, labels, problem
from benchmarks.method_table import HEADER, Entry, Error, Measured, Refused, head, lines
from benchmarks.process import BenchmarkError, in_turns
from benchmarks.run import renewed
from benchmarks.work import Array, make_data, save

ROW = MethodRow("saliency", "saliency", inputs=2)
OFF, ON = Entry(OURS, "0"), Entry(OURS, "1")
CAPTUM = Entry("method_captum", None)


class Scorer:
    """A worker that gives these scores."""

    name = "scorer"

    def __init__(self, folder: Path, scores: Array) -> None:
        self.folder, self.scores = folder, scores
        self.asked: list[Any] = []
        self.runs: list[float] = []
        self.count = 1

    def ask(self, **request: Any) -> dict[str, Any]:
        self.asked.append(request["row"])
        return {"batch_sizes": [32, 128]}

    def run(self, path: Path) -> None:
        np.save(path, self.scores)


def judged_scores(folder: Path, scores: Array, truth: Array) -> Error:
    scorer: Any = Scorer(folder, scores)
    error = judged(ROW, scorer, truth)
    assert scorer.asked == [ROW.check().name]
    assert scorer.batch_size == 32
    return error


def test_a_contender_with_other_scores_is_not_timed(tmp_path: Path) -> None:
    truth = np.array([[1.0, -4.0], [0.5, 2.0], [1.0, 1.0]])
    error = judged_scores(tmp_path, truth + 4e-5, truth)
    assert (error.largest, error.median) == pytest.approx((1e-5, 1e-5))
    with pytest.raises(
        BenchmarkError, match=r"differs by 8e-03 \(4e-03\) of the largest score, not"
    ):
        judged_scores(tmp_path, truth * 1.008, truth)
    with pytest.raises(BenchmarkError, match="differs by inf"):
        judged_scores(tmp_path, np.where(truth == 2, np.nan, truth), truth)
    with pytest.raises(BenchmarkError, match="differs by inf"):
        judged_scores(tmp_path, truth[:1], truth)


def test_one_sample_may_be_beyond_a_kink_and_no_further(tmp_path: Path) -> None:
    truth = np.array([[1.0, -4.0], [0.5, 2.0], [1.0, 1.0]])
    assert judged_scores(tmp_path, truth + np.array([[0], [0.04], [0]]), truth) == Error(
        pytest.approx(1e-2), 0.0
    )
    with pytest.raises(BenchmarkError, match=r"differs by 3e-02 \(0e\+00\)"):
        judged_scores(tmp_path, truth + np.array([[0], [0.12], [0]]), truth)


def test_this_library_is_stopped_for_an_error_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth = np.ones((2, 3))
    right, wrong = (Scorer(tmp_path, each) for each in (truth, truth * 1.1))
    plan = beside_peers.Plan(1, 1.0, 0.0, {})
    processes: dict[str, Any] = {OURS: wrong, "method_tape": right}
    judge: Any = right
    with pytest.raises(BenchmarkError, match="genomics, saliency: differs by 1e-01"):
        beside_peers.measure(ROW, plan, judge, lambda entry: processes[entry.name])


def test_contenders_on_tensorflow_run_under_both_settings() -> None:
    every = dict.fromkeys((*HERE, *PEERS), "python")
    assert entries(ROW, every) == [
        *(Entry(name, setting) for name in (OURS, "method_tape") for setting in ("0", "1")),
        CAPTUM,
    ]
    without = dict.fromkeys(HERE, "python")
    assert CAPTUM not in entries(ROW, without)


def test_turns_meet_all_alike_until_the_budget_is_spent() -> None:
    works: Any = [SimpleNamespace(runs=[], count=1), SimpleNamespace(runs=[], count=2)]
    order = []
    for work in in_turns(works, repeats=3, budget=2.5):
        work.runs.append(1.0)
        order.append(works.index(work))
    assert order == [0, 1, 0, 1, 0]


def measured(seconds: list[float], memory: float = 100.0) -> Measured:
    return Measured(seconds, [2 * each for each in seconds], memory, 32, Error(1e-6, 1e-7))


def test_ratios_are_medians_over_the_turns_of_one_setting() -> None:
    tape_on, gone = Entry("method_tape", "1"), Entry("method_zennit", None)
    found = {
        OFF: measured([1.0, 2.0, 1.0]),
        ON: measured([0.5, 1.0, 0.5]),
        tape_on: measured([2.0, 3.0, 1.5]),
        CAPTUM: measured([4.0, 6.0, 4.0]),
        gone: Refused("differs by 2e-01 of the largest score, not timed"),
    }
    work = problem("genomics", (ROW,), quick=True)
    table = [*head(work)[4:], *lines(ROW, found)]
    assert {each.count("|") for each in table} == {len(HEADER) + 1}
    cells = [[cell.strip() for cell in each.split("|")[1:-1]] for each in table[2:]]
    assert [row[4:6] for row in cells] == [
        ["", ""],
        ["", ""],
        ["", "3.00 (3.00)"],
        ["4.00 (4.00)", "8.00 (8.00)"],
        ["", ""],
    ]
    assert cells[0][0] == "**saliency**, N = 2"
    assert cells[3][1:4] == ["Captum (batch 32)", "4000 ms", "8000 ms"]
    assert cells[4][-1].startswith("differs by 2e-01")


def test_groups_are_stretches_and_cells_of_all_channels() -> None:
    row = MethodRow("feature_ablation", "", options={"groups": 2})
    np.testing.assert_array_equal(labels(row, (4, 2)), [[0, 0], [0, 0], [1, 1], [1, 1]])
    np.testing.assert_array_equal(labels(row, (2, 4, 1))[..., 0], [[0, 0, 1, 1], [2, 2, 3, 3]])


def test_every_row_is_a_method_and_is_judged() -> None:
    for network in NETWORKS:
        rows = tuple(row for row in ROWS if row.network == network)
        work = problem(network, rows, quick=True)
        names = [row.name for row in work.rows]
        assert len(names) == len(set(names)) == 3 * len(rows)
        assert {row.method for row in work.rows} <= set(de.methods())  # type: ignore[attr-defined]
        assert max(row.inputs for row in work.rows) <= work.inputs  # type: ignore[attr-defined]
    measured_methods = {row.method for row in ROWS}
    assert all(set(methods) <= measured_methods for methods in PEERS.values())


def test_a_section_is_added_to_a_page_without_it() -> None:
    page = "# Benchmarks\n\n## Where\n\nold\n"
    once = renewed(page, ["## Methods\n\nnew"])
    assert once == page + "\n## Methods\n\nnew\n"
    assert renewed(once, ["## Methods\n\nnewer"]) == once.replace("new", "newer")


@pytest.mark.slow
def test_the_tape_and_this_library_have_the_scores_of_float64(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = tuple(
        row
        for row in ROWS
        if row.network == "genomics" and row.method in tape_methods.METHODS and not row.checked
    )
    work = problem("genomics", rows, quick=True)
    data = make_data(work)
    save(work, data, tmp_path)
    save_model(tmp_path)
    setting = Setting(work, data, tmp_path / "model.h5", 1)
    # the tests' process has its threads already
    monkeypatch.setattr(tf.config.threading, "set_intra_op_parallelism_threads", lambda n: None)
    for row in (row.quick().check() for row in rows):
        truth, *others = (
            prepared.positions(prepared.run(prepared.batch_sizes[0]))
            for prepared in (each(setting, row) for each in (in_float64, engine, tape_methods.tape))
        )
        assert all(error_of(scores, truth).within(row.tolerance) for scores in others)
