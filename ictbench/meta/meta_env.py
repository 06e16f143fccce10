"""In-context training as a Gymnasium environment: the action is a system prompt, the observation is experience."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

from ictbench.errors import ConfigError, MissingExtraError, UsageError
from ictbench.meta.played_batch import Batch
from ictbench.plugins import resolve
from ictbench.runs.options import OPTIONS, Options, defaults_of, options_of
from ictbench.runs.plan import make_plan
from ictbench.runs.sync_player import EpisodePlayer

try:
    import gymnasium
    from gymnasium.utils import EzPickle
except ModuleNotFoundError as error:
    raise MissingExtraError("the meta-environment", "meta", str(error)) from error

from ictbench.meta.spaces import AnyText, is_text, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.records import Task

STEP_BYTES = 8_000
"""Room in the observation for one step of an episode: a screen of NetHack has 2,000 characters, a long thought more."""

ANY_LOOP = 2**31
"""Loop indices are drawn below this where loops share their pools."""

INTRODUCTION = """\
An agent plays episodes of one kind in a text environment, each of at most {max_steps} actions, under a system prompt. \
Answer with the prompt that it is to follow, of at most {prompt_bytes} bytes. You are then shown {episodes} played \
under it, and answer again, {turns} times in all. What counts is how the agent does in new episodes of this kind.

