"""`python -m ictbench` does what the command `ictbench` does."""

from ictbench.cli.app import main

if __name__ == "__main__":
    main()
