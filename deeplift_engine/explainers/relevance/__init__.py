"""Layer-wise relevance propagation and its kin."""
