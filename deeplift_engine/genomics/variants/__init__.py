"""Variants: their files, the windows of both alleles, effects on a network, files of results."""
