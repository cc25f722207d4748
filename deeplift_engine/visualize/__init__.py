"""What a network looks for: inputs that make a unit, a channel or any other target large.

::

    found = de.visualize.maximize(network, "conv2d_3::,:,7", form=de.visualize.Pixels())
    found.figure().savefig("channel.png")

An input is grown from noise, or from inputs of yours, along the target's gradient through the
engine's own compiled network, in a form that keeps it an image, `Pixels`, or a sequence, `Letters`.

`activation_atlas` grows inputs for all that a layer does with a data set. What layers hold and do:
`draw_filters`, `draw_activations`, and `receptive_field`, what units read.
"""

from deeplift_engine.graph.receptive_fields import ReceptiveField
from deeplift_engine.visualize.atlas import Atlas, activation_atlas
from deeplift_engine.visualize.layer_pictures import (
    draw_activations,
    draw_filters,
    receptive_field,
)
from deeplift_engine.visualize.letter_form import Letters
from deeplift_engine.visualize.maximize import Maximised, maximize
from deeplift_engine.visualize.pixel_form import Pixels

__all__ = [
    "Atlas",
    "Letters",
    "Maximised",
    "Pixels",
    "ReceptiveField",
    "activation_atlas",
    "draw_activations",
    "draw_filters",
    "maximize",
    "receptive_field",
]
