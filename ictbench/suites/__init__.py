"""Suites: versioned benchmarks, one YAML file each."""

from ictbench.suites.load import list_suites, load_suite, shipped_suites
from ictbench.suites.suite import Family, Sizes, Suite

__all__ = ["Family", "Sizes", "Suite", "list_suites", "load_suite", "shipped_suites"]
