"""Letters as numbers, compared letter by letter."""

from __future__ import annotations

import numpy as np
import pytest

from deeplift_engine.errors import InputError
from deeplift_engine.genomics import integer_codes, one_hot, reverse_complement
from tests.genomics.fasta_files import random_sequences

STANDS_FOR = {
    **{letter: {letter} for letter in "ACGT"},
    "U": {"T"},
    "R": set("AG"),
    "Y": set("CT"),
    "S": set("CG"),
    "W": set("AT"),
    "K": set("GT"),
    "M": set("AC"),
    "B": set("CGT"),
    "D": set("AGT"),
    "H": set("ACT"),
    "V": set("ACG"),
    "N": set("ACGT"),
}
CODES = "".join(STANDS_FOR)
TEXTS = list(random_sequences(dict.fromkeys("abcde", 80), CODES + CODES.lower()).values())


@pytest.mark.parametrize("letters", ["ACGT", "ATCG", "TGCA", "acgu"])
@pytest.mark.parametrize("unknown", ["zeros", "uniform"])
def test_each_letter_has_its_row(letters: str, unknown: str) -> None:
    encoded = one_hot(TEXTS, letters, unknown=unknown)
    assert encoded.dtype == (np.int8 if unknown == "zeros" else np.float32)
    assert encoded.shape == (5, 80, 4)
    for n, text in enumerate(TEXTS):
        for i, letter in enumerate(text.upper()):
            meant = STANDS_FOR[letter]
            share = 1 if len(meant) == 1 else (unknown == "uniform") / len(meant)
            expected = [share * (own in meant) for own in letters.upper().replace("U", "T")]
            np.testing.assert_allclose(encoded[n, i], expected, rtol=1e-7)


@pytest.mark.parametrize("unknown", ["zeros", "uniform", "refuse"])
def test_a_model_may_have_a_letter_n(unknown: str) -> None:
    encoded = one_hot(["AcNR"], "NACGT", unknown=unknown)
    np.testing.assert_array_equal(encoded[0], np.eye(5)[[1, 2, 0, 0]])
    np.testing.assert_array_equal(integer_codes(["AcNR"], "NACGT"), [[1, 2, 0, 0]])
    np.testing.assert_array_equal(integer_codes(["ATN"], "ACGTN"), [[0, 3, 4]])
    np.testing.assert_array_equal(integer_codes(["ATC"], first=1), [[1, 4, 2]])


def test_sequences_come_in_many_forms() -> None:
    expected = one_hot(TEXTS)
    single = np.array([list(text) for text in TEXTS])
    for form in (
        tuple(TEXTS),
        np.array(TEXTS),
        np.array(TEXTS, "S"),
        np.array(TEXTS, object),
        single,
        single.astype("S1"),
        [text.encode() for text in TEXTS],
        (text for text in TEXTS),
        dict.fromkeys(TEXTS),
    ):
        np.testing.assert_array_equal(one_hot(form), expected)
    np.testing.assert_array_equal(one_hot(TEXTS[0]), expected[:1])


def test_a_column_of_a_table_is_read() -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"sequence": TEXTS})
    np.testing.assert_array_equal(one_hot(table["sequence"]), one_hot(TEXTS))


@pytest.mark.parametrize(
    ("sequences", "options", "message"),
    [
        ([], {}, "no sequences"),
        (["ACGT", "ACG"], {}, "sequence 1 has 3 letters and sequence 0 has 4"),
        (["ACGT", "AC-T"], {}, "sequence 1 has '-' at position 2, which is no IUPAC letter"),
        (["ACGT", "ACÜ€"], {}, "sequence 1 has 'Ü' at position 2"),
        (["ACGT", 7], {}, "sequence 1 is 7, no text"),
        (["ACGT", "ANRT"], {"unknown": "refuse"}, "sequence 1 has 'N' at position 1, .* ACGT"),
        (["ACGT"], {"unknown": "drop"}, "unknown='drop': .* zeros, uniform, refuse"),
        (["ACGT"], {"letters": "ACG"}, "letters='ACG': expected A, C, G and T"),
        (["ACGT"], {"letters": "ACTUG"}, "letters='ACTUG'"),
        (["ACGT"], {"letters": 4}, "letters=4"),
    ],
)
def test_what_cannot_be_encoded_is_refused(sequences, options, message) -> None:
    with pytest.raises(InputError, match=message):
        one_hot(sequences, **options)


def test_codes_refuse_letters_without_a_code() -> None:
    with pytest.raises(InputError, match="sequence 0 has 'n' at position 2"):
        integer_codes(["ACn"])


def test_the_other_strand_stands_for_the_complements() -> None:
    pair = dict(zip("ACGT", "TGCA", strict=True))
    for text in TEXTS:
        other = reverse_complement(text)
        assert len(other) == len(text)
        for own, opposite in zip(text, reversed(other), strict=True):
            assert own.isupper() == opposite.isupper()
            meant = {pair[letter] for letter in STANDS_FOR[own.upper()]}
            assert STANDS_FOR[opposite.upper()] == meant
    np.testing.assert_array_equal(
        one_hot([reverse_complement(text) for text in TEXTS]), one_hot(TEXTS)[:, ::-1, ::-1]
    )
    with pytest.raises(InputError, match="'-' at position 1"):
        reverse_complement("A-")
