"""Templates for plug-ins: `ictbench new` writes a working package with tests."""

from ictbench.scaffold.create import Kind, create

__all__ = ["Kind", "create"]
