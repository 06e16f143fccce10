"""Trainings that cannot start, or that stop early."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch

from ictbench.cli.app import main
from ictbench.errors import ConfigError, EnvError, RunError, RunInterruptedError
from ictbench.models import client
from ictbench.models.checkpoint_card import CARD_FILE
from ictbench.models.client import Retry
from ictbench.testing import ScriptedServer
from ictbench.train import TrainingSettings, collect, trainer
from ictbench.train.grpo import train_grpo
from ictbench.train.training_setup import prepare_training

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLES = Path(__file__).parents[2] / "examples" / "train"


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stops") / "states"
    collect(folder, reflector="none", actor="rules", families="eat", loops=1, turns=1, batch_size=1, max_steps=1)
    return folder


def settings(states: Path, **fields: Any) -> TrainingSettings:
    base = {"model": "smollm2", "states": states, "out": states.parent / "out", "steps": 4, "executor": "inline"}
    return TrainingSettings.model_validate({**base, "reflector": "lessons", "max_tokens": 8, **fields})


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Make the next training write one complete checkpoint and then raise an error."""

    def fail(error: BaseException) -> None:
        class FailingTrainer:
            def __init__(self, setup: Any, reward_function: Any, folder: Any, report: Any) -> None:
                self.folder = folder

            def train(self, resume_from_checkpoint: str | None) -> None:
                self.folder.checkpoint(1).mkdir(exist_ok=True)
                (self.folder.checkpoint(1) / CARD_FILE).touch()
                self.folder.checkpoint(2).mkdir(exist_ok=True)
                raise error

        monkeypatch.setattr(trainer, "ReflectorTrainer", FailingTrainer)

    return fail


@pytest.mark.parametrize(
    ("error", "error_type", "message"),
    [
        (EnvError("the game hangs"), RunError, "could not be played: the game hangs"),
        (torch.OutOfMemoryError("CUDA out of memory"), RunError, "out of memory: lower micro_batch"),
        (MemoryError(), RunError, "out of memory: lower micro_batch"),
        (
            RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
            RunError,
            "out of memory",
        ),
        (KeyboardInterrupt(), RunInterruptedError, "stopped"),
    ],
)
def test_the_message_names_the_last_complete_checkpoint(
    error: BaseException, error_type: type[RunError], message: str, states: Path, tmp_path: Path, failing: Any
) -> None:
    failing(error)
    with pytest.raises(
        error_type, match=rf"{message}.*The same command resumes from {tmp_path}/t/checkpoint-1"
    ) as caught:
        train_grpo(settings(states, out=tmp_path / "t"))
    assert "\n" not in str(caught.value)


def test_a_training_stopped_by_a_dead_endpoint_resumes_when_the_endpoint_is_back(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    monkeypatch.setattr(client, "Retry", lambda: Retry(attempts=2, base_wait=0.01))
    with ExitStack() as up:
        server = up.enter_context(ScriptedServer(["Action: step n"]))
        collect(
            tmp_path / "states",
            reflector="none",
            actor="openai/scripted",
            actor_base_url=server.url,
            families="eat",
            loops=1,
            turns=1,
            batch_size=1,
            max_steps=2,
            executor="inline",
        )
        # Replies of the tiny model are unusable; only the probes of each step play, under the previous prompt.
        config = settings(tmp_path / "states", model=str(tiny), out=tmp_path / "t", steps=2, group=2, micro_batch=2)
        config = config.model_copy(update={"checkpoint_every": 1, "probe_every": 1})
        played = server.requests
        with pytest.raises(RunError, match=r"could not be played: .*resumes from .*checkpoint-1$") as caught:
            train_grpo(config, lambda line: up.close() if line.startswith("step 1 ") else None)
        assert "\n" not in str(caught.value)
        assert server.requests > played
    lines: list[str] = []
    with ScriptedServer(["Action: step n"], port=int(server.url.rpartition(":")[2].removesuffix("/v1"))):
        assert train_grpo(config, lines.append) == tmp_path / "t" / "checkpoint-2"
    assert not any(line.startswith("step 1 ") for line in lines)


def test_a_checkpoint_beyond_the_requested_steps_is_refused(states: Path, tmp_path: Path, failing: Any) -> None:
    failing(KeyboardInterrupt())
    with pytest.raises(RunInterruptedError):
        train_grpo(settings(states, out=tmp_path / "t"))
    (tmp_path / "t" / "checkpoint-1").rename(tmp_path / "t" / "checkpoint-9")
    with pytest.raises(ConfigError, match="checkpoint-9 is beyond the 4 steps of the settings"):
        train_grpo(settings(states, out=tmp_path / "t"))


def test_more_states_per_step_than_there_are_is_refused(states: Path, tiny: Path, tmp_path: Path) -> None:
    few = settings(states, model=str(tiny), out=tmp_path / "t", states_per_step=2)
    with pytest.raises(ConfigError, match="states_per_step is 2, but only 1 states can be used"):
        train_grpo(few)


def test_a_bug_is_not_reported_as_out_of_memory(states: Path, tmp_path: Path, failing: Any) -> None:
    failing(RuntimeError("shapes do not match"))
    with pytest.raises(RuntimeError, match="shapes"):
        train_grpo(settings(states, out=tmp_path / "t"))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"reflector": "ace"}, "reflector 'ace' cannot be trained.*use lessons, one-action, one-rule or rewrite"),
        ({"max_tokens": 65}, "max_tokens 65 is too high: lessons limits its replies to 48"),
        ({"experience": "full", "reflector": "rules"}, "reflector 'rules' cannot be trained"),
        ({"model": "nowhere"}, "hf/nowhere: the folder does not exist"),
        ({"vllm": {}}, r"use vllm, which is not installed: pip install .ictbench\[train,vllm\]"),
    ],
)
def test_untrainable_settings_are_refused_before_weights_are_loaded(
    fields: dict[str, Any], message: str, states: Path
) -> None:
    with pytest.raises(ConfigError, match=message):
        prepare_training(settings(states, **fields))


def test_a_dry_run_prints_the_setup_and_writes_nothing(
    states: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    config = str(EXAMPLES / "smollm2-cpu.yaml")
    monkeypatch.setattr(
        "sys.argv", ["ictbench", "train", "grpo", "--config", config, "--states", str(states), "--dry-run"]
    )
    with pytest.raises(SystemExit) as caught:
        main()
    assert not caught.value.code
    output = capsys.readouterr().out
    assert "1 of minihack-v1/eat" in output
    assert "episodes a step at most 128" in output
    assert not any(tmp_path.iterdir())


def test_the_example_settings_for_several_gpus_are_valid(states: Path) -> None:
    from accelerate.commands.config.config_args import load_config_from_file

    launch = load_config_from_file(str(EXAMPLES / "accelerate-multi-gpu.yaml"))
    paper = TrainingSettings.from_yaml(EXAMPLES / "paper.yaml", states=states)
    assert paper.gradient_accumulation(launch.num_processes) * launch.num_processes == 64
    setup = prepare_training(paper.model_copy(update={"vllm": None}))
    assert setup.task.experience == "full"
    assert setup.base_digest is None
