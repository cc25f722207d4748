"""From a saved model, a ModelSpec, to a graph of attribution layers."""
