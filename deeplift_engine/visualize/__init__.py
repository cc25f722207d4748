"""What a network looks for: inputs that make a unit, a channel or any other target large.

::

    found = de.visualize.maximize(network, "conv2d_3::,:,7", form=de.visualize.Pixels())
    found.figure().savefig("channel.png")

An input is grown from noise, or from inputs of yours, along the target's gradient through the
engine's own compiled network, in a form that keeps it an image, `Pixels`, a sequence of letters,
`Letters`, or one of tokens, `Tokens`.

`activation_atlas` grows inputs for all that a layer does with a data set, `activation_grid` for
what it does at each position of one sample. What layers hold and do:
`draw_filters`, `draw_activations`, and `receptive_field`, what units read.
"""

from deeplift_engine.graph.receptive_fields import ReceptiveField
from deeplift_engine.visualize.activation_grid import ActivationGrid, activation_grid
from deeplift_engine.visualize.atlas import Atlas, activation_atlas
from deeplift_engine.visualize.layer_pictures import (
    draw_activations,
    draw_filters,
    receptive_field,
)
from deeplift_engine.visualize.letter_form import Letters
from deeplift_engine.visualize.maximize import Maximised, maximize
from deeplift_engine.visualize.pixel_form import Pixels
from deeplift_engine.visualize.token_form import Tokens

__all__ = [
    "ActivationGrid",
    "Atlas",
    "Letters",
    "Maximised",
    "Pixels",
    "ReceptiveField",
    "Tokens",
    "activation_atlas",
    "activation_grid",
    "draw_activations",
    "draw_filters",
    "maximize",
    "receptive_field",
]
