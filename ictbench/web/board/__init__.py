"""The static site of leaderboards. Its pages open from disk and load nothing."""

from ictbench.web.board.build_site import build_site

__all__ = ["build_site"]
