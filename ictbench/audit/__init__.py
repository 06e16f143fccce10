"""Audit of a result: checks of its claims, replay verification, rerun."""
