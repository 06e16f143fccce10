from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from small_campaign import small_matrix

from ictbench.campaigns.campaign_file import read_campaign
from ictbench.campaigns.cell_names import cell_names
from ictbench.campaigns.plan_campaign import plan_campaign
from ictbench.errors import ConfigError

EXAMPLES = Path(__file__).parents[2] / "examples/campaigns"


def names(**sections: Any) -> list[str]:
    file = read_campaign(small_matrix(**sections))
    assert not file.problems
    return [cell.name for cell in file.cells]


def problems(**sections: Any) -> list[str]:
    return list(read_campaign(small_matrix(**sections)).problems)


def test_one_cell_per_combination() -> None:
    assert names() == [
        "none--read", "none--zap", "rules--read", "rules--zap", "blind-rules--read", "blind-rules--zap",
    ]  # fmt: skip


def test_excluded_combinations_are_left_out() -> None:
    kept = names(exclude=[{"reflector": ["none", "blind:rules"], "families": "zap"}])
    assert kept == ["none--read", "rules--read", "rules--zap", "blind-rules--read"]


def test_a_value_can_set_several_options() -> None:
    matrix = {
        "reflector": ["rules"],
        "setup": [{"name": "k3", "batch-size": 3}, {"name": "long", "batch_size": 5, "turns": 4}],
    }
    cells = read_campaign(small_matrix(matrix=matrix)).cells
    assert [cell.name for cell in cells] == ["k3", "long"]
    assert [(cell.options["batch_size"], cell.options["turns"]) for cell in cells] == [(3, 2), (5, 4)]
    assert cells[0].labels == {"reflector": "rules", "setup": "k3"}


def test_a_list_is_one_value_and_null_the_default() -> None:
    options = {"actor": "rules"}
    matrix = {"families": [["read", "zap"], "eat"], "batch_size": [4, None]}
    file = read_campaign({"options": options, "matrix": matrix})
    assert [cell.name for cell in file.cells] == [
        "read,zap--batch_size-4",
        "read,zap--batch_size-default",
        "eat--batch_size-4",
        "eat--batch_size-default",
    ]
    assert "batch_size" not in file.cells[1].options


def test_limits_and_workers_hold_for_the_whole_campaign() -> None:
    file = read_campaign(small_matrix(options={"actor": "rules", "max_cost": 3.5, "workers": 2}))
    assert file.shared == {"max_cost": 3.5, "workers": 2}
    assert all("max_cost" not in cell.options for cell in file.cells)


@pytest.mark.parametrize(
    ("sections", "value", "remedy"),
    [
        ({"optoins": {}}, "optoins", "'options'"),
        ({"options": {"lops": 3}}, "lops", "'loops'"),
        ({"options": {"stop_on_projected_cost": True}}, "stop_on_projected_cost", "max_cost"),
        ({"options": [1]}, "[1]", "mapping"),
        ({"matrix": {"famlies": ["read"]}}, "famlies", "'families'"),
        ({"matrix": {"reflector": "rules"}}, "rules", "list"),
        ({"matrix": {"reflector": []}}, "reflector", "list"),
        ({"matrix": {"reflector": ["rules", "none", "rules"]}}, "'rules' 2 times", "remove"),
        ({"matrix": {"max_cost": [1, 2]}}, "max_cost", "move it to options"),
        ({"matrix": {"turns": [2, 3]}}, "turns", "remove one"),
        ({"matrix": {"setup": [{"batch_size": 3}]}}, "batch_size", "name"),
        ({"matrix": {"a": [{"name": "x", "repeats": 2}], "b": [{"name": "y", "repeats": 3}]}}, "repeats", "one axis"),
        ({"exclude": [{"reflector": "nome"}]}, "nome", "'none'"),
        ({"exclude": [{"reflectr": "none"}]}, "reflectr", "'reflector'"),
        ({"exclude": {"reflector": "none"}}, "none", "list"),
        ({"exclude": [{"reflector": "none"}, {"reflector": "none", "families": "read"}]}, "", ""),
        ({"exclude": [{"families": ["read", "zap"]}]}, "every cell is excluded", "remove"),
        ({"name": 3}, "3", "quotes"),
        ({"options": {"batch-size": 2, "batch_size": 3}}, "'batch-size' and 'batch_size'", "remove one"),
    ],
)
def test_a_mistake_is_named_with_its_remedy(sections: dict[str, Any], value: str, remedy: str) -> None:
    found = problems(**sections)
    if not value:
        assert not found
    else:
        assert any(value in problem and remedy in problem for problem in found)


