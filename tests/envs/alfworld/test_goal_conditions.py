"""Goal conditions are those of ALFRED, whose own classes count them here."""

from __future__ import annotations

import importlib.util
import random
import sys
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from official_games import official_games_folder

from ictbench import load_suite
from ictbench.envs.alfworld.alfworld_env import AlfworldEnv
from ictbench.envs.alfworld.game_state import GameState
from ictbench.envs.alfworld.goal_conditions import GoalConditions
from ictbench.envs.alfworld.pddl import parse_goal, parse_problem
from ictbench.envs.alfworld.procgen import GOALS
from ictbench.envs.alfworld.rooms import load_object_rules
from ictbench.errors import EnvError

PARAMETERS = {"object_target": "Mug", "parent_target": "Cabinet", "toggle_target": "DeskLamp", "mrecep_target": ""}
MUGS = ("mug_1", "mug_2", "mug_3")
RECEPTACLES = ("cabinet_1", "cabinet_2", "fridge_1", "table_1")
PLACES = st.sampled_from([*RECEPTACLES, "hand"])
TREATED = st.sets(st.sampled_from(MUGS))

FACTS = [
    *(("objecttype", mug, "mugtype") for mug in MUGS),
    *((able, mug) for able in ("cleanable", "heatable", "coolable") for mug in MUGS),
    ("objecttype", "lamp_1", "desklamptype"),
    ("toggleable", "lamp_1"),
    *(("receptacletype", name, f"{name[:-2]}type") for name in RECEPTACLES),
    *(("receptacleatlocation", name, f"at_{name}") for name in RECEPTACLES),
    ("inreceptacle", "lamp_1", "table_1"),
]
"""Facts of a kitchen in which the lamp is on the table; the mugs may be anywhere."""


@dataclass(frozen=True)
class Scene:
    """State of the kitchen that can change."""

    places: tuple[str, ...]
    """Place of each mug; the one in the hand is the last of those that are there."""
    clean: set[str]
    hot: set[str]
    cool: set[str]
    lamp_on: bool
    agent: str
    """Receptacle at which the agent is."""

    @property
    def held(self) -> str | None:
        return next((mug for mug, place in zip(MUGS, self.places, strict=True) if place == "hand"), None)

    def contents(self, receptacle: str) -> list[str]:
        return [mug for mug, place in zip(MUGS, self.places, strict=True) if place == receptacle]


SCENES = st.builds(
    Scene,
    places=st.tuples(PLACES, PLACES, PLACES).filter(lambda places: places.count("hand") <= 1),
    clean=TREATED,
    hot=TREATED,
    cool=TREATED,
    lamp_on=st.booleans(),
    agent=st.sampled_from(RECEPTACLES),
)


