"""What a run of variants writes block by block: a table, an annotated VCF, contributions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import IO, Any

import h5py
import numpy as np

from deeplift_engine.genomics.variants.variant import EMPTY, Variant
from deeplift_engine.genomics.variants.variant_effects import meaning
from deeplift_engine.util import storage
from deeplift_engine.util.typing import Array
from deeplift_engine.version import __version__

MISSING = "NA"
"""What a table has where there is no number."""
PREFIX = "DE_"
"""In front of the names of INFO fields."""
SKIPPED = f"{PREFIX}skipped"

Records = Sequence[Sequence[Variant]]
"""Some records of a file, each with its variants."""


class Table:
    """A table with tabs: one row a variant, in the order of the file."""

    def __init__(self, disk: IO[bytes], columns: Sequence[str]) -> None:
        self.disk, self.columns = disk, columns
        self._write([["chrom", "pos", "id", "ref", "alt", "kind", *columns, "skipped"]])

    def write(self, records: Records, values: Mapping[str, Array]) -> None:
        """Add records; ``values`` (N,) by column are those of the variants that were scored."""
        scored = iter(_rows(values, self.columns, MISSING))
        empty = [MISSING] * len(self.columns)
        self._write(
            [
                *(variant.record.chrom, str(variant.record.position), variant.record.name),
                *(variant.ref or EMPTY, variant.alt or EMPTY, variant.kind),
                *(empty if variant.reason else next(scored)),
                str(variant.reason) if variant.reason else "",
            ]
            for variants in records
            for variant in variants
        )

    def _write(self, rows: Any) -> None:
        text = "".join("\t".join(row) + "\n" for row in rows)
        self.disk.write(text.encode("utf-8", "surrogateescape"))


class AnnotatedVcf:
    """A VCF with an INFO field for each column, one value an ALT allele.

    Its lines are those of the file that was read, in their order; other INFO fields stay as they
    are, and fields of an earlier run are replaced.
    """

    def __init__(
        self, disk: IO[bytes], header: Sequence[str], columns: Mapping[str, np.dtype[Any]]
    ) -> None:
        self.disk = disk
        self.fields = {
            column: PREFIX + re.sub(r"\W", "_", column, flags=re.ASCII) for column in columns
        }
        ours = {*self.fields.values(), SKIPPED}
        self._former = re.compile(f"(?:{'|'.join(map(re.escape, sorted(ours)))})(?:=|$)")
        declared = re.compile(r"##INFO=<ID=(\w+),|##deeplift_engine=")
        kept = [
            line
            for line in header[:-1]
            if not ((match := declared.match(line)) and match[1] in (None, *ours))
        ]
        new = [
            f'##INFO=<ID={self.fields[column]},Number=A,Type={_type(dtype)},Description="'
            f'{meaning(column)}">'
            for column, dtype in columns.items()
        ]
        self._write(
            [
                *kept,
                f"##deeplift_engine={__version__}",
                *new,
                f'##INFO=<ID={SKIPPED},Number=A,Type=String,Description="why it has no effects">',
                header[-1],
            ]
        )

    def write(self, records: Records, values: Mapping[str, Array]) -> None:
        """Add records; ``values`` are as for `Table`."""
        scored = iter(_rows(values, list(self.fields), "."))
        missing = ["."] * len(self.fields)
        lines = []
        for variants in records:
            cells = variants[0].record.text.split("\t")
            rows = [missing if variant.reason else next(scored) for variant in variants]
            codes = [variant.reason.code if variant.reason else "." for variant in variants]
            entries = [entry for entry in cells[7].split(";") if entry not in ("", ".")]
            entries = [entry for entry in entries if not self._former.match(entry)]
            if not all(variant.reason for variant in variants):
                entries += [
                    f"{name}={','.join(cells_of)}"
                    for name, cells_of in zip(
                        self.fields.values(), zip(*rows, strict=True), strict=True
                    )
                ]
            if any(variant.reason for variant in variants):
                entries.append(f"{SKIPPED}={','.join(codes)}")
            lines.append("\t".join([*cells[:7], ";".join(entries), *cells[8:]]))
        self._write(lines)

    def _write(self, lines: Sequence[str]) -> None:
        text = "".join(f"{line}\n" for line in lines)
        self.disk.write(text.encode("utf-8", "surrogateescape"))


class ContributionsFile:
    """An HDF5 file with the windows and contributions of both alleles of N variants.

    The data sets have 2N rows, those with REF of all variants and then those with ALT, and axes
    (2N, letters, positions), as the field's tools write them: ``raw/seq`` one-hot, ``shap/seq``
    hypothetical contributions, ``projected_shap/seq`` those of the letters that are there; of
    several heads in a group of each. ``variant_ids`` and ``alleles`` (0 for REF, 1 for ALT) name
    the rows, ``chrom``, ``pos`` (1-based), ``ref`` and ``alt`` say where they are. The attribute
    ``variant_start`` is the position of the alleles in a window.
    """

    def __init__(
        self,
        disk: Any,
        count: int,
        window: tuple[int, int],
        heads: Sequence[str],
        settings: Mapping[str, Any],
    ) -> None:
        self.file, self.count, self.done = h5py.File(disk, "w"), count, 0
        self.file.attrs["variant_start"] = window[0] // 2
        storage.write_hdf5_settings(self.file, settings)
        text = h5py.string_dtype()
        for name in ("variant_ids", "chrom", "ref", "alt"):
            self.file.create_dataset(name, (2 * count,), text)
        self.file.create_dataset("pos", (2 * count,), np.int64)
        alleles = np.repeat(np.array([0, 1], np.int8), count)
        self.file.create_dataset("alleles", data=alleles)
        shape = (2 * count, window[1], window[0])
        for head in heads:
            for name, dtype in _ARRAYS.items():
                self.file.create_dataset(
                    f"{head}/{name}",
                    shape,
                    dtype,
                    chunks=(1, *shape[1:]),
                    compression="gzip",
                    compression_opts=1,
                    shuffle=True,
                )

    def write(
        self, variants: Sequence[Variant], one_hot: Array, hypothetical: Mapping[str, Array]
    ) -> None:
        """Add variants: their windows (2n, L, C), and contributions of the same shape by head."""
        here = slice(self.done, self.done + len(variants))
        for offset in (0, self.count):
            rows = slice(here.start + offset, here.stop + offset)
            self.file["variant_ids"][rows] = [_utf_8(variant.label) for variant in variants]
            self.file["chrom"][rows] = [_utf_8(variant.record.chrom) for variant in variants]
            self.file["ref"][rows] = [variant.ref or EMPTY for variant in variants]
            self.file["alt"][rows] = [variant.alt or EMPTY for variant in variants]
            self.file["pos"][rows] = [variant.record.position for variant in variants]
            first = 0 if offset == 0 else len(variants)
            chosen = slice(first, first + len(variants))
            letters = np.swapaxes(one_hot[chosen], 1, 2)
            for head, values in hypothetical.items():
                scores = np.swapaxes(values[chosen], 1, 2)
                self.file[f"{head}/raw/seq"][rows] = letters
                self.file[f"{head}/shap/seq"][rows] = scores
                self.file[f"{head}/projected_shap/seq"][rows] = scores * letters
        self.done = here.stop

    def close(self) -> None:
        """Write what is not written."""
        self.file.close()


_ARRAYS = {"raw/seq": np.int8, "shap/seq": np.float32, "projected_shap/seq": np.float32}


def _rows(values: Mapping[str, Array], columns: Sequence[str], missing: str) -> list[list[str]]:
    """Cells of each variant that was scored, in the order of the columns."""
    texts = [[_text(value, missing) for value in values[column]] for column in columns if values]
    return [list(row) for row in zip(*texts, strict=True)]


def _text(value: Any, missing: str) -> str:
    if isinstance(value, np.integer):
        return str(value)
    return f"{value:.7g}" if np.isfinite(value) else missing


def _type(dtype: np.dtype[Any]) -> str:
    return "Integer" if dtype.kind in "iu" else "Float"


def _utf_8(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


__all__ = ["AnnotatedVcf", "ContributionsFile", "Table"]
