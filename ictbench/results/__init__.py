"""Results: the file, the measures, their statistics, the tables, comparisons and the check for regressions."""

from ictbench.results.comparison import compare
from ictbench.results.comparison_schema import Comparison
from ictbench.results.regression_check import Check, check
from ictbench.results.schema import Interval, Result

__all__ = ["Check", "Comparison", "Interval", "Result", "check", "compare"]
