"""Results for users: attributions, sweeps, measurements."""
