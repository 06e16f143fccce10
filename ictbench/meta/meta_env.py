"""In-context training as a Gymnasium environment: actions are system prompts, observations are experience."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Unpack, get_args

from ictbench.envs import env_class
from ictbench.errors import ConfigError, MissingExtraError, UsageError
from ictbench.meta.played_batch import Batch
from ictbench.runs.options import Options, check_caller, defaults_of
from ictbench.runs.plan import make_plan
from ictbench.runs.sync_player import EpisodePlayer

try:
    import gymnasium
    from gymnasium.utils import EzPickle
except ModuleNotFoundError as error:
    raise MissingExtraError("the meta-environment", "meta", str(error)) from error

from ictbench.meta.spaces import Utf8Text, truncate
from ictbench.visible_text import is_encodable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.records import Task
    from ictbench.runs.option_types import MetaOptions

STEP_BYTES = 8_000
"""Size reserved in the observation for one step: a NetHack screen has 2,000 characters, a long thought more."""

MAX_LOOP = 2**31
"""Upper bound of random loop indices where loops share their pools."""

INTRODUCTION = """\
An agent plays episodes of one kind in a text environment, each of at most {max_steps} actions, under a system prompt. \
Answer with the prompt that it is to follow, of at most {prompt_bytes} bytes. You are then shown {episodes} played \
under it, and answer again, {turns} times in all. What counts is how the agent does in new episodes of this kind.

