"""What all arrays that are made of texts share: names, records, slices made when asked for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine.genomics.record_table import RecordTable
from deeplift_engine.text.text_references import TextReferences
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from deeplift_engine.references.reference_set import References


@dataclass(frozen=True, eq=False, kw_only=True)
class TextArray(ABC):
    """N texts as an array (N, W), of which slices are made when they are asked for.

    It is what `Explainer.run`, `Explainer.stream` and `Job` take; ``numpy.asarray`` makes the
    whole array.

    Attributes
    ----------
    texts
        The texts.
    records
        Which texts of the file they are; those without any token are left out.
    labels
        Names of the samples, ``sample``.
    path
        The file that they are from; empty of texts in memory.
    compared
        What they are compared with by default.
    input
        The name of the network's input that reads them; empty without a network.
    """

    texts: Sequence[str]
    records: RecordTable
    labels: Mapping[str, Any]
    path: str
    compared: TextReferences
    input: str = ""

    def __len__(self) -> int:
        """N."""
        return len(self.texts)

    @property
    @abstractmethod
    def width(self) -> int:
        """W."""

    @property
    @abstractmethod
    def dtype(self) -> np.dtype[Any]:
        """Of the numbers."""

    @abstractmethod
    def row(self, number: int) -> Array:
        """The W numbers of a text."""

    @property
    @abstractmethod
    def dimensions(self) -> tuple[str, ...]:
        """Names of the axes of a sample, as `Job` takes them."""

    @property
    @abstractmethod
    def notes(self) -> list[str]:
        """What a reader of scores must know, in sentences; the last is on the references."""

    @property
    @abstractmethod
    def constants(self) -> dict[str, Any]:
        """What is kept beside the scores, as `Job` takes it."""

    @property
    @abstractmethod
    def about(self) -> dict[str, str]:
        """What the description of a run tells of them."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the whole array."""
        return (len(self), self.width)

    @property
    def ndim(self) -> int:
        """Of the whole array."""
        return 2

    def __getitem__(self, rows: Any) -> Array:
        """The samples of a slice, of an array of numbers, or one sample."""
        numbers = np.arange(len(self))[rows]
        block = [self.row(number) for number in np.atleast_1d(numbers)]
        array = np.array(block, self.dtype).reshape(-1, self.width)
        return array if np.ndim(numbers) else np.asarray(array[0])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if copy is False:
            raise ValueError("the array is made when it is asked for: copy=False is not possible")
        return np.asarray(self[:], dtype)

    @property
    def names(self) -> list[str]:
        """Names of the samples."""
        return list(self.labels["sample"])

    @property
    def references(self) -> References:
        """What texts are compared with unless told otherwise; `notes` say it in words."""
        return self.compared.references


__all__ = ["TextArray"]
