"""The paper's table, from made-up results of its suites."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from synthetic import result

from ictbench.errors import ConfigError
from ictbench.records import ModelSpec, PluginSpec
from ictbench.results.paper_figures import VALIDATION
from ictbench.results.paper_table import PaperRow, paper_table
from ictbench.results.paper_table_text import HEAD, notes, text_rows
from ictbench.results.schema import Player, SuiteId
from ictbench.suites import Sizes, load_suite

if TYPE_CHECKING:
    from ictbench.choices import ProfileName
    from ictbench.results import Result

QWEN = ModelSpec(provider="vllm", model="Qwen/Qwen2.5-7B-Instruct")
ACTOR = Player(label="vllm/Qwen/Qwen2.5-7B-Instruct", name="react", model=QWEN)
META = {
    suite: tuple(f"{suite}/{family}" for family in load_suite(suite).select_families(["meta-train"]))
    for suite in ("alfworld-paper-v1", "minihack-paper-v1")
}
ALFWORLD = "alfworld-paper-v1"
FOUR_OF_TEN, HALF = ("1111000000", "1111100000"), ("1111000000", "1111000000")


def paper_run(
    families: dict[str, list[tuple[str, str]]],
    reflector: str = "rewrite",
    *,
    suite: str = ALFWORLD,
    k: int = 3,
    trained_on: tuple[str, ...] | None = (),
    checkpoint: str = "Qwen/Qwen2.5-7B-Instruct",
    **changes: Any,
) -> Result:
    profile: ProfileName = "standard" if k == 3 else "standard-k5"
    model = None if reflector == "none" else ModelSpec(provider="vllm", model=checkpoint)
    player = PluginSpec(label=f"vllm/{checkpoint}" if model else reflector, name=reflector, model=model)
    fields: dict[str, Any] = {
        "suite": SuiteId(name=suite, digest=load_suite(suite).digest),
        "profile": profile,
        "sizes": Sizes(turns=1, batch_size=k, loops=3),
        "actor": ACTOR,
        "reflector_trained_on": trained_on,
        "intervals": "for these games" if suite == ALFWORLD else "over loops",
    }
    return result(families, reflector=player, **{**fields, **changes})


def pick(rows: tuple[PaperRow, ...], family: str, k: int, arm: str) -> PaperRow:
    (row,) = (row for row in rows if (row.family, row.batch_size, row.arm) == (family, k, arm))
    return row


LOOPS = [FOUR_OF_TEN, HALF, HALF]
"""Success on test: 40 % under the initial prompt; 50, 40 and 40 % under the best one, whose validation is 100 %."""


def test_rows_hold_the_papers_figure_validation_and_test() -> None:
    trained = paper_run({"cool": LOOPS}, trained_on=META[ALFWORLD], checkpoint="trained/alfworld-k3")
    rows = paper_table({"a": paper_run({"cool": LOOPS}), "b": trained})
    ours = [row for row in rows if row.run]
    assert [(row.family, row.batch_size, row.arm) for row in ours] == [
        ("cool", 3, "initial"),
        ("cool", 3, "untrained"),
        ("cool", 3, "trained"),
    ]
    initial, untrained, learned = ours
    assert (initial.paper, untrained.paper, learned.paper) == (None, 42.4, 49.2)
    # Validation is the selection success of prompt[0] and of the best prompt of each loop: 0 and 1 in these results.
    assert [row.validation for row in ours] == [0, 100, 100]
    assert [row.test for row in ours] == pytest.approx([40, 130 / 3, 130 / 3])
    best = trained.families[0].measures.best  # type: ignore[union-attr]
    assert (learned.test_low, learned.test_high) == (100 * (best.low or 0), 100 * (best.high or 0))
    assert (learned.reflector, learned.trained_on) == ("vllm/trained/alfworld-k3", f"{ALFWORLD}/meta-train")
    assert (untrained.trained_on, untrained.loops) == ("nothing", 3)


def test_every_known_figure_of_the_suites_is_shown_once_and_nothing_else() -> None:
    rows = paper_table({"a": paper_run({"cool": LOOPS}), "z": paper_run({"zap": LOOPS}, suite="minihack-paper-v1")})
    shown = {(row.suite, row.family, row.batch_size, row.arm): row.paper for row in rows if row.paper is not None}
    assert len(shown) == sum(row.paper is not None for row in rows)
    known = {(*cell, arm): figure for cell, figures in VALIDATION.items() for arm, figure in figures.items()}
    assert shown == known
    assert sorted(known.values()) == [14.1, 18.8, 28.3, 34.6, 41.2, 42.4, 42.5, 49.2]
    without_run = [row for row in rows if not row.run]
    assert len(without_run) == 6
    assert all(row.validation is row.test is row.loops is None for row in without_run)
    only_minihack = paper_table({"z": paper_run({"zap": LOOPS, "read": LOOPS}, suite="minihack-paper-v1")})
    assert {row.suite for row in only_minihack} == {"minihack-paper-v1"}
    assert pick(only_minihack, "read", 3, "untrained").paper is None


@pytest.mark.parametrize(
    ("changes", "arm"),
    [
        ({"trained_on": META["minihack-paper-v1"]}, "trained elsewhere"),
        ({"trained_on": ("other:web pages",)}, "trained elsewhere"),
        ({"trained_on": ("alfworld-procgen-v1/pick",)}, "trained"),
        ({"trained_on": (f"{ALFWORLD}/cool",)}, "trained on held-out"),
        ({"trained_on": ("alfworld-v1/pick-two", "alfworld-v1/heat")}, "trained on held-out"),
        ({"trained_on": None}, "unknown"),
        ({"control": "sees no trajectories"}, "control"),
    ],
)
def test_the_arm_follows_from_what_the_reflector_was_trained_on(changes: dict[str, Any], arm: str) -> None:
    row = pick(paper_table({"a": paper_run({"cool": LOOPS}, **changes)}), "cool", 3, arm)
    assert row.run == "a"
    assert row.paper == (49.2 if arm == "trained" else None), "only the paper's own arms have its figures"


def test_a_reflector_that_asks_otherwise_has_no_figure_of_the_paper() -> None:
    rows = paper_table({"a": paper_run({"cool": LOOPS}, "gepa")})
    assert [(row.reflector, row.paper) for row in rows if row.arm == "untrained" and row.family == "cool"] == [
        ("vllm/Qwen/Qwen2.5-7B-Instruct", None),
        ("", 42.4),
    ]


def test_the_initial_prompt_has_one_row_and_none_is_no_arm() -> None:
    rows = paper_table({"n": paper_run({"cool": LOOPS}, "none"), "a": paper_run({"cool": LOOPS})})
    assert [row.arm for row in rows if row.run] == ["initial", "untrained"]
    assert pick(rows, "cool", 3, "initial").run == "n"


def test_both_batch_sizes_stand_in_one_table() -> None:
    runs = {f"k{k}": paper_run({"pick-two": LOOPS}, k=k) for k in (3, 5)}
    rows = [row for row in paper_table(runs) if row.run]
    assert [(row.batch_size, row.arm, row.paper) for row in rows] == [
        (3, "initial", None),
        (3, "untrained", 34.6),
        (5, "initial", None),
        (5, "untrained", 28.3),
    ]


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (
            {"suite": "minihack-v1"},
            "b is a run of minihack-v1, which does not have the paper's pools; name runs of alfworld-p",
        ),
        (
            {"actor": Player(label="rules", name="rules")},
            "actor is vllm/Qwen/Qwen2.5-7B-Instruct in the first and rules",
        ),
        ({"max_steps": 50}, "max_steps is 25 in the first and 50"),
        ({"profile": "quick"}, "profile is standard in the first and quick"),
        ({}, "a and b are both of vllm/Qwen/Qwen2.5-7B-Instruct, trained on nothing, with k = 3, in cool"),
    ],
)
def test_runs_that_do_not_belong_together_are_refused(other: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        paper_table({"a": paper_run({"cool": LOOPS}), "b": paper_run({"cool": LOOPS}, **other)})


def test_no_run_is_refused() -> None:
    with pytest.raises(ConfigError, match="the paper's table needs runs of its suites"):
        paper_table({})


def test_notes_say_what_is_not_the_papers_setup() -> None:
    same = {"a": paper_run({"cool": LOOPS}, k=5)}
    assert "NOT the paper's setup" not in "\n".join(notes(paper_table(same), same))
    small = {
        "b": paper_run(
            {"cool": LOOPS},
            checkpoint="smollm2",
            actor=Player(label="rules", name="rules"),
            deviations=("turns 1 instead of 10",),
            complete=False,
            owed=4,
        )
    }
    text = "\n".join(notes(paper_table(small), small))
    assert (
        "NOT the paper's setup, so not a replication of its figures:\n- b: incomplete, 4 owed; turns 1 instead of 10; "
        in text
    )
    assert "actor rules instead of Qwen2.5-7B-Instruct; reflector vllm/smollm2 instead of Qwen2.5-7B-Instruct" in text


def test_notes_compare_the_papers_other_statements() -> None:
    worse = [("1111000000", "0000000000")] * 3
    runs = {
        "u": paper_run({"cool": LOOPS, "pick": worse}, k=5),
        "m": paper_run({"cool": worse, "pick": LOOPS}, k=5, trained_on=META["minihack-paper-v1"]),
        "late": paper_run({"cool": LOOPS}),
    }
    text = "\n".join(notes(paper_table(runs), runs))
    assert "in 4 of 6 families in the paper (trained on MiniHack), in 0 of 2 here on validation, 1 on test" in text
    assert "about 25% of loops in the paper, 3 of 3 here" in text


def test_notes_name_cells_whose_initial_prompt_is_not_the_same_twice() -> None:
    other = [("0000000000", "1111000000")] * 3
    runs = {"a": paper_run({"cool": LOOPS}), "b": paper_run({"cool": other}, trained_on=META[ALFWORLD])}
    text = "\n".join(notes(paper_table(runs), runs))
    assert (
        "Not repeatable: alfworld-paper-v1, cool, k = 3: the initial prompt has 0.0 and 40.0 in a, 0.0 and 0.0 in b"
        in text
    )


def test_text_leaves_unknown_cells_empty() -> None:
    rows = text_rows(paper_table({"a": paper_run({"cool": LOOPS})}))
    assert {len(row) for row in rows} == {len(HEAD)}
    by_arm = {(row[1], row[2], row[3]): row for row in rows}
    assert by_arm["cool", "3", "initial"][4:7] == ["", "", "0.0"]
    assert by_arm["cool", "3", "untrained"][5:7] == ["42.4", "100.0"]
    assert by_arm["cool", "3", "untrained"][7].startswith("43.3 [")
    assert by_arm["pick-two", "5", "trained"][4:] == ["(no run)", "41.2", "", "", ""]
