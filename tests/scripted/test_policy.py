from __future__ import annotations

import asyncio
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ictbench.actors.actor import History
from ictbench.records import Decision, Step
from ictbench.rules_text import patterns, rules
from ictbench.scripted import affordances, miner, pattern_following, pattern_lessons, policy, rule_evidence
from ictbench.scripted.policy import RulesActor
from ictbench.suites import load_suite

ACTIONS = ("go north", "go east", "go south", "go west", "go northeast", "go southwest", "knock", "sing")
PLAYER = 'You are the "&".\n'
KNOCK = 'When you see "a door", choose "knock".\n'
SING = 'When you see "a door", choose "sing".\n'


def step(observation: str, executed: str | None) -> Step:
    return Step(
        observation=observation, actions=ACTIONS, digest="", thought="", proposed=executed or "fly", executed=executed
    )


def decide(
    prompt: str, observation: str, past: tuple[Step, ...] = (), actions: tuple[str, ...] = ACTIONS, seed: int = 1
) -> Decision:
    return asyncio.run(RulesActor().act(prompt, History(past, observation, actions, 25), seed))


def decide_repeatedly(prompt: str, observation: str, decisions: int) -> list[str | None]:
    """Return its actions on a screen that never changes."""
    past: list[Step] = []
    for _ in range(decisions):
        past.append(step(observation, decide(prompt, observation, tuple(past)).action))
    return [past_step.executed for past_step in past]


# No rule


def test_without_rules_it_chooses_among_the_available_actions_at_random() -> None:
    picked = Counter(decide("Play.", "A room.", seed=seed).action for seed in range(400))
    assert set(picked) == set(ACTIONS)
    assert max(picked.values()) < 100


def test_random_choices_vary_within_an_episode() -> None:
    assert len(set(decide_repeatedly("Play.", "A room.", 25))) > 3


@given(
    st.integers(0, 2**31),
    st.lists(st.sampled_from([KNOCK, SING, 'Walk onto "o".', 'After you have seen "a door", choose "fly".'])),
    st.sampled_from(["a door", "A room.", "o..\n.&.", "a door\n\n..&\no.."]),
    st.lists(st.sampled_from(ACTIONS), min_size=1, unique=True),
    st.lists(st.tuples(st.sampled_from(["a door", "o&.", "&o."]), st.none() | st.sampled_from(ACTIONS)), max_size=4),
)
def test_decisions_are_available_actions_and_deterministic(
    seed: int, rules: list[str], observation: str, actions: list[str], past: list[tuple[str, str | None]]
) -> None:
    steps = tuple(step(*past_step) for past_step in past)
    decision = decide(PLAYER + "".join(rules), observation, steps, tuple(actions), seed)
    assert decision.action in actions
    assert decision == decide(PLAYER + "".join(rules), observation, steps, tuple(actions), seed)


def test_decisions_cost_nothing() -> None:
    decision = decide("Play.", "A room.")
    assert (decision.usage.calls, decision.usage.cost, RulesActor.needs_model) == (0, 0.0, False)


# Choose rules


@pytest.mark.parametrize("seed", range(5))
def test_it_follows_the_first_rule_that_applies_and_says_so(seed: int) -> None:
    decision = decide(PLAYER + KNOCK + SING, "There is a door here.", seed=seed)
    assert (decision.action, decision.thought) == ("knock", f"A rule says: {KNOCK.strip()}")
    assert decide(PLAYER + SING + KNOCK, "There is a door here.", seed=seed).action == "sing"
    other = 'When you see "a window", choose "go north".\n'
    assert decide(other + SING + KNOCK, "There is a door here.", seed=seed).action == "sing"


def test_a_rule_for_an_unavailable_action_is_skipped() -> None:
    assert decide('When you see "a door", choose "fly".\n' + KNOCK, "There is a door here.").action == "knock"


def test_a_rule_without_effect_is_not_repeated() -> None:
    door = "There is a door here."
    assert decide(KNOCK, door, (step(door, "knock"),)).thought == "No rule applies, so I try something."
    assert decide(KNOCK + SING, door, (step(door, "knock"),)).action == "sing"
    assert decide(KNOCK, door, (step("There is a door here, ajar.", "knock"),)).action == "knock"
    assert len(set(decide_repeatedly(KNOCK, door, 40))) > 4


