"""Following patterns of actions. The words are invented, as the scripted actor knows no game."""

from __future__ import annotations

import asyncio
import random

from ictbench.actors import History
from ictbench.records import Step
from ictbench.rules_text.rules import Act, Before, Choose, Hold, Line, Rule
from ictbench.scripted.pattern_following import Situation
from ictbench.scripted.policy import RulesActor

TEXT = "You stand in a hall.\n\nYour wish is: rinse a red plim and have it at the dask."
WISH = Line("Your wish is:")
HOLD = Hold("grab …", "drop … on …")
ORDER = Before("rinse", "rinse … in …", "drop …", "walk to font …")


def history(now: tuple[str, ...], *past: tuple[str, tuple[str, ...]]) -> History:
    """Return a history from the actions available now and past steps of (executed, available beside it)."""
    steps = [
        Step(
            observation=TEXT if index == 0 else "On you go.",
            actions=(executed, *available),
            digest="",
            thought="",
            proposed=executed,
            executed=executed,
        )
        for index, (executed, available) in enumerate(past)
    ]
    return History(steps, "On you go." if past else TEXT, now, 25)


def choices(rule: Act | Before, episode: History, *others: Rule) -> set[str | None]:
    """Return all actions by which a rule is followed, over several seeds."""
    situation = Situation.of([WISH, *others, rule], episode)
    assert situation is not None
    return {situation.choose(rule, random.Random(seed)) for seed in range(20)}


def test_without_the_declaration_or_the_line_there_is_no_situation() -> None:
    assert Situation.of([Act("walk …")], history(("walk to dask 1",))) is None
    assert Situation.of([Line("Your duty is:")], history(("walk to dask 1",))) is None


def test_an_action_that_matches_is_chosen() -> None:
    available = ("walk to dask 1", "walk to shelf 1", "grab plim 2 off shelf 1", "grab vump 1 off shelf 1")
    assert choices(Act("grab <named> off …"), history(available)) == {"grab plim 2 off shelf 1"}
    assert choices(Act("walk to <other>"), history(available)) == {"walk to shelf 1"}
    assert choices(Act("rinse …"), history(available)) == {None}


def test_of_equal_actions_the_one_with_fewest_alike_is_chosen() -> None:
    available = ("walk to shelf 1", "walk to shelf 2", "walk to font 1")
    assert choices(Act("walk to …"), history(available)) == {"walk to font 1"}
    assert choices(Act("walk to …"), history(available[:2])) == {"walk to shelf 1", "walk to shelf 2"}


def test_no_action_is_repeated_while_the_same_is_held() -> None:
    both = ("walk to shelf 1", "walk to shelf 2")
    went, grabbed = ("walk to shelf 1", ()), ("grab plim 1", ())
    assert choices(Act("walk to …"), history(both, went), HOLD) == {"walk to shelf 2"}
    assert choices(Act("walk to …"), history(both[:1], went), HOLD) == {None}
    assert choices(Act("walk to …"), history(both[:1], went, grabbed), HOLD) == {"walk to shelf 1"}
    assert choices(Act("walk to …"), history(both, went, grabbed), HOLD) == {"walk to shelf 2"}


def test_what_is_held_is_known_from_what_was_done() -> None:
    now, grabbed, dropped = ("walk to dask 1",), ("grab plim 1", ()), ("drop plim 1 on shelf 1", ())
    with_full, with_empty = Act("walk …", held="something"), Act("walk …", held="nothing")
    for past, full in (((), False), ((grabbed,), True), ((grabbed, dropped), False)):
        assert (choices(with_full, history(now, *past), HOLD) == {now[0]}) == full
        assert (choices(with_empty, history(now, *past), HOLD) == {now[0]}) != full


def test_a_rule_for_a_word_applies_if_the_line_names_it() -> None:
    now = ("walk to dask 1",)
    assert choices(Act("walk …", "rinse"), history(now)) == {"walk to dask 1"}
    assert choices(Act("walk …", "scorch"), history(now)) == {None}


def test_what_was_offered_and_left_can_be_returned_to() -> None:
    rule = Act("walk to …", offered="grab <named> off …")
    now = ("walk to shelf 1", "walk to shelf 2")
    to_first, to_second = ("walk to shelf 1", ()), ("walk to shelf 2", ("grab plim 1 off shelf 1",))
    held, put = ("grab vump 1 off shelf 2", ()), ("drop vump 1 on shelf 2", ())
    assert choices(rule, history(now, to_first, to_second), HOLD) == {None}  # None twice while the same is held.
    assert choices(rule, history(now, to_first, to_second, held, put), HOLD) == {"walk to shelf 1"}
    taken = ("grab plim 1 off shelf 1", ())
    assert choices(rule, history(now, to_first, taken, put), HOLD) == {None}


def test_what_the_line_asks_for_is_done_before() -> None:
    grabbed, rinsed = ("grab plim 1", ()), ("rinse plim 1 in font 3", ())
    drop = Act("drop <named> on <named>")
    on_dask, to_font = "drop plim 1 on dask 1", "walk to font 3"
    assert choices(drop, history((on_dask, to_font), grabbed), HOLD, ORDER) == {None}
    assert choices(ORDER, history((on_dask, to_font), grabbed), HOLD) == {to_font}
    assert choices(ORDER, history((on_dask, to_font, "rinse plim 1 in font 3"), grabbed), HOLD) == {
        "rinse plim 1 in font 3"
    }
    assert choices(drop, history((on_dask, to_font), grabbed, rinsed), HOLD, ORDER) == {on_dask}
    assert choices(ORDER, history((on_dask, to_font), grabbed, rinsed), HOLD) == {None}
    brief = Before("", "rinse", "drop")
    assert choices(drop, history((on_dask, to_font), grabbed), HOLD, brief) == {None}
    assert choices(drop, history((on_dask, to_font), grabbed, rinsed), HOLD, brief) == {on_dask}
    scorch = Before("scorch", "scorch …", "drop …")
    assert choices(drop, history((on_dask, to_font), grabbed), HOLD, scorch) == {on_dask}


def test_the_actor_follows_rules_in_the_order_of_the_prompt_and_ignores_patterns_without_a_line() -> None:
    episode = history(("walk to dask 1", "grab plim 1", "ponder"))
    rules: list[Rule] = [Act("grab <named>"), Choose("You stand", "ponder")]

    def chosen(*written: Rule) -> set[str | None]:
        prompt = "\n".join(map(str, written))
        return {asyncio.run(RulesActor().act(prompt, episode, seed)).action for seed in range(20)}

    assert chosen(WISH, *rules) == {"grab plim 1"}
    assert chosen(*reversed(rules), WISH) == {"ponder"}
    assert chosen(*rules) == {"ponder"}
    assert chosen(rules[0]) == set(episode.actions)
