"""Files of sequences and contributions, whoever wrote them: whether they are what they should be.

modisco-lite and finemo take arrays that are swapped, projected, reverse complemented or of other
rows without a word. Here files are read block by block, and each check gives a verdict.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.genomics.array_rows import ENTRY, Rows, open_rows
from deeplift_engine.genomics.checked_explanations import check_explanation, is_explanation
from deeplift_engine.genomics.checked_tracks import (
    STATISTICS,
    TRACKS,
    check_statistics,
    check_track,
)
from deeplift_engine.genomics.genome import Genome
from deeplift_engine.genomics.located import Located, read_located
from deeplift_engine.genomics.nucleotides import LETTERS, reverse_complement
from deeplift_engine.genomics.verdicts import (
    DOUBTFUL,
    RIGHT,
    WRONG,
    PairTest,
    ProductTest,
    Verdict,
)
from deeplift_engine.util.typing import Array

_BLOCK = 256
_SEQUENCES = ("ohe", "onehot", "one_hot", "one-hot", "seq")
_CONTRIBUTIONS = ("attr", "shap", "contrib", "hyp", "score")
_ARRAYS, _HDF5 = (".npz", ".npy"), (".h5", ".hdf5")
_REGIONS = (".bed", ".narrowpeak")
_UNCHECKED = (
    *(".sites.bed", ".sites.fa", ".seqlets.bed", ".meme", ".matches.tsv", ".motifs.h5"),
    *(".interpret.args.json", ".finemo.npz", ".csv", ".parquet", ".jsonl"),
)
"""Ends of names of what exports, and commands they hint at, write beside what is checked."""
_KNOWN = (*_ARRAYS, *_HDF5, *_REGIONS, *TRACKS, STATISTICS)
_UNKNOWN = np.frombuffer(b"N", np.uint8)[0]


@dataclass(frozen=True)
class Pair:
    """Arrays of the same rows.

    Attributes
    ----------
    sequences, contributions, projected
        Arrays; None where no file has one.
    letters_last
        Whether the format is (N, L, 4).
    in_hdf5
        Whether one file holds them.
    """

    sequences: Rows | None = None
    contributions: Rows | None = None
    projected: Rows | None = None
    letters_last: bool = False
    in_hdf5: bool = False


@dataclass
class Files:
    """What some files hold together.

    Attributes
    ----------
    pairs
        Arrays.
    kept
        A table of kept records, (records,) bool.
    regions
        The windows of the rows, by whether they are called interpreted, as those of HDF5 files are.
    verdicts
        What reading them says already.
    """

    pairs: list[Pair] = field(default_factory=list)
    kept: Array | None = None
    regions: dict[bool, Located] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)

    def regions_of(self, pair: Pair) -> Located | None:
        """The windows of the rows of a pair: of its own kind, or those that there are."""
        return self.regions.get(pair.in_hdf5) or next(iter(self.regions.values()), None)


def check(
    paths: Sequence[str | os.PathLike[str]], genome: str | os.PathLike[str] | None = None
) -> list[Verdict]:
    """Check files that belong together.

    Parameters
    ----------
    paths
        An array of sequences and those of contributions of one or more heads (.npz, .npy; told by
        their names, or two in this order), files of chrombpnet's or bpnet's (.h5), and what there
        is of regions (.bed, .narrowPeak), a kept-table (.npy), tracks (.bw), their statistics
        (.bw.stats.tsv) and explanations (.shap.npz). A folder stands for its files.
    genome
        A FASTA file: sequences are then compared with their regions.

    Returns
    -------
    list of Verdict
        One a check.

    Raises
    ------
    InputError
        If a file cannot be read, or is of no kind that is checked.
    """
    files = _read(list(_expanded(map(Path, paths))))
    verdicts, rows = files.verdicts, set()
    for pair in files.pairs:
        if pair.sequences is None or pair.contributions is None:
            there = pair.sequences or pair.contributions
            text = f"{there.name if there else 'nothing'} alone: give both arrays"
            verdicts.append(Verdict(DOUBTFUL, "files", text))
        else:
            verdicts += _pair(pair, pair.sequences, pair.contributions)
        if pair.sequences is not None and pair.sequences.name not in rows:
            rows.add(pair.sequences.name)
            verdicts += _rows(files, pair, pair.sequences, genome)
    return verdicts


def _expanded(paths: Iterable[Path]) -> Iterator[Path]:
    """Files, and those of folders that are of a kind that is checked."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for file in sorted(path.iterdir()):
            if file.is_file() and file.name.lower().endswith(_KNOWN):
                yield file


