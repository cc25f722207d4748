"""From texts to scores of their words, and from scores to what people read and send on.

`texts` gives a run its tokens with their characters, `scored_texts` the scores of what it left,
`to_terminal`, `to_html` and `write_texts` show them; docs/TEXT.md goes the whole way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deeplift_engine.util.lazy import lazy

if TYPE_CHECKING:
    from deeplift_engine.text.bag_input import BagInput
    from deeplift_engine.text.highlighting import to_html, to_terminal
    from deeplift_engine.text.run_texts import scored_texts, texts_of_result
    from deeplift_engine.text.text_exports import to_json, to_rows, write_texts
    from deeplift_engine.text.text_input import TextInput, texts
    from deeplift_engine.text.text_pairs import TextPairs, pairs
    from deeplift_engine.text.text_scores import Piece, TextScores
    from deeplift_engine.text.tokenizer import SpecialTokens, Token, Tokenizer
    from deeplift_engine.text.tokenizer_files import read_tokenizer

_LAZY = {
    "BagInput": "bag_input",
    "Piece": "text_scores",
    "SpecialTokens": "tokenizer",
    "TextInput": "text_input",
    "TextPairs": "text_pairs",
    "TextScores": "text_scores",
    "Token": "tokenizer",
    "Tokenizer": "tokenizer",
    "pairs": "text_pairs",
    "read_tokenizer": "tokenizer_files",
    "scored_texts": "run_texts",
    "texts": "text_input",
    "texts_of_result": "run_texts",
    "to_html": "highlighting",
    "to_json": "text_exports",
    "to_rows": "text_exports",
    "to_terminal": "highlighting",
    "write_texts": "text_exports",
}
"""Modules of this room by the names that they define."""

__getattr__ = lazy(__name__, _LAZY)


__all__ = [
    "BagInput",
    "Piece",
    "SpecialTokens",
    "TextInput",
    "TextPairs",
    "TextScores",
    "Token",
    "Tokenizer",
    "pairs",
    "read_tokenizer",
    "scored_texts",
    "texts",
    "texts_of_result",
    "to_html",
    "to_json",
    "to_rows",
    "to_terminal",
    "write_texts",
]
