from __future__ import annotations

from collections import Counter

import pytest
from official_games import official_games_folder

from ictbench.envs.alfworld.pddl import parse_problem
from ictbench.envs.alfworld.walkthrough import solve
from ictbench.errors import EnvError

MUG_IN_CABINET = (
    "(exists (?r - receptacle) (exists (?o - object) (and (inReceptacle ?o ?r) (objectType ?o MugType) {})))"
)
PICK = MUG_IN_CABINET.format("(receptacleType ?r CabinetType)")
CLEAN = MUG_IN_CABINET.format("(receptacleType ?r CabinetType) (cleanable ?o) (isClean ?o)")
HOT = MUG_IN_CABINET.format("(receptacleType ?r CabinetType) (isHot ?o)")
COOL_IN_FRIDGE = MUG_IN_CABINET.format("(receptacleType ?r FridgeType) (isCool ?o)")
PICK_TWO = """(exists (?r - receptacle) (exists (?o1 - object) (and (objectType ?o1 MugType)
  (receptacleType ?r CabinetType) (inReceptacle ?o1 ?r)
  (exists (?o2 - object) (and (not (= ?o1 ?o2)) (objectType ?o2 MugType) (inReceptacle ?o2 ?r))))))"""
LOOK = """(and (exists (?ot - object ?r - receptacle ?a - agent ?l - location) (and (objectType ?ot DeskLampType)
  (toggleable ?ot) (isToggled ?ot) (receptacleAtLocation ?r ?l) (atLocation ?a ?l) (inReceptacle ?ot ?r)))
  (exists (?o - object ?a - agent) (and (objectType ?o MugType) (holds ?a ?o))))"""

KITCHEN = {
    "objects": "agent1 - agent mug_1 mug_2 lamp_1 - object cabinet_1 cabinet_2 table_1 sink_1 microwave_1 fridge_1 - "
    "receptacle at_0 at_c1 at_c2 at_t at_s at_m at_f - location",
    "types": "(objectType mug_1 MugType) (objectType mug_2 MugType) (objectType lamp_1 DeskLampType) "
    "(receptacleType cabinet_1 CabinetType) (receptacleType cabinet_2 CabinetType) (receptacleType table_1 TableType) "
    "(receptacleType sink_1 SinkBasinType) (receptacleType microwave_1 MicrowaveType) "
    "(receptacleType fridge_1 FridgeType) (canContain CabinetType MugType) (canContain FridgeType MugType)",
    "where": "(atLocation agent1 at_0) (receptacleAtLocation cabinet_1 at_c1) (receptacleAtLocation cabinet_2 at_c2) "
    "(receptacleAtLocation table_1 at_t) (receptacleAtLocation sink_1 at_s) (receptacleAtLocation microwave_1 at_m) "
    "(receptacleAtLocation fridge_1 at_f) (inReceptacle lamp_1 table_1)",
    "able": "(pickupable mug_1) (pickupable mug_2) (cleanable mug_1) (heatable mug_1) (coolable mug_1) "
    "(toggleable lamp_1) (openable cabinet_1) (openable cabinet_2) (openable fridge_1) (openable microwave_1)",
    "mugs": "(inReceptacle mug_1 table_1) (inReceptacle mug_2 cabinet_2)",
}


def commands(goal: str, **changed: str) -> list[str]:
    """Return the commands that achieve a goal in the kitchen, with some of its facts changed."""
    kitchen = KITCHEN | changed
    objects, facts = kitchen.pop("objects"), " ".join(kitchen.values())
    problem = parse_problem(f"(define (problem p) (:objects {objects}) (:init {facts}) (:goal (and {goal})))")
    return solve(problem, {name: name.replace("_", " ") for name in problem.objects})


def test_the_shortest_walkthrough_is_returned() -> None:
    on_table = "(inReceptacle mug_1 table_1) (inReceptacle mug_2 fridge_1)"
    assert commands(PICK, mugs=on_table) == [
        "go to table 1",
        "take mug 1 from table 1",
        "go to cabinet 1",
        "open cabinet 1",
        "move mug 1 to cabinet 1",
    ]


def test_a_goal_that_already_holds_needs_no_commands() -> None:
    assert commands(PICK) == []


def test_a_thing_at_its_target_is_taken_out_treated_and_put_back() -> None:
    assert commands(CLEAN, mugs="(inReceptacle mug_1 cabinet_2)") == [
        "go to cabinet 2",
        "open cabinet 2",
        "take mug 1 from cabinet 2",
        "go to sink 1",
        "clean mug 1 with sink 1",
        "go to cabinet 2",
        "move mug 1 to cabinet 2",
    ]


def test_a_heatable_thing_is_heated_without_opening_the_microwave() -> None:
    # Mug 2 is closer to its target, but cannot be heated.
    assert commands(HOT)[2:4] == ["go to microwave 1", "heat mug 1 with microwave 1"]


def test_a_cool_thing_is_not_cooled_again() -> None:
    assert commands(COOL_IN_FRIDGE, mugs="(inReceptacle mug_1 fridge_1) (isCool mug_1)") == []


def test_cooling_and_placing_at_the_fridge_needs_one_visit() -> None:
    assert commands(COOL_IN_FRIDGE, mugs="(inReceptacle mug_1 table_1)") == [
        "go to table 1",
        "take mug 1 from table 1",
        "go to fridge 1",
        "cool mug 1 with fridge 1",
        "open fridge 1",
        "move mug 1 to fridge 1",
    ]


def test_two_things_are_put_into_the_same_receptacle() -> None:
    apart = "(inReceptacle mug_1 cabinet_1) (inReceptacle mug_2 cabinet_2)"
    assert commands(PICK_TWO, mugs=apart) == [
        "go to cabinet 2",
        "open cabinet 2",
        "take mug 2 from cabinet 2",
        "go to cabinet 1",
        "open cabinet 1",
        "move mug 2 to cabinet 1",
    ]


