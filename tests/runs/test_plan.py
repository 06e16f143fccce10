from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ictbench
from ictbench.errors import ConfigError, PoolTooSmallError, UnknownNameError, UsageError
from ictbench.models import ModelPool
from ictbench.reflectors import make_reflector
from ictbench.runs.engine import open_players
from ictbench.runs.options import Options
from ictbench.runs.plan import RunPlan, make_plan

if TYPE_CHECKING:
    from pathlib import Path


def plan(**options: Any) -> RunPlan:
    return make_plan(Options.parse({"suite": "minihack-v1"} | options))


def test_missing_options_come_from_suite_and_profile() -> None:
    resolved = plan(profile="standard")
    suite = ictbench.load_suite("minihack-v1")
    assert resolved.sizes == suite.profiles["standard"]
    assert resolved.families == tuple(suite.families)
    assert (resolved.max_steps, resolved.actor.name, resolved.reflector.name) == (25, "rules", "rules")
    assert resolved.deviations() == ()


def test_an_environment_stands_for_its_newest_suite() -> None:
    resolved = make_plan(Options(env="minihack"))
    assert resolved.suite.name == "minihack-v1"
    assert make_plan(Options(env="minihack", suite="minihack-v1")).identity() == resolved.identity()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"actor_model_options": ["n_ctx"]}, r"actor_model_options: 'n_ctx' is not of the form KEY=VALUE"),
        ({"env": "alfworld"}, "suite 'minihack-v1' belongs to environment 'minihack', not 'alfworld'; leave one out"),
        ({"families": []}, "no family is selected"),
        ({"families": " , "}, "no family is selected"),
        ({"turns": 0}, "option turns: 0 is below the minimum of 1"),
        ({"turns": 1, "audit": True}, "an audit compares each turn with the next and needs at least 2 turns"),
        ({"turns": "many"}, "option turns: 'many' is not a whole number"),
        ({"profile": "huge"}, "option profile: 'huge' is not one of quick, lite, standard"),
        ({"families": 3}, "option families: 3 is not a list"),
        ({"turn": 3}, "unknown option 'turn'; did you mean 'turns'"),
        ({"reflector": "none"}, "reflector 'none' has no model that could act: name an actor, e.g. --actor rules"),
        (
            {"reflector_base_url": "http://x/v1"},
            "reflector 'rules' has no model: leave out --reflector-base-url http://x/v1",
        ),
        (
            {"actor": "rules", "actor_base_url": "http://x"},
            "actor 'rules' has no model: leave out --actor-base-url http://x",
        ),
        ({"actor": "react"}, "actor 'react' needs a model: name one as provider/model"),
        ({"reflector": "rewrite", "actor": "rules"}, "reflector 'rewrite' needs a model"),
        ({"actor_temperature": 0.5, "actor_max_tokens": 9}, "leave out --actor-temperature, --actor-max-tokens"),
        ({"actor_decoding": "json"}, "actor 'rules' has no decoding: leave out --actor-decoding"),
        ({"reflector": "blind:rules", "actor": "rules", "reflector_top_p": 0.5}, "leave out --reflector-top-p"),
        ({"reflector": "openai/m", "actor_top_p": 1.5}, "actor_top_p: 1.5 is above the maximum of 1"),
        ({"reflector": "openai/m", "reflector_top_p": 0}, "reflector_top_p: 0 is not greater than 0"),
        ({"reflector": "openai/m", "actor_stop": [3]}, "actor_stop.0: 3 is not a text"),
        ({"reflector": "openai/m", "actor_stop": ["x", ""]}, "a text of --actor-stop or --reflector-stop is empty"),
        ({"reflector": "openai/"}, "'openai/' lacks the name of a model: write openai/MODEL"),
    ],
)
def test_invalid_options_are_refused_in_one_line(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        plan(**options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"suite": "minihack-v9"}, "unknown suite 'minihack-v9'; did you mean 'minihack-v1'"),
        ({"suite": None, "env": "nethack"}, "no suite has the environment 'nethack'"),
        ({"families": "read,raed"}, "no family 'raed'; did you mean 'read'"),
        ({"reflector": "opneai/gpt"}, "unknown model provider 'opneai'; did you mean 'openai'"),
        ({"actor": "openia/gpt"}, "unknown model provider 'openia'; did you mean 'openai'"),
        ({"actor": "ruels"}, "unknown actor 'ruels'; did you mean 'rules'"),
        ({"reflector": "nome", "actor": "rules"}, "unknown reflector 'nome'; did you mean 'none'"),
        ({"reflector": "blind:nome", "actor": "rules"}, "unknown reflector 'nome'; did you mean 'none'"),
        ({"actor": "no.such.module:Actor"}, "module 'no' cannot be found"),
        ({"actor": "ictbench.scripted.policy:Nobody"}, "module 'ictbench.scripted.policy' has no class 'Nobody'"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_one(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        plan(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"turns": 2000, "batch_size": 6}, "turns x batch size = 12000 tasks requested, there are 10000"),
        ({"selection_size": 201}, "selection pool .* 201 tasks requested, each loop has 200"),
        ({"test_size": 1001}, "test pool .* 1001 tasks requested, each loop has 1000"),
    ],
)
def test_a_pool_too_small_is_refused_before_anything_runs(
    tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    for call in (ictbench.dry_run, partial(ictbench.run, out=tmp_path / "out")):
        with pytest.raises(PoolTooSmallError, match=message):
            call(suite="minihack-v1", families="room-random", **options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "families", ["read,zap", " zap , read ", ["read", "zap"], ("zap,read",), ["zap", "read", "zap"]]
)
def test_families_have_the_order_of_the_suite(families: Any) -> None:
    assert plan(families=families).families == ("read", "zap")


def test_the_default_actor_is_the_reflectors_model_at_its_address() -> None:
    resolved = plan(reflector="openai/tiny", reflector_base_url="http://localhost:1/v1")
    assert resolved.actor.model is not None
    assert resolved.reflector.model is not None
    assert (resolved.actor.label, resolved.actor.name, resolved.reflector.name) == ("openai/tiny", "react", "rewrite")
    assert resolved.actor.model.base_url == resolved.reflector.model.base_url == "http://localhost:1/v1"
    own = plan(reflector="openai/tiny", reflector_base_url="http://r", actor_base_url="http://a").actor.model
    assert own is not None
    assert own.base_url == "http://a"
    # A named actor does not use the address of the reflector.
    named = plan(reflector="openai/tiny", reflector_base_url="http://r", actor="openai/other").actor.model
    assert named is not None
    assert named.base_url is None


def test_models_have_the_decoding_of_the_suite() -> None:
    suite = ictbench.load_suite("minihack-v1")
    resolved = plan(reflector="openai/tiny")
    for player, decoding in [(resolved.actor, suite.actor), (resolved.reflector, suite.reflector)]:
        assert player.model is not None
        assert (player.model.temperature, player.model.max_tokens) == (decoding.temperature, decoding.max_tokens)
    fewer = plan(reflector="openai/tiny", actor_max_tokens=7)
    assert fewer.actor.model is not None
    assert fewer.reflector.model is not None
    assert (fewer.actor.model.max_tokens, fewer.reflector.model.max_tokens) == (7, suite.reflector.max_tokens)


def test_a_hand_written_prompt_is_read_when_the_plan_is_made(tmp_path: Path) -> None:
    path = tmp_path / "prompt.txt"
    path.write_text("\nWalk onto the stairs.\n", encoding="utf-8")
    reflector = plan(reflector=f"file:{path}", actor="rules").reflector
    assert (reflector.name, reflector.options) == ("file", {"text": "Walk onto the stairs."})


@pytest.mark.parametrize("content", [None, b"", b" \n ", b"\xff\xfe"])
def test_a_prompt_file_that_cannot_be_used_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "prompt.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"prompt file .*prompt.txt' (cannot be read|is empty)"):
        plan(reflector=f"file:{path}", actor="rules")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"turns": 9}, ("turns 9 instead of 10",)),
        ({"loops": 11, "test_size": 40}, ("loops 11 instead of 10", "test_size 40 instead of 50")),
        ({"max_steps": 30}, ("max_steps 30 instead of 25",)),
        ({"families": "held-out"}, ()),
        ({"families": "meta-train,zap"}, ("held-out families left out: puton, read, room-dark",)),
        ({"reflector": "openai/m", "actor_max_tokens": 100}, ("actor_max_tokens 100 instead of 500",)),
        ({"reflector": "openai/m", "actor_temperature": 0.7, "actor_top_p": 0.9, "actor_stop": ["x"]}, ()),
        ({"max_connections": 99}, ()),
        ({"test_every_turn": True}, ()),
        ({"audit": True}, ()),
        ({"online": True}, ()),
    ],
)
def test_deviations_from_profile_and_suite_are_named(options: dict[str, Any], message: tuple[str, ...]) -> None:
    assert plan(profile="standard", **options).deviations() == message