def test_rules_without_effect_do_not_alternate_forever() -> None:
    assert set(decide_repeatedly(KNOCK + SING, "There is a door here.", 40)) - {"knock", "sing"}


def test_a_later_rule_applies_once_after_its_phrase_was_seen() -> None:
    later = 'After you have seen "a bell", choose "sing".\n'
    heard, room = step("Hark, a bell rings.", "go north"), step("A room.", "go east")
    assert decide(later, "A room.", (heard, room)).action == "sing"
    assert decide(later, "Hark, a bell rings.").action == "sing"
    assert decide(later, "A room.", (room,)).thought.startswith("No rule applies")
    assert decide(later, "A room.", (heard, step("A room.", "sing"))).thought.startswith("No rule applies")
    assert decide(later, "A room.", (step("A room.", "sing"), heard)).action == "sing"
    now_only = 'When you see "a bell", choose "sing".\n'
    assert decide(now_only, "A room.", (heard,)).thought.startswith("No rule applies")


# Walk rules


@pytest.mark.parametrize(
    ("grid", "action"),
    [
        ("..o\n.&.\n...", "go northeast"),
        ("...\n.&.\no..", "go southwest"),
        (".o.\n...\n.&.", "go north"),
        ("&...o", "go east"),
        ("o.\n..\n..\n.&", "go northwest"),
        ("o...&..o", "go east"),
        ("Some words above.\n\n.&.\n...\n.o.\nStatus: o 3", "go south"),
    ],
)
def test_it_walks_towards_the_nearest_symbol(grid: str, action: str) -> None:
    for seed in range(5):
        decision = decide(PLAYER + 'Walk onto "o".', grid, actions=(*ACTIONS, "go northwest"), seed=seed)
        assert (decision.action, decision.thought) == (action, 'A rule says: Walk onto "o".')


def test_directions_can_be_abbreviated_and_the_first_verb_is_used() -> None:
    assert decide(PLAYER + 'Walk onto "o".', "&.o", actions=("step w", "step e", "run e")).action == "step e"


def test_choose_rules_come_before_walk_rules() -> None:
    prompt = PLAYER + 'Walk onto "o".\n' + KNOCK
    assert decide(prompt, "There is a door here.\n&.o").action == "knock"


def test_without_a_possible_step_it_acts_at_random() -> None:
    walk = 'Walk onto "o".'
    for prompt, grid in [
        (walk, "&.o"),
        (PLAYER + walk, "&.."),
        (PLAYER + walk, "..o"),
        (PLAYER + walk, "o..\n...\n..&"),
    ]:
        assert decide(prompt, grid).thought == "No rule applies, so I try something."


def test_the_walk_rule_fulfilled_least_often_comes_first() -> None:
    prompt = PLAYER + 'Walk onto "o".\nWalk onto "x".'
    assert decide(prompt, "o.&.x", (step("..&.x", None),)).action == "go west"
    past = (step("o&..x", "go west"), step("&...x", "go east"))
    assert decide(prompt, "o&..x", past).action == "go east"


def test_a_blocked_walk_is_given_up() -> None:
    assert set(decide_repeatedly(PLAYER + 'Walk onto "o".', "&#o", 40)) - {"go east"}


# No knowledge of the games


@pytest.mark.parametrize(
    "module",
    [affordances, miner, pattern_following, pattern_lessons, patterns, policy, rule_evidence, rules],
    ids=lambda m: str(m.__name__),
)
def test_the_source_names_no_family_and_no_item(module: object) -> None:
    items = {"apple", "dagger", "robe", "scroll", "wand", "amulet"}
    household = {"heat", "hot", "cool", "clean", "lamp", "desklamp", "fridge", "microwave", "sinkbasin", "alfworld"}
    names = {*load_suite("minihack-v1").families, *items, *household, "room", "dark", "nethack", "minihack", "nle"}
    source = Path(str(getattr(module, "__file__", ""))).read_text(encoding="utf-8").lower()
    assert set(re.findall(r"\w+-\w+|\w+", source)).isdisjoint(names)
    # `read` is also part of identifiers; the others are not.
    assert set(re.findall(r"[a-z]+", source)).isdisjoint(names - {"read"})
