"""The functions that `get_target_contribs_func` and `get_target_multipliers_func` return."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine import references
from deeplift_engine.errors import InputError, ReferencesError
from deeplift_engine.graph.inputs import by_name
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from deeplift_engine.explainers.explainer import Explainer
    from deeplift_engine.results.attribution import Attribution

logger = logging.getLogger("deeplift_engine")


class ScoringFunction:
    """Scores for one choice of rules, target layer and scored layers, compiled once.

    Attributes
    ----------
    explainer
        The engine's explainer behind it.
    """

    def __init__(
        self, explainer: Explainer, kind: str, cuts: str | list[str], input_names: Sequence[str]
    ) -> None:
        self.explainer = explainer
        self._kind, self._cuts, self._input_names = kind, cuts, list(input_names)

    def __call__(
        self,
        task_idx: Any,
        input_data_list: Any,
        batch_size: int | None = None,
        progress_update: int | None = None,
        input_references_list: Any = None,
    ) -> Any:
        """Score inputs.

        Parameters
        ----------
        task_idx
            Unit of the target layer; or whatever `deeplift_engine.targets.resolve` takes, for
            instance a list of units, which come in one pass along a new first axis.
        input_data_list
            One array (N, ...) per input, as a list or by the original's name of the input.
        batch_size
            Samples walked together; as many as are fast where it is not given.
        progress_update
            None for no progress bar; any number for one where stderr is a terminal.
        input_references_list
            One reference per input, of any shape that broadcasts to the input's. None is zeros.

        Returns
        -------
        ndarray or list of ndarray
            ``(N, ...)``; a list where a list of layers was asked for.

        Raises
        ------
        InputError, ReferencesError, TargetError
            For what does not fit the model.
        """
        data = self._listed(input_data_list, "input_data_list")
        if input_references_list is None:
            logger.info("no references: zeros are used")
            arrays: list[Any] = [0.0] * len(data)
        else:
            arrays = self._listed(input_references_list, "input_references_list")
        resolved = [as_references(one, array) for one, array in zip(arrays, data, strict=True)]
        return self._picked(self.result(task_idx, data, resolved, batch_size, progress_update))

    def averaged(
        self,
        task_idx: Any,
        data: list[Array],
        resolved: list[references.References],
        batch_size: int | None,
        progress_update: int | None,
    ) -> Any:
        """As `__call__`, averaged over several references of each input."""
        return self._picked(self.result(task_idx, data, resolved, batch_size, progress_update))

    def result(
        self,
        task_idx: Any,
        data: list[Array],
        resolved: list[Any],
        batch_size: int | None,
        progress_update: int | None,
    ) -> Attribution:
        """The engine's result, from which `__call__` returns the scores."""
        return self.explainer.run(
            by_name(data, self.explainer.origin.inputs),
            target=task_idx,
            references=by_name(resolved, self.explainer.origin.inputs),
            batch_size=batch_size,
            progress=False if progress_update is None else None,
        )

    def _picked(self, result: Attribution) -> Any:
        arrays = result.scores if self._kind == "contribs" else result.multipliers
        if isinstance(self._cuts, str):
            return arrays
        by_name = arrays if isinstance(arrays, Mapping) else {self._cuts[0]: arrays}
        return [by_name[cut] for cut in self._cuts]

    def _listed(self, values: Any, what: str) -> list[Any]:
        names = self._input_names
        if isinstance(values, Mapping):
            if set(values) != set(names):
                raise InputError(f"{what} has the keys {list(values)}; the inputs are {names}.")
            return [values[name] for name in names]
        if isinstance(values, np.ndarray) and len(names) == 1:
            values = [values]
        if not isinstance(values, list | tuple) or len(values) != len(names):
            met = f"{len(values)} entries" if isinstance(values, list | tuple) else type(values)
            raise InputError(f"{what}: a list with one array for each input {names}, not {met}.")
        return [np.asarray(one) for one in values]


def as_references(
    reference: Any, data: Any
) -> references.References | references.PendingReferences:
    """A reference of any shape that broadcasts to ``data`` (N, ...).

    Raises
    ------
    ReferencesError
        If it does not broadcast.
    """
    values, shape = np.asarray(reference), np.shape(data)
    try:
        np.broadcast_to(values, shape)
    except ValueError as error:
        raise ReferencesError(
            f"references of shape {values.shape} do not broadcast to inputs of shape {shape}; "
            "give one value, one per channel, one sample, or one per sample"
        ) from error
    if values.ndim == len(shape) and len(values) > 1:
        return references.per_sample(np.broadcast_to(values, shape))
    one = values[0] if values.ndim == len(shape) else values
    return references.shared(np.broadcast_to(one, (1, *shape[1:])))
