"""Methods made of gradients, and of gradients along paths."""
