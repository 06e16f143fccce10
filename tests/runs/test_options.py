from __future__ import annotations

import inspect
from dataclasses import fields
from typing import TYPE_CHECKING, Any, get_args

import pytest

import ictbench
from ictbench.choices import ProfileName
from ictbench.errors import ConfigError
from ictbench.runs.option_types import MetaOptions, RerunOptions, RunOptions, VerifyOptions
from ictbench.runs.options import OPTIONS, Options, check_caller, defaults_of, options_of

if TYPE_CHECKING:
    from ictbench.runs.option import Caller


def test_every_option_is_declared_with_help_and_a_group() -> None:
    assert list(OPTIONS) == [field.name for field in fields(Options)]
    for option in OPTIONS.values():
        assert option.help.endswith(".")
        assert option.group
        assert option.callers[0] == "run"
        assert set(option.caller_defaults) <= {"collect", "meta"}


def test_the_types_for_calls_name_the_options_of_each_caller() -> None:
    assert set(RunOptions.__annotations__) == set(OPTIONS)
    assert set(RerunOptions.__annotations__) == set(options_of("rerun"))
    assert set(VerifyOptions.__annotations__) == set(options_of("verify"))
    assert set(MetaOptions.__annotations__) == set(options_of("meta"))


@pytest.mark.parametrize("function", [ictbench.run, ictbench.dry_run])
def test_help_shows_every_option_with_type_default_and_meaning(function: Any) -> None:
    parameters = inspect.signature(function).parameters
    described = " ".join(function.__doc__.split())
    for name, option in OPTIONS.items():
        assert parameters[name].default == option.default
        assert f" {name}: " in described
        assert option.help in described
    assert parameters["profile"].annotation == ProfileName
    assert 'profile: Literal["quick", "lite", "standard", "standard-k5"] (default: quick)' in described
    assert set(parameters) - set(OPTIONS) <= {"out", "on_start", "quiet", "ask"}


def test_an_unknown_option_suggests_the_nearest_one() -> None:
    options: dict[str, Any] = {"famlies": "read"}
    with pytest.raises(ConfigError, match="unknown option 'famlies'; did you mean 'families'"):
        ictbench.run(**options)


def test_lists_may_be_texts_with_commas_and_mappings_may_be_pairs() -> None:
    options = Options.parse(
        {
            "families": "read, zap",
            "retry_failed": ["empty,truncated", "refused"],
            "actor_model_options": ["n_ctx=4096", "lora=x=y"],
            "worker_resources": ["CPU=2", "GPU=0.5"],
        }
    )
    assert options.families == ("read", "zap")
    assert options.retry_failed == ("empty", "truncated", "refused")
    assert options.actor_model_options == {"n_ctx": 4096, "lora": "x=y"}
    assert options.worker_resources == {"CPU": 2.0, "GPU": 0.5}
    assert Options.parse({}) == Options()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("worker_resources", {"CPU": -1}, "worker_resources.CPU: -1 is below the minimum of 0"),
        ("worker_resources", ["CPU=.nan"], "worker_resources.CPU: .*finite"),
        ("actor_model_options", {"x": object()}, "actor_model_options.x: "),
        ("max_cost", 0, "max_cost: 0 is not greater than 0"),
        ("retry_failed", "lost", "retry_failed.0: 'lost' is not one of "),
        ("turns", True, "turns: True is not a whole number"),
        ("max_cost", True, "max_cost: True is not a number"),
        ("worker_resources", ["CPU=yes"], "worker_resources: .* is not a number"),
        ("cache", "", "cache: '' is not a path"),
        ("executor", "threads", "executor: 'threads' is not one of inline, process, ray"),
    ],
)
def test_a_value_out_of_bounds_is_refused(name: str, value: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=f"option {message}"):
        Options.parse({name: value})


def test_defaults_of_callers_are_valid_values() -> None:
    assert defaults_of("run") == {}
    assert defaults_of("meta") == {"profile": "standard", "executor": "inline"}
    collect = Options.parse(defaults_of("collect"))
    assert (collect.loops, collect.turns, collect.batch_size) == (32, 4, 3)
    assert (collect.profile, collect.families) == ("standard", ("meta-train",))
    assert collect.profile in get_args(ProfileName)


@pytest.mark.parametrize(
    ("caller", "name"), [("rerun", "turns"), ("collect", "audit"), ("verify", "batch_size"), ("meta", "loops")]
)
def test_an_option_of_another_caller_is_refused(caller: Caller, name: str) -> None:
    with pytest.raises(ConfigError, match=f"does not take the option '{name}'; leave it out"):
        check_caller(caller, ["max_steps" if caller in ("collect", "meta") else "executor", name])
