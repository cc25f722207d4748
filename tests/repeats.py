"""Which tests repeat what others show: of each, few sets of parameters are fast, the others wait.

Every set is run by `make test-all`, and no assertion is left out. The choice is by the order of the
parameters, so that it is the same on all machines; it changes what a run costs, and nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest

REPEATS: dict[str, tuple[int, int]] = {
    "engine/test_completeness.py::test_every_layer_keeps_the_sum_in_float64": (15, 16),
    "engine/test_completeness.py::test_a_run_sums_up": (10, 16),
    "engine/test_completeness.py::test_a_network_keeps_the_sum": (8, 4),
    "engine/test_forward.py::test_the_forward_pass_is_kerass": (8, 16),
    "engine/test_fused_relus.py::test_fused_or_not_over_units_that_are_off": (8, 6),
    "engine/test_gradients.py::test_at_its_own_reference_every_rule_is_the_gradient": (10, 6),
    "engine/test_gradients.py::test_the_gradient_rule_is_the_gradient": (8, 16),
    "engine/test_running.py::test_fused_kernels_change_nothing": (4, 6),
    "conformance/test_known_failures.py::test_contributions_sum_through": (10, 6),
    "conformance/test_originals.py::test_the_arrays_of_deeplift_are_met": (15, 12),
    "conformance/test_real_models.py::test_contributions_sum_to_the_difference_behind_every_layer":
        (8, 12),
    "conformance/test_real_models.py::test_the_forward_pass_is_tensorflows": (10, 6),
    "conformance/test_real_models.py::test_the_gradient_rule_gives_tensorflows_gradients": (8, 12),
    "conformance/test_real_models.py::test_three_forms_of_one_model_give_the_same_scores": (10, 10),
    "conversion/eras/test_eras.py::test_a_layer_computes_what_it_did_in_versions_that_disagree":
        (0, 3),
    "conversion/legacy/test_legacy.py::test_the_forward_pass_is_that_of_tensorflow_2_15": (10, 10),
    "conversion/test_conversion_meaning.py"
    "::test_real_models_of_every_age_predict_what_tensorflow_did": (5, 12),
    "conversion/test_conversion_quantized.py::test_quantised_weights_are_read": (8, 2),
    "evaluate/test_comparing.py::test_every_metric_judges_networks_of_several_inputs": (8, 6),
    "explainers/gradients/test_held_masks.py"
    "::test_integrated_gradients_are_those_with_the_mask_of_the_sample": (5, 2),
    "explainers/gradients/test_path.py::test_it_is_the_sum_of_tensorflows_gradients": (8, 4),
    "explainers/maps/test_activation_maps.py::test_channels_first_models_have_the_same_maps":
        (18, 8),
    "explainers/perturbation/test_incremental.py"
    "::test_changes_are_those_of_whole_forward_passes": (10, 10),
    "explainers/perturbation/test_occlusion.py"
    "::test_what_a_window_can_change_alone_gives_the_same": (8, 4),
    "explainers/relevance/test_relevance.py::test_a_method_is_what_dense_matrices_give": (8, 4),
    "explainers/relevance/test_relevance.py::test_any_network_keeps_relevance": (10, 10),
    "explainers/relevance/test_relevance.py::test_merged_batch_norm_is_one_folded_by_hand": (10, 8),
    "explainers/test_every_method.py::test_batches_neighbours_and_order_change_nothing": (8, 10),
    "explainers/test_every_method.py::test_noisy_copies_without_noise_have_the_methods_scores":
        (10, 10),
    "explainers/test_every_method.py::test_nothing_is_traced_again": (8, 10),
    "explainers/test_every_method.py::test_standard_errors_are_given_or_refused": (5, 4),
    "explainers/test_identities.py::test_batch_norm_in_the_kernel_changes_nothing": (10, 10),
    "explainers/test_identities.py"
    "::test_of_a_linear_net_a_contribution_is_weight_times_difference": (8, 4),
    "explainers/test_identities.py::test_without_biases_relu_nets_have_one_answer": (6, 4),
    "explainers/test_layers_and_operations.py::test_every_method_has_equal_scores": (0, 6),
    "explainers/test_layers_and_operations.py::test_every_metric_has_equal_values": (0, 3),
    "explainers/test_layouts.py::test_scores_do_not_depend_on_the_layout": (10, 10),
    "explainers/test_noise.py::test_it_is_the_mean_over_noisy_copies": (6, 2),
    "explainers/test_pickling.py"
    "::test_a_forked_process_is_told_to_spawn_and_a_spawned_one_scores": (0, 1),
    "explainers/test_pickling.py::test_inside_a_graph_there_are_no_numbers_yet": (0, 1),
    "explainers/test_sweep.py::test_every_setting_is_a_run_of_its_own": (0, 6),
    "graph/test_join_chains.py::test_a_chain_has_the_shapley_value": (10, 4),
    "graph/test_keep_nan.py::test_fused_and_unfused_refuse_alike": (23, 12),
    "layers/test_edges.py::test_gradients_at_edges_are_keras": (8, 4),
    "layers/test_facts.py::test_layers_and_operations_have_equal_scores": (0, 4),
    "layers/test_linear_layers.py::test_a_linear_layer_is_its_matrix": (10, 12),
    "layers/test_linear_layers.py::test_reveal_cancel_is_the_papers": (5, 4),
    "live/test_live_models.py::test_python_is_traced_and_the_model_stays_as_it_was": (3, 1),
    "rules/test_infinite_slopes.py::test_gradients_where_a_function_is_constant": (10, 10),
    "rules/test_slopes.py::test_the_slope_is_continuous_through_no_difference": (15, 10),
    "rules/test_ties.py::test_compiled_shares_are_the_same": (3, 2),
    "rules/test_ties.py::test_one_function_has_one_answer": (9, 4),
    "rules/test_ties.py::test_winners_of_a_window_have_equal_shares": (13, 8),
    "translate/addons/test_addons.py::test_a_packages_layer_computes_what_the_package_did": (13, 8),
    "translate/test_constants.py::test_a_constant_may_stand_among_the_inputs": (8, 4),
    "translate/test_inner_layers.py::test_inner_layers_are_parts": (5, 2),
    "translate/test_masks_of_custom_layers.py"
    "::test_concatenate_has_the_mask_of_keras_layer": (8, 4),
    "translate/test_operations_old.py::test_every_function_keeps_the_sum": (13, 6),
    "translate/test_package_layers.py::test_a_function_of_one_s_own_works_in_every_layer": (2, 5),
    "translate/test_traced_functions.py"
    "::test_a_function_is_the_operations_that_it_is_made_of": (0, 12),
    "translate/test_whose_class.py::test_arrays_of_frozen_halves_go_by_name": (8, 4),
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
    "explainers/maps/test_activation_maps.py::test_maps_are_those_of_tensorflows_gradient": (6, 4),
    "explainers/perturbation/test_shapley.py"
    "::test_sampling_converges_to_exact_values_as_the_root_of_samples": (0, 1),
    "explainers/relevance/test_relevance.py::test_any_network_has_relevance": (8, 4),
    "explainers/test_every_method.py::test_references_are_kept_apart_or_that_is_refused": (8, 4),
    "explainers/test_every_method.py::test_several_targets_are_each_alone": (3, 2),
    "explainers/test_layers_and_operations.py::test_every_rule_has_equal_contributions": (0, 3),
    "explainers/test_options.py::test_a_method_takes_an_option_or_says_what_it_may_be": (8, 8),
    "evaluate/test_randomisation.py::test_layers_are_randomised_from_the_output_down": (0, 1),
    "translate/test_operations_old.py::test_no_sample_is_mixed_with_another": (8, 4),
    "cli/test_cli_bad_inputs.py::test_a_spoiled_model_is_refused": (4, 2),
    "cli/test_cli_bad_inputs.py"
    "::test_data_files_that_are_not_there_or_damaged_are_refused": (3, 2),
    "cli/test_cli_bad_inputs.py::test_options_that_do_not_fit_the_model_are_refused": (4, 2),
    "cli/test_cli_bad_inputs.py::test_spoiled_inputs_are_refused": (4, 2),
    "cli/test_cli_methods.py::test_the_seed_is_that_of_the_method": (2, 1),
    "compat/test_compat_choices.py::test_a_layer_can_have_a_rule_of_its_own": (2, 1),
    "conformance/test_compat_calls.py::test_genomics_contributions": (3, 1),
    "conformance/test_compat_calls.py::test_max_pooling_is_the_originals_by_default": (2, 1),
    "conformance/test_originals.py"
    "::test_of_an_input_at_its_reference_the_multiplier_is_the_gradient": (3, 1),
    "conformance/test_originals.py::test_the_arrays_of_other_methods_are_met": (4, 2),
    "conformance/test_real_models.py::test_activations_inside_are_tensorflows": (4, 2),
    "conversion/test_conversion_folders.py::test_a_model_in_a_folder_is_read_as_its_file": (2, 1),
    "conversion/test_conversion_folders.py"
    "::test_weights_in_several_files_are_read_with_an_architecture": (2, 1),
    "conversion/test_conversion_keras3.py"
    "::test_every_layer_has_keras_own_arrays_in_every_container": (4, 2),
    "conversion/test_conversion_quantized.py"
    "::test_a_product_of_low_rank_is_part_of_the_kernel": (3, 1),
    "conversion/test_conversion_quantized.py"
    "::test_quantised_layers_within_others_are_rows": (2, 1),
    "engine/test_finite.py::test_a_reference_that_masks_everything": (4, 2),
    "engine/test_forward.py::test_a_keras_3_archive_is_the_same_network": (4, 2),
    "engine/test_forward.py::test_a_model_in_memory_is_the_same_network": (4, 2),
    "engine/test_fused_relus.py::test_a_sweep_has_what_each_rule_has_alone": (2, 1),
    "engine/test_located_targets.py::test_a_layer_and_its_units_are_one_target": (3, 2),
    "engine/test_running.py::test_batches_and_neighbours_change_nothing": (2, 1),
    "engine/test_standard_errors.py::test_methods_along_paths_add_references_too": (2, 1),
    "engine/test_standard_errors.py::test_they_are_the_spread_of_scores_kept_apart": (3, 1),
    "engine/test_verify.py::test_the_content_says_what_keras_is_given_and_not_the_name": (2, 1),
    "evaluate/test_erasing.py::test_several_targets_are_each_alone": (3, 1),
    "evaluate/test_nearby.py::test_true_weights_are_faithful_to_noise_in_whatever_form": (4, 2),
    "evaluate/test_quantus.py::test_a_metric_gets_the_scores_of_the_engine": (2, 1),
    "examples/test_reverse_complement.py::test_a_custom_file_that_goes_wrong": (2, 1),
    "explainers/gradients/test_gradient.py::test_gradients_are_tensorflows": (2, 1),
    "explainers/gradients/test_gradient.py::test_guided_backprop_and_deconvnet_by_hand": (2, 1),
    "explainers/gradients/test_held_masks.py::test_held_is_what_does_not_change": (2, 1),
    "explainers/gradients/test_neurons.py::test_what_goes_from_inputs_through_units": (2, 1),
    "explainers/gradients/test_path.py::test_blurred_paths_beside_scipys_filter": (2, 1),
    "explainers/gradients/test_path.py"
    "::test_of_a_linear_net_every_complete_method_gives_the_weighted_difference": (3, 1),
    "explainers/maps/test_activation_maps.py::test_score_cam_is_that_of_single_masks": (3, 1),
    "explainers/maps/test_regions.py::test_maps_are_the_methods_scores_over_regions": (2, 1),
    "explainers/perturbation/test_incremental.py::test_layers_that_can_be_crossed_are": (4, 2),
    "explainers/perturbation/test_mutagenesis.py::test_tokens_are_those_of_a_loop": (2, 1),
    "explainers/perturbation/test_occlusion.py"
    "::test_tokens_inputs_beside_and_images_change_alone": (2, 1),
    "explainers/relevance/test_relevance.py::test_blocks_change_nothing": (2, 1),
    "explainers/relevance/test_relevance.py"
    "::test_contrastive_relevance_is_what_dense_matrices_give": (2, 1),
    "explainers/relevance/test_relevance.py"
    "::test_relevance_is_kept_where_biases_are_left_out": (2, 1),
    "explainers/relevance/test_relevance.py"
    "::test_relevance_is_kept_where_nothing_takes_it": (3, 1),
    "explainers/test_every_method.py::test_few_frames_lie_between_a_call_and_tensorflow": (4, 2),
    "explainers/test_heads.py::test_a_head_takes_any_target": (3, 1),
    "explainers/test_heads.py::test_each_head_has_the_result_of_a_run_of_its_own": (2, 1),
    "explainers/test_noise.py::test_maps_on_one_of_several_inputs": (2, 1),
    "explainers/test_noise.py::test_the_sign_of_zero_draws_no_other_noise": (3, 1),
    "explainers/test_options.py::test_a_metric_takes_an_option_or_says_what_it_may_be": (3, 2),
    "explainers/test_pickling.py::test_an_explainer_scores_the_same": (3, 2),
    "explainers/test_sweep.py::test_what_makes_no_sense_is_refused": (2, 1),
    "explainers/test_tokens.py::test_a_tokens_score_is_that_of_what_is_looked_up": (2, 1),
    "graph/test_keep_nan.py::test_predictions_are_nan_where_keras_calls_give_nan": (4, 2),
    "graph/test_structure.py::test_predictions_are_those_of_keras_in_its_structure": (4, 2),
    "jobs/test_merge.py::test_a_merge_is_the_store_of_one_run": (3, 1),
    "layers/test_edges.py::test_values_at_edges_are_keras": (4, 2),
    "layers/test_local.py::test_every_layout_is_its_sums": (4, 2),
    "layers/test_normalizing_by_hand.py::test_multipliers_are_the_chords": (3, 1),
    "layers/test_phases.py::test_the_transpose_is_the_gradient": (4, 2),
    "references/test_memory_of_callers.py::test_references_keep_their_arrays": (4, 2),
    "references/test_memory_of_callers.py::test_results_keep_their_inputs": (4, 2),
    "rules/test_infinite_slopes.py::test_methods_that_inherit_them": (3, 2),
    "rules/test_ties.py::test_inputs_that_tie_have_equal_shares": (2, 1),
    "translate/tensorflow_functions/test_tensorflow_functions.py"
    "::test_a_function_computes_what_tensorflow_does_or_is_refused": (4, 2),
    "translate/tensorflow_functions/test_tensorflow_functions.py"
    "::test_a_function_keeps_the_sum": (4, 2),
    "translate/test_constants.py::test_a_table_of_other_than_numbers_is_not": (2, 1),
    "translate/test_constants.py::test_an_option_may_be_an_array": (3, 1),
    "translate/test_lambdas.py::test_a_function_computes_what_the_lambda_does": (3, 2),
    "translate/test_lambdas.py::test_at_every_step_of_a_sequence": (2, 1),
    "translate/test_masks_of_custom_layers.py"
    "::test_a_layer_that_supports_masks_passes_them_on": (2, 1),
    "translate/test_masks_of_custom_layers.py::test_operators_and_indices_end_a_mask": (2, 1),
    "translate/test_merge_keras1.py::test_every_mode_is_as_in_keras_1_and_keeps_the_sum": (3, 2),
    "translate/test_operations_old.py::test_the_forward_pass_is_that_of_tensorflow": (3, 1),
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
    "genomics/test_exporters.py::test_memory_does_not_grow_with_the_arrays": 3,
    "explainers/test_sweep.py::test_every_setting_is_a_run_of_its_own": 4,
    "engine/test_running.py::test_fused_kernels_change_nothing": 3,
    "conformance/test_real_models.py::test_the_gradient_rule_gives_tensorflows_gradients": 5,
    "engine/test_completeness.py::test_a_run_sums_up": 4,
    "conversion/eras/test_eras.py::test_a_layer_computes_what_it_did_in_versions_that_disagree": 3,
    "conversion/legacy/test_legacy.py"
    "::test_contributions_sum_to_the_difference_behind_every_layer": 6,
    "conformance/test_real_models.py::test_contributions_sum_to_the_difference": 6,
    "engine/test_deep_nets.py::test_a_deep_network_equals_keras_and_is_complete": 5,
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
