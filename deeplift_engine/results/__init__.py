"""What users get: attributions, sweeps."""
