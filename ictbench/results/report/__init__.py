"""The report: results and episodes as one page that opens from disk, without network."""

from ictbench.results.report.choice import EpisodeChoice, parse_choice
from ictbench.results.report.page import is_report, write_page
from ictbench.results.report.source import ReportSource

__all__ = ["EpisodeChoice", "ReportSource", "is_report", "parse_choice", "write_page"]
