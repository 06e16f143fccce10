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
from ictbench.results.schema import SuiteId
from ictbench.suites import Family, Sizes

if TYPE_CHECKING:
    from pydantic import JsonValue

    from ictbench.results import Result
    from ictbench.results.gate_schema import Gate

TALLY: dict[str, JsonValue] = {"experience": "tally"}
RULES = PluginSpec(label="rules", name="rules", options=TALLY)
SUITE = SuiteId(name="minihack-v1", digest="d" * 64)
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
    changes = {"suite": SUITE, **changes}
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
        options = {"text": "Do it."} if name == "file" else TALLY if name in {"rules", *SCRIPTS} else {}
        return PluginSpec(label=name, name=name, options=options)
    inner = RULES.model_dump(mode="json", include={"label", "name", "options"})
    return PluginSpec(label=name, name=wrapper, options={"reflector": inner})


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
        # The arm is behind on average and level in the end.
        (
            GROWS,
            {"blind": (0, 0, 9)},
            "a good constant (not better than blind at the last prompt and at the best prompt)",
        ),
        # The arm is ahead on average, and loses in the end.
        ((0, 0, 9), {"copy": (0, 6, 6)}, "not significantly better than copy over the turns"),
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


def test_a_control_that_selection_finds_one_lucky_prompt_for_is_not_beaten() -> None:
    lucky = arm("blind:rules", (0, 9, 0))
    arms = [lucky, *(arm(name, NOTHING) for name in REQUIRED if name != "blind:rules")]
    (family,) = judge(arm("rules", GROWS), *arms).families
    assert (family.arms[0].not_ahead, family.arms[0].beaten) == (("best",), False)
    assert family.conclusion == "not shown"
    assert family.called == "a good constant (not better than blind at the best prompt)"


def unread(result: Result) -> Result:
    """Return the same result of a reflector or script that reads the digest of events."""
    options: dict[str, JsonValue] = {"experience": "events"}
    if isinstance(inner := result.reflector.options.get("reflector"), dict):
        options = {"reflector": {**inner, "options": options}}
    elif result.reflector.name == "file":
        options = result.reflector.options
    return result.model_copy(update={"reflector": result.reflector.model_copy(update={"options": options})})


def with_meta_train(result: Result, solved: int) -> Result:
    """Return a result that has a meta-train family, too, in which every later prompt solves as many tasks."""
    extra = arm(result.reflector.name, (0, solved, solved), families=("eat",), role="meta-train")
    return result.model_copy(update={"families": (*result.families, *extra.families)})


def test_on_a_text_from_which_scripts_copy_solutions_nothing_is_called_learned() -> None:
    arms = [unread(arm(name, NOTHING)) for name in REQUIRED]
    verdict = judge(unread(arm("rules", GROWS)), *arms)
    assert (verdict.missing, verdict.learned, verdict.families[0].conclusion) == ((), False, "undecided")
    assert (verdict.fitness.text, verdict.fitness.fit) == ("events", False)
    assert gate_sentence(verdict) == (
        "rules: not shown to have learned from experience: beats every required arm in read; constant prompt: file; "
        "learning cannot be shown on events: a script that ignores outcomes scores 0.94 on meta-train families "
        "(limit 0.8); use --reflector-experience tally."
    )


@pytest.mark.parametrize(("solved", "score", "learned"), [(8, 0.8, True), (9, 0.9, False)])
def test_the_scripts_of_another_suite_show_whether_its_text_is_fit(solved: int, score: float, learned: bool) -> None:
    suite: dict[str, Any] = {"suite": SUITE.model_copy(update={"name": "rooms-v1"})}
    arms = [arm(name, NOTHING, **suite) for name in REQUIRED]
    verdict = judge(arm("rules", GROWS, **suite), *arms)
    assert (verdict.fitness.score, verdict.learned) == (None, False)
    assert gate_sentence(verdict).endswith(
        "whether learning can be shown on tally is unknown: run copy, copy-last, copy-commonest on meta-train "
        "families, too."
    )
    played = [with_meta_train(one, solved) if one.reflector.name in SCRIPTS else one for one in arms]
    verdict = judge(arm("rules", GROWS, **suite), *played)
    assert verdict.fitness.score == pytest.approx(score)
    assert (verdict.fitness.fit, verdict.learned) == (learned, learned)
    # Two scripts are not enough to call a text fit; one is enough to call it unfit.
    verdict = judge(arm("rules", GROWS, **suite), *played[:-1], arms[-1])
    assert verdict.fitness.score == (None if learned else pytest.approx(score))
    assert not verdict.learned


def test_another_version_of_the_package_is_noted_and_no_other_setup() -> None:
    verdict = judge(arm("rules", GROWS), arm("blind:rules", NOTHING, ictbench="0.2"), arm("copy", NOTHING))
    (note,) = verdict.notes
    assert note.startswith("blind:rules was played with ictbench 0.2, the reflector with 0:")


def test_the_outcomes_of_a_reflector_that_reads_none_cannot_be_changed() -> None:
    reasons = {one.role: one.reason for one in judge(arm("none", NOTHING), arm("file", NOTHING)).missing}
    assert reasons["flipped"] == reasons["unlabelled"] == "cannot exist: none does not read how episodes ended"
    assert reasons["blind"] == "run --reflector blind:none"


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
        "copy": "run --reflector copy --reflector-experience tally",
    }
    assert verdict.families[0].conclusion == "undecided"
    assert gate_sentence(verdict).endswith("missing arms: constant, copy.")


def test_a_missing_arm_of_an_instructed_reflector_takes_its_file() -> None:
    options: dict[str, JsonValue] = {"experience": "tally", "instruction": "Write rules."}
    spec = PluginSpec(label="openai/m (instruction 0123456789ab)", name="rewrite", options=options)
    missing = {one.role: one.arguments for one in judge(arm("", GROWS, spec=spec), arm("file", NOTHING)).missing}
    assert missing["blind"] == (
        *("--reflector", "blind:openai/m", "--reflector-experience", "tally"),
        *("--reflector-instruction", "FILE"),
    )


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
    other_text = unread(arm("copy", FLAT))
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
    assert "too few loops for a verdict (6 are needed) in read; " in gate_sentence(alone)


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
        (arm("rules", GROWS, reflector_trained_on=("minihack-v1/read",)), [arm("copy", GROWS)], "was trained on read"),
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
