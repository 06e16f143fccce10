"""Results: schema of the file, measures, statistics, tables, comparison, regression check and power."""

from ictbench.results.comparison import compare
from ictbench.results.comparison_schema import Comparison
from ictbench.results.loops_needed import Power, power
from ictbench.results.regression_check import Check, check
from ictbench.results.schema import Interval, Result

__all__ = ["Check", "Comparison", "Interval", "Power", "Result", "check", "compare", "power"]
