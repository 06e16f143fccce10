"""What becomes of a training that cannot begin, or cannot go on."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch

from ictbench.cli.app import main
from ictbench.errors import ConfigError, EnvError, RunError, RunInterruptedError
from ictbench.models import client as managed
from ictbench.models.checkpoint_card import CARD_FILE
from ictbench.models.client import Retry
from ictbench.testing import ScriptedServer
from ictbench.train import Settings, collect, trainer
from ictbench.train.grpo import grpo
from ictbench.train.training_setup import set_up

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLES = Path(__file__).parents[2] / "examples" / "train"


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stops") / "states"
    collect(folder, reflector="none", actor="rules", families="eat", loops=1, turns=1, batch_size=1, max_steps=1)
    return folder


def settings(states: Path, **fields: Any) -> Settings:
    own = {"model": "smollm2", "states": states, "out": states.parent / "out", "steps": 4, "executor": "inline"}
    return Settings.model_validate({**own, "reflector": "lessons", "max_tokens": 8, **fields})


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Has the next training write one good checkpoint and then meet an error."""

    def failing(error: BaseException) -> None:
        class Broken:
            def __init__(self, setup: Any, rewards: Any, folder: Any, tell: Any) -> None:
                self.folder = folder

            def train(self, resume_from_checkpoint: str | None) -> None:
                self.folder.checkpoint(1).mkdir(exist_ok=True)
                (self.folder.checkpoint(1) / CARD_FILE).touch()
                self.folder.checkpoint(2).mkdir(exist_ok=True)
                raise error

        monkeypatch.setattr(trainer, "Trainer", Broken)

    return failing


@pytest.mark.parametrize(
    ("error", "kind", "told"),
    [
        (EnvError("the game hangs"), RunError, "a reward could not be played: the game hangs"),
        (torch.OutOfMemoryError("CUDA out of memory"), RunError, "memory does not suffice: lower micro_batch"),
        (MemoryError(), RunError, "memory does not suffice: lower micro_batch"),
        (
            RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
            RunError,
            "memory does not suffice",
        ),
        (KeyboardInterrupt(), RunInterruptedError, "stopped"),
    ],
)
def test_the_last_good_checkpoint_is_kept_and_named(
    error: BaseException, kind: type[RunError], told: str, states: Path, tmp_path: Path, failing: Any
) -> None:
    failing(error)
    with pytest.raises(kind, match=rf"{told}.*The same command goes on from {tmp_path}/t/checkpoint-1") as caught:
        grpo(settings(states, out=tmp_path / "t"))
    assert "\n" not in str(caught.value)


def test_an_endpoint_that_dies_in_a_step_stops_it_and_the_training_goes_on_when_it_is_back(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    monkeypatch.setattr(managed, "Retry", lambda: Retry(tries=2, base=0.01))
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
        # What the tiny model says is of no use; the probes play the previous prompt on fresh tasks in every step.
        own = settings(tmp_path / "states", model=str(tiny), out=tmp_path / "t", steps=2, group=2, micro_batch=2)
        own = own.model_copy(update={"checkpoint_every": 1, "probe_every": 1})
        played = server.requests
        with pytest.raises(RunError, match=r"a reward could not be played: .*goes on from .*checkpoint-1$") as caught:
            grpo(own, lambda line: up.close() if line.startswith("step 1 ") else None)
        assert "\n" not in str(caught.value)
        assert server.requests > played
    told: list[str] = []
    with ScriptedServer(["Action: step n"], port=int(server.url.rpartition(":")[2].removesuffix("/v1"))):
        assert grpo(own, told.append) == tmp_path / "t" / "checkpoint-2"
    assert not any(line.startswith("step 1 ") for line in told)


def test_more_steps_than_are_asked_for_are_not_taken_for_them(states: Path, tmp_path: Path, failing: Any) -> None:
    failing(KeyboardInterrupt())
    with pytest.raises(RunInterruptedError):
        grpo(settings(states, out=tmp_path / "t"))
    (tmp_path / "t" / "checkpoint-1").rename(tmp_path / "t" / "checkpoint-9")
    with pytest.raises(ConfigError, match="checkpoint-9 has more than the 4 steps that are asked for"):
        grpo(settings(states, out=tmp_path / "t"))


def test_a_step_needs_as_many_states_as_it_is_said_to_have(states: Path, tiny: Path, tmp_path: Path) -> None:
    few = settings(states, model=str(tiny), out=tmp_path / "t", states_per_step=2)
    with pytest.raises(ConfigError, match="states_per_step 2: there are 1 states to learn from"):
        grpo(few)


def test_a_bug_is_not_taken_for_a_lack_of_memory(states: Path, tmp_path: Path, failing: Any) -> None:
    failing(RuntimeError("shapes do not match"))
    with pytest.raises(RuntimeError, match="shapes"):
        grpo(settings(states, out=tmp_path / "t"))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"reflector": "append"}, "reflector 'append' cannot be trained.*lessons and rewrite can be"),
        ({"max_tokens": 65}, "max_tokens 65: replies of lessons have at most 48"),
        ({"experience": "full", "reflector": "rules"}, "reflector 'rules' cannot be trained"),
        ({"model": "nowhere"}, "hf/nowhere: there is no such folder"),
        ({"vllm": True}, "vllm is not installed"),
    ],
)
def test_what_cannot_be_trained_is_told_before_any_weights_are_loaded(
    fields: dict[str, Any], told: str, states: Path
) -> None:
    with pytest.raises(ConfigError, match=told):
        set_up(settings(states, **fields))


def test_a_dry_run_says_what_it_would_be(
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
    said = capsys.readouterr().out
    assert "1 of minihack-v1/eat" in said
    assert "episodes a step at most 128" in said
    assert not any(tmp_path.iterdir())


def test_the_papers_settings_and_the_file_for_several_gpus_are_understood(states: Path) -> None:
    from accelerate.commands.config.config_args import load_config_from_file

    launch = load_config_from_file(str(EXAMPLES / "accelerate-multi-gpu.yaml"))
    paper = Settings.read(EXAMPLES / "paper.yaml", states=states)
    assert paper.accumulated(launch.num_processes) * launch.num_processes == 64
    setup = set_up(paper.model_copy(update={"vllm": False}))
    assert setup.task.experience == "full"
    assert setup.base_digest is None
