"""Results: the file, the measures, their statistics, the tables, comparisons and the check for regressions."""

from ictbench.results.comparison import Comparison, compare
from ictbench.results.regression import Check, check
from ictbench.results.schema import Interval, Result

__all__ = ["Check", "Comparison", "Interval", "Result", "check", "compare"]
