"""Which parts of the inputs are replaced together."""