def test_two_quantifiers_may_use_the_same_variable_name() -> None:
    twice = PICK_TWO.replace("?o2", "?o1").replace("(not (= ?o1 ?o1))", "")
    assert commands(twice, mugs="(inReceptacle mug_1 cabinet_1)") == []


def test_a_thing_in_two_receptacles_stays_in_one_of_them() -> None:
    both = "(inReceptacle mug_1 cabinet_1) (inReceptacle mug_1 cabinet_2)"
    assert commands(CLEAN, mugs=both)[-1] == "clean mug 1 with sink 1"


def test_look_goals_are_met_by_holding_the_thing_and_using_the_lamp() -> None:
    assert commands(LOOK, mugs="(inReceptacle mug_1 fridge_1)") == [
        "go to fridge 1",
        "open fridge 1",
        "take mug 1 from fridge 1",
        "go to table 1",
        "use lamp 1",
    ]


def test_the_agent_goes_to_a_lamp_that_is_already_on() -> None:
    lit = "(inReceptacle mug_1 fridge_1) (isToggled lamp_1)"
    assert commands(LOOK, mugs=lit)[-2:] == ["take mug 1 from fridge 1", "go to table 1"]


def test_a_receptacle_at_the_current_location_needs_no_go_command() -> None:
    beside = KITCHEN["where"].replace("cabinet_1 at_c1", "cabinet_1 at_t")
    assert commands(PICK, where=beside, mugs="(inReceptacle mug_1 table_1)") == [
        "go to table 1",
        "take mug 1 from table 1",
        "open cabinet 1",
        "move mug 1 to cabinet 1",
    ]


@pytest.mark.parametrize(
    ("goal", "changed", "unmet"),
    [
        (PICK, {"mugs": ""}, "mug_1 must be moved, but is not in a receptacle"),
        (PICK.replace("MugType", "CupType"), {}, r"nothing in the game fits \(objecttype \?o cuptype\)"),
        (PICK.replace("CabinetType", "SafeType"), {}, r"nothing in the game fits \(receptacletype \?r safetype\)"),
        (
            PICK.replace("CabinetType", "TableType"),
            {"mugs": ""},
            r"\(inreceptacle mug_1 table_1\): the receptacle cannot hold",
        ),
        (PICK, {"able": "", "mugs": "(inReceptacle mug_1 table_1)"}, "mug_1 must be moved, but cannot be picked up"),
        (HOT, {"able": "(pickupable mug_1)"}, r"\(ishot mug_1\): mug_1 is not heatable"),
        (
            HOT,
            {"types": KITCHEN["types"].replace("MicrowaveType", "OvenType"), "mugs": "(inReceptacle mug_1 table_1)"},
            "the game has no microwave",
        ),
        (
            PICK_TWO,
            {"types": KITCHEN["types"].replace("mug_2 MugType", "mug_2 CupType")},
            "not enough different things",
        ),
        (PICK_TWO, {"where": "(atLocation agent1 at_0)"}, "table_1 has no location"),
        (LOOK, {"able": "(pickupable mug_1) (pickupable mug_2)"}, r"nothing in the game fits \(toggleable \?ot\)"),
        (LOOK, {"where": KITCHEN["where"].replace("(inReceptacle lamp_1 table_1)", "")}, r"lamp_1"),
        (LOOK.replace("(toggleable ?ot)", ""), {"able": "(pickupable mug_1)"}, "lamp_1 cannot be used where it is"),
        (
            HOT.replace("(isHot ?o)", "(isHot ?o) (isCool ?o)"),
            {},
            r"\(ishot mug_1\) cannot hold together with the rest",
        ),
        ("(exists (?a - agent) (and (holds ?a mug_1) (holds ?a mug_2)))", {}, "the agent holds another thing"),
        ("(exists (?a - agent) (and (holds ?a mug_1) (atLocation ?a at_0)))", {}, "no receptacle is at this location"),
        (HOT.replace("isHot", "isSliced"), {}, r"nothing in the game fits \(issliced \?o\)"),
        (f"(not {PICK})", {}, r"does not understand \(not \(exists"),
        (f"(or {PICK} {HOT})", {}, r"does not understand \(or"),
        ("(inReceptacle (mug_1) cabinet_1)", {}, r"does not understand \(mug_1\)"),
        (PICK, {"objects": KITCHEN["objects"].replace("- agent", "- agent agent2 - agent")}, "2 agents"),
    ],
)
def test_an_unsolvable_game_is_an_error_that_names_the_unmet_part_of_the_goal(
    goal: str, changed: dict[str, str], unmet: str
) -> None:
    with pytest.raises(EnvError, match=unmet) as caught:
        commands(goal, **changed)
    assert str(caught.value).startswith("unsolvable: ")
    assert "\n" not in str(caught.value)


def test_official_games_of_every_family_are_won_within_twelve_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("textworld")
    monkeypatch.setenv("ALFWORLD_DATA", str(official_games_folder()))
    from ictbench.envs.alfworld.alfworld_env import AlfworldEnv
    from ictbench.suites.load import load_suite

    env, won = AlfworldEnv(), Counter[str]()
    suite = load_suite("alfworld-v1")
    for family in suite.families:
        for task in suite.scoring_tasks("test", family, 0, 2):
            observation = env.reset(task)
            solution = env.solve()
            assert len(solution) <= 12
            for command in solution:
                assert command in observation.actions
                assert observation.end is None
                observation = env.step(command)
            won[family] += observation.end == "solved"
    env.close()
    assert won == dict.fromkeys(suite.families, 2)
