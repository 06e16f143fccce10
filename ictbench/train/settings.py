"""Configuration of a training, read from a YAML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, ValidationError, model_validator

from ictbench.choices import ExperienceFormat
from ictbench.errors import ConfigError
from ictbench.hand_written import HandWritten
from ictbench.validation import validation_message
from ictbench.yaml_file import read_yaml

R = TypeVar("R", bound=HandWritten)

RewardName = Literal["replay", "fresh", "gain", "loop"]
Tracker = Literal["tensorboard", "wandb", "trackio", "mlflow"]
Share = Annotated[float, Field(ge=0, le=1)]


class LoraSettings(HandWritten):
    """Low-rank adapters on all linear layers, trained instead of all weights."""

    rank: int = Field(default=16, ge=1)
    alpha: int = Field(default=32, ge=1)
    dropout: Share = 0.0


class VllmSettings(HandWritten):
    """Generation of the replies by vLLM, passed to TRL's trainer."""

    mode: Literal["colocate", "server"] = "colocate"
    """colocate: on the GPUs that train. server: on a server that TRL can update; see docs/training.md."""
    server: str | None = None
    """Base URL of the server, e.g. http://localhost:8000."""
    memory: Share = 0.3
    """Share of each GPU's memory for a colocated vLLM."""
    tensor_parallel: int = Field(default=1, ge=1)
    """Number of processes that a colocated vLLM splits the model over."""
    sleep: bool = False
    """Whether a colocated vLLM frees its memory while the weights are updated."""
    max_length: int | None = Field(default=None, ge=1)
    """Most tokens of question and reply; None for max_question_tokens plus max_tokens."""

    @model_validator(mode="after")
    def _check_mode(self) -> VllmSettings:
        if (self.mode == "server") != (self.server is not None):
            raise ValueError("mode server and server, the base URL, belong together: set both, or neither")
        if self.mode == "server" and (unused := sorted(self.model_fields_set - {"mode", "server"})):
            raise ValueError(f"{', '.join(unused)} must be given to the server itself: remove it, or use mode colocate")
        return self


