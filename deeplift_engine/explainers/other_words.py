"""Arguments under the names of other packages, or of another call: what they are called here."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

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
    "layers": "target_layers conv_layer",
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