@pytest.fixture(scope="module")
def alfred() -> ModuleType:
    """ALFRED's tasks as the alfworld package ships them, without the simulator that they import."""
    helpers: dict[str, dict[str, Any]] = {
        "alfworld.gen.graph": {"graph_obj": None},
        "alfworld.gen.utils.game_util": {"get_objects_with_name_and_prop": objects_with_name_and_property},
        "alfworld.env.reward": {"get_action": None},
    }
    found = importlib.util.find_spec("alfworld")
    assert found is not None
    assert found.submodule_search_locations
    spec = importlib.util.spec_from_file_location("alfred", f"{found.submodule_search_locations[0]}/env/tasks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        for name, attributes in helpers.items():
            patch.setitem(sys.modules, name, ModuleType(name))
            vars(sys.modules[name]).update(attributes)
        spec.loader.exec_module(module)
    return module


def objects_with_name_and_property(name: str, prop: str, metadata: Any) -> list[Any]:
    return [thing for thing in metadata["objects"] if name in thing["objectId"] and thing.get(prop)]


def counted_by_alfred(alfred: ModuleType, family: str, scene: Scene) -> float:
    """Return the share of conditions that ALFRED's own class counts."""
    task: Any = object.__new__(vars(alfred)[f"{GOALS[family].title().replace('_', '')}Task"])
    task.traj = {"pddl_params": PARAMETERS}
    treated = {"cleaned": scene.clean, "heated": scene.hot, "cooled": scene.cool}
    task.env = SimpleNamespace(**{f"{treatment}_objects": ids(mugs) for treatment, mugs in treated.items()})
    state = SimpleNamespace(
        metadata={
            "objects": [
                *({"objectId": mug, "pickupable": True} for mug in ids(MUGS)),
                *(
                    {"objectId": name.title(), "receptacle": True, "receptacleObjectIds": ids(scene.contents(name))}
                    for name in RECEPTACLES
                ),
                {
                    "objectId": "DeskLamp_1",
                    "toggleable": True,
                    "isToggled": scene.lamp_on,
                    "visible": scene.agent == "table_1",
                },
            ],
            "inventoryObjects": [{"objectId": mug} for mug in ids([scene.held] if scene.held else [])],
        }
    )
    met, total = task.goal_conditions_met(state)
    return float(met / total)


def ids(mugs: Any) -> list[str]:
    return [mug.title() for mug in mugs]


def state_of(scene: Scene) -> GameState:
    """Return the state of a game in which the scene holds."""
    kinds = {"mug": "object", "lamp": "object", "agent1": "agent", "at": "location"}
    facts = [*FACTS, ("atlocation", "agent1", f"at_{scene.agent}")]
    for mug, place in zip(MUGS, scene.places, strict=True):
        facts.append(("holds", "agent1", mug) if place == "hand" else ("inreceptacle", mug, place))
    for predicate, mugs in (("isclean", scene.clean), ("ishot", scene.hot), ("iscool", scene.cool)):
        facts += [(predicate, mug) for mug in mugs]
    facts += [("istoggled", "lamp_1")] if scene.lamp_on else []
    names = {name for fact in facts for name in fact[1:]}
    state = GameState({name: kinds.get(name.split("_")[0], "receptacle") for name in names}, {}, {})
    for predicate, *arguments in facts:
        state.add(predicate, tuple(arguments))
    return state


def goal_of(family: str) -> str:
    goal = load_object_rules().goals[GOALS[family]]["pddl"].replace("#", "-")
    return str(goal.format(obj="Mug", recep="Cabinet", toggle="DeskLamp"))


@pytest.mark.parametrize("family", GOALS)
@given(scene=SCENES)
def test_the_conditions_are_those_that_alfred_counts(alfred: ModuleType, family: str, scene: Scene) -> None:
    conditions = GoalConditions.of(parse_goal(goal_of(family)), FACTS)
    assert conditions is not None
    assert conditions.share_met(state_of(scene)) == pytest.approx(counted_by_alfred(alfred, family, scene))


@pytest.mark.parametrize(
    ("family", "part", "other"),
    [
        ("pick", "(inReceptacle ?o ?r)", "(forall (?x - object) (isClean ?x))"),
        ("pick", "(inReceptacle ?o ?r)", "(holds agent1 ?o)"),
        ("heat", "(isHot ?o)", "(isHot ?o) (isClean ?o)"),
        ("pick-two", "(inReceptacle ?o2 ?r)", "(inReceptacle ?o2 cabinet_2)"),
        ("pick-two", "(objectType ?o2 MugType)", "(objectType ?o2 CupType)"),
        ("look", "(isToggled ?ot)", "(isToggled ?o)"),
    ],
)
def test_a_goal_of_another_kind_has_no_conditions(family: str, part: str, other: str) -> None:
    goal = goal_of(family)
    assert part in goal
    assert GoalConditions.of(parse_goal(goal.replace(part, other)), FACTS) is None


@pytest.mark.parametrize("suite", ["alfworld-procgen-v1", "alfworld-v1"])
def test_progress_is_1_exactly_when_a_game_is_won(suite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if suite == "alfworld-v1":
        monkeypatch.setenv("ALFWORLD_DATA", str(official_games_folder()))
    loaded, env, rng = load_suite(suite), AlfworldEnv(), random.Random(0)
    for family in loaded.families:
        (task,) = loaded.scoring_tasks("test", family, 0, 1)
        observations = [env.reset(task)]
        solution = env.solve()
        observations += [env.step(command) for command in solution]
        observations.append(env.reset(task))
        for _ in range(10):
            observations.append(env.step(rng.choice(observations[-1].actions)))
        for observation in observations:
            assert observation.progress is not None
            assert (observation.progress == 1) == (observation.end == "solved")
        assert [observation.end for observation in observations].count("solved") >= 1
    env.close()


def test_the_goal_alone_is_parsed_as_within_the_problem() -> None:
    text = "(define (problem p) (:objects a - b) (:init (c a)) (:GOAL (and (d ?x) (e))) (:metric minimize (cost)))"
    assert parse_goal(text) == parse_problem(text).goal


@pytest.mark.parametrize("text", ["(define (problem p))", "(:goal (and (a)", "(:goal)", "(:goal (a) (b))"])
def test_a_goal_that_cannot_be_read_is_an_error(text: str) -> None:
    with pytest.raises(EnvError, match=r"not a PDDL problem: .*goal"):
        parse_goal(text)
