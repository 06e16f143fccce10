"""The static site of leaderboards: pages that open from disk, without network."""

from ictbench.web.board.build_site import build_site

__all__ = ["build_site"]
