"""Which array is which, and how it is laid out."""
