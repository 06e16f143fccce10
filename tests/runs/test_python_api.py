"""`ictbench.run` and what it returns, as a program or a notebook uses them."""

from __future__ import annotations

import inspect
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import flawed_envs
import pytest
import watching_reflector
from buggy_plugins import suite

import ictbench
from ictbench.actors.random_actor import RandomActor
from ictbench.errors import ConfigError, RunFolderError, UsageError
from ictbench.runs.own_classes import named_classes

if TYPE_CHECKING:
    from pathlib import Path

SIZES: dict[str, Any] = {"turns": 1, "batch_size": 2, "loops": 3, "selection_size": 2, "test_size": 3}


def play(folder: Path, name: str = "run", **options: Any) -> ictbench.Run:
    players = {"actor": RandomActor, "reflector": watching_reflector.WatchingReflector, "executor": "inline"}
    file = suite(folder, "flawed_envs:Cellar")
    return ictbench.run(suite=file, out=folder / name, **SIZES, **{**players, **options})


def test_classes_are_players_and_environments(tmp_path: Path) -> None:
    """The types of the options, which mypy checks here, allow what works."""
    run = ictbench.run(
        suite=suite(tmp_path, "flawed_envs:Cellar"),
        env=flawed_envs.Cellar,
        actor=RandomActor,
        reflector=watching_reflector.WatchingReflector,
        executor="inline",
        turns=1,
        batch_size=2,
        loops=3,
        selection_size=2,
        test_size=3,
        out=tmp_path / "run",
    )
    assert run.result.complete
    assert run.result.reflector.name == "watching_reflector:WatchingReflector"
    assert run.result.actor.name == "ictbench.actors.random_actor:RandomActor"


def test_a_run_is_continued_only_with_classes_of_the_same_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(tmp_path)
    assert play(tmp_path).result.complete
    getsource = inspect.getsource
    changed = lambda thing: getsource(thing) + "\n# changed"  # noqa: E731
    monkeypatch.setattr("ictbench.runs.own_classes.inspect.getsource", changed)
    with pytest.raises(RunFolderError, match="another configuration: classes is"):
        play(tmp_path)


def test_a_class_of_a_notebook_reflects_in_any_executor_and_acts_only_inline(monkeypatch: pytest.MonkeyPatch) -> None:
    class Mine(RandomActor): ...

    Mine.__module__, Mine.__qualname__ = "__main__", "Mine"
    monkeypatch.setattr(sys.modules["__main__"], "Mine", Mine, raising=False)
    assert named_classes({"reflector": Mine})[0] == {"reflector": "__main__:Mine"}
    assert named_classes({"actor": Mine, "executor": "inline"})[0]["actor"] == "__main__:Mine"
    with pytest.raises(ConfigError, match="cannot import: add executor='inline', or move the class to a module"):
        named_classes({"actor": Mine})


def test_what_is_no_class_of_a_module_is_refused_with_the_remedy() -> None:
    class Local(RandomActor): ...

    with pytest.raises(ConfigError, match="define the class at the top of its module"):
        ictbench.dry_run(actor=Local)
    with pytest.raises(ConfigError, match=r"give the class itself, e.g. actor=RandomActor"):
        ictbench.dry_run(actor=RandomActor())  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="reflector 3 is neither a name nor a class"):
        ictbench.dry_run(reflector=3)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"RandomActor is not a subclass of ictbench\.Reflector"):
        ictbench.dry_run(reflector=RandomActor, actor="rules")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="unknown option 'famlies'; did you mean 'families'"):
        ictbench.dry_run(famlies=["eat"])  # type: ignore[call-arg]


@pytest.mark.parametrize(("quiet", "shown"), [(None, False), (True, False), (False, True)])
def test_the_progress_bar_is_shown_on_request(
    tmp_path: Path, quiet: bool | None, shown: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    play(tmp_path, quiet=quiet)
    assert ("turns 3/3, episodes " in capsys.readouterr().err) == shown


def test_a_notebook_shows_the_progress_as_html(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []

    def display(html: str, display_id: bool) -> SimpleNamespace:
        shown.append(html)
        return SimpleNamespace(update=shown.append)

    module = SimpleNamespace(HTML=str, display=display)
    shell = SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell, display=module))
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    play(tmp_path)
    assert shown[0] == "starting …"
    assert shown[-1].startswith("<progress value=")
    assert "turns 3/3" in shown[-1]


def test_runs_results_and_comparisons_are_tables_in_a_notebook(tmp_path: Path) -> None:
    run, other = play(tmp_path), play(tmp_path, "other", reflector="none")
    html = run._repr_html_()
    assert html == run.result._repr_html_()
    assert f"<td>{run.result.families[0].measures.base.value:.2f}" in html  # type: ignore[union-attr]
    assert "<td>doors</td><td>held-out</td>" in html
    assert repr(run) == f"Run('{tmp_path / 'run'}')"
    for pair in ((run, other), (run.result, other.folder), (str(run.folder), other.folder / "result.json")):
        comparison = ictbench.compare(*pair)
        assert "<td>mean held-out</td>" in comparison._repr_html_()
        assert comparison == ictbench.compare(run, other)
        assert ictbench.check(*pair) == ictbench.check(run, other)
    assert ictbench.power(run.folder, other) == ictbench.power(run, other)
    page = ictbench.write_report([run.result, other], tmp_path / "report.html")
    assert page.exists()
    assert ictbench.verify(run, suite=suite(tmp_path, "flawed_envs:Cellar"), executor="inline").passed
    broken = ictbench.Run(tmp_path / "nowhere")
    assert "nowhere" in broken._repr_html_()


def test_help_lists_every_option_and_what_takes_a_class() -> None:
    assert {"quiet", "families", "env_timeout"} <= set(inspect.signature(ictbench.run).parameters)
    assert "quiet: True shows no progress bar" in str(ictbench.run.__doc__)
