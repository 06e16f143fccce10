"""TRL's GRPO trainer, with rewards that are played. It takes seconds to import."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoTokenizer, PrinterCallback, TrainerCallback
from transformers.utils.logging import disable_progress_bar
from trl import GRPOConfig, GRPOTrainer

from ictbench.errors import ConfigError
from ictbench.train.model_card import write_card
from ictbench.train.shared_prefix import generate, log_probabilities

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ictbench.train.reward import Rewards
    from ictbench.train.training_folder import TrainingFolder
    from ictbench.train.training_setup import Setup

SHOWN = {
    "reward": "reward",
    "frac_reward_zero_std": "groups without variance",
    "kl": "KL",
    "completions/mean_length": "length",
    "parse_failures": "parse failures",
    "probe/overfitting_gap": "overfitting gap",
}
"""What is told of each step, by its name in the logs."""


class Trainer(GRPOTrainer):  # type: ignore[misc]
    """Trains on a setup's states, from the model that it names."""

    def __init__(self, setup: Setup, rewards: Rewards, folder: TrainingFolder, tell: Callable[[str], None]) -> None:
        """Load the weights.

        Raises:
            ConfigError: too few states' questions fit, or the processes cannot share a step.
        """
        disable_progress_bar()
        settings, model = setup.settings, setup.model_folder()
        on_gpu = _on_gpu(settings.device)
        tokenizer = AutoTokenizer.from_pretrained(model, padding_side="left", truncation_side="left")
        rows = setup.task.rows(setup.states.states, tokenizer, settings.max_question_tokens)
        if left_out := len(setup.states.states) - len(rows):
            tell(
                f"{left_out} states are left out: their questions have more than {settings.max_question_tokens} tokens"
            )
        if not rows:
            raise ConfigError("all states are left out: raise max_question_tokens, or choose experience: events")
        if len(rows) < settings.states_per_step:
            raise ConfigError(f"states_per_step {settings.states_per_step}: there are {len(rows)} states to learn from")
        lora = settings.lora and LoraConfig(
            r=settings.lora.rank,
            lora_alpha=settings.lora.alpha,
            lora_dropout=settings.lora.dropout,
            target_modules="all-linear",
            task_type="CAUSAL_LM",
        )
        super().__init__(
            model=model,
            reward_funcs=self._reward(setup, rewards),
            args=_arguments(setup, folder, on_gpu=on_gpu),
            train_dataset=Dataset.from_list(rows),
            processing_class=tokenizer,
            peft_config=lora or None,
            callbacks=[Cards(setup, folder), Telling(tell)],
            rollout_func=None if on_gpu else generate,
        )
        self._on_gpu = on_gpu
        self.remove_callback(PrinterCallback)

    def _get_per_token_logps_and_entropies(
        self, model: Any, input_ids: Any, attention_mask: Any, logits_to_keep: int, *rest: Any, **options: Any
    ) -> tuple[Any, Any, None]:
        """As TRL's own, whose fused head is for GPUs."""
        if self._on_gpu:
            found: tuple[Any, Any, None] = super()._get_per_token_logps_and_entropies(
                model, input_ids, attention_mask, logits_to_keep, *rest, **options
            )
            return found
        with self.accelerator.autocast():
            scores, entropies = log_probabilities(model, input_ids, attention_mask, logits_to_keep, self.temperature)
        return scores, entropies, None

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """Nothing: checkpoints have cards of their own."""

    def _reward(self, setup: Setup, rewards: Rewards) -> Callable[..., list[float]]:
        """The reward function, as TRL calls it: with every column of the data set, one entry a reply."""

        def played(
            completions: Sequence[str],
            completion_ids: Sequence[Sequence[int]],
            state: Sequence[int],
            trainer_state: Any,
            log_metric: Callable[[str, float], None],
            **_: Any,
        ) -> list[float]:
            states = [setup.states.states[place] for place in state]
            ends, step = set(self.eos_token_ids), trainer_state.global_step
            read = [
                setup.task.read(one, text, cut=not ids or ids[-1] not in ends)
                for one, text, ids in zip(states, completions, completion_ids, strict=True)
            ]
            prompts = [reflection.prompt for reflection in read]
            log_metric("parse_failures", prompts.count(None) / len(prompts))
            found = rewards.of(states, prompts, step)
            if step % setup.settings.probe_every == 0:
                gains = rewards.gains(states, prompts, step)
                log_metric("probe/gain_replayed", gains.replayed)
                log_metric("probe/gain_fresh", gains.fresh)
                log_metric("probe/overfitting_gap", gains.overfitting_gap)
            log_metric("episodes", rewards.episodes)
            return found

        return played


class Cards(TrainerCallback):  # type: ignore[misc]
    """Writes each checkpoint's card, as its last file."""

    def __init__(self, setup: Setup, folder: TrainingFolder) -> None:
        self._setup, self._folder = setup, folder

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Called once a checkpoint is written."""
        if state.is_world_process_zero:
            write_card(self._folder.checkpoint(state.global_step), self._setup, state.global_step)


class Telling(TrainerCallback):  # type: ignore[misc]
    """Tells each step in a line."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float], **_: Any) -> None:
        """Called with a step's measures."""
        shown = [f"{name} {logs[key]:.3g}" for key, name in SHOWN.items() if logs.get(key) is not None]
        if shown and state.is_world_process_zero:
            self._tell(f"step {state.global_step} of {state.max_steps}: {', '.join(shown)}")


def _on_gpu(device: str) -> bool:
    there = bool(torch.cuda.is_available())
    if device == "cuda" and not there:
        raise ConfigError("device is cuda, and PyTorch sees no GPU here: device: cpu, or auto")
    return there and device != "cpu"


def _arguments(setup: Setup, folder: TrainingFolder, *, on_gpu: bool) -> Any:
    settings = setup.settings
    # TRL warns that its rollouts are experimental; versions are pinned.
    os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")
    # Where TensorBoard's callback writes; beside the checkpoints, whenever the training goes on.
    os.environ["TENSORBOARD_LOGGING_DIR"] = str(folder.path / "runs")
    return GRPOConfig(
        output_dir=str(folder.path),
        max_steps=settings.steps,
        num_generations=settings.group,
        per_device_train_batch_size=settings.micro_batch,
        gradient_accumulation_steps=settings.accumulated(int(os.environ.get("WORLD_SIZE", "1"))),
        learning_rate=settings.learning_rate,
        lr_scheduler_type=settings.schedule,
        warmup_steps=settings.warmup_steps,
        beta=settings.kl_beta,
        loss_type=settings.loss,
        temperature=settings.temperature,
        max_completion_length=settings.max_tokens,
        seed=settings.seed,
        model_init_kwargs={"dtype": settings.dtype},
        bf16=settings.compute == "bfloat16" or (settings.compute == "auto" and on_gpu),
        use_cpu=not on_gpu,
        gradient_checkpointing=on_gpu,
        use_vllm=settings.vllm,
        vllm_mode="colocate",
        vllm_gpu_memory_utilization=settings.vllm_memory,
        save_strategy="steps",
        save_steps=settings.checkpoint_every,
        save_total_limit=settings.keep_checkpoints,
        logging_steps=1,
        report_to=["tensorboard"],
        disable_tqdm=True,
        remove_unused_columns=False,
    )
