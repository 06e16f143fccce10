"""Loops of the protocol in which another program writes the prompts, e.g. the trainer of a reflector."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple, Self, Unpack

from ictbench.envs import env_class
from ictbench.errors import ConfigError, InfrastructureError, UsageError
from ictbench.protocol import Loop, Play, Reflect, Score, loop_plan, loop_seed
from ictbench.records import Reflection
from ictbench.reflectors.llm.single_question import question_of
from ictbench.results.outcomes import levels_of
from ictbench.results.task_progress import with_progress
from ictbench.runs.options import Options, check_caller, defaults_of
from ictbench.runs.plan import make_plan
from ictbench.runs.sync_player import EpisodePlayer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import TracebackType

    from ictbench.models import Message
    from ictbench.protocol import LoopResult, Request
    from ictbench.records import Episode, EpisodeSpec, ReflectionFailure, Task, Trajectory
    from ictbench.runs.option_types import MetaOptions


class LoopRewards(NamedTuple):
    """Rewards of a loop, all of them success rates or their differences."""

    gain: float
    """Success on the loop's test tasks under the best prompt, minus that under prompt[0]."""
    best: float
    """Success on the loop's test tasks under the best prompt, which the selection tasks chose."""
    fresh: float
    """Mean over the written prompts of the success on the batch that follows, whose tasks the model has not seen."""


