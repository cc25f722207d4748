"""Which tests repeat what others show: of each, few sets of parameters are fast, the others wait.

Every set is run by `make test-all`, and no assertion is left out. The choice is by the order of the
parameters, so that it is the same on all machines; it changes what a run costs, and nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest

FAST: dict[str, int] = {
    "cli/test_cli_bad_inputs.py::test_a_spoiled_model_is_refused": 4,
    "cli/test_cli_bad_inputs.py::test_data_files_that_are_not_there_or_damaged_are_refused": 3,
    "cli/test_cli_bad_inputs.py::test_options_that_do_not_fit_the_model_are_refused": 4,
    "cli/test_cli_bad_inputs.py::test_spoiled_inputs_are_refused": 4,
    "cli/test_cli_experiments.py::test_each_writes_its_table_and_its_picture": 2,
    "cli/test_cli_methods.py::test_the_seed_is_that_of_the_method": 4,
    "cli/test_cli_options.py::test_help_lists_and_wrong_usage_do_not_wait_for_tensorflow": 2,
    "compat/test_compat_choices.py::test_a_layer_can_have_a_rule_of_its_own": 4,
    "compat/test_compat_scores.py::test_scores_are_those_of_the_new_interface": 2,
    "conformance/test_compat_calls.py::test_genomics_contributions": 6,
    "conformance/test_compat_calls.py::test_max_pooling_is_the_originals_by_default": 2,
    "conformance/test_compat_calls.py::test_references_of_each_samples_own": 2,
    "conformance/test_known_failures.py::test_contributions_sum_through": 40,
    "conformance/test_originals.py"
    "::test_of_an_input_at_its_reference_the_multiplier_is_the_gradient": 3,
    "conformance/test_originals.py::test_the_arrays_of_deepexplain_are_met": 2,
    "conformance/test_originals.py::test_the_arrays_of_deeplift_are_met": 60,
    "conformance/test_originals.py::test_the_arrays_of_other_methods_are_met": 8,
    "conformance/test_real_models.py::test_activations_inside_are_tensorflows": 12,
    "conformance/test_real_models.py"
    "::test_contributions_sum_to_the_difference_behind_every_layer": 24,
    "conformance/test_real_models.py::test_the_forward_pass_is_tensorflows": 20,
    "conformance/test_real_models.py::test_the_gradient_rule_gives_tensorflows_gradients": 16,
    "conformance/test_real_models.py::test_three_forms_of_one_model_give_the_same_scores": 20,
    "conversion/eras/test_nested.py::test_what_is_saved_within_others_is_computed_as_it_was": 2,
    "conversion/legacy/test_legacy.py::test_the_forward_pass_is_that_of_tensorflow_2_15": 20,
    "conversion/test_conversion_folders.py::test_a_model_in_a_folder_is_read_as_its_file": 4,
    "conversion/test_conversion_folders.py"
    "::test_weights_in_several_files_are_read_with_an_architecture": 4,
    "conversion/test_conversion_keras3.py"
    "::test_every_layer_has_keras_own_arrays_in_every_container": 24,
    "conversion/test_conversion_meaning.py::test_options_off_their_defaults_survive": 2,
    "conversion/test_conversion_meaning.py"
    "::test_real_models_of_every_age_predict_what_tensorflow_did": 10,
    "conversion/test_conversion_quantized.py::test_a_product_of_low_rank_is_part_of_the_kernel": 3,
    "conversion/test_conversion_quantized.py::test_quantised_layers_within_others_are_rows": 2,
    "conversion/test_conversion_quantized.py::test_quantised_weights_are_read": 16,
    "engine/test_completeness.py::test_a_network_keeps_the_sum": 16,
    "engine/test_completeness.py::test_a_run_sums_up": 40,
    "engine/test_completeness.py::test_every_layer_keeps_the_sum_in_float64": 75,
    "engine/test_finite.py::test_a_reference_that_masks_everything": 8,
    "engine/test_forward.py::test_a_keras_3_archive_is_the_same_network": 8,
    "engine/test_forward.py::test_a_model_in_memory_is_the_same_network": 4,
    "engine/test_forward.py::test_the_forward_pass_is_kerass": 96,
    "engine/test_fused_relus.py::test_a_sweep_has_what_each_rule_has_alone": 4,
    "engine/test_fused_relus.py::test_fused_or_not_over_units_that_are_off": 16,
    "engine/test_gradients.py::test_at_its_own_reference_every_rule_is_the_gradient": 10,
    "engine/test_gradients.py::test_the_gradient_rule_is_the_gradient": 88,
    "engine/test_located_targets.py::test_a_layer_and_its_units_are_one_target": 6,
    "engine/test_profile_target.py::test_heads_and_lists_have_what_each_has_alone": 2,
    "engine/test_profile_target.py::test_parts_and_blocks_change_nothing": 4,
    "engine/test_profile_target.py::test_scores_sum_to_the_weighted_logits": 4,
    "engine/test_profile_target.py"
    "::test_weights_at_the_input_are_the_same_constants_for_every_method": 3,
    "engine/test_profile_target.py::test_weights_of_pairs_are_those_of_each_reference_alone": 6,
    "engine/test_running.py::test_batches_and_neighbours_change_nothing": 4,
    "engine/test_scoring.py::test_channels_first_is_channels_last_turned_round": 2,
    "engine/test_standard_errors.py::test_methods_along_paths_add_references_too": 4,
    "engine/test_standard_errors.py::test_they_are_the_spread_of_scores_kept_apart": 6,
    "engine/test_verify.py::test_the_content_says_what_keras_is_given_and_not_the_name": 2,
    "evaluate/test_comparing.py::test_every_metric_judges_networks_of_several_inputs": 24,
    "evaluate/test_erasing.py::test_several_targets_are_each_alone": 3,
    "evaluate/test_nearby.py::test_true_weights_are_faithful_to_noise_in_whatever_form": 4,
    "evaluate/test_quantus.py::test_a_metric_gets_the_scores_of_the_engine": 4,
    "examples/test_reverse_complement.py::test_a_custom_file_that_goes_wrong": 4,
    "explainers/gradients/test_gradient.py::test_gradients_are_tensorflows": 4,
    "explainers/gradients/test_gradient.py::test_guided_backprop_and_deconvnet_by_hand": 2,
    "explainers/gradients/test_held_masks.py::test_held_is_what_does_not_change": 8,
    "explainers/gradients/test_neurons.py::test_channels_first_layers_have_their_own_order": 3,
    "explainers/gradients/test_neurons.py::test_what_goes_from_inputs_through_units": 2,
    "explainers/gradients/test_path.py::test_blurred_paths_beside_scipys_filter": 2,
    "explainers/gradients/test_path.py"
    "::test_guided_paths_are_those_of_the_algorithm_step_by_step": 3,
    "explainers/gradients/test_path.py::test_it_is_the_sum_of_tensorflows_gradients": 8,
    "explainers/gradients/test_path.py"
    "::test_of_a_linear_net_every_complete_method_gives_the_weighted_difference": 3,
    "explainers/maps/test_activation_maps.py::test_batch_size_changes_nothing": 4,
    "explainers/maps/test_activation_maps.py::test_channels_first_models_have_the_same_maps": 18,
    "explainers/maps/test_activation_maps.py::test_guided_grad_cam_is_the_product": 3,
    "explainers/maps/test_activation_maps.py::test_maps_are_those_of_tensorflows_gradient": 6,
    "explainers/maps/test_activation_maps.py::test_score_cam_is_that_of_single_masks": 3,
    "explainers/maps/test_activation_maps.py::test_targets_of_several_units_and_of_each_sample": 2,
    "explainers/maps/test_regions.py::test_maps_are_the_methods_scores_over_regions": 2,
    "explainers/perturbation/test_draw_counts.py::test_lime_draws_as_many_as_its_groups_need": 2,
    "explainers/perturbation/test_incremental.py"
    "::test_changes_are_those_of_whole_forward_passes": 80,
    "explainers/perturbation/test_incremental.py::test_layers_that_can_be_crossed_are": 4,
    "explainers/perturbation/test_mutagenesis.py::test_pairs_are_those_of_a_loop": 2,
    "explainers/perturbation/test_mutagenesis.py::test_tokens_are_those_of_a_loop": 2,
    "explainers/perturbation/test_occlusion.py"
    "::test_tokens_inputs_beside_and_images_change_alone": 4,
    "explainers/perturbation/test_occlusion.py"
    "::test_what_a_window_can_change_alone_gives_the_same": 16,
    "explainers/perturbation/test_shapley.py::test_standard_errors_are_the_spread_over_seeds": 2,
    "explainers/perturbation/test_tiles.py::test_values_are_those_of_whole_passes": 8,
    "explainers/relevance/test_patterns.py"
    "::test_the_walk_back_is_the_gradient_with_other_kernels": 2,
    "explainers/relevance/test_relevance.py::test_a_method_is_what_dense_matrices_give": 40,
    "explainers/relevance/test_relevance.py::test_any_network_has_relevance": 8,
    "explainers/relevance/test_relevance.py::test_any_network_keeps_relevance": 20,
    "explainers/relevance/test_relevance.py::test_blocks_change_nothing": 2,
    "explainers/relevance/test_relevance.py"
    "::test_contrastive_relevance_is_what_dense_matrices_give": 4,
    "explainers/relevance/test_relevance.py::test_merged_batch_norm_is_one_folded_by_hand": 10,
    "explainers/relevance/test_relevance.py::test_merging_changes_no_output": 2,
    "explainers/relevance/test_relevance.py"
    "::test_relevance_is_kept_where_biases_are_left_out": 8,
    "explainers/relevance/test_relevance.py::test_relevance_is_kept_where_nothing_takes_it": 12,
    "explainers/test_every_method.py::test_a_result_says_what_it_was_compared_with": 2,
    "explainers/test_every_method.py::test_batches_neighbours_and_order_change_nothing": 40,
    "explainers/test_every_method.py::test_few_frames_lie_between_a_call_and_tensorflow": 8,
    "explainers/test_every_method.py::test_noisy_copies_without_noise_have_the_methods_scores": 30,
    "explainers/test_every_method.py::test_nothing_is_traced_again": 40,
    "explainers/test_every_method.py::test_references_are_kept_apart_or_that_is_refused": 24,
    "explainers/test_every_method.py::test_several_targets_are_each_alone": 12,
    "explainers/test_every_method.py::test_standard_errors_are_given_or_refused": 15,
    "explainers/test_folds.py::test_scores_are_means_with_their_spread": 2,
    "explainers/test_heads.py::test_a_head_takes_any_target": 3,
    "explainers/test_heads.py::test_each_head_has_the_result_of_a_run_of_its_own": 4,
    "explainers/test_identities.py::test_batch_norm_in_the_kernel_changes_nothing": 60,
    "explainers/test_identities.py"
    "::test_of_a_linear_net_a_contribution_is_weight_times_difference": 8,
    "explainers/test_identities.py::test_without_biases_relu_nets_have_one_answer": 6,
    "explainers/test_layouts.py::test_scores_do_not_depend_on_the_layout": 60,
    "explainers/test_noise.py::test_it_is_the_mean_over_noisy_copies": 6,
    "explainers/test_noise.py::test_maps_on_one_of_several_inputs": 2,
    "explainers/test_noise.py::test_of_gradients_that_do_not_change": 2,
    "explainers/test_noise.py::test_the_sign_of_zero_draws_no_other_noise": 3,
    "explainers/test_options.py::test_a_batch_size_is_a_whole_number": 2,
    "explainers/test_options.py::test_a_method_takes_an_option_or_says_what_it_may_be": 16,
    "explainers/test_options.py::test_a_metric_takes_an_option_or_says_what_it_may_be": 3,
    "explainers/test_pickling.py::test_an_explainer_scores_the_same": 12,
    "explainers/test_reference_report.py::test_references_of_their_own": 2,
    "explainers/test_streaming.py::test_parts_are_the_same_bits_as_the_whole": 2,
    "explainers/test_sweep.py::test_agreement_is_the_correlation_of_scores": 1,
    "explainers/test_sweep.py::test_forward_passes_are_shared": 1,
    "explainers/test_sweep.py::test_the_figure_shows_every_setting": 1,
    "explainers/test_sweep.py::test_what_makes_no_sense_is_refused": 4,
    "explainers/test_tokens.py::test_a_tokens_score_is_that_of_what_is_looked_up": 4,
    "explainers/test_tokens.py::test_an_input_that_the_target_does_not_read_has_no_share": 2,
    "genomics/test_both_strands.py::test_scores_are_means_of_both_strands": 4,
    "genomics/test_experiments.py::test_marginalisation_is_the_change_where_motifs_are_put": 2,
    "genomics/test_exporters.py::test_arrays_that_a_format_lacks_are_named": 2,
    "graph/test_join_chains.py::test_a_chain_has_the_shapley_value": 20,
    "graph/test_join_chains.py::test_an_audit_walks_the_chain_as_a_run_does": 2,
    "graph/test_keep_nan.py::test_fused_and_unfused_refuse_alike": 46,
    "graph/test_keep_nan.py::test_predictions_are_nan_where_keras_calls_give_nan": 4,
    "graph/test_keep_nan.py::test_what_hides_nan_in_keras_still_has_no_contributions": 2,
    "graph/test_structure.py::test_predictions_are_those_of_keras_in_its_structure": 4,
    "graph/test_structure.py::test_scores_and_references_go_by_key": 2,
    "jobs/test_export.py::test_hdf5": 2,
    "jobs/test_merge.py::test_a_merge_is_the_store_of_one_run": 3,
    "layers/test_edges.py::test_gradients_at_edges_are_keras": 24,
    "layers/test_edges.py::test_sparsemax_of_ties_is_keras": 2,
    "layers/test_edges.py::test_values_at_edges_are_keras": 4,
    "layers/test_linear_layers.py::test_a_linear_layer_is_its_matrix": 80,
    "layers/test_linear_layers.py::test_reveal_cancel_is_the_papers": 5,
    "layers/test_local.py::test_every_layout_is_its_sums": 4,
    "layers/test_normalizing_by_hand.py::test_multipliers_are_the_chords": 3,
    "layers/test_phases.py::test_the_transpose_is_the_gradient": 4,
    "layers/test_recurrent_by_hand.py::test_gru": 2,
    "layers/test_recurrent_by_hand.py::test_lstm": 2,
    "live/test_live_models.py::test_python_is_traced_and_the_model_stays_as_it_was": 3,
    "references/test_masked_tokens.py::test_the_default_works_and_is_in_the_settings": 2,
    "references/test_memory_of_callers.py::test_references_keep_their_arrays": 8,
    "references/test_memory_of_callers.py::test_results_keep_their_inputs": 4,
    "references/test_several_inputs.py::test_a_single_reference_is_for_all_inputs": 2,
    "results/test_attribution.py::test_a_disk_that_fills_up_leaves_no_half_file": 2,
    "results/test_attribution.py"
    "::test_inputs_are_stored_as_they_came_and_read_as_they_were_computed_with": 2,
    "rules/test_infinite_slopes.py::test_gradients_where_a_function_is_constant": 30,
    "rules/test_infinite_slopes.py::test_methods_that_inherit_them": 3,
    "rules/test_slopes.py::test_the_slope_is_continuous_through_no_difference": 30,
    "rules/test_ties.py::test_inputs_that_tie_have_equal_shares": 4,
    "rules/test_ties.py::test_one_function_has_one_answer": 9,
    "rules/test_ties.py::test_the_order_of_elements_does_not_matter": 2,
    "rules/test_ties.py::test_winners_of_a_window_have_equal_shares": 24,
    "translate/addons/test_addons.py::test_a_packages_layer_computes_what_the_package_did": 52,
    "translate/tensorflow_functions/test_tensorflow_functions.py"
    "::test_a_function_computes_what_tensorflow_does_or_is_refused": 4,
    "translate/tensorflow_functions/test_tensorflow_functions.py::test_a_function_keeps_the_sum": 4,
    "translate/test_constants.py::test_a_constant_may_stand_among_the_inputs": 16,
    "translate/test_constants.py::test_a_table_of_other_than_numbers_is_not": 4,
    "translate/test_constants.py::test_an_option_may_be_an_array": 3,
    "translate/test_custom_layers.py::test_a_forward_pass_alone_is_approximate_and_says_so": 2,
    "translate/test_custom_layers.py::test_a_layer_made_of_a_convolution_is_that_convolution": 2,
    "translate/test_inner_layers.py::test_inner_layers_are_parts": 10,
    "translate/test_lambdas.py::test_a_function_computes_what_the_lambda_does": 6,
    "translate/test_lambdas.py::test_a_mask_ends_at_a_lambda_unless_that_gives_its_input_back": 2,
    "translate/test_lambdas.py::test_at_every_step_of_a_sequence": 2,
    "translate/test_lambdas.py::test_nothing_here_can_run_code_of_a_file": 2,
    "translate/test_masks_of_custom_layers.py::test_a_layer_that_supports_masks_passes_them_on": 4,
    "translate/test_masks_of_custom_layers.py::test_concatenate_has_the_mask_of_keras_layer": 8,
    "translate/test_masks_of_custom_layers.py::test_operators_and_indices_end_a_mask": 4,
    "translate/test_merge_keras1.py::test_every_mode_is_as_in_keras_1_and_keeps_the_sum": 6,
    "translate/test_operations_old.py::test_no_sample_is_mixed_with_another": 16,
    "translate/test_operations_old.py::test_the_forward_pass_is_that_of_tensorflow": 3,
    "translate/test_package_layers.py::test_a_function_of_one_s_own_works_in_every_layer": 2,
    "translate/test_package_layers.py::test_the_advice_on_layers_of_packages_is_right": 2,
    "translate/test_whose_class.py::test_arrays_of_frozen_halves_go_by_name": 8,
    "util/test_warn.py::test_a_warning_is_of_the_callers_line": 2,
    "rules/test_ties.py::test_an_adaptive_pool_counts_each_element_once": 2,
    "visualize/test_maximize.py::test_images_rise_and_never_end_below_their_start": 2,
    "translate/test_traced_functions.py::test_a_siamese_network_by_a_distance": 2,
    "evaluate/test_nearby.py::test_neither_blocks_nor_neighbours_change_anything": 2,
}  # fmt: skip
"""Of a test: every how many-th set is fast. The rest are thorough."""

NONE = None

SLOW: dict[str, int | None] = {
    "cli/test_cli_bad_inputs.py::test_a_full_disk_leaves_no_half_file": 2,
    "cli/test_cli_commands.py::test_a_termination_is_143_and_one_line": 1,
    "cli/test_cli_commands.py::test_stdout_has_results_only_and_stderr_nothing": 2,
    "cli/test_cli_genomics.py::test_other_commands_take_peaks": 1,
    "cli/test_cli_methods.py::test_a_sweep_is_the_library_s": 1,
    "cli/test_cli_methods.py::test_methods_are_compared_on_tokens_and_behind_their_embedding": 1,
    "compat/test_compat_scores.py::test_max_pooling_is_the_originals_unless_asked_for": 1,
    "conformance/test_originals.py"
    "::test_exact_max_pooling_sums_up_where_the_originals_rule_does_not": 1,
    "conformance/test_real_models.py::test_contributions_sum_to_the_difference": 6,
    "conformance/test_real_models.py::test_the_gradient_rule_gives_tensorflows_gradients": 5,
    "conversion/eras/test_eras.py::test_a_layer_computes_what_it_did_in_versions_that_disagree": 9,
    "conversion/legacy/test_legacy.py"
    "::test_contributions_sum_to_the_difference_behind_every_layer": 36,
    "conversion/test_conversion_meaning.py"
    "::test_real_models_of_every_age_predict_what_tensorflow_did": 4,
    "docs/test_readme.py::test_the_methods_shown_run": 1,
    "engine/test_completeness.py::test_a_run_of_any_layer_sums_up": 180,
    "engine/test_completeness.py::test_a_run_sums_up": 12,
    "engine/test_completeness.py::test_every_layer_keeps_the_sum": 90,
    "engine/test_completeness.py::test_every_layer_keeps_the_sum_in_float64": 90,
    "engine/test_completeness.py::test_every_layer_keeps_the_sum_in_float64_by_the_other_rules": 90,
    "engine/test_deep_nets.py::test_a_deep_network_equals_keras_and_is_complete": 5,
    "engine/test_mutated_files.py::test_changed_files": 3,
    "engine/test_running.py::test_fused_kernels_change_nothing": 6,
    "evaluate/test_comparing.py::test_it_is_written_whole_by_its_suffix": 1,
    "evaluate/test_randomisation.py::test_draws_have_the_arrays_spread_or_entries": 1,
    "evaluate/test_randomisation.py::test_layers_are_randomised_from_the_output_down": 2,
    "examples/test_reverse_complement.py::test_the_real_models_scores_are_mirrored_and_sum_up": 1,
    "explainers/gradients/test_held_masks.py"
    "::test_integrated_gradients_are_those_with_the_mask_of_the_sample": 5,
    "explainers/gradients/test_path.py::test_a_tolerance_is_met_where_so_many_steps_do_not": 1,
    "explainers/gradients/test_path.py"
    "::test_deepshap_is_deeplift_over_a_background_with_its_error": 2,
    "explainers/gradients/test_path.py"
    "::test_masked_tokens_are_explained_at_their_embedding_and_its_mask": 1,
    "explainers/perturbation/test_incremental.py::test_any_layers_in_a_row": 1,
    "explainers/perturbation/test_incremental.py::test_any_layers_of_images": 1,
    "explainers/perturbation/test_incremental.py"
    "::test_windows_and_groups_of_images_are_those_of_whole_passes": 1,
    "explainers/perturbation/test_tiles.py::test_any_layers_in_a_row": 1,
    "explainers/perturbation/test_shapley.py"
    "::test_sampling_converges_to_exact_values_as_the_root_of_samples": 1,
    "explainers/relevance/test_relevance.py::test_any_layer_has_relevance": 90,
    "explainers/test_every_method.py::test_batches_neighbours_and_order_change_nothing": 12,
    "explainers/test_every_method.py::test_few_frames_lie_between_a_call_and_tensorflow": 5,
    "explainers/test_every_method.py"
    "::test_noisy_copies_without_noise_have_the_methods_scores": 12,
    "explainers/test_every_method.py::test_nothing_is_traced_again": 12,
    "explainers/test_every_method.py::test_references_are_kept_apart_or_that_is_refused": 5,
    "explainers/test_every_method.py::test_runs_without_end_take_no_more_memory": 32,
    "explainers/test_every_method.py::test_several_targets_are_each_alone": 5,
    "explainers/test_every_method.py::test_standard_errors_are_given_or_refused": 5,
    "explainers/test_folds.py::test_parts_stores_and_files_hold_the_same": 1,
    "explainers/test_heads.py::test_each_head_has_the_result_of_a_run_of_its_own": 48,
    "explainers/test_identities.py::test_batch_norm_in_the_kernel_changes_nothing": 16,
    "explainers/test_layouts.py::test_scores_do_not_depend_on_the_layout": 12,
    "explainers/test_layers_and_operations.py::test_every_method_has_equal_scores": 108,
    "explainers/test_layers_and_operations.py::test_every_metric_has_equal_values": 15,
    "explainers/test_layers_and_operations.py::test_every_rule_has_equal_contributions": 15,
    "explainers/test_pickling.py"
    "::test_a_forked_process_is_told_to_spawn_and_a_spawned_one_scores": 1,
    "explainers/test_pickling.py::test_every_method_scores_the_same": 32,
    "explainers/test_pickling.py::test_inside_a_graph_there_are_no_numbers_yet": NONE,
    "explainers/test_sweep.py::test_every_setting_is_a_run_of_its_own": 24,
    "explainers/test_sweep.py::test_agreement_is_the_correlation_of_scores": NONE,
    "explainers/test_sweep.py::test_forward_passes_are_shared": NONE,
    "explainers/test_sweep.py::test_the_figure_shows_every_setting": NONE,
    "explainers/test_sweep.py::test_the_table_says_what_was_compared": NONE,
    "genomics/test_exporters.py::test_memory_does_not_grow_with_the_arrays": 12,
    "layers/test_facts.py::test_layers_and_operations_have_equal_scores": 20,
    "translate/addons/test_addons.py::test_a_packages_layer_computes_what_the_package_did": 60,
    "translate/tensorflow_functions/test_tensorflow_functions.py"
    "::test_a_function_computes_what_tensorflow_does_or_is_refused": 30,
    "translate/tensorflow_functions/test_tensorflow_functions.py"
    "::test_a_function_keeps_the_sum": 60,
    "translate/test_coverage.py::test_every_real_model_has_a_table": 1,
    "translate/test_lambdas.py::test_float64_all_the_way": 1,
    "translate/test_package_layers.py::test_a_function_of_one_s_own_works_in_every_layer": 24,
    "translate/test_traced_functions.py::test_a_function_is_the_operations_that_it_is_made_of": 84,
    "cli/test_cli_stores.py::test_a_signal_ends_a_run_behind_its_shard_with_75": 2,
    "jobs/test_cluster.py::test_a_worker_that_is_retired_or_killed_in_mid_task_loses_nothing": 2,
    "docs/test_pages.py::test_the_tour_leaves_its_files": 1,
    "docs/test_pages.py::test_the_questions_are_answered": 1,
    "docs/test_readme.py::test_the_commands_run": 1,
    "translate/test_operations_old.py::test_every_operation_is_tested": 1,
    "translate/test_custom_layers.py::test_the_number_of_points_decides_how_well_it_sums": 1,
    "tables/test_tables.py::test_references_of_a_table_are_read_as_the_inputs_are": 1,
    "explainers/test_folds.py::test_the_command_line_takes_several_models": 1,
    "cli/test_cli_genomics.py::test_fasta_files_letters_and_axes": 1,
    "explainers/gradients/test_path.py::test_guided_paths_sum_up_when_there_are_steps_enough": 1,
    "layers/test_attention_by_hand.py::test_the_block_that_others_take_for_linear_sums_up": 1,
    "examples/test_reverse_complement.py::test_the_command_line_takes_the_same_file": 1,
    "explainers/relevance/test_relevance.py::test_gamma_leads_from_epsilon_to_one_sign": 1,
    "explainers/gradients/test_held_masks.py::test_several_embeddings_each_with_a_mask": 1,
    "genomics/test_variants.py::test_folds_have_means_deviations_and_directions": 1,
    "genomics/test_bpnet_file.py::test_heads_of_each_task_are_found_and_scored": 1,
    "evaluate/test_comparing.py::test_what_comes_out_of_layers_is_judged_as_inputs_are": 1,
    "images/test_images.py::test_the_command_line_goes_the_same_way": 1,
    "report/test_page_in_chromium.py::test_a_logo_is_zoomed_by_dragging_and_by_keys": 1,
    "engine/test_running.py::test_thirty_different_runs_trace_nothing": 1,
    "explainers/perturbation/test_shapley.py::test_tokens_have_values": 1,
    "translate/test_lambdas.py::test_tokens_may_be_moved_and_then_looked_up": 1,
    "cli/test_cli_methods.py::test_groups_and_seeds_of_a_comparison": 1,
    "genomics/test_experiments.py::test_cooperativity_is_what_two_motifs_do_beyond_each": 1,
    "engine/test_cuts.py"
    "::test_references_apart_and_halves_of_multipliers_as_units_of_their_own": 1,
    "explainers/perturbation/test_incremental.py::test_few_samples_together_are_the_same": 1,
    "explainers/gradients/test_path.py"
    "::test_it_is_the_same_compiled_and_in_blocks_of_few_steps": 2,
    "rules/test_ties.py::test_compiled_shares_are_the_same": 3,
    "rules/test_ties.py::test_an_adaptive_pool_to_one_has_that_answer_too": 1,
    "engine/test_running.py"
    "::test_at_hidden_layers_multiplier_times_difference_is_the_contribution": 2,
    "translate/test_operations_old.py::test_every_function_keeps_the_sum": 26,
    "explainers/test_noise.py::test_references_kept_apart_stay_apart": 1,
    "genomics/test_model_heads.py::test_heads_are_known_by_their_names": 3,
    "layers/test_attention_by_hand.py::test_kernels_that_are_compiled_give_the_same": NONE,
}  # fmt: skip
"""Of a test whose sets are marked as slow, or that is not in `FAST`: every how many-th is slow.

The rest are thorough; of `NONE` all.
"""


def mark_repeats(items: Sequence[pytest.Item]) -> None:
    """Mark the repeats among tests."""
    met: Counter[tuple[str, bool]] = Counter()
    for item in items:
        name = item.nodeid.split("[")[0].removeprefix("tests/")
        marked = {mark.name for mark in item.iter_markers()}
        if "thorough" in marked:
            continue
        is_slow = "slow" in marked or (name in SLOW and name not in FAST)
        if is_slow:
            item.add_marker(pytest.mark.slow)
        every = (SLOW if is_slow else FAST).get(name, 1)
        if every is None or met[name, is_slow] % every:
            item.add_marker(pytest.mark.thorough)
        met[name, is_slow] += 1
