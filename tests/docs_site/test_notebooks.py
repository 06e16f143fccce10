"""The notebooks in examples/, executed by a Jupyter kernel, and the figures that they show."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from nbclient import NotebookClient

import ictbench
from ictbench.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

EXAMPLES = Path(__file__).parents[2] / "examples"


def outputs_of(notebook: Any) -> list[Any]:
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def test_the_notebook_of_a_reflector_runs(tmp_path: Path) -> None:
    notebook = nbformat.read(EXAMPLES / "reflector.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert outputs_of(notebook) == [], "the notebook is stored without outputs"
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [output.data for output in outputs_of(notebook) if output.output_type == "execute_result"]
    run, figure, comparison, episodes = shown
    assert "<table" in run["text/html"]
    assert "eat" in run["text/html"]
    assert "image/png" in figure
    assert "<table" in comparison["text/html"]
    assert "step_limit" in episodes["text/html"] or "solved" in episodes["text/html"]
    prompts = [
        output.text for output in outputs_of(notebook) if output.output_type == "stream" and output.name == "stdout"
    ]
    assert 'Walk onto "%".' in prompts[-1]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ictbench.Run:
    sizes: Any = {"families": ["eat", "read"], "loops": 3, "turns": 2, "selection_size": 4, "test_size": 6}
    return ictbench.run(
        env="minihack", out=tmp_path_factory.mktemp("figures") / "run", executor="inline", quiet=True, **sizes
    )


def axes_of(run: ictbench.Run, kind: Any) -> Axes:
    (axes,) = run.plot(kind).axes
    return axes


def test_curves_have_the_values_of_the_result(run: ictbench.Run, tmp_path: Path) -> None:
    lines = axes_of(run, "curves").get_lines()
    expected = [[point.value for point in family.measures.curve] for family in run.result.families if family.measures]
    assert [list(line.get_ydata()) for line in lines] == expected
    assert [line.get_label() for line in lines] == ["eat (meta-train)", "read (held-out)"]
    run.plot().savefig(tmp_path / "curves.png")
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_gains_have_the_values_of_the_result(run: ictbench.Run) -> None:
    lines = axes_of(run, "gains").get_lines()
    assert [line.get_xdata()[0] for line in lines[:2]] == [
        f.measures.gain.value for f in run.result.families if f.measures
    ]


def test_another_kind_of_figure_is_refused(run: ictbench.Run) -> None:
    with pytest.raises(ConfigError, match=r"'bars' is not a kind of figure \(curves, gains\)"):
        axes_of(run, "bars")
