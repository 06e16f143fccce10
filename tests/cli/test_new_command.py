from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from command_line import CommandLine


def test_the_written_files_and_the_next_steps_are_printed(call: CommandLine) -> None:
    code, out, _ = call("new", "actor", "bold_one")
    assert code == 0
    *files, next_steps, command = out.splitlines()
    assert sorted(map(Path, files)) == sorted(path for path in Path().rglob("*") if path.is_file())
    assert next_steps == "Next: cd bold_one && pip install -e '.[test]' && pytest"
    assert command == "Then: ictbench run --env minihack --actor bold_one --reflector none"


def test_misuse_is_one_line(call: CommandLine) -> None:
    code, _, err = call("new", "env", "class", "--out", "mine")
    assert code == 2
    assert err == "ictbench: 'class' is a keyword of Python; choose another name, e.g. my_class\n"
    code, _, err = call("new", "model", "mine")
    assert code == 2
    assert err.startswith("ictbench: kind: 'model' is not one of env, reflector, learner, actor")
    assert err.count("\n") == 1


def test_a_name_that_is_nearly_right_is_suggested_as_it_would_be_right(call: CommandLine) -> None:
    code, _, err = call("new", "learner", "my-notes")
    assert (code, err.endswith("e.g. my_notes\n")) == (2, True)
    _, _, err = call("new", "learner", "3d")
    assert err.endswith("e.g. my_learner\n")
