"""The gate says whether a reflector learned, which arms are missing, and what it may be called otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import synthetic
from finished import episodes_of, loop

from ictbench.errors import ResultError, UsageError
from ictbench.records import ModelSpec, PluginSpec, Role
from ictbench.results.assemble import family_result, role_measures
from ictbench.results.experience_gate import judge, learned_sentence
from ictbench.results.gate_text import gate_sentence
from ictbench.suites import Family, Sizes

if TYPE_CHECKING:
    from ictbench.results import Result
    from ictbench.results.gate_schema import Gate

RULES = PluginSpec(label="rules", name="rules")
GROWS = (0, 4, 9)
"""Tasks of ten that are solved under prompt[0], prompt[1] and prompt[2]."""
FLAT, NOTHING = (0, 6, 6), (0, 0, 0)
LOOPS = 6


def outcomes(solved: int) -> str:
    return "1" * solved + "0" * (10 - solved)


def arm(
    name: str, curve: tuple[int, int, int], loops: int = LOOPS, families: tuple[str, ...] = ("read",), **changes: Any
) -> Result:
    """Return a result of two turns whose success on selection and test tasks is the same in every loop."""
    spec = changes.pop("spec", None) or spec_of(name)
    role: Role = changes.pop("role", "held-out")
    finished = [
        [
            loop(
                list(map(outcomes, curve)),
                {i: outcomes(n) for i, n in enumerate(curve)},
                best=curve.index(max(curve)),
                family=one,
                index=i,
            )
            for i in range(loops)
        ]
        for one in families
    ]
    results = tuple(
        family_result(one, Family(role=role), tuple(these), episodes_of(*these))
        for one, these in zip(families, finished, strict=True)
    )
    sizes = Sizes(turns=2, batch_size=1, loops=loops, selection_size=10, test_size=10)
    plain = synthetic.result({"read": [("0", "1")]}, reflector=spec, sizes=sizes, **changes)
    return plain.model_copy(update={"families": results, "by_role": role_measures(results)})


def spec_of(name: str) -> PluginSpec:
    wrapper, colon, _ = name.partition(":")
    if not colon:
        return PluginSpec(label=name, name=name, options={"text": "Do it."} if name == "file" else {})
    options = {"reflector": RULES.model_dump(mode="json", include={"label", "name", "options"})}
    return PluginSpec(label=name, name=wrapper, options=options)


CONTROLS = ("blind:rules", "shuffled:rules", "unlabelled:rules", "flipped:rules", "file")
SCRIPTS = ("copy", "copy-last", "copy-commonest")
REQUIRED = (*CONTROLS, *SCRIPTS)


def gate(curve: tuple[int, int, int] = GROWS, **curves: tuple[int, int, int]) -> Gate:
    """Return the gate of `rules` with all its arms, which gain nothing unless stated."""
    arms = [arm(name, curves.get(name.partition(":")[0].replace("-", "_"), NOTHING)) for name in REQUIRED]
    return judge(arm("rules", curve), *arms)


def test_a_reflector_that_beats_every_arm_and_grows_has_learned() -> None:
    verdict = gate()
    (family,) = verdict.families
    assert (family.conclusion, verdict.missing, verdict.learned) == ("learned", (), True)
    assert gate_sentence(verdict) == "rules: learned from experience in read; constant prompt: file."
    assert family.smallest_p == 0.03125
    assert [lead.difference.value for lead in family.arms[0].by_turn] == pytest.approx([0.4, 0.9])
    assert family.arms[0].turns.difference.value == pytest.approx(0.65)
    assert family.growth.difference.value == pytest.approx(0.5)
    assert family.growth.p == 0.03125


@pytest.mark.parametrize(
    ("curve", "curves", "called"),
    [
        (NOTHING, {}, "not significantly better than its first prompt"),
        (FLAT, {"blind": FLAT, "file": FLAT}, "a good constant (not better than blind, constant)"),
        (GROWS, {"file": GROWS}, "worth no more than a constant prompt (not better than constant)"),
        (
            GROWS,
            {"file": GROWS, "copy": GROWS, "flipped": GROWS},
            "names what it is shown, and a constant (not better than copy)",
        ),
        (FLAT, {"copy": FLAT, "unlabelled": FLAT}, "names what it is shown, and a constant (not better than copy)"),
        (GROWS, {"copy_last": GROWS, "flipped": GROWS}, "names what it is shown (not better than copy-last)"),
        (
            GROWS,
            {"copy_last": GROWS},
            "does worse without true outcomes, and what it gains needs none (not better than copy-last)",
        ),
        (GROWS, {"flipped": GROWS}, "names what it is shown (not better than flipped)"),
        (FLAT, {}, "beats every required arm given, without significant growth from the first turn to the last"),
        # The arm is behind on average and level in the end: the last prompt shows no difference.
        (GROWS, {"blind": (0, 0, 9)}, "a good constant (not better than blind)"),
    ],
)
def test_what_a_reflector_may_be_called_otherwise(
    curve: tuple[int, int, int], curves: dict[str, tuple[int, int, int]], called: str
) -> None:
    verdict = gate(curve, **curves)
    (family,) = verdict.families
    assert (family.conclusion, family.called, verdict.learned) == ("not shown", called, False)
    assert (
        gate_sentence(verdict)
        == f"rules: not shown to have learned from experience: {called} in read; constant prompt: file."
    )


def test_a_reflector_that_starts_below_a_control_can_learn() -> None:
    (family,) = gate((0, 0, 9), copy=FLAT).families
    lead = next(one for one in family.arms if one.role == "copy")
    assert lead.turns.difference.value < 0
    assert (lead.beaten, family.conclusion) == (True, "learned")


def test_the_selected_best_is_reported_and_not_required() -> None:
    """A control that selection found one lucky prompt for is still beaten."""
    lucky = arm("blind:rules", NOTHING)
    loops = tuple(
        one.model_copy(update={"best": 1, "test": {0: outcomes(0), 1: outcomes(9), 2: outcomes(0)}})
        for one in lucky.families[0].loops
    )
    lucky = lucky.model_copy(update={"families": (lucky.families[0].model_copy(update={"loops": loops}),)})
    (family,) = judge(arm("rules", GROWS), lucky).families
    assert (family.arms[0].best.difference.value, family.arms[0].beaten) == (0.0, True)


def test_learning_that_selection_makes_up_for_says_so() -> None:
    arms = [arm(name, (0, 9, 0) if name == "blind:rules" else NOTHING) for name in REQUIRED]
    verdict = judge(arm("rules", GROWS), *arms)
    assert verdict.learned
    assert gate_sentence(verdict) == (
        "rules: learned from experience (under the best prompts not significantly better than blind) in read; "
        "constant prompt: file."
    )


@pytest.mark.parametrize("name", ["icl", "losses:rules"])
@pytest.mark.parametrize("curve", [GROWS, FLAT])
def test_without_a_required_arm_nothing_is_called_beaten(name: str, curve: tuple[int, int, int]) -> None:
    """The other arm is better than the reflector in every turn."""
    verdict = judge(arm("rules", curve), arm(name, (0, 10, 10)))
    assert verdict.families[0].conclusion == "undecided"
    assert "not shown to have learned from experience: compared with no required arm in read" in gate_sentence(verdict)


def test_a_last_prompt_that_is_no_better_than_the_first_one_has_not_learned() -> None:
    """All controls end below prompt[0], and the reflector comes back to it."""
    arms = [arm(name, (5, 0, 0)) for name in REQUIRED]
    reflector = arm("rules", (5, 2, 5))
    loops = tuple(
        one.model_copy(update={"best": 1, "test": {0: outcomes(5), 1: outcomes(9), 2: outcomes(5)}})
        for one in reflector.families[0].loops
    )
    reflector = reflector.model_copy(update={"families": (reflector.families[0].model_copy(update={"loops": loops}),)})
    (family,) = judge(reflector, *arms).families
    assert family.called == "under its last prompt not significantly better than its first prompt"
    assert family.conclusion == "not shown"


def test_a_lead_that_few_loops_cannot_show_names_nothing() -> None:
    """Four of six loops are better, and the arm has a third of the gain: it is not called a constant."""
    blind, lucky = (arm("blind:rules", curve).families[0] for curve in (NOTHING, GROWS))
    mixed = blind.model_copy(update={"loops": (*lucky.loops[:2], *blind.loops[2:])})
    weak = arm("blind:rules", NOTHING).model_copy(update={"families": (mixed,)})
    (family,) = judge(arm("rules", GROWS), weak).families
    assert (family.conclusion, family.called) == ("not shown", "not significantly better than blind")


def test_missing_arms_are_listed_with_their_remedy() -> None:
    verdict = judge(arm("rules", GROWS), *(arm(name, NOTHING) for name in REQUIRED if name not in {"copy", "file"}))
    assert {one.role: one.reason for one in verdict.missing} == {
        "constant": "run --reflector file:PATH with the best constant prompt of the meta-train families",
        "copy": "run --reflector copy --reflector-experience events",
    }
    assert verdict.families[0].conclusion == "undecided"
    assert gate_sentence(verdict).endswith("missing arms: constant, copy.")


def test_arms_that_cannot_exist_are_missing() -> None:
    twice = arm("rules", GROWS, experience="halved")
    reasons = {one.role: one.reason for one in judge(twice, arm("copy", NOTHING)).missing}
    assert reasons["flipped"].startswith("cannot exist: rules cannot be wrapped")


def test_a_trained_reflector_must_beat_its_untrained_self() -> None:
    def lessons(model: str) -> PluginSpec:
        options = {"experience": "tally"}
        return PluginSpec(label=model, name="lessons", options=options, model=ModelSpec(provider="hf", model=model))

    trained = arm("", FLAT, spec=lessons("tuned"), reflector_trained_on=("minihack-v1/eat",))
    untrained = arm("", FLAT, spec=lessons("base"), reflector_trained_on=("other:the web",))
    other_text = arm("copy", FLAT)
    verdict = judge(trained, untrained, other_text)
    assert [one.role for one in verdict.families[0].arms] == ["untrained", ""]
    assert verdict.families[0].called == "not significantly better than untrained"
    missing = {one.role: one.reason for one in verdict.missing}
    assert missing["copy"] == "run --reflector copy --reflector-experience tally"
    assert "untrained" not in missing
    assert "untrained" in {one.role for one in judge(trained, other_text).missing}


def test_without_a_statement_of_its_training_the_untrained_self_is_missing() -> None:
    arms = [arm(name, NOTHING) for name in REQUIRED]
    verdict = judge(arm("rules", GROWS, reflector_trained_on=None), *arms)
    (missing,) = verdict.missing
    assert missing.role == "untrained"
    assert "--reflector-trained-on" in missing.reason
    assert not verdict.learned
    assert judge(arm("rules", GROWS, reflector_trained_on=("other:the web",)), *arms).learned


def test_a_wrapper_around_other_weights_is_no_control() -> None:
    """The folder of a checkpoint was overwritten between the two runs."""

    def on(result: Result, fingerprint: str) -> Result:
        return result.model_copy(update={"reflector": result.reflector.model_copy(update={"fingerprint": fingerprint})})

    reflector, blind = on(arm("rules", GROWS), "sha256:1"), arm("blind:rules", NOTHING)
    assert judge(reflector, on(blind, "sha256:1")).families[0].arms[0].role == "blind"
    verdict = judge(reflector, on(blind, "sha256:2"))
    assert verdict.families[0].arms[0].role == ""
    assert "blind" in {one.role for one in verdict.missing}


def test_losses_and_other_arms_are_reported_and_no_gate() -> None:
    arms = [*(arm(name, NOTHING) for name in REQUIRED), arm("losses:rules", GROWS), arm("icl", GROWS)]
    verdict = judge(arm("rules", GROWS), *arms)
    assert [(one.role, one.beaten) for one in verdict.families[0].arms[-2:]] == [("losses", False), ("", False)]
    assert verdict.learned


def test_with_few_loops_only_the_mean_over_families_is_judged() -> None:
    families = ("read", "zap")
    arms = [arm(name, NOTHING, 3, families) for name in REQUIRED]
    verdict = judge(arm("rules", GROWS, 3, families), *arms)
    assert {family.conclusion for family in verdict.families} == {"too few loops"}
    assert verdict.mean is not None
    assert (verdict.mean.loops, verdict.mean.conclusion) == (6, "learned")
    assert gate_sentence(verdict) == (
        "rules: learned from experience on average over 2 held-out families, each with too few loops; "
        "constant prompt: file."
    )
    alone = judge(arm("rules", GROWS, 3), *(arm(name, NOTHING, 3) for name in REQUIRED))
    assert alone.mean is not None
    assert alone.mean.conclusion == "too few loops"
    assert not alone.learned


def test_shared_games_have_the_crossed_test() -> None:
    shared: dict[str, Any] = {"intervals": "for these games"}
    verdict = judge(arm("rules", GROWS, **shared), arm("blind:rules", NOTHING, **shared))
    assert verdict.families[0].smallest_p != 0.03125
    assert verdict.families[0].arms[0].beaten


@pytest.mark.parametrize(
    ("reflector", "arms", "message"),
    [
        (arm("rules", GROWS), [], "no arm is given"),
        (arm("blind:rules", GROWS, control="it is blind"), [arm("copy", GROWS)], "blind:rules is a control: it is"),
        (arm("rules", GROWS, role="meta-train"), [arm("copy", GROWS)], "has no held-out family"),
        (arm("rules", GROWS, reflector_trained_on=("rooms-v1/read",)), [arm("copy", GROWS)], "was trained on read"),
        (arm("rules", GROWS), [arm("copy", GROWS, 3)], "not arms on the same tasks: loops 6 against 3"),
        (arm("rules", GROWS), [arm("copy", GROWS, families=("zap",))], "played other tasks in read: 0 of 6"),
        (arm("rules", GROWS), [arm("copy", GROWS, max_steps=9)], "not arms on the same tasks: max_steps 25 against 9"),
        (arm("rules", GROWS), [arm("copy", GROWS, complete=False)], "the run of copy is incomplete"),
    ],
)
def test_what_cannot_be_judged_is_an_error(reflector: Result, arms: list[Result], message: str) -> None:
    with pytest.raises((UsageError, ResultError), match=message):
        judge(reflector, *arms)


def test_reports_and_boards_find_the_arms_among_other_results() -> None:
    rules, copy, other = arm("rules", FLAT), arm("copy", FLAT), arm("copy", FLAT, max_steps=9)
    sentence = learned_sentence(rules, [arm("none", NOTHING), other, copy])
    assert sentence is not None
    assert "names what it is shown, and a constant (not better than copy) in read" in sentence
    assert sentence == gate_sentence(judge(rules, copy))
    elsewhere = arm("file", FLAT, families=("zap",))
    assert learned_sentence(rules, [elsewhere, copy]) == sentence
    assert learned_sentence(rules, [arm("none", NOTHING), other]) is None
    assert learned_sentence(arm("copy", FLAT, control="it copies"), [rules]) is None
