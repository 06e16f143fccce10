"""Boards: entries, badges, log, ranking and tables."""
