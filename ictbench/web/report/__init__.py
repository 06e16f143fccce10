"""The report: results and episodes of runs as one page that opens from disk and loads nothing."""

from ictbench.web.report.episode_selection import EpisodeChoice, parse_choice
from ictbench.web.report.report_page import is_report, write_page
from ictbench.web.report.report_source import ReportSource
from ictbench.web.report.report_writer import write_report

__all__ = ["EpisodeChoice", "ReportSource", "is_report", "parse_choice", "write_page", "write_report"]
