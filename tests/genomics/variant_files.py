"""A genome in memory, files of variants, and what a model makes of them by surgery on strings."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np

import deeplift_engine as de

L = keras.layers
LENGTH, PROFILE = 41, 21
PAIRS = str.maketrans("ACGTN", "TGCAN")


class MemoryGenome:
    """Sequences by name, as a genome has them."""

    def __init__(self, sequences: Mapping[str, str]) -> None:
        self.sequences = dict(sequences)
        self.sizes = {name: len(text) for name, text in sequences.items()}

    def fetch(self, chrom: str, start: int, end: int) -> str:
        assert 0 <= start <= end <= self.sizes[chrom]
        return self.sequences[chrom][start:end]


@functools.cache
def genome() -> MemoryGenome:
    letters = np.random.default_rng(1).choice(list("ACGT"), size=(2, 400))
    one, two = ("".join(each) for each in letters)
    return MemoryGenome(
        {"chr1": one[:200] + one[200:].lower(), "chr2": two[:100] + "N" + two[101:]}
    )


@functools.cache
def model(seed: int = 0) -> keras.Model:
    """A profile's logits and logarithms of counts, as ChromBPNet has them."""
    keras.utils.set_random_seed(seed)
    x = source = keras.Input((LENGTH, 4), name="sequence")
    x = L.Conv1D(8, 5, activation="relu", padding="same")(x)
    x = L.Conv1D(6, 3, activation="relu", padding="same")(x)
    profile = L.Conv1D(1, LENGTH - PROFILE + 1)(x)
    profile = L.Flatten(name="logits_profile_predictions")(profile)
    counts = L.Dense(1, name="logcount_predictions")(L.GlobalAveragePooling1D()(x))
    return keras.Model(source, [profile, counts])


@functools.cache
def network(seed: int = 0) -> de.Network:
    return de.convert(model(seed))


def encoded(sequences: list[str]) -> np.ndarray:
    rows = dict(zip("ACGTN", [*np.eye(4, dtype="float32"), np.zeros(4, "float32")], strict=True))
    return np.array([[rows[letter] for letter in text.upper()] for text in sequences])


def reverse_complement(text: str) -> str:
    return text.upper().translate(PAIRS)[::-1]


def surgery(chrom: str, position: int, ref: str, alt: str, length: int = LENGTH) -> list[str]:
    """The windows of both alleles, cut from the chromosome with the allele and all behind it."""
    text, start = genome().sequences[chrom].upper(), position - 1
    assert text[start : start + len(ref)] == ref.upper()
    half = length // 2
    changed = text[:start] + alt.upper() + text[start + len(ref) :]
    return [each[start - half : start - half + length] for each in (text, changed)]


def predicted(sequences: list[str], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits of profiles and counts by Keras, the means over both strands."""
    forward = model(seed).predict(encoded(sequences), verbose=0)
    back = model(seed).predict(encoded(list(map(reverse_complement, sequences))), verbose=0)
    logits = (forward[0] + back[0][:, ::-1]).astype(float) / 2
    counts = (np.exp(forward[1].astype(float)) + np.exp(back[1].astype(float))) / 2
    return logits, counts[:, 0]


HEADER = """##fileformat=VCFv4.2
##contig=<ID=chr1,length=400>
##contig=<ID=chr2,length=400>
##contig=<ID=chrX,length=400>
##INFO=<ID=AF,Number=A,Type=Float,Description="frequency">
##FORMAT=<ID=GT,Number=1,Type=String,Description="genotype">
##ALT=<ID=DEL,Description="deletion">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"""


def other(letter: str, step: int = 1) -> str:
    return "ACGT"[("ACGT".index(letter.upper()) + step) % 4]


def at(chrom: str, position: int, size: int = 1) -> str:
    return genome().sequences[chrom][position - 1 : position - 1 + size]


def lines() -> list[list[str]]:
    """Records of every form that a VCF has, on the genome of this module."""
    a, b = at("chr1", 100), at("chr1", 250)
    return [
        ["chr1", "100", "rs1", a, other(a)],  # one letter
        ["chr1", "120", ".", at("chr1", 120, 2), other(at("chr1", 120)) + "A"],  # two letters
        ["chr1", "130", "ins", at("chr1", 130), at("chr1", 130) + "GATTACA"],
        ["chr1", "140", "del", at("chr1", 140, 5), at("chr1", 140)],
        ["chr1", "250", "multi", b.upper(), f"{other(b).lower()},<DEL>,{other(b, 2)},*,{b}TT"],
        ["chr1", "160", "del2", "<X>".replace("<X>", at("chr1", 160)), "<DEL>"],
        ["chr1", "170", "none", at("chr1", 170), "."],
        ["chr1", "171", "nonref", at("chr1", 171), "<NON_REF>"],
        ["chr1", "172", "bnd", at("chr1", 172), f"{at('chr1', 172)}[chr2:30["],
        ["chr1", "20", "edge", at("chr1", 20), other(at("chr1", 20))],
        ["chr1", "21", "first", at("chr1", 21), other(at("chr1", 21))],
        ["chr1", "380", "last", at("chr1", 380).upper(), other(at("chr1", 380))],
        ["chr1", "381", "edge2", at("chr1", 381).upper(), other(at("chr1", 381))],
        ["chr1", "380", "edge3", at("chr1", 380, 2), at("chr1", 380)],
        ["chr2", "101", "n", "N", "A"],
        ["chr2", "110", "near_n", at("chr2", 110), other(at("chr2", 110))],
        ["chr2", "150", "iupac", at("chr2", 150), "R"],
        ["chr2", "151", "same", at("chr2", 151), at("chr2", 151).lower()],
        ["chrX", "10", "absent", "A", "C"],
    ]


SCORED = {  # ALT alleles that are scored, by their records
    0: [0], 1: [0], 2: [0], 3: [0], 4: [0, 2, 4], 10: [0], 11: [0], 15: [0]
}  # fmt: skip


def write_vcf(path: Path, records: list[list[str]] | None = None, header: str = HEADER) -> Path:
    rows = lines() if records is None else records
    body = "".join("\t".join([*row, ".", "PASS", "AF=0.5"]) + "\n" for row in rows)
    path.write_text(f"{header}\n{body}")
    return path
