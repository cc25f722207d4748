"""Which tests repeat what others show: of each, few sets of parameters are fast, the others wait.

Every set is run by `make test-all`, and no assertion is left out. The choice is by the order of the
parameters, so that it is the same on all machines; it changes what a run costs, and nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest

REPEATS: dict[str, tuple[int, int]] = {
    "engine/test_completeness.py::test_every_layer_keeps_the_sum_in_float64": (6, 8),
    "engine/test_completeness.py::test_a_run_sums_up": (4, 8),
    "engine/test_completeness.py::test_a_network_keeps_the_sum": (3, 2),
    "engine/test_forward.py::test_the_forward_pass_is_kerass": (3, 8),
    "engine/test_fused_relus.py::test_fused_or_not_over_units_that_are_off": (3, 3),
    "engine/test_gradients.py::test_at_its_own_reference_every_rule_is_the_gradient": (4, 3),
    "engine/test_gradients.py::test_the_gradient_rule_is_the_gradient": (3, 8),
    "engine/test_running.py::test_fused_kernels_change_nothing": (2, 3),
    "conformance/test_known_failures.py::test_contributions_sum_through": (4, 3),
    "conformance/test_originals.py::test_the_arrays_of_deeplift_are_met": (6, 6),
    "conformance/test_real_models.py::test_contributions_sum_to_the_difference_behind_every_layer":
        (3, 6),
    "conformance/test_real_models.py::test_the_forward_pass_is_tensorflows": (4, 3),
    "conformance/test_real_models.py::test_the_gradient_rule_gives_tensorflows_gradients": (3, 6),
    "conformance/test_real_models.py::test_three_forms_of_one_model_give_the_same_scores": (4, 5),
    "conversion/eras/test_eras.py::test_a_layer_computes_what_it_did_in_versions_that_disagree":
        (4, 3),
    "conversion/legacy/test_legacy.py::test_the_forward_pass_is_that_of_tensorflow_2_15": (4, 5),
    "conversion/test_conversion_meaning.py"
    "::test_real_models_of_every_age_predict_what_tensorflow_did": (2, 6),
    "conversion/test_conversion_quantized.py::test_quantised_weights_are_read": (3, 1),
    "evaluate/test_comparing.py::test_every_metric_judges_networks_of_several_inputs": (3, 3),
    "explainers/gradients/test_held_masks.py"
    "::test_integrated_gradients_are_those_with_the_mask_of_the_sample": (5, 2),
    "explainers/gradients/test_path.py::test_it_is_the_sum_of_tensorflows_gradients": (3, 2),
    "explainers/maps/test_activation_maps.py::test_channels_first_models_have_the_same_maps":
        (9, 4),
    "explainers/perturbation/test_incremental.py"
    "::test_changes_are_those_of_whole_forward_passes": (4, 5),
    "explainers/perturbation/test_occlusion.py"
    "::test_what_a_window_can_change_alone_gives_the_same": (3, 2),
    "explainers/relevance/test_relevance.py::test_a_method_is_what_dense_matrices_give": (3, 2),
    "explainers/relevance/test_relevance.py::test_any_network_keeps_relevance": (4, 5),
    "explainers/relevance/test_relevance.py::test_merged_batch_norm_is_one_folded_by_hand": (4, 4),
    "explainers/test_every_method.py::test_batches_neighbours_and_order_change_nothing": (3, 5),
    "explainers/test_every_method.py::test_noisy_copies_without_noise_have_the_methods_scores":
        (4, 5),
    "explainers/test_every_method.py::test_nothing_is_traced_again": (3, 5),
    "explainers/test_every_method.py::test_standard_errors_are_given_or_refused": (2, 2),
    "explainers/test_identities.py::test_batch_norm_in_the_kernel_changes_nothing": (4, 5),
    "explainers/test_identities.py"
    "::test_of_a_linear_net_a_contribution_is_weight_times_difference": (3, 2),
    "explainers/test_identities.py::test_without_biases_relu_nets_have_one_answer": (3, 2),
    "explainers/test_layers_and_operations.py::test_every_method_has_equal_scores": (6, 1),
    "explainers/test_layers_and_operations.py::test_every_metric_has_equal_values": (2, 3),
    "explainers/test_layouts.py::test_scores_do_not_depend_on_the_layout": (4, 5),
    "explainers/test_noise.py::test_it_is_the_mean_over_noisy_copies": (3, 1),
    "explainers/test_pickling.py"
    "::test_a_forked_process_is_told_to_spawn_and_a_spawned_one_scores": (0, 1),
    "explainers/test_pickling.py::test_inside_a_graph_there_are_no_numbers_yet": (0, 1),
    "explainers/test_sweep.py::test_every_setting_is_a_run_of_its_own": (4, 3),
    "graph/test_join_chains.py::test_a_chain_has_the_shapley_value": (4, 2),
    "graph/test_keep_nan.py::test_fused_and_unfused_refuse_alike": (9, 6),
    "layers/test_edges.py::test_gradients_at_edges_are_keras": (3, 2),
    "layers/test_facts.py::test_layers_and_operations_have_equal_scores": (3, 4),
    "layers/test_linear_layers.py::test_a_linear_layer_is_its_matrix": (4, 6),
    "layers/test_linear_layers.py::test_reveal_cancel_is_the_papers": (2, 2),
    "live/test_live_models.py::test_python_is_traced_and_the_model_stays_as_it_was": (3, 1),
    "rules/test_infinite_slopes.py::test_gradients_where_a_function_is_constant": (4, 5),
    "rules/test_slopes.py::test_the_slope_is_continuous_through_no_difference": (6, 5),
    "rules/test_ties.py::test_compiled_shares_are_the_same": (3, 2),
    "rules/test_ties.py::test_one_function_has_one_answer": (9, 4),
    "rules/test_ties.py::test_winners_of_a_window_have_equal_shares": (5, 4),
    "translate/addons/test_addons.py::test_a_packages_layer_computes_what_the_package_did": (5, 4),
    "translate/test_constants.py::test_a_constant_may_stand_among_the_inputs": (3, 2),
    "translate/test_inner_layers.py::test_inner_layers_are_parts": (2, 1),
    "translate/test_masks_of_custom_layers.py"
    "::test_concatenate_has_the_mask_of_keras_layer": (4, 2),
    "translate/test_operations_old.py::test_every_function_keeps_the_sum": (5, 3),
    "translate/test_package_layers.py::test_a_function_of_one_s_own_works_in_every_layer": (2, 5),
    "translate/test_traced_functions.py"
    "::test_a_function_is_the_operations_that_it_is_made_of": (3, 6),
    "translate/test_whose_class.py::test_arrays_of_frozen_halves_go_by_name": (4, 2),
    "explainers/gradients/test_neurons.py::test_channels_first_layers_have_their_own_order": (3, 2),
    "explainers/gradients/test_path.py::test_a_tolerance_is_met_where_so_many_steps_do_not": (0, 1),
    "explainers/gradients/test_path.py"
    "::test_deepshap_is_deeplift_over_a_background_with_its_error": (0, 1),
    "explainers/gradients/test_path.py"
    "::test_guided_paths_are_those_of_the_algorithm_step_by_step": (3, 1),
    "explainers/gradients/test_path.py"
    "::test_masked_tokens_are_explained_at_their_embedding_and_its_mask": (0, 1),
    "explainers/maps/test_activation_maps.py::test_batch_size_changes_nothing": (4, 2),
    "explainers/maps/test_activation_maps.py::test_guided_grad_cam_is_the_product": (3, 1),
    "explainers/maps/test_activation_maps.py::test_maps_are_those_of_tensorflows_gradient": (3, 2),
    "explainers/perturbation/test_shapley.py"
    "::test_sampling_converges_to_exact_values_as_the_root_of_samples": (2, 1),
    "explainers/relevance/test_relevance.py::test_any_network_has_relevance": (4, 2),
    "explainers/test_every_method.py::test_references_are_kept_apart_or_that_is_refused": (3, 2),
    "explainers/test_every_method.py::test_several_targets_are_each_alone": (3, 2),
    "explainers/test_layers_and_operations.py::test_every_rule_has_equal_contributions": (0, 3),
    "explainers/test_options.py::test_a_method_takes_an_option_or_says_what_it_may_be": (3, 4),
    "evaluate/test_randomisation.py::test_layers_are_randomised_from_the_output_down": (2, 1),
    "translate/test_operations_old.py::test_no_sample_is_mixed_with_another": (4, 2),
}  # fmt: skip
"""Of a test: every how many-th set is fast, and of the others every how many-th is slow.

