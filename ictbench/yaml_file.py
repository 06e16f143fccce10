"""Reading of YAML files: plain values only, no repeated keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from ictbench.errors import file_problem

if TYPE_CHECKING:
    from pathlib import Path


class UniqueKeyLoader(yaml.SafeLoader):
    """Safe loader that refuses a mapping with a repeated key, of which PyYAML would silently use the last value."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return the mapping.

        Raises:
            yaml.constructor.ConstructorError: A key occurs twice.
        """
        seen: set[tuple[str, str]] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                name = (key.tag, key.value)
                if name in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key {key.value!r} occurs twice; remove one", key.start_mark
                    )
                seen.add(name)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> Any:
    """Return the content of a YAML file. A byte order mark at its start is ignored.

    Raises:
        ValueError: The file cannot be read, is not UTF-8, is not YAML, or has a repeated key; the message says where.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8-sig"), UniqueKeyLoader)
    except yaml.MarkedYAMLError as error:
        mark, problem = error.problem_mark, " ".join(str(error.problem).split())
        raise ValueError(f"line {mark.line + 1}, column {mark.column + 1}: {problem}" if mark else problem) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(file_problem(error)) from error
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from error
