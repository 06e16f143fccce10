"""Results: schema of the file, measures, statistics, tables, comparison and regression check."""

from ictbench.results.comparison import compare
from ictbench.results.comparison_schema import Comparison
from ictbench.results.regression_check import Check, check
from ictbench.results.schema import Interval, Result

__all__ = ["Check", "Comparison", "Interval", "Result", "check", "compare"]