def _read(paths: Sequence[Path]) -> Files:
    files = Files()
    arrays: list[tuple[Path, Rows]] = []
    for path in paths:
        suffix = path.suffix.lower()
        if path.name.lower().endswith(_UNCHECKED):
            files.verdicts.append(Verdict(RIGHT, "files", f"{path}: nothing in it is checked"))
        elif suffix in _ARRAYS:
            rows = _array(path, files)
            if rows is not None:
                arrays.append((path, rows))
        elif suffix in _HDF5:
            _read_hdf5(path, files)
        elif suffix in _REGIONS:
            files.regions["interpreted" in path.name] = read_located(path)
        elif suffix in TRACKS:
            files.verdicts.append(check_track(path))
        elif path.name.lower().endswith(STATISTICS):
            files.verdicts.append(check_statistics(path))
        else:
            raise InputError(f"{path}: expected one of {', '.join(_KNOWN)}")
    _assign(files, arrays)
    return files


def _array(path: Path, files: Files) -> Rows | None:
    """The array of three axes of a file; a kept-table goes to its place."""
    arrays = open_rows(path)
    if is_explanation(arrays):
        files.verdicts.append(check_explanation(path, arrays))
        return None
    rows = arrays.get(ENTRY, arrays.get(""))
    if rows is None:
        files.verdicts.append(
            Verdict(WRONG, "files", f"{path} has {', '.join(arrays)}, and modisco reads {ENTRY}")
        )
        return next((each for each in arrays.values() if len(each.shape) == 3), None)
    if len(rows.shape) == 1 and rows.dtype == bool:
        files.kept = np.concatenate([np.zeros(0, bool), *rows.blocks(_BLOCK)])
        return None
    if len(rows.shape) != 3:
        raise InputError(f"{rows.name} has shape {rows.shape}: expected (N, 4, L)")
    return rows


def _assign(files: Files, arrays: Sequence[tuple[Path, Rows]]) -> None:
    """Tell sequences from contributions by the files' names, then by their order."""
    roles = [_role(path.name) for path, _ in arrays]
    if len(arrays) == 2 and sorted(map(str, roles)) != ["contributions", "sequences"]:
        roles = ["sequences", "contributions"]
    if len(arrays) == 1:
        roles = [roles[0] or "sequences"]
    by_role = {
        role: [rows for each, (_, rows) in zip(roles, arrays, strict=True) if each == role]
        for role in ("sequences", "contributions")
    }
    sequences, contributions = by_role["sequences"], by_role["contributions"]
    if len(sequences) > 1 or len(sequences) + len(contributions) < len(arrays):
        raise InputError(
            f"{len(arrays)} arrays, of which {len(sequences)} are called sequences (ohe, seq) and "
            f"{len(contributions)} contributions (attr, hyp): check those of one array of sequences"
        )
    partners: list[Rows | None] = [*contributions] or [None] * len(sequences)
    for rows in partners:
        files.pairs.append(Pair(sequences[0] if sequences else None, rows))


def _role(name: str) -> str | None:
    """What the name of a file says, by the last word that says anything."""
    places = {
        role: max(name.lower().rfind(word) for word in words)
        for role, words in {"sequences": _SEQUENCES, "contributions": _CONTRIBUTIONS}.items()
    }
    role = max(places, key=lambda each: places[each])
    return role if places[role] >= 0 else None


def _read_hdf5(path: Path, files: Files) -> None:
    arrays = open_rows(path)
    if {"hyp_scores", "input_seqs"} <= {*arrays}:
        one_hot, scores = arrays["input_seqs"], arrays["hyp_scores"]
        files.pairs.append(Pair(one_hot, scores, letters_last=True, in_hdf5=True))
    elif {"raw/seq", "shap/seq"} <= {*arrays}:
        one_hot, scores = arrays["raw/seq"], arrays["shap/seq"]
        files.pairs.append(Pair(one_hot, scores, arrays.get("projected_shap/seq"), in_hdf5=True))
    else:
        raise InputError(
            f"{path} has {', '.join(arrays) or 'no arrays'}: expected raw/seq and shap/seq "
            "(chrombpnet), or hyp_scores and input_seqs (bpnet)"
        )


def _pair(both: Pair, sequences: Rows, contributions: Rows) -> list[Verdict]:
    if len(sequences.shape) != 3 or sequences.shape != contributions.shape:
        return [
            Verdict(
                WRONG,
                "shapes",
                f"{sequences.name} has {sequences.shape} and {contributions.name} has "
                f"{contributions.shape}: expected two of one shape; modisco crops arrays of "
                "different lengths at different places",
            )
        ]
    axes = _axes(both, sequences)
    verdicts = [axes]
    last = both.letters_last if axes.level == RIGHT else not both.letters_last
    if 4 not in sequences.shape[1:]:
        return verdicts
    pair = PairTest(sequences.name, contributions.name)
    product = ProductTest(both.projected.name) if both.projected is not None else None
    arrays = [sequences, contributions, *([both.projected] if both.projected else [])]
    for blocks in zip(*(_turned(rows, last) for rows in arrays), strict=True):
        pair.take(blocks[0], blocks[1])
        if product is not None:
            product.take(*blocks)
    verdicts += pair.verdicts()
    return [*verdicts, product.verdict()] if product is not None else verdicts


