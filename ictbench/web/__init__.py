"""HTML pages: the report of runs and the static site of leaderboards."""