CURRENT PROMPT:
{prompt}"""

ScoringPool = Literal["selection", "test"]


class MetaEnv(gymnasium.Env[str, str], EzPickle):
    """The world in which a reflector acts. An episode of it is one loop of the protocol, N turns long.

    `reset(seed=s)` starts loop s, `step(prompt)` plays the loop's next batch under the prompt: the same tasks, in the
    same order, as `ictbench run` plays in turn 1, 2, … of that loop. The observation is the experience as the
    standard reflector reads it, the reward the share of the batch that was solved; `terminated` is always False, and
    `truncated` is True after turn N. An unseeded reset draws a loop that has a selection block and a test block.

    A copy, or one that was pickled, is new: it has the same options, and no loop under way.
    """

    metadata = {"render_modes": []}  # noqa: RUF012 - Gymnasium declares it so

    def __init__(
        self, suite: str = "minihack-v1", family: str = "eat", *, actor: str = "rules", **options: Any
    ) -> None:
        """Prepare a family of a suite; nothing is played yet.

        Args:
            suite: by name or file.
            family: one family of it.
            actor: who plays, as in `ictbench run --actor`.
            options: those of `ictbench.run` that concern playing, e.g. `turns`, `batch_size`, `max_cost`. The profile
                is `standard`, and episodes are played in this process, unless they say otherwise.

        Raises:
            UsageError: something asked for does not exist or does not fit.
        """
        EzPickle.__init__(self, suite, family, actor=actor, **options)
        if wrong := sorted((OPTIONS.keys() - options_of("meta")) & options.keys()):
            raise ConfigError(f"a meta-environment does not take the option {wrong[0]!r}; leave it out")
        own = {"suite": suite, "families": (family,), "actor": actor, "reflector": "none"}
        plan = make_plan(Options.parse({**defaults_of("meta"), **options, **own}))
        if len(plan.families) != 1:
            raise ConfigError(f"a meta-environment is of one family, and {family!r} means {', '.join(plan.families)}")
        self.family = plan.families[0]
        self._plan = plan
        self._player = EpisodePlayer(plan)
        self._batches: tuple[tuple[Task, ...], ...] | None = None
        """Of the loop under way."""
        self._loop = self._turn = 0
        self.action_space = AnyText(plan.suite.limits.prompt_bytes)
        self._shown_bytes = plan.sizes.batch_size * (plan.max_steps + 1) * STEP_BYTES
        self.observation_space = AnyText(self._shown_bytes)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Start loop `seed`, or one that is drawn.

        With `options={"task_ids": ids}`, every turn of it plays these tasks instead, again and again.

        Returns:
            An introduction with `prompt[0]`, and the same prompt as `info["prompt"]`, with the loop's index.

        Raises:
            UsageError: an unknown option or task, or a task that cannot be played here.
        """
        super().reset(seed=seed)
        if wrong := sorted(set(options or ()) - {"task_ids"}):
            raise ConfigError(f"reset has no option {wrong[0]!r}; it has 'task_ids'")
        plan = self._plan
        loops = plan.suite.pools.loops or ANY_LOOP
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
        return shortened(introduction, self._shown_bytes), {"prompt": plan.suite.prompt, "loop": loop, "turn": 0}

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Play the next batch under a prompt.

        Returns:
            The experience as text, the share that was solved, False, whether this was turn N, and in `info` the
            `loop`, the `turn`, and of the batch `task_ids`, `solved`, `trajectories` and `usage`.

        Raises:
            UsageError: it is no prompt, or no loop is under way.
            InfrastructureError: an episode could not be played; the turn may be tried again.
            RunError: nothing can be played any more.
        """
        if self._batches is None:
            raise UsageError("no loop is under way; call reset first")
        if self._turn == len(self._batches):
            raise UsageError(f"the loop is over after {self._turn} turns; call reset")
        batch = self._play(action, self._batches[self._turn])
        self._turn += 1
        info = {
            "loop": self._loop,
            "turn": self._turn,
            "task_ids": batch.task_ids,
            "solved": batch.solved,
            "trajectories": batch.trajectories,
            "usage": batch.usage,
        }
        over = self._turn == len(self._batches)
        return shortened(batch.text, self._shown_bytes), batch.success_rate, False, over, info

    def replay(self, prompt: str, task_ids: Sequence[str]) -> Batch:
        """Play tasks of the family by their ids, as often as one likes; the loop under way is not touched.

        Raises:
            UsageError: it is no prompt, or there is no such task.
            InfrastructureError, RunError: as `step`.
        """
        return self._play(prompt, self._tasks(task_ids))

    def evaluate(self, prompt: str, pool: ScoringPool = "selection", size: int | None = None) -> Batch:
        """Play the fixed selection or test tasks of the loop, as a run scores it; the loop is not touched.

        Args:
            prompt: to be scored.
            pool: `selection` chooses a prompt, `test` is reported.
            size: how many of its tasks; None for as many as the profile has.

        Raises:
            UsageError: it is no prompt, no loop is under way, the pool does not exist or has too few tasks, or none are
                asked for.
            InfrastructureError, RunError: as `step`.
        """
        if size is not None and size < 1:
            raise ConfigError(f"size {size} is no number of tasks; ask for one at least")
        if pool not in get_args(ScoringPool):
            raise ConfigError(f"there is no pool {pool!r} to be scored on; there are selection and test")
        if self._batches is None:
            raise UsageError("no loop is under way; call reset first")
        sizes = self._plan.sizes
        usual = sizes.selection_size if pool == "selection" else sizes.test_size
        tasks = self._plan.suite.scoring_tasks(pool, self.family, self._loop, usual if size is None else size)
        self._check_playable(tasks)
        return self._play(prompt, tasks)

    def close(self) -> None:
        """End everything behind it: models, workers, the thread."""
        self._player.close()

    def _play(self, prompt: str, tasks: Sequence[Task]) -> Batch:
        self._check_prompt(prompt)
        return Batch(tuple(self._player.play([self._plan.episode(task, prompt) for task in tasks])))

    def _tasks(self, task_ids: Sequence[str]) -> tuple[Task, ...]:
        if isinstance(task_ids, str) or not task_ids or not all(isinstance(one, str) for one in task_ids):
            raise ConfigError(f"task ids are a list of texts, at least one, and not {task_ids!r}")
        tasks = tuple(self._plan.suite.task(self.family, task_id) for task_id in task_ids)
        self._check_playable(tasks)
        return tasks

    def _check_playable(self, tasks: Sequence[Task]) -> None:
        if trouble := resolve("env", self._plan.suite.env).unplayable(tasks):
            raise ConfigError(trouble)

    def _check_prompt(self, prompt: object) -> None:
        cap = self._plan.suite.limits.prompt_bytes
        if not isinstance(prompt, str):
            raise UsageError(f"a prompt is a text, not {prompt!r:.80}")
        if not is_text(prompt):
            raise UsageError("the prompt holds half a surrogate pair, which is no character; leave it out")
        if (size := len(prompt.encode())) > cap:
            raise UsageError(f"the prompt has {size} bytes of UTF-8, and {self._plan.suite.name} allows {cap}")
