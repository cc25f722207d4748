"""The page of all kinds of references is what their table says, and the table is complete."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from deeplift_engine import references
from deeplift_engine.cli.value_syntax import READERS
from deeplift_engine.cli.value_syntax import references as read
from deeplift_engine.references.reference_kind import Form, ReferenceKind
from docs.generate import references as reference_table
from tests.helpers import ROOT

PAGE = ROOT / "docs" / "REFERENCES.md"
OTHERS = {"degenerate_fraction", "repeated_fraction", "resolve", "warn_if_degenerate"}


def test_the_page_is_what_the_table_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference_table.page(), (
        f"write it again: {reference_table.COMMAND}"
    )


def test_the_command_writes_the_page(tmp_path: Path) -> None:
    assert reference_table.main([str(tmp_path / "page.md")]) == 0
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == reference_table.page()
    assert reference_table.main([]) == 2


def test_every_function_that_makes_references_is_a_kind() -> None:
    assert {name for name in references.__all__ if name.islower()} - OTHERS == set(references.KINDS)


@pytest.mark.parametrize("kind", references.KINDS.values(), ids=lambda kind: kind.name)
def test_every_kind_and_argument_is_explained(kind: ReferenceKind) -> None:
    assert getattr(references, kind.name) is kind.create
    assert kind.summary.endswith(".")
    assert all(argument.text for argument in kind.parameters.values())
    assert set(kind.arguments or {}) <= set(kind.parameters)


def test_every_form_of_an_argument_has_a_reader() -> None:
    assert set(READERS) == set(Form)


def test_the_syntax_says_what_can_be_left_out() -> None:
    syntax = {name: kind.syntax for name, kind in references.KINDS.items()}
    assert syntax["zeros"] == "zeros"
    assert syntax["constant"] == "constant:VALUE"
    assert syntax["kmer_shuffle"] == "kmer_shuffle[:K[:COUNT]]"
    assert syntax["drawn"] == "drawn:COUNT:FILE"
    assert syntax["function"] == syntax["combined"] == ""
    assert read("kmer_shuffle")(1).name == "kmer_shuffle(20, k=3, seed=1)"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("constant", "expected constant:VALUE, not 'constant'"),
        ("zeros:1", "expected zeros, not 'zeros:1'"),
        ("drawn:5", "expected drawn:COUNT:FILE, not 'drawn:5'"),
        ("blur:wide", "blur:SIGMA: expected numbers with commas between for sigma, not 'wide'"),
        ("shufle:2", "no kind of references 'shufle'. Near it: shuffle"),
        ("combined", "no kind of references 'combined'"),
        ("xyz", "See the list in --help."),
    ],
)
def test_a_wrong_form_is_answered_with_the_right_one(text: str, message: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError) as caught:
        read(text)
    assert message in str(caught.value)
