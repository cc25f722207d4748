"""What a score is and its unit, in words, for the axes of figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_LOGITS = "/pre_activation"
"""What the name of the layer of a softmax or sigmoid ends with that is read before it."""


def score_unit(settings: Mapping[str, Any], sums: bool) -> str:
    """What a score is, such as ``"contribution (units of the logit of classes)"``.

    Parameters
    ----------
    settings
        Of the result.
    sums
        Whether scores have the target's unit, as shares of its difference.
    """
    layer = str(settings.get("target_layer", "the target"))
    of = f"the logit of {layer.removesuffix(_LOGITS)}" if layer.endswith(_LOGITS) else layer
    return f"contribution (units of {of})" if sums else f"score of {settings.get('method')}"


__all__ = ["score_unit"]
