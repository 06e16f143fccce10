from __future__ import annotations

import subprocess
import sys

import gymnasium
import pytest
import yaml

import ictbench
from ictbench.meta.registration import env_ids

MAKE = 'gymnasium.make("ictbench/MiniHack-Room-Dark-v1", actor="rules", turns=2).close()'


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)


def test_every_family_of_the_built_in_suites_has_an_id() -> None:
    suites = ictbench.list_suites()
    families = [
        (suite, family)
        for suite, path in suites.items()
        for family in yaml.safe_load(path.read_text(encoding="utf-8"))["families"]
    ]
    ids = list(env_ids())
    assert [(suite, family) for _, suite, family in ids] == families
    assert {env_id for env_id, _, _ in ids} == {name for name in gymnasium.registry if name.startswith("ictbench/")}
    assert ("ictbench/ALFWorld-Procgen-Pick-Two-v1", "alfworld-procgen-v1", "pick-two") in ids


@pytest.mark.parametrize("imports", ["import gymnasium, ictbench", "import ictbench, gymnasium, ictbench.meta"])
def test_importing_ictbench_after_gymnasium_or_its_meta_package_registers_the_ids(imports: str) -> None:
    process = run_python(f"{imports}\n{MAKE}")
    assert (process.returncode, process.stderr) == (0, "")


@pytest.mark.parametrize("imports", ["import gymnasium", "import ictbench, gymnasium"])
def test_an_id_with_a_module_makes_gymnasium_import_it(imports: str) -> None:
    process = run_python(f"{imports}\n" + MAKE.replace("ictbench/", "ictbench.meta:ictbench/"))
    assert (process.returncode, process.stderr) == (0, "")


def test_importing_ictbench_alone_does_not_import_gymnasium_or_suites() -> None:
    names = "'gymnasium', 'yaml', 'pydantic'"
    process = run_python(f"import ictbench, sys; print([name for name in ({names}) if name in sys.modules])")
    assert process.stdout.strip() == "[]"


def test_missing_gymnasium_names_the_extra_to_install() -> None:
    process = run_python("import sys; sys.modules['gymnasium'] = None\nimport ictbench\nictbench.MetaEnv()")
    assert process.stderr.splitlines()[-1].endswith("pip install 'ictbench[meta]'")


def test_a_program_that_does_not_close_the_environment_still_ends() -> None:
    code = """
        import gymnasium, ictbench
        env = gymnasium.make("ictbench/MiniHack-Eat-v1", turns=2)
        print(env.step(env.reset(seed=0)[1]["prompt"])[1])
    """
    process = run_python("\n".join(line.strip() for line in code.splitlines()))
    assert (process.returncode, process.stderr) == (0, "")