class TrainingSettings(HandWritten):
    """Settings of `ictbench train grpo --config`. A field without a default is required."""

    model: str
    """A folder, OWNER/NAME on the Hub, or smollm2, as in `hf/…`."""
    states: Path
    """Folder that `ictbench train collect` wrote."""
    out: Path
    """Folder of checkpoints and logs. If it holds the same training, the training is resumed."""
    families: tuple[str, ...] | None = None
    """Families whose states are trained on; None for all. Leave one out to tune on it."""

    rounds: int = Field(default=1, ge=1)
    """Rounds of `ictbench train run`: each collects states with the current model and trains on them."""
    round: int | None = Field(default=None, ge=1)
    """Round that this training is; `ictbench train run` sets it."""
    turns: tuple[Annotated[int, Field(ge=1)], ...] | None = None
    """Turns whose states are trained on; None for all."""
    max_states: int | None = Field(default=None, ge=1)
    """Most states to train on, drawn by `seed`; None for all."""

    reflector: str = "rewrite"
    """Reflector whose question is trained; it must be one that keeps no state."""
    experience: ExperienceFormat | None = None
    """Format of the episodes in the question; None for the reflector's default."""
    max_question_tokens: int = Field(default=4096, ge=16)
    """States with a longer question are left out."""

    rename_actions: bool = False
    """Whether actions have each other's names in the questions, in another way for each state: then no name goes with a
    family, and only the outcomes tell the action that solved it."""
    reward: RewardName = "replay"
    """replay: success of the new prompt on the same batch. fresh: on new tasks of the family. gain: replay minus the
    success of the previous prompt on the same tasks. loop: the mean over the new prompt and those that the model writes
    in the remaining turns of the loop, each on new tasks."""
    replicates: int = Field(default=1, ge=1)
    """Episodes per task, each with its own sampling seed: averages out the actor's randomness."""
    actor: str | None = None
    """Actor that plays for the rewards; None for the one that played the states."""
    executor: Literal["inline", "process"] = "process"
    workers: int | None = Field(default=None, ge=1)
    """Worker processes of each training process; None for its share of the machine's CPU cores."""
    max_connections: int = Field(default=16, ge=1)
    """Concurrent requests to the actor's model, over all training processes."""
    cache: Path | None = None
    """Response cache for the actor's model, an SQLite file that all processes share."""
    max_cost: float | None = Field(default=None, gt=0)
    """US dollars for the actor's model in one session, over all training processes; the training stops there."""
    max_actor_tokens: int | None = Field(default=None, ge=1)
    """The same in tokens, input plus output."""

    steps: int = Field(ge=1)
    group: int = Field(default=8, ge=2)
    """Replies per state."""
    states_per_step: int = Field(default=1, ge=1)
    micro_batch: int = Field(default=8, ge=1)
    """Replies that one process passes through the model at a time."""
    learning_rate: float = Field(default=3e-6, gt=0)
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    warmup_steps: int = Field(default=0, ge=0)
    kl_beta: float = Field(default=0.001, ge=0)
    loss: Literal["grpo", "dr_grpo", "dapo", "bnpo"] = "grpo"
    """Weighting of tokens, by TRL's names. grpo gives the tokens of short replies more weight."""
    temperature: float = Field(default=1.0, gt=0)
    """Sampling temperature of the replies."""
    max_tokens: int = Field(default=512, ge=1)
    """Longest reply, in tokens."""
    lora: LoraSettings | None = None
    """None to train all weights."""
    seed: int = Field(default=0, ge=0)

    checkpoint_every: int = Field(default=20, ge=1)
    """Steps between two checkpoints."""
    keep_checkpoints: int | None = Field(default=2, ge=2)
    """Number of newest checkpoints to keep; None for all. At least 2, because an old checkpoint is deleted before the
    new one is complete. When all weights are trained, a checkpoint takes three times the size of the model."""
    probe_every: int = Field(default=10, ge=1)
    """Steps between two measurements of the overfitting gap on fresh tasks."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    dtype: Literal["float32", "bfloat16"] = "float32"
    """Type of the weights."""
    compute: Literal["auto", "float32", "bfloat16"] = "auto"
    """Type that float32 weights are computed in. auto: bfloat16 on a GPU, float32 on a CPU."""
    vllm: VllmSettings | None = None
    """How vLLM generates the replies; None if it does not."""

    preregistration: Path | None = None
    """Pre-registration of the experiment, a YAML file; cards state how the training departs from it."""
    report_to: tuple[Tracker, ...] = ("tensorboard",)
    """Trackers that receive the metrics."""

    @model_validator(mode="after")
    def _check_combinations(self) -> TrainingSettings:
        if self.replies_per_step % self.micro_batch:
            raise ValueError(
                f"group x states_per_step = {self.replies_per_step} replies is not a multiple of micro_batch "
                f"{self.micro_batch}"
            )
        if self.vllm and self.device == "cpu":
            raise ValueError("vllm needs a GPU, but device is cpu")
        longest = self.max_question_tokens + self.max_tokens
        if self.vllm and self.vllm.max_length is not None and self.vllm.max_length < longest:
            raise ValueError(
                f"vllm.max_length {self.vllm.max_length} is below max_question_tokens + max_tokens = {longest}"
            )
        return self

    @property
    def replies_per_step(self) -> int:
        """Replies per step, over all processes."""
        return self.group * self.states_per_step

    def gradient_accumulation(self, processes: int) -> int:
        """Return the number of micro-batches per process and step.

        Raises:
            ConfigError: The replies of a step cannot be divided evenly.
        """
        if self.replies_per_step % (self.micro_batch * processes):
            raise ConfigError(
                f"{self.replies_per_step} replies per step cannot be shared by {processes} processes of "
                f"{self.micro_batch} replies each: lower micro_batch, or raise states_per_step"
            )
        return self.replies_per_step // (self.micro_batch * processes)

    @classmethod
    def from_yaml(cls, path: Path, **overrides: Any) -> TrainingSettings:
        """Read settings from a file; `overrides` that are not None take precedence.

        Raises:
            ConfigError: The file cannot be read, has an unknown key, or a value is not valid.
        """
        return validated(cls, {**read_mapping(path), **{k: v for k, v in overrides.items() if v is not None}}, path)


def read_mapping(path: Path) -> dict[str, Any]:
    """Return the content of a YAML file of settings.

    Raises:
        ConfigError: The file cannot be read, or is not a mapping.
    """
    try:
        content = read_yaml(path)
    except ValueError as error:
        raise ConfigError(f"config {path} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"config {path} must be a mapping of settings to values, e.g. `steps: 100`")
    return content


def validated(cls: type[R], content: dict[str, Any], path: Path) -> R:
    """Return the settings that the content of a file gives.

    Raises:
        ConfigError: A key is unknown, or a value is not valid.
    """
    try:
        return cls.model_validate(content)
    except ValidationError as error:
        raise ConfigError(f"config {path}: {validation_message(error, cls)}") from error
