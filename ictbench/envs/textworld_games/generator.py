"""Generation and compilation of games with the `textworld` package.

The package keeps module-level state: its knowledge bases, parsers and interned facts. Whoever calls it holds `LOCK`.
"""

from __future__ import annotations

import functools
import re
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest import mock

from ictbench.envs.textworld_games.settings import CoinSettings, CookingSettings, TreasureSettings
from ictbench.errors import EnvError
from ictbench.records import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.envs.textworld_games.settings import Settings

LOCK = threading.RLock()
"""Held during each call of the textworld package."""

ATTEMPTS = 20
"""Draws until the package finds a quest of the wanted length."""

SEEDS = ("map", "objects", "quest", "grammar")
"""The package's random number generators, each with a seed of its own."""

TAKE = re.compile(r"take (.+?)(?: from .+)?")
"""Command that takes a thing, with its name."""


class GameFiles(NamedTuple):
    """A compiled game."""

    story: bytes
    """Z-machine program."""
    facts: bytes
    """The package's description of the game, in JSON."""


def generate(settings: Settings) -> GameFiles:
    """Generate and compile a game, which takes about a second.

    Raises:
        EnvError: The package cannot generate or compile it.
    """
    from textworld.generator import CouldNotCompileGameError, compile_game

    with LOCK, tempfile.TemporaryDirectory(prefix="ictbench-textworld-") as folder:
        game = make_game(settings)
        path = Path(folder, "game.z8")
        options = _options(settings)
        options.path = str(path)
        try:
            compile_game(game, options)
        except (CouldNotCompileGameError, OSError) as error:
            raise EnvError(
                f"a TextWorld game cannot be compiled: {' '.join(str(error).split())[:300]}; the compiler of the "
                "textworld package needs a supported system and free space in the folder for temporary files"
            ) from error
        return GameFiles(path.read_bytes(), path.with_suffix(".json").read_bytes())


def make_game(settings: Settings) -> Any:
    """Return the package's game, with its walkthrough in the metadata. The caller holds `LOCK`.

    Raises:
        EnvError: The package finds no such game for the seed.
    """
    from textworld.generator import QuestGenerationError

    for attempt in range(ATTEMPTS):
        try:
            return _make_game(settings, _options(settings, attempt))
        except QuestGenerationError:
            continue
    raise EnvError(
        f"TextWorld finds no game with these settings for seed {settings.seed} in {ATTEMPTS} attempts: {settings!r}"
    )


def _make_game(settings: Settings, options: Any) -> Any:
    with _quick_generation() as walkthrough:
        match settings:
            case CoinSettings():
                game = _coin(settings, options)
                objective = "Find the coin and take it."
            case TreasureSettings():
                game = _treasure(settings, options)
                walkthrough += game.walkthrough
                taken = TAKE.fullmatch(walkthrough[-1])
                assert taken
                objective = f"Find the {taken[1]} and take it."
            case CookingSettings():
                game = _cooking(settings, options)
                objective = "Prepare the meal of the cookbook, which is in the kitchen, and eat it."
    # The package's own objective of a treasure or a coin lists the commands to give.
    game.objective = objective
    game.metadata["walkthrough"] = walkthrough
    return game


def _coin(settings: CoinSettings, options: Any) -> Any:
    from textworld.challenges.tw_coin_collector import coin_collector

    options.kb = _knowledge_base(target_dir=coin_collector.KB_PATH)
    options.grammar.allowed_variables_numbering = True
    options.quest_length, options.nb_rooms = settings.length, settings.rooms
    return coin_collector.make_game(settings.dead_ends, options)


def _treasure(settings: TreasureSettings, options: Any) -> Any:
    from textworld.challenges.tw_treasure_hunter import treasure_hunter

    options.kb = _knowledge_base(target_dir=treasure_hunter.KB_PATH)
    options.quest_length, options.nb_rooms = settings.length, settings.rooms
    return treasure_hunter.make_game(settings.mode, options)


def _cooking(settings: CookingSettings, options: Any) -> Any:
    from textworld.challenges.tw_cooking import cooking

    skills = {
        "recipe": settings.ingredients,
        "take": settings.ingredients,
        "cut": settings.cut,
        "cook": settings.cook,
        "go": settings.rooms,
        "open": True,
        "drop": False,
        "recipe_seed": 0,
        "split": settings.split,
    }
    return cooking.make(skills, options)


def _options(settings: Settings, attempt: int = 0) -> Any:
    """Return options with seeds that depend on all settings, so that games of two families are independent."""
    import textworld

    options = textworld.GameOptions()
    content = settings.model_dump(mode="json")
    options.seeds = {name: int(digest_of([name, attempt, content], 8), 16) for name in SEEDS}
    return options


@contextmanager
def _quick_generation() -> Iterator[list[str]]:
    """Make generation fast for the duration of the block, and yield the list that receives the walkthrough.

    The package parses its knowledge base for each game, and compiles each game with a known walkthrough a second time
    to play it. Here each knowledge base is parsed once, and a walkthrough is only noted. The package's warning that
    it adds adjectives to tell things apart is dropped.
    """
    from textworld.generator import text_grammar
    from textworld.generator.data import KnowledgeBase
    from textworld.generator.maker import GameMaker

    walkthrough: list[str] = []

    def note(_: object, commands: list[str]) -> None:
        walkthrough.extend(commands)

    with (
        mock.patch.object(KnowledgeBase, "load", _knowledge_base),
        mock.patch.object(GameMaker, "set_walkthrough", note),
        mock.patch.object(text_grammar, "warnings"),
    ):
        yield walkthrough


@functools.cache
def _knowledge_base(target_dir: str = "", logic_path: str = "", grammar_path: str = "") -> Any:
    """Return a knowledge base, from `logic` and `text_grammars` in `target_dir` or from its two folders.

    The package reads the files of a folder in the order of the file system. Here it is the order of their names.
    """
    from textworld.generator import data
    from textworld.logic import GameLogic

    logic_path = logic_path or (f"{target_dir}/logic" if target_dir else data.LOGIC_DATA_PATH)
    grammar_path = grammar_path or (f"{target_dir}/text_grammars" if target_dir else data.TEXT_GRAMMARS_PATH)
    base = data.KnowledgeBase(GameLogic.load(sorted(map(str, Path(logic_path).glob("*.twl")))), grammar_path)
    base.logic_path = logic_path
    return base
