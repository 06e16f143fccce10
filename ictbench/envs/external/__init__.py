"""Environments of other packages and programs: Gymnasium, TextWorld and Jericho games, OpenEnv servers."""
