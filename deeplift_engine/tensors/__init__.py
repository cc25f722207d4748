"""Tools on tensors that layers and rules share."""
