"""The marks of a store: small files, each of which says that a shard is complete.

A mark is written last, when the disk has the shard's files, and takes its name at once. It holds
the length and the checksum of each file, so that a file that changes later is noticed, and the
digest of the layout, so that a mark of another job is none.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from deeplift_engine.errors import OutputError
from deeplift_engine.util.durable import sha256_of, sync_folder, write_durably
from deeplift_engine.util.jsonable import plain


@dataclass(frozen=True)
class FileRecord:
    """What a file was when it was written: its length in bytes and its SHA-256."""

    length: int
    sha256: str


@dataclass(frozen=True)
class Mark:
    """A shard that is complete.

    Attributes
    ----------
    shard
        Its number.
    rows
        Its samples.
    layout
        The digest of the layout that it belongs to.
    files
        What its files were, by their paths below the store.
    receipt
        What its writer says of the work, as JSON holds it.
    """

    shard: int
    rows: slice
    layout: str
    files: Mapping[str, FileRecord]
    receipt: Mapping[str, Any]

    def check_lengths(self, store: Path) -> None:
        """Check that the shard's files are there, of the length they had.

        Raises
        ------
        OutputError
            Naming the first file that is not.
        """
        for name, record in self.files.items():
            try:
                length = (store / name).stat().st_size
            except OSError:
                raise self._damaged(store / name, "the file is not there") from None
            if length != record.length:
                raise self._damaged(
                    store / name, f"the file has {length} bytes and had {record.length}"
                )

    def check_contents(self, store: Path) -> None:
        """Check that the shard's files hold what they held.

        Raises
        ------
        OutputError
            Naming the first file that does not.
        """
        self.check_lengths(store)
        for name, record in self.files.items():
            try:
                sha256 = sha256_of(store / name)
            except OSError as error:
                raise self._damaged(store / name, str(error)) from error
            if sha256 != record.sha256:
                raise self._damaged(store / name, "the file holds other bytes than were written")

    def _damaged(self, path: Path, reason: str) -> OutputError:
        return OutputError(
            f"shard {self.shard} is damaged: {path}: {reason}. Verify the store with drop, which "
            "takes the mark away, and run the job again: it computes the shard anew"
        )


def failed_samples(receipts: Iterable[Mapping[str, Any]]) -> dict[int, str]:
    """Samples without results, and the reasons, as the receipts of a job tell them."""
    return {
        int(sample): str(reason)
        for receipt in receipts
        for sample, reason in dict(receipt.get("failed", {})).items()
    }


def few(shards: Sequence[int]) -> str:
    """Numbers of shards in words, the first of many."""
    more = f" and {len(shards) - 8} more" if len(shards) > 8 else ""
    return ", ".join(map(str, shards[:8])) + more


def mark_path(folder: Path, number: int) -> Path:
    """The file of a shard's mark."""
    return folder / f"{number:08d}.json"


def read_mark(folder: Path, number: int, rows: slice, layout: str) -> Mark | None:
    """The mark of a shard; None without one, for one of another job, and for one that is torn."""
    try:
        values = json.loads(mark_path(folder, number).read_bytes())
        mark = Mark(
            shard=values["shard"],
            rows=slice(*values["rows"]),
            layout=values["layout"],
            files={name: FileRecord(**record) for name, record in values["files"].items()},
            receipt=values["receipt"],
        )
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return None
    fits = (mark.shard, mark.rows, mark.layout) == (number, rows, layout)
    return mark if fits else None


def write_mark(folder: Path, temporary: Path, mark: Mark) -> None:
    """Write a mark under a temporary name, and give it its own when the disk has it.

    Raises
    ------
    OSError
        What the disk says.
    """
    values = {
        "shard": mark.shard,
        "rows": [mark.rows.start, mark.rows.stop],
        "layout": mark.layout,
        "files": {name: asdict(record) for name, record in mark.files.items()},
        "receipt": mark.receipt,
    }
    write_durably(temporary, json.dumps(values, indent=1).encode())
    temporary.replace(mark_path(folder, mark.shard))
    sync_folder(folder)


def numbers(folder: Path) -> list[int]:
    """The shards that have a file of a mark, in order."""
    stems = (name.removesuffix(".json") for name in os.listdir(folder) if name.endswith(".json"))
    return sorted(int(stem) for stem in stems if stem.isdecimal())


def receipt_json(receipt: Mapping[str, Any]) -> dict[str, Any]:
    """A receipt as it will be read back."""
    values: dict[str, Any] = json.loads(json.dumps(plain(receipt)))
    return values


__all__ = ["FileRecord", "Mark", "mark_path", "numbers", "read_mark", "receipt_json", "write_mark"]
