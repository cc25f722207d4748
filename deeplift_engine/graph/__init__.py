"""The network as a graph of attribution layers, and graphs rewritten to cost less."""