The rest are thorough. 0: none is fast.
"""

SLOW_REPEATS: dict[str, int] = {
    "conversion/test_conversion_meaning.py"
    "::test_real_models_of_every_age_predict_what_tensorflow_did": 4,
    "layers/test_facts.py::test_layers_and_operations_have_equal_scores": 5,
    "translate/test_traced_functions.py::test_a_function_is_the_operations_that_it_is_made_of": 7,
    "translate/test_package_layers.py::test_a_function_of_one_s_own_works_in_every_layer": 8,
    "explainers/test_layers_and_operations.py::test_every_metric_has_equal_values": 5,
    "explainers/test_layers_and_operations.py::test_every_rule_has_equal_contributions": 5,
    "explainers/test_sweep.py::test_every_setting_is_a_run_of_its_own": 4,
    "engine/test_running.py::test_fused_kernels_change_nothing": 3,
    "conformance/test_real_models.py::test_the_gradient_rule_gives_tensorflows_gradients": 5,
    "engine/test_completeness.py::test_a_run_sums_up": 4,
    "conversion/eras/test_eras.py::test_a_layer_computes_what_it_did_in_versions_that_disagree": 3,
    "conversion/legacy/test_legacy.py"
    "::test_contributions_sum_to_the_difference_behind_every_layer": 6,
    "conformance/test_real_models.py::test_contributions_sum_to_the_difference": 6,
    "engine/test_deep_nets.py::test_a_deep_network_equals_keras_and_is_complete": 3,
    "engine/test_completeness.py::test_a_run_of_any_layer_sums_up": 15,
    "engine/test_completeness.py::test_every_layer_keeps_the_sum": 15,
    "engine/test_completeness.py::test_every_layer_keeps_the_sum_in_float64": 20,
    "engine/test_completeness.py::test_every_layer_keeps_the_sum_in_float64_by_the_other_rules": 15,
    "explainers/relevance/test_relevance.py::test_any_layer_has_relevance": 15,
    "explainers/test_every_method.py::test_runs_without_end_take_no_more_memory": 8,
    "explainers/test_heads.py::test_each_head_has_the_result_of_a_run_of_its_own": 8,
    "explainers/test_layers_and_operations.py::test_every_method_has_equal_scores": 9,
    "explainers/test_pickling.py::test_every_method_scores_the_same": 8,
    "translate/addons/test_addons.py::test_a_packages_layer_computes_what_the_package_did": 8,
    "translate/tensorflow_functions/test_tensorflow_functions.py"
    "::test_a_function_computes_what_tensorflow_does_or_is_refused": 10,
    "translate/tensorflow_functions/test_tensorflow_functions.py"
    "::test_a_function_keeps_the_sum": 20,
}
"""Of a test whose sets are marked as slow: every how many-th stays so; the rest are thorough."""


def mark_repeats(items: Sequence[pytest.Item]) -> None:
    """Mark the repeats among tests."""
    met: Counter[str] = Counter()
    waiting: Counter[str] = Counter()
    slow_ones: Counter[str] = Counter()
    for item in items:
        name = item.nodeid.split("[")[0].removeprefix("tests/")
        marked = {mark.name for mark in item.iter_markers()}
        if "thorough" in marked:
            continue
        if "slow" in marked:
            if slow_ones[name] % SLOW_REPEATS.get(name, 1):
                item.add_marker(pytest.mark.thorough)
            slow_ones[name] += 1
        elif name in REPEATS:
            fast, slow = REPEATS[name]
            if not fast or met[name] % fast:
                thorough = waiting[name] % slow
                item.add_marker(pytest.mark.thorough if thorough else pytest.mark.slow)
                waiting[name] += 1
            met[name] += 1
