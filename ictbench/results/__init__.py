"""Results: the file, the measures, their statistics, the tables."""

from ictbench.results.schema import Interval, Result

__all__ = ["Interval", "Result"]
