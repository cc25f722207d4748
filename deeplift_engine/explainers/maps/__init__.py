"""Class activation maps and regions."""
