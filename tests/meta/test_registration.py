from __future__ import annotations

import subprocess
import sys

import gymnasium
import pytest
import yaml

import ictbench
from ictbench.meta.registration import env_ids

MAKE = 'gymnasium.make("ictbench/MiniHack-Room-Dark-v1", actor="rules", turns=2).close()'


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)


def test_every_family_that_ships_has_an_id() -> None:
    suites = ictbench.list_suites()
    families = [
        (suite, family)
        for suite, path in suites.items()
        for family in yaml.safe_load(path.read_text(encoding="utf-8"))["families"]
    ]
    found = list(env_ids())
    assert [(suite, family) for _, suite, family in found] == families
    assert {env_id for env_id, _, _ in found} == {name for name in gymnasium.registry if name.startswith("ictbench/")}
    assert ("ictbench/ALFWorld-Procgen-Pick-Two-v1", "alfworld-procgen-v1", "pick-two") in found


@pytest.mark.parametrize("imports", ["import gymnasium, ictbench", "import ictbench, gymnasium, ictbench.meta"])
def test_the_ids_are_there_once_gymnasium_and_then_ictbench_or_its_meta_are_imported(imports: str) -> None:
    done = python(f"{imports}\n{MAKE}")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("imports", ["import gymnasium", "import ictbench, gymnasium"])
def test_gymnasium_imports_us_where_the_id_says_so(imports: str) -> None:
    done = python(f"{imports}\n" + MAKE.replace("ictbench/", "ictbench.meta:ictbench/"))
    assert (done.returncode, done.stderr) == (0, "")


def test_importing_ictbench_imports_neither_gymnasium_nor_suites() -> None:
    done = python("import ictbench, sys; print([m for m in ('gymnasium', 'yaml', 'pydantic') if m in sys.modules])")
    assert done.stdout.strip() == "[]"


def test_without_gymnasium_it_is_said_what_to_install() -> None:
    done = python("import sys; sys.modules['gymnasium'] = None\nimport ictbench\nictbench.MetaEnv()")
    assert done.stderr.splitlines()[-1].endswith("pip install 'ictbench[meta]'")


def test_a_program_that_forgets_to_close_ends_all_the_same() -> None:
    code = """
        import gymnasium, ictbench
        env = gymnasium.make("ictbench/MiniHack-Eat-v1", turns=2)
        print(env.step(env.reset(seed=0)[1]["prompt"])[1])
    """
    done = python("\n".join(line.strip() for line in code.splitlines()))
    assert (done.returncode, done.stderr) == (0, "")