def test_trained_families_are_those_stated_or_those_declared_by_the_reflector(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_arm.py").write_text(
        "from ictbench.reflectors.controls.none import NoneReflector\n"
        "class Trained(NoneReflector):\n    trained_on = ('read', 'alfworld-v1/heat')\n"
        "class Silent(NoneReflector):\n    trained_on = None\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert plan(reflector="openai/x").trained_on is None
    assert plan(reflector="openai/x", reflector_trained_on="nothing").trained_on == ()
    assert plan(reflector="openai/x", reflector_trained_on="eat").trained_on == ("minihack-v1/eat",)
    for reflector in ("rules", "none"):
        assert plan(reflector=reflector, actor="rules").trained_on == ()
    own = plan(reflector="own_arm:Trained", actor="rules")
    assert own.trained_on == ("alfworld-v1/heat", "minihack-v1/read")
    assert own.deviations() == ("reflector trained on held-out read",)
    assert plan(reflector="own_arm:Silent", actor="rules").trained_on is None
    # It does not change what is played, so a run may be continued with another statement.
    assert own.identity() == plan(reflector="own_arm:Trained", actor="rules", reflector_trained_on="nothing").identity()


def test_training_of_the_actor_is_stated_or_declared_and_makes_a_run_unranked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_actor.py").write_text(
        "from ictbench.scripted.policy import RulesActor\nclass Trained(RulesActor):\n    trained_on = ('zap',)\n"
        "class Silent(RulesActor):\n    trained_on = None\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert plan(reflector="rules", actor="openai/x").actor_trained_on is None
    assert plan(reflector="rules", actor="openai/x", actor_trained_on="nothing").actor_trained_on == ()
    for actor in ("rules", "random", "solver"):
        assert plan(reflector="rules", actor=actor).actor_trained_on == ()
    assert plan(reflector="rules", actor="own_actor:Silent").actor_trained_on is None
    own = plan(reflector="rules", actor="own_actor:Trained")
    assert (own.actor_trained_on, own.trained_on) == (("minihack-v1/zap",), ())
    assert own.deviations() == ("actor trained on held-out zap",)
    stated = plan(reflector="rules", actor="own_actor:Trained", actor_trained_on="eat,other:x")
    assert (stated.actor_trained_on, stated.deviations()) == (("minihack-v1/eat", "other:x"), ())
    assert own.identity() == stated.identity()


def test_one_model_in_both_roles_has_one_training() -> None:
    both = plan(reflector="openai/x", reflector_trained_on="zap")
    assert both.actor_trained_on == ("minihack-v1/zap",)
    assert both.deviations() == ("reflector trained on held-out zap", "actor trained on held-out zap")
    assert plan(reflector="openai/x", actor="openai/x", reflector_trained_on="zap").actor_trained_on is not None
    assert plan(reflector="openai/x", actor="openai/y", reflector_trained_on="zap").actor_trained_on is None
    assert plan(reflector="openai/x", reflector_trained_on="zap", actor_trained_on="eat").actor_trained_on == (
        "minihack-v1/eat",
    )


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ("zapp", "suite minihack-v1 has no family 'zapp'"),
        ("nothing,zap", "'nothing' cannot be combined"),
        ("other:held out too", "may mean families of a suite"),
        ("mini/zap", "'mini' is not a suite"),
    ],
)
def test_unclear_training_of_the_actor_is_refused(names: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        plan(reflector="rules", actor_trained_on=names)


def test_the_identity_of_a_run_holds_what_determines_its_result() -> None:
    plain = plan(reflector="openai/m").identity()
    different: list[dict[str, Any]] = [
        {"turns": 9},
        {"families": "zap"},
        {"max_steps": 3},
        {"test_every_turn": True},
        {"audit": True},
        {"online": True},
        {"reflector": "blind:openai/m"},
        {"actor": "rules"},
        {"reflector": "openai/n", "actor": "openai/m"},
        {"actor_model_options": {"n_ctx": 512}},
        {"actor_history": 3},
        {"actor_decoding": "json"},
        {"profile": "lite"},
    ]
    for options in different:
        assert plan(**{"reflector": "openai/m", **options}).identity() != plain
    assert plan(reflector="openai/m", max_connections=3).identity() == plain
    # The same model may be served elsewhere.
    assert plan(reflector="openai/m", reflector_base_url="http://other").identity() == plain
    assert plan(reflector="openai/m", suite=None, env="minihack").identity() == plain


SIZE = st.integers(1, 6)


@settings(max_examples=25)
@given(turns=SIZE, batch=SIZE, loops=SIZE, selection=SIZE, test=SIZE, every=st.booleans(), model=st.booleans())
def test_a_dry_run_counts_upper_bounds(
    turns: int, batch: int, loops: int, selection: int, test: int, every: bool, model: bool
) -> None:
    bounds = plan(
        families="read,zap",
        turns=turns,
        batch_size=batch,
        loops=loops,
        selection_size=selection,
        test_size=test,
        test_every_turn=every,
        max_steps=7,
        reflector="openai/m" if model else "rules",
    ).episode_bounds()
    tested = turns + 1 if every or turns == 1 else 3
    total = 2 * loops * (turns * batch + (turns + 1) * selection + tested * test)
    assert bounds == {
        "experience_episodes": 2 * loops * turns * batch,
        "selection_episodes": 2 * loops * (turns + 1) * selection,
        "test_episodes": 2 * loops * tested * test,
        "episodes": total,
        "reflections": 2 * loops * turns,
        "actor_calls": total * 7 if model else 0,
        "reflector_calls": 2 * loops * turns if model else 0,
    }


def test_any_reflector_can_be_blinded(tmp_path: Path) -> None:
    path = tmp_path / "prompt.txt"
    path.write_text("Play.", encoding="utf-8")
    for name in ("rules", "openai/m", f"file:{path}", "none"):
        seeing, blind = (plan(reflector=f"{word}{name}", actor="rules").reflector for word in ("", "blind:"))
        assert (blind.label, blind.name, blind.model) == (f"blind:{seeing.label}", "blind", seeing.model)
        assert blind.options == {"reflector": seeing.model_dump(mode="json", exclude={"model"})}
        if seeing.model is None:
            make_reflector(blind, None)
    # The default actor is that of the wrapped reflector.
    assert plan(reflector="blind:openai/m").actor == plan(reflector="openai/m").actor
    assert plan(reflector="blind:rules").actor.label == "rules"


def test_an_audit_plays_two_more_batches_a_turn_but_the_last() -> None:
    options: dict[str, Any] = {"families": "read,zap", "turns": 4, "batch_size": 3, "loops": 5}
    plain, audited = plan(**options).episode_bounds(), plan(**options, audit=True).episode_bounds()
    assert audited.pop("audit_episodes") == 2 * 5 * (4 - 1) * 2 * 3
    assert audited == plain | {"episodes": plain["episodes"] + 180}


def test_online_measures_play_at_most_the_experience_under_two_prompts_without_the_first_batch() -> None:
    options: dict[str, Any] = {"families": "read,zap", "turns": 4, "batch_size": 3, "loops": 5}
    plain, online = plan(**options).episode_bounds(), plan(**options, online=True).episode_bounds()
    assert online.pop("online_episodes") == 2 * 5 * (2 * 4 - 1) * 3
    assert online == plain | {"episodes": plain["episodes"] + 210}
    assert "online" not in plan(**options).identity()


def test_a_dry_run_returns_the_bounds_of_the_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    options: dict[str, Any] = {"suite": "minihack-v1", "families": "read", "loops": 1}
    assert ictbench.dry_run(**options).counts == plan(**options).episode_bounds()
    assert list(tmp_path.iterdir()) == []


def test_the_loops_of_a_plan_are_those_of_the_protocol() -> None:
    loops = list(plan(families="read,zap", turns=2, batch_size=3, loops=2, selection_size=4, test_size=5).loops())
    assert [(loop.family, loop.index) for loop in loops] == [("read", 0), ("read", 1), ("zap", 0), ("zap", 1)]
    suite = ictbench.load_suite("minihack-v1")
    for loop in loops:
        order = suite.experience_order(loop.family, loop.index, 6)
        assert loop.batches == (tuple(order[:3]), tuple(order[3:]))
        assert list(loop.selection) == suite.scoring_tasks("selection", loop.family, loop.index, 4)
        assert list(loop.test) == suite.scoring_tasks("test", loop.family, loop.index, 5)
        assert (loop.prompt, loop.prompt_bytes) == (suite.prompt, 8000)


def test_chosen_loops_are_planned_named_as_a_deviation_and_part_of_the_identity() -> None:
    first = plan(families="eat", loops=2)
    later = replace(first, loop_indices=(7, 9))
    assert [loop.index for loop in later.loops()] == [7, 9]
    assert [loop.index for loop in first.loops()] == [0, 1]
    assert "loops 7, 9 instead of the first 2" in later.deviations()
    assert later.identity() == {**first.identity(), "loop_indices": [7, 9]}


def test_arms_play_the_same_tasks() -> None:
    one = list(plan(families="read").loops())
    assert one == list(plan(families="read,zap", reflector="none", actor="rules").loops())[: len(one)]


def test_errors_of_a_plan_are_usage_errors() -> None:
    for error in (ConfigError, PoolTooSmallError, UnknownNameError):
        assert issubclass(error, UsageError)


def test_sampling_is_the_identity_of_a_player_and_of_no_other() -> None:
    stop = ["Observation:", "a, b\n"]
    chosen = plan(reflector="openai/m", actor_temperature=0.7, actor_stop=stop, actor_reasoning_effort="low")
    assert chosen.actor.model
    assert chosen.actor.model.stop == tuple(stop)
    assert (chosen.actor.model.temperature, chosen.actor.model.reasoning_effort) == (0.7, "low")
    assert chosen.reflector.model == plan(reflector="openai/m").reflector.model
    assert chosen.identity()["actor"] != plan(reflector="openai/m").identity()["actor"]
    reflecting = plan(
        reflector="cheatsheet:openai/m", reflector_top_p=0.5, reflector_stop="x, y", reflector_max_tokens=9
    )
    assert reflecting.reflector.model
    assert (reflecting.reflector.model.top_p, reflecting.reflector.model.stop) == (0.5, ("x, y",))
    assert reflecting.reflector.model.max_tokens == 9
    assert reflecting.actor.model == plan(reflector="cheatsheet:openai/m").actor.model


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"actor_temperature": 0.7}, "openai/o3 takes no temperature; remove --actor-temperature"),
        ({"reflector_temperature": 1.0}, "openai/o3 takes no temperature; remove --actor-temperature or --reflector-"),
        ({}, ""),
    ],
)
def test_a_temperature_that_a_model_does_not_take_is_refused_only_if_the_user_chose_it(
    options: dict[str, Any], message: str
) -> None:
    chosen = plan(
        reflector="openai/o3", reflector_base_url="http://127.0.0.1:1", actor_base_url="http://127.0.0.1:1", **options
    )
    if not message:
        open_players(chosen, ModelPool())
        return
    with pytest.raises(ConfigError, match=message):
        open_players(chosen, ModelPool())
