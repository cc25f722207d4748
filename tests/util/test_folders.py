"""Files of folders: in plain order, without hidden ones."""

from __future__ import annotations

from pathlib import Path

from deeplift_engine.util.folders import visible_files


def test_files_are_in_plain_order_without_hidden_ones(tmp_path: Path) -> None:
    shown = ["10/a.png", "2/b.png", "A.png", "b.png"]
    hidden = ["._b.png", ".ipynb_checkpoints/b.png", "2/._b.png", "2/.cache/deep/b.png"]
    for name in (*reversed(shown), *hidden):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text("")
    (tmp_path / "folder.png").mkdir()
    assert [path.relative_to(tmp_path).as_posix() for path in visible_files(tmp_path)] == shown
    assert visible_files(tmp_path / "b.png") == []
