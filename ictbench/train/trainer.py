"""TRL's GRPO trainer with rewards from played episodes. Importing this module takes seconds."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from accelerate.utils import gather_object
from datasets import Dataset
from peft import LoraConfig, PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer, PrinterCallback, TrainerCallback
from transformers.utils.logging import disable_progress_bar
from trl import GRPOConfig, GRPOTrainer

from ictbench.errors import ConfigError, InfrastructureError, RunError
from ictbench.models.providers.hf import ADAPTER_CONFIG
from ictbench.models.providers.smollm2 import SMOLLM2, smollm2_folder
from ictbench.train.model_card import metadata, write_card
from ictbench.train.processes import Processes, fail_together
from ictbench.train.shared_prefix import generate, log_probabilities
from ictbench.train.trackers import MetadataCallback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ictbench.train.reward import RewardFunction
    from ictbench.train.settings import TrainingSettings
    from ictbench.train.states import ReflectionState
    from ictbench.train.training_folder import TrainingFolder
    from ictbench.train.training_setup import TrainingSetup

PROGRESS_METRICS = {
    "reward": "reward",
    "frac_reward_zero_std": "groups without variance",
    "kl": "KL",
    "completions/mean_length": "length",
    "parse_failures": "parse failures",
    "probe/overfitting_gap": "overfitting gap",
}
"""Metrics in the progress line of a step: name in the logs → name in the line."""


class ReflectorTrainer(GRPOTrainer):  # type: ignore[misc]
    """Trains the model of a setup on its states."""

    def __init__(
        self,
        setup: TrainingSetup,
        reward_function: RewardFunction,
        folder: TrainingFolder,
        report: Callable[[str], None],
    ) -> None:
        """Load the weights.

        Raises:
            ConfigError: Too few questions are short enough, or the processes cannot share a step.
        """
        disable_progress_bar()
        settings, model = setup.settings, setup.model_folder()
        on_gpu = _use_gpu(settings.device)
        adapted = (Path(model) / ADAPTER_CONFIG).is_file()
        self._setup = setup
        tokenizer = AutoTokenizer.from_pretrained(
            model, padding_side="left", truncation_side="left", trust_remote_code=False
        )
        super().__init__(
            model=_adapted(model, settings) if adapted else model,
            reward_funcs=self._played_reward(setup, reward_function),
            args=_grpo_config(settings, folder, on_gpu=on_gpu, loaded=adapted),
            train_dataset=Dataset.from_list(_question_rows(setup, tokenizer, report)),
            processing_class=tokenizer,
            peft_config=None if adapted else _lora_config(settings),
            callbacks=[CardCallback(setup, folder), ProgressCallback(report)],
            rollout_func=None if on_gpu else generate,
        )
        self._on_gpu = on_gpu
        self.remove_callback(PrinterCallback)
        self.add_callback(MetadataCallback(self, metadata(setup)))

    def _get_per_token_logps_and_entropies(
        self, model: Any, input_ids: Any, attention_mask: Any, logits_to_keep: int, *rest: Any, **options: Any
    ) -> tuple[Any, Any, None]:
        """Score replies; TRL's own method, whose fused head needs a GPU, is replaced on a CPU."""
        if self._on_gpu:
            scored: tuple[Any, Any, None] = super()._get_per_token_logps_and_entropies(
                model, input_ids, attention_mask, logits_to_keep, *rest, **options
            )
            return scored
        with self.accelerator.autocast():
            scores, entropies = log_probabilities(model, input_ids, attention_mask, logits_to_keep, self.temperature)
        return scores, entropies, None

    def train(self, *arguments: Any, **options: Any) -> Any:
        """Train; return when the first process has written everything. See `transformers.Trainer.train`."""
        output = super().train(*arguments, **options)
        self.accelerator.wait_for_everyone()
        return output

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """Do nothing: `CardCallback` writes the cards."""

    def _played_reward(self, setup: TrainingSetup, reward_function: RewardFunction) -> Callable[..., list[float]]:
        """Return the reward function that TRL calls with every column of the data set, one entry per reply."""

        # TRL names its metrics after this function.
        def played(
            completions: Sequence[str],
            completion_ids: Sequence[Sequence[int]],
            state: Sequence[int],
            trainer_state: Any,
            log_metric: Callable[[str, float], None],
            **_: Any,
        ) -> list[float]:
            states = [setup.states.states[index] for index in state]
            prompts = self._prompts(states, completions, completion_ids)
            step = trainer_state.global_step
            log_metric("parse_failures", prompts.count(None) / len(prompts))
            with self._stopping_together():
                rewards = reward_function.rewards(states, prompts, step, self._write)
                probed = step % setup.settings.probe_every == 0
                gains = reward_function.gains(states, prompts, step) if probed else None
            if gains is not None:
                log_metric("probe/gain_replayed", gains.replayed)
                log_metric("probe/gain_fresh", gains.fresh)
                log_metric("probe/overfitting_gap", gains.overfitting_gap)
            log_metric("episodes", reward_function.episodes)
            return rewards

        return played

    def _prompts(
        self, states: Sequence[ReflectionState], replies: Sequence[str], ids: Sequence[Sequence[int]]
    ) -> list[str | None]:
        """Return the prompts that replies give; None for an unusable one."""
        ends, task = set(self.eos_token_ids), self._setup.task
        return [
            task.parse(state, text, cut=not tokens or tokens[-1] not in ends).prompt
            for state, text, tokens in zip(states, replies, ids, strict=True)
        ]

    def _write(self, states: Sequence[ReflectionState]) -> list[str | None]:
        """Return the prompts that the model writes now; None for an unusable reply, or a question that is too long."""
        task, tokenizer = self._setup.task, self.processing_class
        texts = [task.text(state, tokenizer) for state in states]
        limit = self._setup.settings.max_question_tokens
        short = [index for index, text in enumerate(texts) if len(tokenizer(text)["input_ids"]) <= limit]
        ids = generate([texts[index] for index in short], self)["completion_ids"] or []
        replies = tokenizer.batch_decode(ids, skip_special_tokens=True) if ids else []
        prompts = dict(zip(short, self._prompts([states[index] for index in short], replies, ids), strict=True))
        return [prompts.get(index) for index in range(len(states))]

    @contextmanager
    def _stopping_together(self) -> Iterator[None]:
        """Raise the error of any process in all of them: the others would wait for it until a timeout."""
        error: InfrastructureError | RunError | None = None
        try:
            yield
        except (InfrastructureError, RunError) as raised:
            error = raised
        processes = self.accelerator.num_processes
        if processes > 1:
            rank = self.accelerator.process_index
            causes = gather_object([f"in process {rank} of {processes}: {error}" if error else None])
            if cause := next(filter(None, causes), None):
                fail_together(cause)
        if error:
            raise error


