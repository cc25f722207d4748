"""Packs what `make` wrote by all versions into `saved`, small enough to be committed.

    python -m tests.conversion.eras.keep /tmp/eras

``models.tar.xz`` holds the files as saved, ``<version>/<model>.h5`` or ``.keras``, the members of
an archive deflated no longer; alike files lie side by side, which is what makes it small.
``truths.npz`` holds inputs ``<model>/x0`` and outputs ``<model>/y0/0``: one for each outcome that
is another by more than a millionth, so that versions that agree share one. ``index.json`` says of
each model its layer and aspect, and which outcome each version computes.
"""

from __future__ import annotations

import io
import json
import lzma
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from tests.conversion.eras.files import INDEX, MODELS, SAVED, TRUTHS, order

ALIKE = 1e-6
"""Versions' kernels differ by less, of the largest magnitude."""


def main(folder: str) -> None:
    """Write the three files of `saved` from what the versions made."""
    records = {
        path.parent.name: json.loads(path.read_text()) for path in Path(folder).glob("*/cases.json")
    }
    truths: dict[str, Any] = {}
    index: dict[str, Any] = {"versions": {}, "models": {}}
    members: list[tuple[str, bytes]] = []
    for era in sorted(records, key=order, reverse=True):
        record = records[era]
        index["versions"][era] = {key: record[key] for key in ("keras", "backend")}
        arrays = np.load(Path(folder) / era / "truths.npz")
        for case in record["made"].values():
            file = case["file"]
            name = f"{'keras1/' if record['keras'].startswith('1.') else ''}{Path(file).stem}"
            model = index["models"].setdefault(
                name, {"layer": case["layer"], "aspect": case["aspect"], "outcomes": {}}
            )
            outcome = kept(truths, name, Path(file).stem, arrays)
            if outcome is None:
                sys.stderr.write(f"{era}: {name} has other inputs than elsewhere\n")
                continue
            model["outcomes"][era] = outcome
            data = (Path(folder) / era / file).read_bytes()
            members.append((f"{era}/{file}", unpacked(data) if file.endswith(".keras") else data))
    SAVED.mkdir(exist_ok=True)
    members.sort(key=lambda member: (member[0].partition("/")[2], member[0]))
    pack(members)
    np.savez_compressed(TRUTHS, **truths)
    INDEX.write_text(json.dumps(index, indent=None, separators=(",", ":"), sort_keys=True))


def kept(truths: dict[str, Any], name: str, stem: str, arrays: Any) -> int | None:
    """Keep a model's inputs and outputs; return the number of its outcome."""
    mine = {
        key.rpartition("/")[2]: arrays[key] for key in arrays.files if key.startswith(f"{stem}/")
    }
    outputs = {key: values for key, values in mine.items() if key.startswith("y")}
    for key in mine.keys() - outputs.keys():
        known = truths.setdefault(f"{name}/{key}", mine[key])
        if known.shape != mine[key].shape or not np.array_equal(known, mine[key]):
            return None
    number = 0
    while f"{name}/y0/{number}" in truths:
        known = {key: truths.get(f"{name}/{key}/{number}") for key in outputs}
        if all(alike(known[key], values) for key, values in outputs.items()):
            return number
        number += 1
    truths |= {f"{name}/{key}/{number}": values for key, values in outputs.items()}
    return number


def alike(known: Any, values: Any) -> bool:
    if known is None or known.shape != values.shape:
        return False
    return bool(np.max(np.abs(known - values)) <= ALIKE * max(1.0, float(np.abs(values).max())))


def unpacked(data: bytes) -> bytes:
    """An archive whose members are stored as they are, without a date."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name), old.read(name))
    return buffer.getvalue()


def pack(members: list[tuple[str, bytes]]) -> None:
    """Write all files as one compressed archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    MODELS.write_bytes(lzma.compress(buffer.getvalue(), preset=9 | lzma.PRESET_EXTREME))


if __name__ == "__main__":
    main(*sys.argv[1:])
