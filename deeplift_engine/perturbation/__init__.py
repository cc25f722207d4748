"""Parts of inputs replaced by references: which together, and what becomes of the target."""
