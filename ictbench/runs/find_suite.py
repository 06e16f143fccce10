"""Suite of a run: the one that its options name, or the newest of an environment that can be played here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.envs import env_class
from ictbench.errors import ConfigError
from ictbench.runs.player_options import DEFAULT_ENV
from ictbench.suites import load_suite
from ictbench.suites.load import is_env, suites_of_env

if TYPE_CHECKING:
    from ictbench.runs.options import Options
    from ictbench.suites import Suite


def find_suite(options: Options) -> tuple[Suite, tuple[str, ...]]:
    """Return the suite, or the newest playable suite of the environment, with notes for the user.

    Raises:
        UsageError: The suite does not exist, cannot be played here, or belongs to another environment.
    """
    if options.suite is None:
        return _newest_playable_suite(options.env or DEFAULT_ENV)
    suite = load_suite(options.suite)
    if options.env is not None and not is_env(suite.env, options.env):
        raise ConfigError(
            f"suite {options.suite!r} belongs to environment {suite.env!r}, not {options.env!r}; leave one out"
        )
    return suite, ()


def _newest_playable_suite(env: str) -> tuple[Suite, tuple[str, ...]]:
    suites = [load_suite(name) for name in reversed(suites_of_env(env))]
    problems: dict[str, str] = {}
    for suite in suites:
        # One task shows whether the games are installed at all; all tasks are checked before anything is played.
        task = suite.scoring_tasks("test", next(iter(suite.families)), 0, 1)
        problem = env_class(env).unplayable(task)
        if problem is None:
            notes = [f"{name} cannot be played here, so this is {suite.name}: {why}" for name, why in problems.items()]
            return suite, tuple(notes)
        problems[suite.name] = problem
    raise ConfigError("; ".join(problems.values()))