class CardCallback(TrainerCallback):  # type: ignore[misc]
    """Writes the card of each checkpoint, as its last file."""

    def __init__(self, setup: TrainingSetup, folder: TrainingFolder) -> None:
        self._setup, self._folder = setup, folder

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Write the card of the checkpoint that was just saved."""
        if state.is_world_process_zero:
            write_card(self._folder.checkpoint(state.global_step), self._setup, state.global_step)


class ProgressCallback(TrainerCallback):  # type: ignore[misc]
    """Reports each step in one line."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float], **_: Any) -> None:
        """Report the metrics of the step."""
        metrics = [f"{name} {logs[key]:.3g}" for key, name in PROGRESS_METRICS.items() if logs.get(key) is not None]
        if metrics and state.is_world_process_zero:
            self._report(f"step {state.global_step} of {state.max_steps}: {', '.join(metrics)}")


def _question_rows(setup: TrainingSetup, tokenizer: Any, report: Callable[[str], None]) -> list[dict[str, Any]]:
    settings, states = setup.settings, setup.states.states
    rows = setup.task.rows(states, tokenizer, settings.max_question_tokens)
    if left_out := len(states) - len(rows):
        report(f"{left_out} states are left out: their questions exceed {settings.max_question_tokens} tokens")
    if not rows:
        raise ConfigError(
            "the questions of all states are too long: raise max_question_tokens, or set experience: events"
        )
    if len(rows) < settings.states_per_step:
        raise ConfigError(f"states_per_step is {settings.states_per_step}, but only {len(rows)} states can be used")
    return rows


