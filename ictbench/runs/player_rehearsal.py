"""Rehearsal of a run: before the first episode, each model answers requests of exactly the shape of real ones.

The real actor and the real reflector make the requests, from a short episode that is played for this and not recorded.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ictbench.actors import History, make_actor
from ictbench.errors import ConfigError, InfrastructureError, ModelFailure
from ictbench.models.adaptation import Request
from ictbench.models.embeddings import OPTION, rehearse_embeddings
from ictbench.models.rehearsal import Part, probe, rehearse, repeats
from ictbench.protocol import reflection_seed, sampling_seed
from ictbench.records import EpisodeSpec, PluginSpec, Step, Trajectory
from ictbench.reflectors import OWN_EPISODES, Context, make_reflector
from ictbench.rollout import Priority
from ictbench.runs.player_sampling import check_sampling_is_sent
from ictbench.runs.recording_model import RecordingModel

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from ictbench.models import ChatModel, ModelPool
    from ictbench.records import Task
    from ictbench.reflectors import Reflector
    from ictbench.rollout import Executor
    from ictbench.runs.plan import RunPlan

SAMPLE_STEPS = 3
"""Decisions of the sample episode: two past turns and the current one."""
SAMPLE_ACTOR = PluginSpec(label="rules", name="rules")
SAMPLE_THOUGHT = "I try this first."
SAMPLE_END = "Nothing else happens."

# Used where no episode can be played now.
SAMPLE_STEP = Step(
    observation="A room with two doors.",
    actions=("open the left door", "open the right door"),
    digest="",
    thought=SAMPLE_THOUGHT,
    proposed="open the left door",
    executed="open the left door",
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """Outcome of a rehearsal."""

    plan: RunPlan
    """The plan with models adapted to their servers."""
    parts: tuple[Part, ...]
    """What each player with a model asks it."""
    reproducible: dict[str, bool | None]
    """Whether the model of each role repeats itself at temperature 0; None if that is unknown."""
    remarks: tuple[str, ...] = ()
    """What the user should know."""

    async def probe(self, models: ModelPool) -> None:
        """Ask each model once, briefly; see `ictbench.models.rehearsal.probe`."""
        for part in self.parts:
            await probe(models, part)


async def rehearse_players(
    plan: RunPlan, task: Task, models: ModelPool, executor: Executor, *, repeat: bool = True
) -> Rehearsed:
    """Let the models of both players answer, and adapt requests that their servers reject.

    Args:
        plan: The plan.
        task: Task of the sample episode.
        models: Opens the models.
        executor: Plays the sample episode.
        repeat: Whether to find out if replies repeat.

    Raises:
        ConfigError: A server does not take a sampling parameter that the user chose, or a model does not embed.
        EndpointRefusedError: A server rejects a request, and no harmless change helps.
        EndpointDownError: The server of a reflector that embeds texts gives no vectors that can be used.
        ModelUnavailableError: A server does not answer.
        LimitReachedError: A limit of the whole run is reached.
    """
    if not (plan.actor.model or plan.reflector.model):
        return Rehearsed(plan, (), {})
    steps = await _sample_steps(plan, task, executor)
    await _try_embedding(plan, steps, models)
    parts: list[Part] = []
    remarks: list[str] = []
    reproducible: dict[str, bool | None] = {}
    known: dict[str, bool | None] = {}
    for part in [await _actor_part(plan, steps, models), await _reflector_part(plan, steps, models)]:
        if part is None:
            continue
        options = plan.options
        adaptation = await rehearse(
            models, part, adapt=not options.no_adapt, accepted=options.accept_failures, remark=remarks.append
        )
        part = replace(part, spec=part.spec.model_copy(update={"adaptation": adaptation}))
        check_sampling_is_sent(options, part.role, models.open(part.spec), adaptation.omit)
        parts.append(part)
        if not repeat:
            continue
        # Both players may share a model.
        key = part.spec.model_dump_json(exclude={"max_tokens", "timeout"})
        if key not in known:
            known[key] = await repeats(models, part)
        reproducible[part.role] = known[key]
        log.info("%s %s: reproducible: %s", part.role, part.spec.name, known[key])
    for remark in remarks:
        log.warning(remark)
    return Rehearsed(_adapted(plan, parts), tuple(parts), reproducible, tuple(remarks))


def _adapted(plan: RunPlan, parts: Sequence[Part]) -> RunPlan:
    specs = {part.role: part.spec for part in parts}
    return replace(
        plan,
        actor=plan.actor.model_copy(update={"model": specs.get("actor")}),
        reflector=plan.reflector.model_copy(update={"model": specs.get("reflector")}),
    )


async def _sample_steps(plan: RunPlan, task: Task, executor: Executor) -> tuple[Step, ...]:
    """Play a task for a few decisions, and return them."""
    spec = EpisodeSpec(
        task=task,
        prompt=plan.suite.prompt,
        actor=SAMPLE_ACTOR,
        max_steps=SAMPLE_STEPS,
        seed=sampling_seed(plan.suite.digest, task.id),
    )
    try:
        episode = await executor.play(spec, Priority.EXPERIENCE)
    except InfrastructureError as error:
        # The run itself deals with an environment that breaks.
        log.info("no sample episode: %s", error)
        return (SAMPLE_STEP,) * SAMPLE_STEPS
    steps = tuple(step.model_copy(update={"thought": SAMPLE_THOUGHT}) for step in episode.trajectory.steps)
    return steps or (SAMPLE_STEP,) * SAMPLE_STEPS


async def _try_embedding(plan: RunPlan, steps: Sequence[Step], models: ModelPool) -> None:
    """Embed texts with the model of a reflector that does so."""
    spec = plan.reflector.model
    if spec is None or not plan.traits.embeds:
        return
    model = models.open(spec)
    if model.embeds:
        await rehearse_embeddings(model, steps[0].observation)
    elif OPTION in spec.options:
        raise ConfigError(
            f"{spec.name} embeds no texts, so {OPTION} would be ignored; use provider openai, or leave it out"
        )


async def _actor_part(plan: RunPlan, steps: Sequence[Step], models: ModelPool) -> Part | None:
    spec, prompt = plan.actor, plan.suite.prompt
    if spec.model is None:
        return None
    seed = sampling_seed(plan.suite.digest, "rehearsal")

    async def act(model: ChatModel, past: int) -> None:
        history = History(list(steps[:past]), steps[past].observation, steps[past].actions, plan.max_steps)
        await make_actor(spec, model).act(prompt, history, seed)

    last = len(steps) - 1
    model = models.open(spec.model)
    question = await _record(model, lambda recorder: act(recorder, last)) or _plain_request(prompt)
    other = await _record(model, lambda recorder: act(recorder, max(0, last - 1)))
    return Part("actor", spec.model, (question,), other)


async def _reflector_part(plan: RunPlan, steps: Sequence[Step], models: ModelPool) -> Part | None:
    spec, prompt = plan.reflector, plan.suite.prompt
    if spec.model is None:
        return None
    seed = reflection_seed(plan.suite.digest, "rehearsal", 0, 1)

    async def reflect(model: ChatModel, count: int) -> None:
        trajectory = Trajectory(
            steps=tuple(steps[:count]), last_observation=SAMPLE_END, last_digest="", end="step_limit"
        )
        await reflect_on(make_reflector(spec, model), plan, [trajectory], seed)

    model = models.open(spec.model)
    question = await _record(model, lambda recorder: reflect(recorder, len(steps))) or _plain_request(prompt)
    other = await _record(model, lambda recorder: reflect(recorder, max(1, len(steps) - 1)))
    return Part("reflector", spec.model, (question,), other)


async def _record(model: ChatModel, play: Callable[[ChatModel], Awaitable[object]]) -> Request | None:
    """Return the first request that a player makes to its model; None if it makes none."""
    recorder = RecordingModel(model)
    try:
        await play(recorder)
    except Exception as error:
        # The recorder fails every request. A player that fails for another reason will do so in the run, too.
        log.debug("sample request: %r", error)
    return recorder.requests[0] if recorder.requests else None


def _plain_request(prompt: str) -> Request:
    return Request(({"role": "system", "content": prompt}, {"role": "user", "content": "Reply with the word OK."}))


async def reflect_on(reflector: Reflector, plan: RunPlan, batch: Sequence[Trajectory], seed: int) -> None:
    """Let a reflector reflect on a batch of sample episodes, or play them if it plays its episodes itself."""
    experience = plan.traits.experience
    play = SampleEpisodes(tuple(batch)) if experience in OWN_EPISODES else None
    shown = () if experience == "pooled" else batch
    await reflector.reflect(plan.suite.prompt, list(shown), None, Context(seed, plan.written_bytes, play))


@dataclass
class SampleEpisodes:
    """`BatchPlayer` that returns given trajectories, whatever the prompt: each three times.

    That is enough to compare two prompts, so that a reflector comes to ask its model.
    """

    trajectories: tuple[Trajectory, ...]
    left: int = field(init=False)

    def __post_init__(self) -> None:
        self.left = 3 * self.size

    @property
    def size(self) -> int:
        """Number of tasks."""
        return len(self.trajectories)

    def new_episodes(self, prompt: str, indices: Sequence[int]) -> int:
        """Return the number of episodes: all count."""
        return len(indices)

    async def __call__(self, prompt: str, indices: Sequence[int]) -> list[Trajectory]:
        """Return the trajectories at these positions.

        Raises:
            ModelFailure: More are requested than are left.
        """
        self.left -= len(indices)
        if self.left < 0:
            raise ModelFailure("empty", "no more episodes are played for a sample request")
        return [self.trajectories[index] for index in indices]
