"""One run: requests, blocks, compiled walks, sums."""
