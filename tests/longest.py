"""Files of tests that take longest: `pytest -n` begins with them, so that none is left over."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

LONGEST: tuple[str, ...] = (
    "forked",
    "test_cluster.py",
    "test_digits_example.py",
    "test_killed_runs.py",
    "test_architectures.py",
    "test_pages.py",
    "test_cli_commands.py",
    "test_every_method.py",
    "test_page_in_chromium.py",
    "test_path.py",
    "test_relevance.py",
    "test_wheel.py",
    "test_deep_nets.py",
    "test_ecg_and_table.py",
    "test_pickling.py",
    "test_front_pages.py",
    "test_readme.py",
    "test_layers_and_operations.py",
    "test_genome_example.py",
    "test_text_example.py",
    "test_ties.py",
    "test_golden_pictures.py",
    "test_cli_genomics.py",
    "test_runners.py",
    "test_randomisation.py",
    "test_cli_methods.py",
    "test_cli_stores.py",
    "test_score_callback.py",
    "test_eras.py",
    "test_legacy.py",
    "test_cli_bad_inputs.py",
    "test_sweep.py",
    "test_heads.py",
    "test_incremental.py",
    "test_addons.py",
    "test_layouts.py",
    "test_activation_maps.py",
    "test_custom_layers.py",
    "test_scoring.py",
)
"""Those of more than ten seconds, fast and slow ones, the longest first."""


def longest_first(items: list[pytest.Item], groups: Sequence[str]) -> None:
    """Order tests by their groups: the longest, then all others as they are."""
    ranks = {name: rank for rank, name in enumerate(LONGEST)}
    order = [ranks.get(group, len(ranks)) for group in groups]
    items[:] = [items[at] for at in sorted(range(len(items)), key=order.__getitem__)]
