"""Suites over external environments, for tests."""

from __future__ import annotations

from typing import Any

from ictbench.suites.suite import Suite


def external_suite(env: str, **params: Any) -> Suite:
    """Return a small suite of an environment with two families, in which all tasks have these params."""
    return Suite.model_validate(external_content(env, **params))


def external_content(env: str, **params: Any) -> dict[str, Any]:
    """Return the content of the file of such a suite."""
    return {
        "schema": "ictbench.suite/1",
        "name": "external-v1",
        "title": "External",
        "env": env,
        "params": params,
        "families": {"one": {"role": "meta-train"}, "other": {"role": "held-out"}},
        "pools": {
            "kind": "seeds",
            "experience": {"first": 0, "last": 999},
            "selection": {"first": 1000, "last": 1999, "block": 100},
            "test": {"first": 2000, "last": 2999, "block": 100},
        },
        "prompt": "Find the way out.",
        "presentation": "What the environment says.",
        "limits": {"max_steps": 10, "prompt_bytes": 8000},
        "actor": {"temperature": 0.0, "max_tokens": 500},
        "reflector": {"temperature": 0.0, "max_tokens": 2000},
        "profiles": {"quick": {"turns": 1, "batch_size": 2, "loops": 1, "selection_size": 2, "test_size": 2}},
    }
