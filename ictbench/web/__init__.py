"""HTML pages: the report of runs and the static site of leaderboards.

`assets/` holds scripts and styles that both share, `assets/run/` the sections about a recorded run. The scripts are
plain ES modules; `make assets` bundles those of each page into `bundles/`.
"""
