"""How relevance crosses layers."""
