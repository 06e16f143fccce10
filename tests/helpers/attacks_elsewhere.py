"""Attacks that do not edit a submission, each with the test that carries it out."""

from __future__ import annotations

from typing import NamedTuple


class AttackElsewhere(NamedTuple):
    """An attack, what happens instead, and the test, as `file::function`."""

    name: str
    outcome: str
    test: str


BOARD, SUBMISSIONS, WORKFLOWS = "tests/board", "tests/submissions", "tests/board/test_workflows.py"

ELSEWHERE = tuple(
    AttackElsewhere(*row)
    for row in (
        # Of other entries and submitters.
        (
            "another entry's episodes under another submitter, with a sentence more in each prompt",
            "the board names the earlier entry beside the score; both count once in corrections and ranks",
            f"{BOARD}/test_same_results.py::test_a_copy_with_a_changed_sentence_of_another_submitter_names_the_earlier_entry",
        ),
        (
            "many near-copies, which make a rival's lead insignificant",
            "one submitter's near-copies count once",
            f"{BOARD}/test_ranking.py::test_near_copies_of_a_rival_count_once",
        ),
        (
            "a strong prompt as the blind arm of a rival",
            "over blind uses only arms that the board has rerun",
            f"{BOARD}/test_ranking.py::test_over_blind_is_the_paired_difference_from_the_best_blind_arm",
        ),
        (
            "an entry whose processing fails",
            "it is listed with the reason, and stops no other",
            f"{BOARD}/test_fault_isolation.py::test_entries_that_fail_are_left_out",
        ),
        (
            "evidence on a host whose name leads to a private address",
            "the address is not contacted, unless the board allows private ones",
            f"{SUBMISSIONS}/test_evidence_store.py::test_a_name_that_leads_to_a_private_address_is_not_contacted",
        ),
        (
            "a server of evidence that sends a byte now and then, for ever",
            "a download ends after two minutes",
            f"{SUBMISSIONS}/test_evidence_store.py::test_a_server_that_never_ends_slowly_is_left",
        ),
        (
            "a pull request that adds a host of evidence to the board's list",
            "it is refused, and nothing is fetched",
            "tests/cli/test_submit_and_validate.py::test_a_pull_request_cannot_allow_hosts_of_its_own",
        ),
        (
            "a pull request that adds files to the board's evidence",
            "only the files that the added submission names are accepted",
            "tests/cli/test_submit_and_validate.py::"
            "test_a_branch_holds_the_evidence_in_the_boards_folder_and_may_be_handed_in",
        ),
        (
            "evidence that is removed after the badge",
            "`validate` reports it; the page says why it shows no episodes",
            f"{SUBMISSIONS}/test_evidence_store.py::"
            "test_evidence_that_is_gone_is_one_problem_and_its_entry_is_shown_with_the_reason",
        ),
        (
            "a changed file in the cache of evidence",
            "its digest is checked, and it is fetched again",
            f"{SUBMISSIONS}/test_evidence_store.py::test_the_cache_is_not_trusted",
        ),
        (
            "files that use up memory or time",
            "1.5 GB of address space and one minute suffice",
            f"{SUBMISSIONS}/test_safety.py::test_harmful_files_take_bounded_time_and_memory",
        ),
        (
            "names of modules that run something when imported",
            "`validate` imports, starts, writes and contacts nothing",
            f"{SUBMISSIONS}/test_safety.py::test_names_in_a_submission_are_never_imported",
        ),
        (
            "random edits of any file, with and without consistent sums",
            "no check crashes, and no forgery is accepted",
            f"{SUBMISSIONS}/test_fuzzing.py::test_no_edit_stops_a_check_or_is_accepted_as_a_forgery",
        ),
        # Of the replay and the rerun.
        (
            "a memory with which a recall fails or takes too long",
            "a failed check in bounded time",
            "tests/audit/test_recalled_texts.py::test_a_memory_that_cannot_be_recalled_is_a_failed_check",
        ),
        (
            "a memory that no built-in learner would write",
            "each of them recalls from it or refuses it",
            "tests/audit/test_recalled_texts.py::test_a_built_in_learner_recalls_from_any_memory_or_refuses_it",
        ),
        (
            "a submission that changes while it is verified",
            "every file is read once",
            "tests/audit/test_shown_episodes_replayed.py::test_swap_during_a_verification_moves_no_badge",
        ),
        (
            "a text with the recorded 32-bit hash, in an episode shown in full",
            "episodes shown in full are always replayed, word for word",
            "tests/audit/test_shown_episodes_replayed.py::test_text_with_the_recorded_hash_is_found_by_the_replay",
        ),
        (
            "a digest chosen so that the loops of a rerun are easy",
            "a salt of the board draws other loops",
            "tests/audit/test_rerun.py::test_another_salt_or_digest_draws_other_loops",
        ),
        (
            "a class that a rerun would import",
            "nothing outside of the board's list is imported",
            "tests/audit/test_rerun.py::test_class_named_by_a_result_is_imported_only_with_trust_code",
        ),
        (
            "an address, a folder or an option as the name of a model",
            "a rerun uses names of known shapes only",
            "tests/audit/test_rerun.py::test_a_model_name_that_may_be_an_address_a_folder_or_an_option_is_refused",
        ),
        (
            "an option of a model that a rerun would follow",
            "only listed options are used",
            "tests/audit/test_rerun.py::test_model_options_of_a_result_are_used_only_with_trust_code",
        ),
        (
            "a model's name that `vllm serve` would read as an option",
            "names are never arguments",
            "tests/models/providers/test_vllm.py::test_a_model_name_is_never_an_argument_of_the_server",
        ),
        (
            "code beside the weights of a model",
            "every call that loads a model refuses it",
            "tests/models/providers/test_hf.py::test_no_call_runs_code_that_comes_with_a_model",
        ),
        (
            "code in the goal of a game file",
            "it is text",
            "tests/envs/alfworld/test_alfworld_env.py::test_a_goal_in_a_game_file_runs_no_code",
        ),
        (
            "a hostile run folder, given to `show`, `report`, `verify`, `export` or `compare`",
            "one line of text, in bounded time and memory",
            "tests/cli/test_hostile_runs.py::test_hostile_run_folder_costs_one_line",
        ),
        # Of pull requests and their checks.
        (
            "a pull request that changes anything beyond one new submission",
            "refused",
            f"{SUBMISSIONS}/test_pull_request.py::test_other_changes_are_refused",
        ),
        (
            "a pull request that rewrites the log",
            "refused, also from maintainers",
            f"{SUBMISSIONS}/test_pull_request.py::test_existing_lines_of_a_log_cannot_be_changed",
        ),
        (
            "commands in the configuration of git",
            "not run",
            f"{SUBMISSIONS}/test_pull_request.py::test_commands_in_the_git_configuration_are_not_run",
        ),
        (
            "a correction by a member of the organisation who may not push",
            "only a branch of the repository itself counts as a maintainer's",
            f"{WORKFLOWS}::test_a_maintainer_is_who_may_push_to_the_repository",
        ),
        (
            "a pull request that changes the workflow which judges it",
            "the workflow of the base branch runs, with the least permissions",
            f"{WORKFLOWS}::test_each_job_has_the_least_permissions",
        ),
        (
            "a link among the files that the check uploads",
            "refused, and never followed",
            f"{WORKFLOWS}::test_pull_request_check_follows_no_link",
        ),
        (
            "a submission that makes the replay in the check fail",
            "the check fails",
            f"{WORKFLOWS}::test_failed_verification_fails_the_check",
        ),
        (
            "shell code in what GitHub puts into scripts",
            "scripts hold no expressions",
            f"{WORKFLOWS}::test_scripts_contain_no_workflow_expressions",
        ),
        (
            "a folder whose name is an option or two lines",
            "it is not replayed",
            f"{WORKFLOWS}::test_folder_whose_name_is_an_option_or_two_lines_is_not_pending",
        ),
        (
            "a removed submission that returns after a merge",
            "it is not replayed",
            f"{WORKFLOWS}::test_removed_submission_that_returns_is_not_replayed",
        ),
        # Of who reads the results.
        (
            "formulas, markup and mentions in the tables of a board",
            "escaped",
            f"{BOARD}/test_board_tables.py::test_cells_are_neither_formulas_nor_markup",
        ),
        (
            "formulas in other CSV files",
            "escaped",
            "tests/results/test_table_text.py::test_no_text_is_a_formula_and_every_text_can_be_restored",
        ),
        (
            "Markdown in tables and lists",
            "escaped",
            "tests/results/test_formatting.py::test_markup_has_no_effect_in_a_table_or_a_list",
        ),
        (
            "HTML in every text of the site and the report",
            "text stays text",
            "tests/web/board/test_build_site.py::test_hostile_text_cannot_end_or_begin_an_element",
        ),
        (
            "markup that gets into a page all the same",
            "the page's policy lets nothing run, load or send",
            "tests/browser/test_board_page.py::test_injected_markup_can_neither_run_nor_send_anything",
        ),
        (
            "escape sequences for the terminal",
            "replaced by visible characters",
            "tests/cli/test_terminal.py::test_nothing_printed_can_control_the_terminal",
        ),
        (
            "a served board, read by another site or machine",
            "served to this machine's own names only",
            "tests/web/board/test_serve.py::test_site_is_served_to_this_machine_only",
        ),
        (
            "an endpoint that repeats the key in its reply",
            "replaced before anything is recorded or shown",
            "tests/models/test_http.py::test_key_that_a_server_repeats_in_its_reply_is_replaced",
        ),
        (
            "an error text that is cut within the key",
            "keys are removed before texts are cut",
            "tests/models/test_failure_detail.py::test_secrets_are_removed_before_the_text_is_cut",
        ),
    )
)
