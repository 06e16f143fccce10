"""The static site of leaderboards: pages that open from disk, without network."""

from ictbench.leaderboard.site.build import build_site

__all__ = ["build_site"]
