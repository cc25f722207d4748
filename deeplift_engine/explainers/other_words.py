"""Arguments under the names of other packages, or of another call: what they are called here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from types import MappingProxyType

from deeplift_engine.errors import InputError
from deeplift_engine.util.suggestions import suggest

RUN = (
    "x",
    "target",
    "references",
    "batch_size",
    "average",
    "standard_errors",
    "strict",
    "progress",
)
"""Arguments of `Explainer.run`."""
PREDICT = ("x", "batch_size", "progress")
"""Arguments of `Network.predict`."""
EXPLAINER = ("target", "layers", "fused")
"""Arguments of `Network.explainer` beside the method and its options."""

_MEANINGS = {
    "references": "reference baseline baselines background background_data x_baseline",
    "target": "class_index class_idx output_index target_class task_idx neuron_selection",
    "steps": "n_steps num_steps nsteps m_steps",
    "samples": "n_samples nsamples num_samples nt_samples nb_samples",
    "batch_size": "internal_batch_size perturbations_per_eval",
    "window": "sliding_window_shapes patch_size window_size",
    "stride": "strides patch_stride",
    "noise": "stdevs noise_level augment_noise",
    "groups": "feature_mask",
    "layers": "target_layers conv_layer layer layer_name layer_names",
    "progress": "verbose show_progress",
}
SYNONYMS: Mapping[str, str] = MappingProxyType(
    {other: name for name, others in _MEANINGS.items() for other in others.split()}
)
"""The name here of an argument of another package."""


def advice_on(name: str, options: Collection[str]) -> str:
    """A sentence on where an argument goes that was passed elsewhere; empty where none fits.

    Parameters
    ----------
    name
        As it was passed.
    options
        Of the method.
    """
    here = SYNONYMS.get(name, name)
    if here in options:
        return f"It is the option {here}= of the method: network.explainer(method, {here}=...)."
    if here in RUN:
        return f"It is {here}= of run(): explainer.run(x, {here}=...)."
    if here in EXPLAINER:
        return f"It is {here}= of explainer(): network.explainer(method, {here}=...)."
    return ""


def advice_on_predict(name: str) -> str:
    """The same of an argument that was passed to `Network.predict`."""
    here = SYNONYMS.get(name, name)
    if here in PREDICT:
        return f"It is {here}= here: network.predict(x, {here}=...)."
    if here == "layers":
        return "network.activations(x, layers=...) gives what layers compute."
    return advice_on(name, ())


def refuse(
    call: str, others: Iterable[str], taken: Collection[str], advice: Callable[[str], str]
) -> None:
    """Refuse the arguments of a call that it does not take.

    Parameters
    ----------
    call
        Its name.
    others
        Those that were passed besides the arguments ``taken``.
    advice
        A sentence on one of them, empty where none fits.

    Raises
    ------
    InputError
        If there is one, with that sentence.
    """
    for name in others:
        known = suggest(name, taken, f"It takes: {', '.join(taken)}.")
        raise InputError(f"{call}() takes no argument {name!r}. {advice(name) or known}")
