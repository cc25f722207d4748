"""The types of arrays and tensors, each said once."""

from __future__ import annotations

from typing import Any, TypeAlias

from deeplift_conversion.spec import Array

Tensor: TypeAlias = Any
"""A tensor of TensorFlow, which ships no types; shapes stand in docstrings."""

__all__ = ["Array", "Tensor"]