def test_an_exclusion_that_matches_nothing_is_a_mistake() -> None:
    exclude = [{"reflector": "none", "families": "zap"}]
    assert not problems(exclude=exclude)
    matrix = {"reflector": ["none", "rules"], "families": ["read", "zap"]}
    assert problems(matrix=matrix, exclude=[{"reflector": "none", "families": []}]) == [
        "exclude 1 matches no cell; remove it"
    ]


def test_everything_wrong_is_reported_at_once() -> None:
    content = small_matrix(
        options={"actor": "rules", "lops": 1},
        matrix={"reflector": ["rulez", "none"], "families": ["read", "raed"], "batch_size": [0, 2]},
        exclude=[{"reflector": "nome"}],
    )
    with pytest.raises(ConfigError) as caught:
        plan_campaign(content)
    for value in ("lops", "nome", "rulez", "raed", "batch_size", "'rules'", "nothing was played"):
        assert value in str(caught.value)


def test_two_servers_with_one_model_name_are_refused() -> None:
    content = small_matrix(
        matrix={
            "actor": [
                {"name": url, "actor": "openai/same", "actor_base_url": f"http://{url}:8000/v1"} for url in ("a", "b")
            ],
            "families": ["read"],
        },
        options={"suite": "minihack-v1", "reflector": "none"},
    )
    with pytest.raises(ConfigError, match=r"cells a and b are the same run.*two names"):
        plan_campaign(content)


def test_cells_that_are_the_same_run_are_refused() -> None:
    content = small_matrix(
        options={"suite": "minihack-v1", "actor": "rules", "profile": "lite"},
        matrix={"reflector": ["rules"], "families": ["read"], "batch_size": [3, None]},
    )
    with pytest.raises(ConfigError, match=r"batch_size-3 and batch_size-default are the same run"):
        plan_campaign(content)


@pytest.mark.parametrize("text", ["", "- a", "matrix: {}", "matrix: [a]", "matrix: {a: [1", "a: 1\na: 2"])
def test_a_file_without_a_matrix_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "campaign.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"campaign\.yaml"):
        read_campaign(path)


@pytest.mark.parametrize("name", ["../evil", "a/b", "..", ".hidden", "-x", "a\\b", "a\nb"])
def test_a_name_that_is_not_the_name_of_a_folder_is_refused(name: str) -> None:
    (problem,) = problems(name=name)
    assert problem.startswith(f"name is {json.dumps(name)} and not the name of a folder")


@pytest.mark.parametrize("name", ["small", "Größe 3", "a.b-c_d", "2026-11"])
def test_plain_names_are_accepted(name: str) -> None:
    assert not problems(name=name)


def test_files_of_the_repository_have_distinct_names() -> None:
    found = [yaml.safe_load(path.read_text())["name"] for path in EXAMPLES.glob("*.yaml")]
    page = (EXAMPLES.parents[1] / "docs/campaigns.md").read_text()
    found += re.findall("^name: (.*)$", page, re.MULTILINE)
    assert len(found) > 3
    assert len(found) == len(set(found))


@pytest.mark.parametrize(("name", "cells"), [("controls", 6), ("models", 6), ("regression", 2)])
def test_the_examples_can_be_played(name: str, cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-used-by-a-plan")
    assert len(plan_campaign(EXAMPLES / f"{name}.yaml").cells) == cells


@given(
    st.lists(
        st.fixed_dictionaries({"a": st.text(max_size=120), "b": st.text(max_size=12)}),
        min_size=1,
        max_size=8,
        unique_by=lambda cell: (cell["a"], cell["b"]),
    )
)
def test_names_of_cells_are_distinct_and_fit_any_file_system(cells: list[dict[str, str]]) -> None:
    found = cell_names(cells)
    assert len({name.casefold() for name in found}) == len(cells)
    for name in found:
        assert 0 < len(name) <= 100
        assert name.isascii()
        assert "/" not in name
        assert not name.startswith(".")
