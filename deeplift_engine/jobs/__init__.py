"""Runs of millions of samples: shard by shard, on many machines, resumed where they stopped."""
