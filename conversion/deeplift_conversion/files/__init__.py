"""Bytes to plain values: containers, architectures, checks of what is not trusted."""
