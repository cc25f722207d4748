"""Hypothetical contributions from a function that returns multipliers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from deeplift_engine.compat.scoring import ScoringFunction
from deeplift_engine.errors import InputError


class HypotheticalFunction:
    """What each possible letter would contribute; see `get_hypothetical_contribs_func_onehot`."""

    def __init__(self, multipliers_function: Callable[..., Any]) -> None:
        self._multipliers = multipliers_function

    @property
    def averages(self) -> bool:
        """Whether `averaged` exists."""
        return isinstance(self._multipliers, ScoringFunction)

    def __call__(
        self,
        task_idx: Any,
        input_data_list: list[Any],
        input_references_list: Any = None,
        batch_size: int | None = None,
        progress_update: int | None = None,
    ) -> Any:
        """Hypothetical contributions (N, ..., letters) at the first input."""
        data = np.asarray(input_data_list[0])
        if data.ndim < 3:
            raise InputError(
                f"Hypothetical contributions need one-hot input (N, L, letters), not {data.shape}."
            )
        references = input_references_list
        if references is None:
            references = [0.0] * len(input_data_list)
        multipliers = np.asarray(
            self._multipliers(
                task_idx=task_idx,
                input_data_list=input_data_list,
                input_references_list=references,
                batch_size=batch_size,
                progress_update=progress_update,
            )
        )
        reference = np.asarray(references[0], multipliers.dtype)
        return multipliers - (multipliers * reference).sum(axis=-1, keepdims=True)

    def averaged(
        self,
        task_idx: Any,
        data: list[Any],
        resolved: list[Any],
        batch_size: int | None,
        progress_update: int | None,
    ) -> Any:
        """The mean over several references of each input."""
        if not isinstance(self._multipliers, ScoringFunction):
            raise InputError("Only the functions that a converted model gives can be averaged.")
        result = self._multipliers.result(task_idx, data, resolved, batch_size, progress_update)
        return result.hypothetical_contributions(axis=-1)


def get_hypothetical_contribs_func_onehot(
    multipliers_function: Callable[..., Any],
) -> HypotheticalFunction:
    """Hypothetical contributions for one-hot input, letters last.

    The letter c at a position has the difference ``onehot(c) - reference`` and contributes
    ``m_c - sum(m * reference)`` under the multipliers of the actual input.

    Parameters
    ----------
    multipliers_function
        What ``get_target_multipliers_func`` gives, or any function with its parameters.

    Returns
    -------
    callable
        ``f(task_idx, input_data_list, input_references_list, batch_size, progress_update)``.
    """
    return HypotheticalFunction(multipliers_function)
