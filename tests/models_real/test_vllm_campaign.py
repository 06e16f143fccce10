"""The paper's campaign at tiny sizes with a real vLLM, and prompts of another actor that SmolLM2 plays."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from apart import command
from models_real.vllm_server import SERVER_ARGS, missing_instructions, model, set_environment

import ictbench
from ictbench.campaigns import campaign
from ictbench.models.servers import launch
from ictbench.results.prompt_transfer import prompt_transfer
from ictbench.runs.transferred_prompts import transfer_options

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(missing_instructions() is not None, reason=str(missing_instructions()))

PAPER = Path(__file__).parents[2] / "examples/paper/minihack.yaml"
TINY: dict[str, Any] = {
    "families": "zap",
    "loops": 1,
    "turns": 2,
    "selection_size": 2,
    "test_size": 2,
    "max_steps": 2,
    "executor": "inline",
}
SERVER = {"server_args": SERVER_ARGS}


@pytest.fixture(scope="module", autouse=True)
def server() -> Iterator[None]:
    """Keep one server running for all cells."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        set_environment(monkeypatch)
        first = model()
        asyncio.run(first.start())
        monkeypatch.setattr(launch, "_start", lambda spec: pytest.fail(f"another server of {spec.name} is started"))
        yield
        asyncio.run(first.aclose())


def smollm2() -> str:
    """Return the name of the server's model; called in a test, it gives the test the server's environment."""
    return f"vllm/{model().spec.model}"


def tiny(player: str) -> dict[str, Any]:
    """Return the content of the paper's file with tiny sizes, and SmolLM2 in place of all its models."""
    content: dict[str, Any] = yaml.safe_load(PAPER.read_text(encoding="utf-8"))
    content["options"] |= {**TINY, "actor": player, "actor_model_options": SERVER}
    # Unlike the paper's free text, a grammar gives SmolLM2 an available action in few tokens.
    content["options"] |= {"actor_decoding": "grammar", "actor_max_tokens": 200}
    for value in content["matrix"]["prompt"]:
        if value["reflector"] != "none":
            # The cells "trained" have the same weights: only the way to the table is tested.
            value |= {"reflector": player, "reflector_model_options": SERVER, "reflector_max_tokens": 100}
    return content


def test_the_papers_campaign_gives_its_table(tmp_path: Path) -> None:
    finished = campaign(tiny(smollm2()), out=tmp_path / "paper")
    assert {state.name: (state.status, state.reason) for state in finished.states} == {
        f"{k}--{prompt}": ("complete", "") for k in ("k3", "k5") for prompt in ("initial", "untrained", f"trained-{k}")
    }
    # Cells share the episodes under the first prompt.
    assert finished.found > 0
    results = finished.results()
    for result in results.values():
        assert str(result.actor.fingerprint).startswith("sha256:")
        assert sum(cost.calls for cost in result.cost.values()) > 0
    arguments = ["paper-table", str(finished.folder), "--format"]
    shown = {
        form: subprocess.run(command(*arguments, form), capture_output=True, text=True, check=True).stdout
        for form in ("json", "table")
    }
    print(shown["table"])
    rows = [(row["batch_size"], row["arm"], row["paper"], row["loops"]) for row in json.loads(shown["json"])["rows"]]
    assert rows == [
        (3, "initial", None, 1), (3, "untrained", 18.8, 1), (3, "trained", 14.1, 1),
        (5, "initial", None, 1), (5, "untrained", None, 1), (5, "trained", None, 1),
    ]  # fmt: skip
    assert "NOT the paper's setup" in shown["table"]
    assert (finished.folder / "report.html").stat().st_size > 10_000


def test_a_language_model_plays_the_prompts_of_another_actor(tmp_path: Path) -> None:
    options = {**TINY, "suite": "minihack-paper-v1", "profile": "standard", "loops": 3}
    source = ictbench.run(**options, batch_size=2, reflector="rules", actor="rules", out=tmp_path / "source")
    played = ictbench.run(
        **transfer_options(str(source.folder)),
        actor=smollm2(),
        actor_model_options=SERVER,
        actor_decoding="grammar",
        actor_max_tokens=200,
        executor="inline",
        out=tmp_path / "played",
    )
    table = prompt_transfer(source.result, played.result)
    assert (table.learner, table.player) == ("rules", played.result.actor.label)
    assert [(row.family, row.loops) for row in table.rows] == [("zap", 3), (None, 3)]
    prompts = {key.partition("@")[2] for key in played.episode_keys()}
    loops = [loop for family in source.result.families for loop in family.loops]
    assert prompts == {loop.prompts[index].digest for loop in loops for index in (0, loop.best, loop.last)}
    print(table.markdown())
