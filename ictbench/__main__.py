"""`python -m ictbench` does what the command `ictbench` does."""

import sys


def main() -> None:
    """Run the command line. Ctrl-C during the imports ends it as later: without a traceback, with exit code 130."""
    try:
        from ictbench.cli.app import main as run
    except KeyboardInterrupt:
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