def _adapted(model: str, settings: TrainingSettings) -> Any:
    """Return the base model with the LoRA adapter that is trained on."""
    base = json.loads((Path(model) / ADAPTER_CONFIG).read_text(encoding="utf-8"))["base_model_name_or_path"]
    folder = str(smollm2_folder()) if base == SMOLLM2 else base
    loaded = AutoModelForCausalLM.from_pretrained(folder, dtype=settings.dtype, trust_remote_code=False)
    return PeftModel.from_pretrained(loaded, model, is_trainable=True)


def _lora_config(settings: TrainingSettings) -> LoraConfig | None:
    if settings.lora is None:
        return None
    return LoraConfig(
        r=settings.lora.rank,
        lora_alpha=settings.lora.alpha,
        lora_dropout=settings.lora.dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )


def _use_gpu(device: str) -> bool:
    available = bool(torch.cuda.is_available())
    if device == "cuda" and not available:
        raise ConfigError("device is cuda, but PyTorch finds no GPU: use device: cpu, or auto")
    return available and device != "cpu"


def _grpo_config(settings: TrainingSettings, folder: TrainingFolder, *, on_gpu: bool, loaded: bool) -> Any:
    # TRL warns that custom rollout functions are experimental; its version is pinned.
    os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")
    # One log folder for all sessions of a training.
    os.environ["TENSORBOARD_LOGGING_DIR"] = str(folder.path / "runs")
    return GRPOConfig(
        output_dir=str(folder.path),
        max_steps=settings.steps,
        num_generations=settings.group,
        per_device_train_batch_size=settings.micro_batch,
        gradient_accumulation_steps=settings.gradient_accumulation(Processes.from_environment().count),
        learning_rate=settings.learning_rate,
        lr_scheduler_type=settings.schedule,
        warmup_steps=settings.warmup_steps,
        beta=settings.kl_beta,
        loss_type=settings.loss,
        temperature=settings.temperature,
        max_completion_length=settings.max_tokens,
        seed=settings.seed,
        model_init_kwargs=None if loaded else {"dtype": settings.dtype, "trust_remote_code": False},
        bf16=settings.compute == "bfloat16" or (settings.compute == "auto" and on_gpu),
        use_cpu=not on_gpu,
        gradient_checkpointing=on_gpu,
        **_vllm_arguments(settings),
        save_strategy="steps",
        save_steps=settings.checkpoint_every,
        save_total_limit=settings.keep_checkpoints,
        logging_steps=1,
        report_to=list(settings.report_to),
        run_name=folder.path.name,
        # Only trackio reads it; the others have variables of their own.
        project=os.environ.get("TRACKIO_PROJECT", "ictbench"),
        disable_tqdm=True,
        remove_unused_columns=False,
    )


def _vllm_arguments(settings: TrainingSettings) -> dict[str, Any]:
    """Return the arguments of `GRPOConfig` for generation by vLLM."""
    vllm = settings.vllm
    if vllm is None:
        return {"use_vllm": False}
    if vllm.mode == "server":
        return {"use_vllm": True, "vllm_mode": "server", "vllm_server_base_url": vllm.server}
    return {
        "use_vllm": True,
        "vllm_mode": "colocate",
        "vllm_gpu_memory_utilization": vllm.memory,
        "vllm_tensor_parallel_size": vllm.tensor_parallel,
        "vllm_enable_sleep_mode": vllm.sleep,
        "vllm_max_model_length": vllm.max_length or settings.max_question_tokens + settings.max_tokens,
    }
