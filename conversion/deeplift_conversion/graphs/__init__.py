"""Which layer reads which."""
