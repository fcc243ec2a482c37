//! The conformance list against the driver: each row is a scenario, written once, and run on every runtime.
//!
//! `rows.tsv` says what each row expects, and which rows are not here, with the reason; `cargo xtask conformance` prints both
//! together. Rows that need time to pass run in simulations only.

mod a_start;
mod b_validation;
mod c_restart_types;
mod d_intensity;
mod e_one_for_one;
mod f_one_for_all;
mod g_rest_for_one;
mod h_dynamic;
mod i_shutdown;
mod j_administration;
mod k_queries;
mod kit;
mod l_failing_restarts;
mod m_auto_shutdown;
mod n_changes;
mod o_order_scale;
mod p_trees;
mod q_links;
mod r_monitors;
mod s_elixir_dynamic;
mod t_elixir;
mod t_names;
mod t_tasks;
mod tied;
mod u_backoff;
mod v_limits_watch;
mod x_own_rows;

/// Makes the tests: `sim::row_…`, `executor::row_…`, `tokio::row_…`.
macro_rules! scenarios {
    (
        everywhere { $($group:ident: $($name:ident)*;)* }
        simulated { $($time:ident: $($timed:ident)*;)* }
        threaded { $($thread:ident: $($real:ident)*;)* }
    ) => {
        mod sim {
            $($(#[test] fn $name() { crate::kit::on_sim(crate::$group::$name); })*)*
            $($(#[test] fn $timed() { crate::kit::on_sim(crate::$time::$timed); })*)*
        }
        #[cfg(feature = "executor")]
        mod executor {
            $($(#[test] fn $name() { crate::kit::on_executor(crate::$group::$name); })*)*
            $($(#[test] fn $real() { crate::kit::on_executor(crate::$thread::$real); })*)*
        }
        #[cfg(feature = "tokio")]
        mod tokio {
            $($(#[test] fn $name() { crate::kit::on_tokio(crate::$group::$name); })*)*
            $($(#[test] fn $real() { crate::kit::on_tokio(crate::$thread::$real); })*)*
        }
    };
}

scenarios! {
    everywhere {
        a_start:
            row_001_defaults
            row_004_a_supervisor_without_children
            row_008_an_added_child_that_declines_rests
            row_009_a_declared_child_that_declines_holds_nobody_up
            row_010_a_declared_temporary_child_that_declines_is_gone
            row_011_an_added_temporary_child_that_declines_is_gone
            row_012_the_same_of_a_temporary_dynamic_child
            row_013_the_same_of_a_permanent_dynamic_child
            row_014_a_restart_request_that_fails_leaves_the_child_at_rest
            row_015_an_added_child_that_fails_to_start_leaves
            row_016_the_same_in_a_dynamic_supervisor
            row_017_a_failed_start_is_undone_in_reverse
            row_018_each_start_waits_for_the_one_before
            row_019_a_failed_start_is_wrapped_level_by_level
            row_024_a_stop_waits_for_every_child
            row_025_a_child_that_stops_its_own_supervisor_does_not_hang
        ;
        b_validation:
            row_029_a_zero_period_is_refused
            row_042_two_declared_children_with_one_id
            row_043_a_significant_child_in_vain
            row_044_a_permanent_child_is_not_significant
            row_045_every_pair_of_restart_type_and_shutdown_is_valid
            row_048_a_refused_child_changes_no_count
        ;
        c_restart_types:
            row_049_permanent_normal
            row_050_permanent_shutdown
            row_051_permanent_abnormal
            row_052_transient_normal
            row_053_transient_shutdown
            row_054_transient_abnormal
            row_055_temporary_normal
            row_056_temporary_shutdown
            row_057_temporary_abnormal
            row_058_temporary_killed_uses_no_intensity
            row_059_a_normal_end_of_a_permanent_child_counts
            row_060_ends_without_a_restart_do_not_count
            row_061_a_temporary_bystander_is_stopped_and_removed
        ;
        d_intensity:
            row_064_one_too_many_ends_the_supervisor
            row_065_intensity_zero_bears_nothing
            row_069_a_group_restart_counts_once
            row_070_all_children_share_the_window
            row_071_every_failed_attempt_counts
            row_072_the_failing_child_leaves_first_then_the_others_in_reverse
            row_073_two_levels_multiply
            row_074_requests_are_served_between_attempts
            row_075_a_stop_drops_the_retry
        ;
        e_one_for_one:
            row_076_only_the_child_is_restarted
            row_077_a_restart_that_always_fails_escalates
            row_078_a_crash_during_the_start_of_another_child
        ;
        f_one_for_all:
            row_079_all_are_restarted
            row_080_the_living_stop_in_reverse_and_all_start_in_order
            row_081_the_third_crash_is_one_too_many
            row_082_a_restart_that_always_fails_escalates
            row_083_another_child_fails_during_the_group_restart
            row_084_a_terminated_sibling_is_started_again_with_the_group
            row_085_a_transient_child_that_did_its_work_is_started_again
        ;
        g_rest_for_one:
            row_086_elder_siblings_are_left_alone
            row_087_of_the_first_is_all
            row_088_of_the_last_is_one
            row_089_order
            row_090_gives_up
            row_091_escalates
            row_092_only_from_the_child_that_failed_to_start_on
            row_093_later_siblings_wait_for_a_restart_that_hangs
        ;
        h_dynamic:
            row_094_children_need_no_id
            row_095_only_the_child_that_crashed_is_restarted
            row_097_a_restart_that_declines_removes_the_child
            row_098_one_child_too_often_ends_all
            row_099_what_a_start_needs_goes_with_its_child
            row_100_children_stop_in_parallel
            row_101_a_child_that_is_stopped_leaves
            row_103_a_pid_that_is_gone_is_unknown
            row_104_a_pid_of_somebody_else_is_unknown
            row_105_neither_restarted_nor_deleted_by_request
            row_106_many_temporary_children_come_and_go
            row_107_temporary_children_leave_whatever_ends_them
            row_108_a_stop_ends_a_failing_restart
            row_109_children_of_a_restarted_dynamic_supervisor_are_gone
        ;
        i_shutdown:
            row_110_children_stop_in_reverse_one_after_another
            row_111_a_child_that_obeys_is_not_waited_for_longer
            row_112_a_child_that_does_not_obey_is_killed
            row_113_infinity_waits_as_long_as_needed
            row_114_a_brutal_kill_runs_no_clean_up
            row_115_brutal_children_are_killed_at_once
            row_116_dynamic_children_that_do_not_obey_are_killed_in_parallel
            row_117_other_ends_during_the_stop_are_reported
            row_118_a_child_that_ends_by_itself_while_it_is_stopped
            row_119_a_permanent_child_that_stops_with_another_reason
            row_120_a_stop_of_a_child_that_is_dead_already
            row_121_a_timeout_of_zero
            row_122_a_tree_stops_from_below
            row_123_a_supervisor_ends_with_the_one_above_it
            row_124_a_killed_supervisor_takes_its_children_with_it
        ;
        j_administration:
            row_127_an_id_that_runs
            row_128_an_id_that_does_not_run
            row_129_a_stopped_child_is_kept
            row_130_a_stopped_child_may_be_stopped_again
            row_131_a_stopped_child_can_be_started_again
            row_132_a_child_that_runs_is_not_restarted_by_request
            row_133_an_unknown_child
            row_134_a_child_that_runs_is_not_deleted
            row_135_a_deleted_child_frees_its_id
            row_136_a_child_that_is_being_restarted
            row_137_a_temporary_child_that_is_stopped_leaves
            row_138_a_pid_names_a_child_everywhere
            row_139_a_supervisor_that_has_ended
            row_140_a_child_added_at_run_time_takes_part
        ;
        k_queries:
            row_141_the_children_in_order
            row_142_counts
            row_143_counts_of_many_while_they_die
            row_144_supervisors_are_not_workers
            row_145_children_that_are_being_restarted
            row_146_a_stop_takes_one_that_is_being_restarted_off_the_list
            row_150_a_query_beside_a_death
            row_147_the_rules_of_a_child
            row_148_the_rules_of_a_dynamic_child
            row_149_one_child
        ;
        l_failing_restarts:
            row_151_an_id_that_is_being_restarted
            row_152_what_is_told_of_it
            row_153_a_stop_ends_the_loop
            row_154_a_stop_of_the_supervisor_ends_the_loop
            row_155_the_group_of_a_looping_child_is_down
        ;
        m_auto_shutdown:
            row_156_never
            row_157_children_that_are_not_significant
            row_158_the_end_of_a_significant_child_ends_the_supervisor
            row_159_one_that_was_stopped_by_request_ends_nothing
            row_160_all_significant_children_have_to_end
            row_161_a_transient_one_that_is_restarted_has_not_ended
            row_162_a_transient_one_that_ends_normally_counts
            row_163_one_that_is_being_restarted_has_not_ended
            row_164_one_that_is_stopped_because_a_sibling_failed
            row_165_a_nested_supervisor_may_be_significant_itself
            row_166_a_dynamic_supervisor_with_significant_children
        ;
        n_changes:
            row_167_auto_shutdown_changes
            row_168_new_rules_start_and_stop_nobody
            row_169_wrong_rules_change_nothing
        ;
        o_order_scale:
            row_171_children_start_from_left_to_right
            row_172_a_stop_is_in_reverse_of_the_starts
            row_173_many_static_children_start_and_stop
            row_174_a_restart_keeps_the_place
            row_175_reports_are_data_and_one_line
        ;
        p_trees:
            row_176_a_crash_that_is_borne_stays_where_it_is
            row_177_one_that_is_not_borne_rises
            row_178_a_supervisor_that_gives_up_has_shut_down
            row_179_what_the_one_above_sees_is_a_shutdown
        ;
        q_links:
            row_180_the_other_ends_with_the_same_reason
            row_181_a_normal_end_harms_nobody
            row_182_one_that_traps_gets_one_message
            row_183_normal_from_another_is_dropped
            row_184_normal_from_itself_ends_it
            row_185_an_abnormal_exit_from_itself_ends_it
            row_186_one_that_traps_hears_its_own_exit
            row_187_an_exit_from_another_ends_it
            row_188_a_kill_cannot_be_trapped
            row_189_the_kill_of_another_can_be_trapped
            row_190_a_link_with_one_that_has_ended
            row_191_links_are_not_counted
            row_192_links_are_symmetric
            row_193_after_an_unlink_nothing_comes
            row_194_the_first_of_two_exits_wins
            row_195_an_exit_by_signal_cannot_be_caught
            row_196_signals_of_one_sender_keep_their_order
            row_197_no_timeout_comes_after_an_end
            row_198_a_large_reason_arrives_complete
            row_x9_a_link_ends_with_the_incarnation_and_a_new_one_makes_its_own
            row_x9_a_link_with_one_that_is_not_started_yet
            row_x9_a_context_that_outlives_its_incarnation_ties_nobody
        ;
        r_monitors:
            row_199_one_word_of_the_end
            row_199_the_reason_is_its_own_also_when_its_supervisor_ends
            row_200_one_that_has_ended
            row_201_a_word_for_each_monitor
            row_202_a_watcher_that_dies_before
            row_203_a_monitor_that_is_taken_back
            row_204_taken_back_twice
            row_206_taken_back_with_what_waits
            row_207_whether_it_was_still_there
            row_208_taken_back_by_somebody_else
            row_209_a_monitor_that_is_over
            row_210_a_process_that_watches_itself
            row_215_thousands_of_monitors_leave_nothing
            row_304_a_restart_is_not_an_end_for_watchers
            row_305_a_word_that_waits_when_its_watch_is_taken_back
            row_308_a_message_of_its_own
        ;
        s_elixir_dynamic:
            row_217_defaults
            row_218_invalid_options
            row_223_what_a_start_answers
            row_224_a_start_that_panics
            row_228_a_temporary_child_is_not_restarted
            row_229_a_transient_child_is_restarted_unless
            row_230_a_permanent_child_is_restarted
            row_231_a_restart_that_fails_is_counted
            row_232_a_restart_that_fails_once
            row_233_a_restart_that_fails_for_ever
            row_234_brutal_kills
            row_235_infinity_and_long_timeouts
            row_236_a_timeout_that_expires
            row_237_a_permanent_child_that_ends_normally_in_the_stop
            row_238_mixed_children
            row_239_a_child_is_stopped_once
            row_240_a_stop_of_a_child_that_is_being_restarted
            row_243_several_dynamic_supervisors_beside_each_other
            row_225_a_limit_of_no_children
            row_226_a_child_in_a_failing_restart_counts
            row_227_a_child_that_was_restarted_counts_once
            row_242_a_limit_that_is_lowered
        ;
        t_elixir:
            row_255_a_future_runs_once_unless_something_else_is_said
            row_256_one_future_too_many_is_refused
            row_270_the_life_of_a_child
            row_216_a_reply_that_comes_too_late_is_dropped
        ;
        t_names:
            row_022_a_name_that_another_process_has
            row_022_a_declared_child_whose_name_is_taken
            row_022_a_spawned_child_whose_name_is_taken
            row_022_a_declared_name_is_there_before_the_start
            row_213_a_monitor_by_name
            row_200_a_monitor_by_a_name_that_nobody_has
            row_214_when_the_word_comes_the_name_is_free
            row_259_a_unique_name_is_taken_once
            row_260_a_name_of_a_dead_process_is_free
            row_261_names_that_many_have
            row_262_the_end_of_an_owner_frees_its_names
            row_262_a_restart_is_no_end_for_names
            row_263_a_name_that_is_given_back
            row_264_a_value_beside_a_name
            row_266_sending_by_name
            row_268_dispatch_to_all
        ;
        t_tasks:
            row_252_a_task_dies_with_its_caller_or_not
            row_253_a_task_that_crashes_tells_its_caller
            row_253_a_task_that_ends_well_has_its_result
            row_254_waiting_with_a_limit
            row_257_a_stream_of_tasks_in_order
            row_257_a_consumer_that_stops_early_leaves_nothing
        ;
        u_backoff:
            row_275_the_supervisor_ends_when_the_child_has_done_its_work
            row_279_what_is_told_of_the_child_and_its_restarts
            row_280_messages_to_a_child_that_is_absent
            row_281_so_many_retries_and_no_more
            row_284_one_child_at_a_time_also_when_it_stops_slowly
            row_286_a_stop_during_the_back_off
        ;
        v_limits_watch:
            row_287_the_third_failure_is_for_good
            row_288_without_limits
            row_294_a_restart_begins_with_the_first_state
            row_295_a_limit_of_zero
            row_296_children_of_a_restarted_supervisor_are_stopped_first
            row_297_messages_wait_up_to_the_capacity
            row_298_a_first_start_that_fails_is_not_retried
            row_299_messages_survive_a_second_failure
            row_303_each_who_waits_for_an_end_is_told
            row_304_a_restart_is_not_an_end
            row_307_a_name_can_be_used_again
        ;
        x_own_rows:
            row_x1_a_panic_in_a_start_function
            row_x1_a_panic_in_a_body
            row_x1_a_panic_in_a_destructor
            row_x2_a_future_that_is_dropped_while_it_holds_a_lock
            row_x4_a_stop_during_a_start
            row_x4_a_stop_during_a_restart
            row_x5_two_supervisors_that_stop_each_others_children
            row_x6_a_restart_storm
            row_x7_durations_at_their_limits
            row_x8_foreign_code_panics_in_the_supervisors_task
            row_x8_an_error_whose_description_panics
            row_x8_a_supervisor_that_is_killed_while_it_works
        ;
    }
    simulated {
        a_start:
            row_002_a_workers_defaults
            row_003_a_nested_supervisor_has_all_the_time_it_needs
        ;
        d_intensity:
            row_063_slow_crashes_are_borne_for_ever
            row_066_the_window_rolls
            row_067_the_bound_is_inclusive
        ;
        s_elixir_dynamic:
            row_241_all_are_asked_to_stop_at_once
        ;
        u_backoff:
            row_271_delays_double_up_to_the_longest
            row_273_five_failures
            row_274_restarted_however_it_ended
            row_278_a_child_resets_its_own_count
            row_276_the_child_is_absent_meanwhile
            row_277_a_healthy_run_resets_the_count
            row_285_failures_outside_of_the_range
            row_272_a_random_part_of_the_delay
            row_300_a_run_of_the_middle_length_is_healthy
            row_285_a_childs_own_range
        ;
        v_limits_watch:
            row_289_failures_outside_of_the_range
            row_290_tries_are_for_the_whole_life
        ;
    }
    threaded {
        x_own_rows:
            row_x3_a_blocking_child_that_never_yields
        ;
    }
}
