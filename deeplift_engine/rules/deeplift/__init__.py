"""How multipliers cross layers."""
