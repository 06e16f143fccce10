"""Games of textworld-v1, by family: equal games and equal starts in experience and test, and lengths of walkthroughs.

    python benchmarks/textworld_games.py [LOOPS]

Generates the games of each loop of the standard profile, without compiling them: minutes for all ten loops. A game is
compared by its task, its walkthrough, the names and descriptions of everything in it, and all its facts. A start is the
task, and the room with all that is visible in it. The last columns compare any two different tasks of a family.
"""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

from tabulate import tabulate

from ictbench.envs.textworld_games.generator import LOCK, make_game
from ictbench.envs.textworld_games.settings import settings_of
from ictbench.protocol import loop_plan
from ictbench.records import digest_of
from ictbench.suites import load_suite

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ictbench.records import Task

SUITE = load_suite("textworld-v1")
HEADERS = ("family", "games", "whole games", "starts", "shortest", "median", "longest", "equal games in all pools")


def main() -> None:
    """Print the table."""
    sizes = SUITE.profiles["standard"]
    loops = int(sys.argv[1]) if len(sys.argv) > 1 else sizes.loops
    print(
        f"textworld-v1, {loops} loops of the standard profile; shares of test tasks that occur in the loop's experience"
    )
    rows = [row(family, loops) for family in SUITE.families]
    print(tabulate(rows, HEADERS, floatfmt=".3f"))


def row(family: str, loops: int) -> list[Any]:
    """Return the figures of a family."""
    plans = [loop_plan(SUITE, family, loop, SUITE.profiles["standard"]) for loop in range(loops)]
    tasks = {task.id: task for plan in plans for task in plan.tasks}
    games = {id_: describe(task) for id_, task in tasks.items()}
    lengths = sorted(length for _, _, length in games.values())

    def shared(part: int) -> float:
        found = [
            games[task.id][part] in seen
            for plan in plans
            for seen in [{games[task.id][part] for batch in plan.batches for task in batch}]
            for task in plan.test
        ]
        return sum(found) / len(found)

    repeated = sum(count - 1 for count in Counter(whole for whole, _, _ in games.values()).values())
    return [family, len(games), shared(0), shared(1), lengths[0], lengths[len(lengths) // 2], lengths[-1], repeated]


def describe(task: Task) -> tuple[str, str, int]:
    """Return the digests of the game and of its start, and the length of the walkthrough."""
    with LOCK:
        game = make_game(settings_of(task))
    names = {id_: info.name or id_ for id_, info in game.infos.items()}
    facts = [
        (fact.name, *(names.get(variable.name, variable.name) for variable in fact.arguments))
        for fact in game.world.facts
    ]
    infos = sorted((info.name or id_, str(info.desc)) for id_, info in game.infos.items())
    whole = digest_of([game.objective, game.metadata["walkthrough"], infos, sorted(facts)])
    return whole, digest_of([game.objective, *start(facts, dict(infos))]), len(game.metadata["walkthrough"])


def start(facts: Sequence[tuple[str, ...]], descriptions: dict[str, str]) -> Iterator[Any]:
    """Yield the room of the player with its description, and the facts about all that is visible in it."""
    room = next(fact[2] for fact in facts if fact[:2] == ("at", "P"))
    visible, new = set[str](), {room, "I"}
    while new:
        visible |= new
        closed = {fact[1] for fact in facts if fact[0] in ("closed", "locked")}
        new = {fact[1] for fact in facts if fact[0] in ("at", "in", "on") and fact[2] in visible - closed} - visible
    yield descriptions[room]
    yield sorted(fact for fact in facts if {*fact[1:]} <= visible or (fact[0].endswith("_of") and room in fact))


if __name__ == "__main__":
    main()