CURRENT PROMPT:
{prompt}"""

ScoringPool = Literal["selection", "test"]


class MetaEnv(gymnasium.Env[str, str], EzPickle):
    """Environment in which a reflector acts. One of its episodes is one loop of the protocol, N turns long.

    `reset(seed=s)` starts loop s. `step(prompt)` plays the next batch under the prompt, with the same tasks in the same
    order as turn 1, 2, … of that loop in `ictbench run`. The observation is the experience as the standard reflector
    reads it. The reward is the share of the batch that was solved. `terminated` is always False, and `truncated` is
    True after turn N. Without a seed, `reset` draws a loop that has a selection block and a test block.

    A copied or unpickled environment has the same options and no started loop.
    """

    metadata = {"render_modes": []}  # noqa: RUF012 - Gymnasium declares it so

    def __init__(
        self, suite: str = "minihack-v1", family: str = "eat", *, actor: str = "rules", **options: Unpack[MetaOptions]
    ) -> None:
        """Prepare one family of a suite, without playing anything.

        Args:
            suite: Name or YAML file of the suite.
            family: Name of the family.
            actor: The actor, as in `ictbench run --actor`.
            options: Options of `ictbench.run` that concern playing, e.g. `turns`, `batch_size`, `max_cost`. By default,
                the profile is `standard` and episodes are played in this process.

        Raises:
            UsageError: An option is unknown or invalid, or the actor cannot be used on this machine.
        """
        EzPickle.__init__(self, suite, family, actor=actor, **options)
        check_caller("meta", sorted(options))
        fixed = {"suite": suite, "families": (family,), "actor": actor, "reflector": "none"}
        plan = make_plan(Options.parse({**defaults_of("meta"), **options, **fixed}))
        if len(plan.families) != 1:
            raise ConfigError(
                f"a meta-environment has one family, but {family!r} stands for {', '.join(plan.families)}; name one"
            )
        self.family = plan.families[0]
        self._plan = plan
        self._player = EpisodePlayer(plan)
        self._batches: tuple[tuple[Task, ...], ...] | None = None
        """Tasks of the current loop by turn."""
        self._loop = self._turn = 0
        self.action_space = Utf8Text(plan.suite.limits.prompt_bytes)
        self._observation_bytes = plan.sizes.batch_size * (plan.max_steps + 1) * STEP_BYTES
        self.observation_space = Utf8Text(self._observation_bytes)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Start a loop.

        Args:
            seed: Index of the loop; None draws one.
            options: With `{"task_ids": ids}`, every turn plays these tasks instead of those of the loop.

        Returns:
            An introduction that contains `prompt[0]`, and an info dictionary with `prompt`, `loop` and `turn`.

        Raises:
            UsageError: An option or task is unknown, or a task cannot be played on this machine.
        """
        super().reset(seed=seed)
        if unknown := sorted(set(options or ()) - {"task_ids"}):
            raise ConfigError(f"reset has no option {unknown[0]!r}; it has 'task_ids'")
        plan = self._plan
        loops = plan.suite.loops or MAX_LOOP
        loop = int(self.np_random.integers(loops)) if seed is None else int(seed)
        if options and "task_ids" in options:
            batches = (self._tasks(options["task_ids"]),) * plan.sizes.turns
        else:
            batches = plan.batches(self.family, loop)
        self._check_playable([task for batch in batches for task in batch])
        self._batches, self._loop, self._turn = batches, loop, 0
        introduction = INTRODUCTION.format(
            max_steps=plan.max_steps,
            prompt_bytes=plan.suite.limits.prompt_bytes,
            episodes="one episode" if len(batches[0]) == 1 else f"{len(batches[0])} episodes",
            turns=len(batches),
            prompt=plan.suite.prompt,
        )
        return truncate(introduction, self._observation_bytes), {"prompt": plan.suite.prompt, "loop": loop, "turn": 0}

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Play the next batch of the loop under a prompt.

        Args:
            action: The prompt.

        Returns:
            The experience as text; the share of the batch that was solved; False; whether this was turn N; and an info
            dictionary with `loop`, `turn`, and the batch's `task_ids`, `solved`, `trajectories` and `usage`.

        Raises:
            UsageError: The prompt is invalid, or no loop is in progress.
            InfrastructureError: An episode could not be played. The turn is not over and can be tried again.
            RunError: No more episodes can be played, e.g. a limit is reached.
        """
        batches = self._started_batches()
        if self._turn == len(batches):
            raise UsageError(f"the loop is over after {self._turn} turns; call reset")
        batch = self._play(action, batches[self._turn])
        self._turn += 1
        info = {
            "loop": self._loop,
            "turn": self._turn,
            "task_ids": batch.task_ids,
            "solved": batch.solved,
            "trajectories": batch.trajectories,
            "usage": batch.usage,
        }
        truncated = self._turn == len(batches)
        return truncate(batch.text, self._observation_bytes), batch.success_rate, False, truncated, info

    def replay(self, prompt: str, task_ids: Sequence[str]) -> Batch:
        """Play any tasks of the family under a prompt. The current loop does not change.

        Raises:
            UsageError: The prompt is invalid, or a task does not exist.
            InfrastructureError, RunError: As in `step`.
        """
        return self._play(prompt, self._tasks(task_ids))

    def evaluate(self, prompt: str, pool: ScoringPool = "selection", size: int | None = None) -> Batch:
        """Play the loop's fixed selection or test tasks under a prompt. The current loop does not change.

        Args:
            prompt: The prompt to score.
            pool: `selection` is for choosing a prompt, `test` for the reported success.
            size: Number of tasks; None means that of the profile.

        Raises:
            UsageError: The prompt, pool or size is invalid, or no loop is in progress.
            InfrastructureError, RunError: As in `step`.
        """
        if size is not None and size < 1:
            raise ConfigError(f"size must be at least 1, not {size}")
        if pool not in get_args(ScoringPool):
            raise ConfigError(f"{pool!r} is not a scoring pool (pools: {', '.join(get_args(ScoringPool))})")
        self._started_batches()
        sizes = self._plan.sizes
        default_size = sizes.selection_size if pool == "selection" else sizes.test_size
        tasks = self._plan.suite.scoring_tasks(pool, self.family, self._loop, default_size if size is None else size)
        self._check_playable(tasks)
        return self._play(prompt, tasks)

    @property
    def turns(self) -> int:
        """Number of turns of a loop."""
        return self._plan.sizes.turns

    def close(self) -> None:
        """End models, workers and the background thread."""
        self._player.close()

    def _started_batches(self) -> tuple[tuple[Task, ...], ...]:
        if self._batches is None:
            raise UsageError("no loop is in progress; call reset first")
        return self._batches

    def _play(self, prompt: str, tasks: Sequence[Task]) -> Batch:
        self._check_prompt(prompt)
        return Batch(tuple(self._player.play([self._plan.episode(task, prompt) for task in tasks])))

    def _tasks(self, task_ids: Sequence[str]) -> tuple[Task, ...]:
        if isinstance(task_ids, str) or not task_ids or not all(isinstance(task_id, str) for task_id in task_ids):
            raise ConfigError(f"task ids must be a non-empty list of strings, not {task_ids!r}")
        tasks = tuple(self._plan.suite.task(self.family, task_id) for task_id in task_ids)
        self._check_playable(tasks)
        return tasks

    def _check_playable(self, tasks: Sequence[Task]) -> None:
        if problem := env_class(self._plan.suite.env).unplayable(tasks):
            raise ConfigError(problem)

    def _check_prompt(self, prompt: object) -> None:
        cap = self._plan.suite.limits.prompt_bytes
        if not isinstance(prompt, str):
            raise UsageError(f"a prompt must be a string, not {prompt!r:.80}")
        if not is_encodable(prompt):
            raise UsageError("the prompt contains a lone surrogate, which UTF-8 cannot encode; remove it")
        if (size := len(prompt.encode())) > cap:
            raise UsageError(
                f"the prompt has {size} bytes of UTF-8, but {self._plan.suite.name} allows {cap}; shorten it"
            )
