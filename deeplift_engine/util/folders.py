"""Files of folders."""

from __future__ import annotations

from pathlib import Path


def visible_files(folder: Path) -> list[Path]:
    """All files of a folder and of those within, in plain order of their paths.

    Hidden files and folders are left out, such as ``._a.png``, which macOS writes beside
    ``a.png``, and ``.ipynb_checkpoints``, where Jupyter keeps copies.
    """
    parts = {path: path.relative_to(folder).parts for path in folder.rglob("*")}
    visible = [path for path in parts if not any(each.startswith(".") for each in parts[path])]
    return sorted((path for path in visible if path.is_file()), key=lambda path: parts[path])


__all__ = ["visible_files"]