def _axes(pair: Pair, rows: Rows) -> Verdict:
    letters, other = (2, 1) if pair.letters_last else (1, 2)
    wanted = "(N, L, 4)" if pair.letters_last else "(N, 4, L)"
    if rows.shape[letters] == len(LETTERS):
        return Verdict(RIGHT, "axes", f"{wanted}, {rows.shape}")
    if rows.shape[other] == len(LETTERS):
        return Verdict(WRONG, "axes", f"{rows.shape}: the format is {wanted}, transpose the arrays")
    return Verdict(WRONG, "axes", f"{rows.shape}: no axis of 4 letters, expected {wanted}")


def _turned(rows: Rows, letters_last: bool) -> Iterator[Array]:
    """Blocks of (n, 4, L)."""
    for block in rows.blocks(_BLOCK):
        yield block.swapaxes(1, 2) if letters_last else block


def _rows(
    files: Files, pair: Pair, sequences: Rows, genome: str | os.PathLike[str] | None
) -> list[Verdict]:
    """Whether tables have as many rows as the arrays, and rows the letters of their regions."""
    rows, verdicts = sequences.shape[0], []
    if files.kept is not None:
        kept = int(files.kept.sum())
        level = RIGHT if kept == rows else WRONG
        verdicts.append(Verdict(level, "kept", f"{kept} records are kept, of {rows} rows"))
    regions = files.regions_of(pair)
    if regions is not None:
        level = RIGHT if len(regions) == rows else WRONG
        text = f"{len(regions)} regions, of {rows} rows"
        if level == RIGHT:
            length = sequences.shape[1 if pair.letters_last else 2]
            widths = regions.end - regions.start
            if (widths != length).any():
                level = DOUBTFUL
                text += f": some are not {length} bases long, as the rows are"
        verdicts.append(Verdict(level, "regions", text))
        if genome is not None:
            verdicts.append(_against_genome(pair, sequences, regions, Genome(genome)))
    return verdicts


def _against_genome(pair: Pair, sequences: Rows, regions: Located, genome: Genome) -> Verdict:
    """Whether rows hold the letters of their regions."""
    check = "rows and genome"
    if len(regions) != sequences.shape[0]:
        return Verdict(WRONG, check, "not compared: not as many regions as rows")
    counts = {"as it is": 0, "turned": 0, "one base before": 0, "one base behind": 0}
    first_wrong: int | None = None
    for row, letters in enumerate(_texts(sequences, pair.letters_last)):
        start = int(regions.centre[row]) - len(letters) // 2
        chrom, turned = str(regions.chrom[row]), regions.strand[row] == "-"
        window = _fetched(genome, chrom, start - 1, start + len(letters) + 1)
        views = {
            "as it is": window[1:-1],
            "one base before": window[:-2],
            "one base behind": window[2:],
        }
        views = {name: reverse_complement(v) if turned else v for name, v in views.items()}
        views["turned"] = reverse_complement(views["as it is"])
        for name, view in views.items():
            counts[name] += view == letters
        if first_wrong is None and views["as it is"] != letters:
            first_wrong = row
    if first_wrong is None:
        return Verdict(RIGHT, check, f"all {len(regions)} rows hold the letters of their regions")
    where = (
        f"row {first_wrong} is not {regions.chrom[first_wrong]}:{regions.start[first_wrong]}-"
        f"{regions.end[first_wrong]}"
    )
    other = next((n for n, c in counts.items() if c == len(regions) and n != "as it is"), None)
    if other == "turned":
        return Verdict(WRONG, check, "all rows are the reverse complement of their regions")
    if other is not None:
        return Verdict(WRONG, check, f"all rows begin {other} their regions")
    return Verdict(
        WRONG,
        check,
        f"{len(regions) - counts['as it is']} of {len(regions)} rows hold other letters than "
        f"their regions: {where}; rows and regions are not in one order, or of another genome",
    )


def _texts(sequences: Rows, letters_last: bool) -> Iterator[str]:
    alphabet = np.frombuffer(LETTERS.encode(), np.uint8)
    for block in _turned(sequences, letters_last):
        known = (block != 0).any(axis=1)
        letters = np.where(known, alphabet[block.argmax(axis=1)], _UNKNOWN).astype(np.uint8)
        yield from (row.tobytes().decode() for row in letters)


def _fetched(genome: Genome, chrom: str, start: int, end: int) -> str:
    """Letters of a window, N beyond the ends of its chromosome and for other letters."""
    if chrom not in genome:
        raise InputError(f"the genome has no {chrom}, where a region lies")
    size = genome.sizes[chrom]
    inside = genome.fetch(chrom, max(start, 0), min(end, size)).upper()
    text = "N" * max(-start, 0) + inside + "N" * max(end - size, 0)
    return "".join(letter if letter in LETTERS else "N" for letter in text)


__all__ = ["check"]
