"""What attribution costs, against the model's own forward pass and against other libraries.

``python -m benchmarks`` from the checkout measures and prints a table; ``--help`` says the rest.
"""
