"""One run: tasks, requests, blocks, compiled passes, sums."""
