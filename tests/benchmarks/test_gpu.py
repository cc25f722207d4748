"""The prepared command for a GPU, tried without one."""

from __future__ import annotations

import pytest

from benchmarks import gpu


def test_the_bars_of_a_gpu_are_those_of_the_rows() -> None:
    bars = {
        (problem.name, row.name): row.forwards
        for problem in gpu.problems(quick=False)
        for row in problem.rows
    }
    assert bars["genomics", "own"] == bars["dilated", "own"] == 2.3
    assert bars["genomics", "shared"] == bars["dilated", "shared"] == 1.2
    assert bars["dilated", "targets"] is None


def test_without_a_gpu_the_command_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("benchmarks.gpu.shutil.which", lambda name: None)
    assert gpu.main([]) == 1
    assert "nvidia-smi lists no GPU here; --device cpu" in capsys.readouterr().err


@pytest.mark.thorough
def test_the_command_runs_on_the_processor(capsys: pytest.CaptureFixture[str]) -> None:
    assert gpu.main(["--device", "cpu", "--quick", "--problem", "genomics"]) == 0
    said = capsys.readouterr().out
    assert "**The genomics model of the DeepLIFT paper**" in said
    assert "**Rescale, one shared set** | deeplift_engine |" in said
