"""The configuration of a training, as a YAML file says it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from ictbench.errors import ConfigError
from ictbench.records import Record, validation_message

RewardName = Literal["replay", "fresh", "gain"]
Share = Annotated[float, Field(ge=0, le=1)]


class Lora(Record):
    """Low-rank adapters on all linear layers, in place of all weights."""

    rank: int = Field(default=16, ge=1)
    alpha: int = Field(default=32, ge=1)
    dropout: Share = 0.0


class Settings(Record):
    """What `ictbench train grpo --config` takes. What has no default must be said."""

    model: str
    """A folder, OWNER/NAME of the Hub, or smollm2, as `hf/…` takes it."""
    states: Path
    """Folder that `ictbench train collect` wrote."""
    out: Path
    """Folder of checkpoints and logs; one that holds the same training is continued."""
    families: tuple[str, ...] | None = None
    """Whose states are learned from; None for all, so that one can be left out to tune on."""

    reflector: str = "rewrite"
    """Whose question is learned: one that keeps no state."""
    experience: Literal["full", "events"] | None = None
    """None for the reflector's usual way."""
    max_question_tokens: int = Field(default=4096, ge=16)
    """States whose question is longer are left out."""

    reward: RewardName = "replay"
    """replay: the same batch under the new prompt. fresh: new tasks of the family. gain: replay minus what the
    previous prompt solves of the same tasks."""
    replicates: int = Field(default=1, ge=1)
    """Episodes a task, each sampled anew, so that an actor's chance is averaged out."""
    actor: str | None = None
    """None for the one that played the states."""
    executor: Literal["inline", "process"] = "process"
    workers: int | None = Field(default=None, ge=1)
    """Worker processes; None for as many as there are cores."""

    steps: int = Field(ge=1)
    group: int = Field(default=8, ge=2)
    """Replies a state."""
    states_per_step: int = Field(default=1, ge=1)
    micro_batch: int = Field(default=8, ge=1)
    """Replies that one process takes through the model at a time."""
    learning_rate: float = Field(default=3e-6, gt=0)
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    warmup_steps: int = Field(default=0, ge=0)
    kl_beta: float = Field(default=0.001, ge=0)
    loss: Literal["grpo", "dr_grpo", "dapo", "bnpo"] = "grpo"
    """How tokens are weighed, by TRL's names: grpo makes those of short replies count for more."""
    temperature: float = Field(default=1.0, gt=0)
    max_tokens: int = Field(default=512, ge=1)
    """Of a reply."""
    lora: Lora | None = None
    """None for a full fine-tune."""
    seed: int = Field(default=0, ge=0)

    checkpoint_every: int = Field(default=20, ge=1)
    keep_checkpoints: int | None = Field(default=2, ge=2)
    """The newest ones; None for all. Old ones go before a new one is whole, so one alone would not be safe. Of a full
    fine-tune, one takes three times the room of the model."""
    probe_every: int = Field(default=10, ge=1)
    """Steps between two probes of the overfitting gap, on fresh tasks."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    dtype: Literal["float32", "bfloat16"] = "float32"
    """Of the weights."""
    compute: Literal["auto", "float32", "bfloat16"] = "auto"
    """What float32 weights are computed with in; auto: bfloat16 on a GPU, float32 on a CPU."""
    vllm: bool = False
    """Whether vLLM generates the replies, on the GPUs that train."""
    vllm_memory: Share = 0.3
    """Of the GPU's memory."""

    @model_validator(mode="after")
    def _whole_batches(self) -> Settings:
        if self.replies_a_step % self.micro_batch:
            raise ValueError(
                f"group x states_per_step = {self.replies_a_step} replies are no multiple of micro_batch "
                f"{self.micro_batch}"
            )
        if self.vllm and self.device == "cpu":
            raise ValueError("vllm needs a GPU, and device is cpu")
        return self

    @property
    def replies_a_step(self) -> int:
        """Over all processes."""
        return self.group * self.states_per_step

    def accumulated(self, processes: int) -> int:
        """How many micro-batches each of so many processes takes through the model in a step.

        Raises:
            ConfigError: they cannot share a step.
        """
        if self.replies_a_step % (self.micro_batch * processes):
            raise ConfigError(
                f"{self.replies_a_step} replies a step cannot be shared by {processes} processes of {self.micro_batch} "
                "replies each: lower micro_batch, or raise states_per_step"
            )
        return self.replies_a_step // (self.micro_batch * processes)

    @classmethod
    def read(cls, path: Path, **instead: Any) -> Settings:
        """Settings from a YAML file; what `instead` names goes before it, None for nothing.

        Raises:
            ConfigError: the file cannot be read, an unknown key, or a value that does not fit.
        """
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise ConfigError(f"config {path} cannot be read: {' '.join(str(error).split())}") from error
        if not isinstance(content, dict):
            raise ConfigError(f"config {path} is no mapping of settings to values, e.g. `steps: 100`")
        try:
            return cls.model_validate({**content, **{k: v for k, v in instead.items() if v is not None}})
        except ValidationError as error:
            raise ConfigError(f"config {path}: {validation_message(error)}") from error
