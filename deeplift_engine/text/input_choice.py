"""Which inputs of a network read texts, as tokens or as bags of words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from deeplift_engine.errors import InputError
from deeplift_engine.graph.inputs import key_of
from deeplift_engine.text.word_columns import OF_LAYER, OF_TOKENIZER, TOKENS

if TYPE_CHECKING:
    from deeplift_engine.graph.inputs import InputInfo
    from deeplift_engine.network import Network

TEXT_LAYERS = ("TextVectorization", "StringLookup")
"""Layers in front of an input that tell how texts become tokens."""
TYPES = ("token_type_ids", "segment_ids", "type_ids", "input_type_ids")
"""What inputs are called that read which text of a pair a token is of."""
MASKS = ("attention_mask", "padding_mask", "input_mask")
"""What inputs are called that read which tokens are no padding."""


def text_input_of(network: Network, name: str | None = None) -> InputInfo:
    """The input that is named, or the only one that may hold tokens of a text, or words counted.

    Raises
    ------
    InputError
        If there is no such input, or none is named where none or several may hold them.
    """
    if name is not None:
        return named_input(network, name)
    fitting = token_inputs(network) or _in_front(
        network, [info for info in network.inputs if _may_hold_columns(info)]
    )
    if len(fitting) != 1:
        shapes = ", ".join(f"{info.name} {info.shape}" for info in network.inputs)
        which = "several inputs may hold texts" if fitting else "no input holds tokens"
        raise InputError(
            f"{which}: the network has {shapes}. Say which one reads them, input= (--input)."
        )
    return fitting[0]


def named_input(network: Network, name: str) -> InputInfo:
    """An input by its name.

    Raises
    ------
    InputError
        If there is none.
    """
    known = {info.name: info for info in network.inputs}
    if (key := key_of(name, network.inputs)) not in known:
        raise InputError(f"input={name!r}: the network's inputs are {', '.join(known)}.")
    return known[key]


def token_inputs(network: Network) -> list[InputInfo]:
    """The inputs that may hold tokens; of several, those with a text layer in front.

    Those that read the form of a text, `TYPES` and `MASKS`, are none.
    """
    return _in_front(network, [info for info in network.inputs if _may_hold_tokens(network, info)])


def _in_front(network: Network, inputs: list[InputInfo]) -> list[InputInfo]:
    """Of several inputs those with a text layer in front, if there are any."""
    return [info for info in inputs if front_of(network, info)] or inputs


def form_inputs(network: Network, own: Sequence[str]) -> dict[str, bool]:
    """Inputs of the form of a text beside its own, and whether they read the types of tokens."""
    return {
        info.name: info.name in TYPES
        for info in network.inputs
        if info.name in (*TYPES, *MASKS) and info.name not in own
    }


def front_of(network: Network | None, info: InputInfo | None) -> Any:
    """The text layer that the network is cut behind at an input; None where there is none."""
    if network is None or info is None:
        return None
    front = network.spec.fronts.get(info.layer or info.name)
    return front if front is not None and front.class_name in TEXT_LAYERS else None


def bag_mode(network: Network | None, info: InputInfo | None, bag: str | None) -> str | None:
    """How words are counted for an input; None where it reads tokens.

    Raises
    ------
    InputError
        If it reads counted words and nothing tells how.
    """
    front = front_of(network, info)
    mode = None if front is None else front.config.get("output_mode", "int")
    if bag == TOKENS:
        return None
    if bag is not None or mode not in (None, "int"):
        return bag or str(mode)
    if network is not None and info is not None and not _may_hold_tokens(network, info):
        if not _may_hold_columns(info):
            raise InputError(f"the input {info.name!r} of shape {info.shape} reads no texts.")
        raise InputError(
            f"the input {info.name!r} reads {info.shape[0]} numbers and no tokens, so columns of "
            "a bag of words: say how these are counted, bag= (--bag): "
            f"{', '.join(OF_TOKENIZER)} as Tokenizer.texts_to_matrix, or {', '.join(OF_LAYER)} as "
            f"TextVectorization; or bag={TOKENS!r}, if they are numbers of words after all."
        )
    return None


def _may_hold_tokens(network: Network, info: InputInfo) -> bool:
    front = front_of(network, info)
    is_whole = info.table is not None or not info.dtype.startswith("float")
    is_bag = front is not None and front.config.get("output_mode", "int") != "int"
    is_form = info.name in (*TYPES, *MASKS)
    return len(info.shape) == 1 and (is_whole or front is not None) and not (is_bag or is_form)


def _may_hold_columns(info: InputInfo) -> bool:
    return len(info.shape) == 1 and info.table is None and info.dtype.startswith("float")


__all__ = [
    "MASKS",
    "TEXT_LAYERS",
    "TYPES",
    "bag_mode",
    "form_inputs",
    "front_of",
    "named_input",
    "text_input_of",
    "token_inputs",
]
