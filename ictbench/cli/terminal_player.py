"""A person at the terminal as the actor of an episode."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, Any, NoReturn

from ictbench.actors import Actor
from ictbench.cli.read_line import read_line
from ictbench.errors import ConfigError
from ictbench.records import Decision
from ictbench.rollout.env_pool import EnvPool
from ictbench.rollout.episode import match_action, play_episode
from ictbench.rollout.worker import run_without_loop
from ictbench.visible_text import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.actors import History
    from ictbench.records import Episode, EpisodeSpec
    from ictbench.runs.person_run import Place

QUIT = "quit"
ASK = "?"

HELP = (
    "Type an available action or the beginning of one; an unknown action costs a decision, as it does an agent. "
    f"Enter shows the screen again, {ASK} shows this help and the actions, {QUIT} stops."
)


class Quit(BaseException):
    """The player stops; no error, so that nothing between here and the command takes it for one."""


class TerminalActor(Actor):
    """A person at the terminal.

    It reads in the main thread, and no event loop runs there: so Ctrl-C and signals end the wait for a line at once.
    """

    def __init__(self) -> None:
        super().__init__()
        self._told: set[tuple[int, int]] = set()
        """Sizes of the window that were called too small."""

    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        """Show what an agent is shown, and ask for an action."""
        try:
            self._show(history)
            while (action := _ask(history.actions)) is None:
                self._show(history)
        except (EOFError, OSError):
            # The end of the input, or a terminal that is gone.
            raise Quit from None
        return Decision(action=action)

    def _show(self, history: History) -> None:
        left = history.max_steps - len(history.steps)
        actions = ", ".join(history.actions)
        text = visible(history.observation.rstrip())
        print(f"\n{text}\n\nAvailable: {visible(actions)}   ({left} decisions left)")
        self._check_window(text.split("\n"))

    def _check_window(self, lines: Sequence[str]) -> None:
        """Say once for each size of the window that it is too small for a screen."""
        size = shutil.get_terminal_size()
        columns, rows = max(map(len, lines)), len(lines)
        too_small = size.columns < columns or size.lines < rows
        if too_small and size not in self._told and sys.stdout.isatty():
            self._told.add(size)
            print(
                f"The window shows {size.columns} x {size.lines} characters, and this text needs {columns} x {rows}: "
                "enlarge the window, then press Enter."
            )


class TerminalPlayer:
    """The person at the terminal, with the environments that were opened. Close it at the end."""

    def __init__(self) -> None:
        self._actor = TerminalActor()
        self._envs = EnvPool()
        self.playing = False
        """Whether an episode has begun and not ended."""
        self.played = 0
        """Number of episodes that ended."""

    def play(self, spec: EpisodeSpec, place: Place) -> Episode:
        """Play one episode in this thread.

        Raises:
            Quit: The person stops.
            EnvError: The environment fails.
            PluginError: The environment's code fails.
        """
        print(f"\n── {place.part} task {place.number} of {place.total} ({place.family}) ──")
        self.playing = True
        with self._envs.lend(spec.task) as env:
            episode = run_without_loop(play_episode(spec, env, self._actor, _call), spec.actor)
        self.playing = False
        self.played += 1
        end, decisions = episode.trajectory.end, len(episode.trajectory.steps)
        print(f"\n{visible(episode.trajectory.last_observation.rstrip())}\n\n{end} after {decisions} decisions")
        return episode

    def pause(self, problem: str) -> None:
        """Show a problem, and wait until the person wants to try again.

        Raises:
            Quit: The person stops, and the episode is lost.
        """
        self.playing = True
        print(f"\n{visible(problem)}\nPress Enter to record the episode again; {QUIT} gives it up.")
        try:
            if read_line("> ").strip() == QUIT:
                raise Quit
        except (EOFError, OSError):
            raise Quit from None
        self.playing = False

    def close(self) -> None:
        """Close all environments."""
        self._envs.close()


def require_input() -> None:
    """Check that there is an input to read actions from.

    Raises:
        ConfigError: There is none.
    """
    if sys.stdin is None:
        _refuse("there is no standard input")


def require_terminal() -> None:
    """Check that a person can read and type: a recorded baseline claims that a person played.

    Raises:
        ConfigError: Input or output is not a terminal.
    """
    require_input()
    for name, stream in (("input", sys.stdin), ("output", sys.stdout)):
        if not stream.isatty():
            _refuse(f"standard {name} is not a terminal, and --out records what a person plays")


def matching_actions(typed: str, actions: Sequence[str]) -> list[str]:
    """Return the available actions that a text abbreviates, each word by its beginning.

    Where the text has as many words as several actions, whole words decide: `s n` is `step n`, not `step nw`.
    """
    words = typed.casefold().split()
    found = [action for action in actions if _abbreviates(words, action.casefold().split())]
    whole = [action for action in found if action.casefold().split()[-1] == words[-1]]
    return whole if len(whole) == 1 and len(words) > 1 else found


def _abbreviates(words: Sequence[str], of: Sequence[str]) -> bool:
    return len(words) <= len(of) and all(whole.startswith(word) for word, whole in zip(words, of, strict=False))


def _ask(actions: Sequence[str]) -> str | None:
    """Return the action that the person types; None if the screen is to be shown again."""
    while True:
        try:
            typed = read_line("> ").strip()
        except UnicodeDecodeError:
            print("That is not text in the encoding of this terminal; nothing was sent.")
            continue
        if not typed:
            return None
        if typed == QUIT and QUIT not in actions:
            raise Quit
        if typed == ASK and ASK not in actions:
            print(f"{HELP}\nAvailable: {visible(', '.join(actions))}")
            continue
        if not typed.isprintable():
            print("That has characters that cannot be shown, e.g. of an arrow key; nothing was sent.")
            continue
        if match_action(typed, actions) is not None:
            return typed
        found = matching_actions(typed, actions)
        if len(found) > 1:
            print(f"{typed!r} begins several actions; type more: {visible(', '.join(found))}")
            continue
        if found:
            print(f"= {visible(found[0])}")
        return found[0] if found else typed


def _refuse(why: str) -> NoReturn:
    raise ConfigError(f"{why}: run `ictbench play` in a terminal")


async def _call(function: Any, *arguments: Any) -> Any:
    return function(*arguments)
