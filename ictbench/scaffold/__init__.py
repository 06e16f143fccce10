"""Starts a plug-in: a package of one's own that works at once, with its tests."""

from ictbench.scaffold.create import Kind, create

__all__ = ["Kind", "create"]