class LoopPlayer:
    """Plays the loops of a suite for a program that writes their prompts. Nothing is recorded.

    `start` begins a loop. Several threads may play loops at the same time: they share the models, workers and limits
    of one plan.
    """

    def __init__(
        self,
        suite: str = "minihack-v1",
        families: str | Sequence[str] = "meta-train",
        *,
        actor: str = "rules",
        reflector: str = "rewrite",
        experience: str | None = None,
        start_prompt: str | None = None,
        **options: Unpack[MetaOptions],
    ) -> None:
        """Check the options, without playing anything.

        Args:
            suite: Name or YAML file of the suite.
            families: Families by name, or meta-train, held-out, all; a text may name several, separated by commas.
            actor: The actor, as in `ictbench run --actor`.
            reflector: The reflector whose question the model answers: lessons, one-action, one-rule or rewrite.
            experience: Format of the experience in the question; None for the reflector's own.
            start_prompt: prompt[0], as in `ictbench run --start-prompt`; None for the suite's.
            options: Options of `ictbench.run` that concern playing, as for `ictbench.MetaEnv`.

        Raises:
            UsageError: An option is unknown or invalid, or the actor cannot be used on this machine.
        """
        check_caller("meta", sorted(options))
        fixed = {
            "suite": suite,
            "families": families,
            "actor": actor,
            "reflector": "none",
            "start_prompt": start_prompt,
        }
        self.plan = make_plan(Options.parse({**defaults_of("meta"), **options, **fixed}))
        if streams := [family for family in self.plan.families if self.plan.suite.families[family].stream]:
            raise ConfigError(f"{streams[0]!r} is a stream, which has no gain of its own; name one of its families")
        self.question = question_of(reflector, experience)
        self._player = EpisodePlayer(self.plan)
        self._solved: dict[str, bool] = {}
        """Outcomes of the scoring episodes by key: those under prompt[0] are the same in all rollouts of a loop."""
        self._progress: dict[str, float | None] = {}
        """Progress of the same episodes."""

    @property
    def families(self) -> tuple[str, ...]:
        """Names of the families."""
        return self.plan.families

    @property
    def trained_on(self) -> tuple[str, ...]:
        """`SUITE/FAMILY` of each family, for `--reflector-trained-on` of a model that was trained on these loops."""
        return tuple(f"{self.plan.suite.name}/{family}" for family in self.families)

    def start(self, family: str, index: int) -> LoopRollout:
        """Start a loop.

        Raises:
            UsageError: There is no such family or loop.
        """
        if family not in self.families:
            raise ConfigError(f"{family!r} is not among the families: {', '.join(self.families)}")
        return LoopRollout(self, family, index)

    def play(self, specs: Sequence[EpisodeSpec]) -> list[Episode]:
        """Play episodes and return them in the order of their specifications.

        Raises:
            InfrastructureError: An episode could not be played in two attempts.
            RunError: No more episodes can be played, e.g. a limit is reached.
        """
        try:
            return self._player.play(specs)
        except InfrastructureError:
            # A dead worker is replaced after the first attempt.
            return self._player.play(specs)

    def outcomes(self, scores: Sequence[Score]) -> list[list[bool]]:
        """Return the outcomes of each score's episodes; those that were scored before are not played again.

        Raises:
            InfrastructureError, RunError: As in `play`.
        """
        specs = [[self.plan.episode(task, score.prompt, repeat) for task, repeat in score.episodes] for score in scores]
        episodes = self.play([spec for group in specs for spec in group if spec.key not in self._solved])
        self._solved.update((episode.key, episode.trajectory.solved) for episode in episodes)
        self._progress.update((episode.key, episode.progress) for episode in episodes)
        return [[self._solved[spec.key] for spec in group] for group in specs]

    def progress_of(self, key: str) -> float | None:
        """Return the progress of a scored episode; None if its environment does not measure it."""
        return self._progress[key]

    def close(self) -> None:
        """End models, workers and the background thread."""
        self._player.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class LoopRollout:
    """One loop whose prompts are written from outside: N times `messages`, then `answer`; then `rewards`.

    An error leaves the loop as it was, and the call can be repeated.
    """

    def __init__(self, player: LoopPlayer, family: str, index: int) -> None:
        """Prepare the loop; nothing is played.

        Raises:
            PoolTooSmallError: A pool has too few tasks for this loop.
        """
        plan, suite = player.plan, player.plan.suite
        self.family, self.index = family, index
        self._player = player
        start = plan.start_prompts.get(family)
        self._loop = Loop(loop_plan(suite, family, index, plan.sizes, prompt_bytes=plan.prompt_bytes, prompt=start))
        self._seed = loop_seed(suite.digest, family, index)
        used = sum(map(len, self._loop.plan.batches))
        self._last_batch = tuple(suite.experience_order(family, index, used + plan.sizes.batch_size)[used:])
        if problem := env_class(suite.env).unplayable([*self._loop.plan.tasks, *self._last_batch]):
            raise ConfigError(problem)
        self._play: Play | None = None
        self._reflect: Reflect | None = None
        self._scores: list[Score] = []
        self._success: list[float] = []
        """Success on each batch, those of the turns and the one after the last."""
        self._accept(self._loop.start())

    @property
    def turn(self) -> int:
        """Number of completed turns."""
        return self._loop.turn

    @property
    def turns(self) -> int:
        """Number of turns, N."""
        return self._loop.plan.turns

    @property
    def finished(self) -> bool:
        """Whether all N prompts are written."""
        return self.turn == self.turns

    @property
    def prompts(self) -> tuple[str, ...]:
        """prompt[0] and the prompts written so far."""
        return self._loop.written_prompts

    @property
    def success(self) -> tuple[float, ...]:
        """Success on the batch of each turn so far, the first under prompt[0]."""
        return tuple(self._success)

    def messages(self) -> list[Message]:
        """Play the batch of the turn and return the question about it, as the reflector asks it.

        Raises:
            UsageError: The loop is finished.
            InfrastructureError, RunError: As in `LoopPlayer.play`.
        """
        turn = self._played_turn()
        cap = self._loop.plan.prompt_bytes
        return self._player.question.messages(turn.prompt, turn.trajectories, cap, loop_seed=self._seed, prefill=False)

    def answer(self, reply: str, *, cut: bool = False) -> Reflection:
        """Take the next prompt from a reply and complete the turn. A reply that cannot be used keeps the prompt.

        Args:
            reply: The whole reply to the question.
            cut: Whether the reply reached its token limit.

        Returns:
            What was read from the reply, with the failure if it cannot be used.

        Raises:
            UsageError: The loop is finished.
            InfrastructureError, RunError: As in `LoopPlayer.play`.
        """
        turn = self._played_turn()
        reflection = self._player.question.parse(turn.prompt, reply, self._loop.plan.prompt_bytes, cut=cut)
        return self._complete(turn, reflection)

    def stop(self, failure: ReflectionFailure = "empty") -> None:
        """Complete the loop without further replies: the remaining turns keep the prompt and count as failures.

        Raises:
            InfrastructureError, RunError: As in `LoopPlayer.play`.
        """
        while not self.finished:
            self._complete(self._played_turn(), Reflection(prompt=None, failure=failure))

    def fresh(self) -> float:
        """Return the reward `fresh`, for which nothing is scored.

        Raises:
            UsageError: The loop is not finished.
            InfrastructureError, RunError: As in `LoopPlayer.play`.
        """
        if not self.finished:
            raise UsageError(f"only {self.turn} of {self.turns} prompts are written; call answer or stop first")
        if len(self._success) == self.turns:
            self._add_success(self._trajectories(self.prompts[-1], self._last_batch))
        return fmean(self._success[1:])

    def result(self) -> LoopResult:
        """Score the prompts, and return the loop as a run records it.

        Raises:
            UsageError: The loop is not finished.
            InfrastructureError, RunError: As in `LoopPlayer.play`.
        """
        if not self.finished:
            raise UsageError(f"only {self.turn} of {self.turns} prompts are written; call answer or stop first")
        while scores := tuple(self._scores):
            outcomes = self._player.outcomes(scores)
            self._scores.clear()
            for score, solved in zip(scores, outcomes, strict=True):
                self._accept(self._loop.scored(score, solved))
        return with_progress(self._loop.result(), self._player.progress_of)

    def rewards(self) -> LoopRewards:
        """Return all rewards.

        Raises:
            UsageError: The loop is not finished.
            InfrastructureError, RunError: As in `LoopPlayer.play`.
        """
        levels = levels_of(self.result())
        return LoopRewards(gain=levels.gain, best=levels.best, fresh=self.fresh())

    def _played_turn(self) -> Reflect:
        """Return the current turn after playing its batch."""
        if self._play is not None:
            trajectories = self._trajectories(self._play.prompt, self._play.tasks)
            play, self._play = self._play, None
            self._add_success(trajectories)
            self._accept(self._loop.played(play, trajectories))
        if self._reflect is None:
            raise UsageError(f"the loop is over after {self.turns} turns; start another one")
        return self._reflect

    def _complete(self, turn: Reflect, reflection: Reflection) -> Reflection:
        self._reflect = None
        self._accept(self._loop.reflected(turn, reflection))
        return reflection

    def _accept(self, requests: Iterable[Request]) -> None:
        for request in requests:
            match request:
                case Play():
                    self._play = request
                case Reflect():
                    self._reflect = request
                case Score():
                    self._scores.append(request)

    def _trajectories(self, prompt: str, tasks: Iterable[Task]) -> list[Trajectory]:
        plan = self._player.plan
        return [episode.trajectory for episode in self._player.play([plan.episode(task, prompt) for task in tasks])]

    def _add_success(self, trajectories: Sequence[Trajectory]) -> None:
        self._success.append(fmean(trajectory.solved for trajectory in trajectories))
