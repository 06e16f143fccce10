"""The command line: one short file a command, which parses, calls the library and renders."""

from ictbench.cli.app import main

__all__ = ["main"]
