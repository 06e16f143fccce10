"""File of a campaign: YAML to cells. All problems of a file are reported together."""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ictbench.campaigns.cell_names import cell_names
from ictbench.errors import ConfigError
from ictbench.plugins import suggest
from ictbench.runs.options import OPTIONS, options_of
from ictbench.user_folders import expand_home
from ictbench.yaml_file import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SECTIONS = ("name", "description", "options", "matrix", "exclude")
MAX_CELLS = 1_000
NAME = "name"
"""Key of a value of an axis that sets several options, for its name."""
ONE_RUN_ONLY = ("stop_on_projected_cost",)
"""Options that a run has and neither a cell nor a campaign."""
DEFAULT_LABEL = "default"
PLAIN_NAME = re.compile(r"\w[\w. -]*")


@dataclass(frozen=True, slots=True)
class Value:
    """One value of an axis: its name and the options that it sets."""

    label: str
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Cell:
    """One combination of the matrix."""

    name: str
    """Name of its folder."""
    labels: Mapping[str, str]
    """Name of its value by axis."""
    options: Mapping[str, Any]
    """Options of its run, as the file gives them."""


@dataclass(frozen=True, slots=True)
class CampaignFile:
    """What a file asks for."""

    name: str
    description: str
    shared: Mapping[str, Any]
    """Options that hold for all cells together: limits, workers, cache."""
    axes: tuple[str, ...]
    cells: tuple[Cell, ...]
    problems: tuple[str, ...] = ()
    """Everything that is wrong so far; cells with wrong values are left out."""


@dataclass(slots=True)
class _Reader:
    """Sections of a file, and the problems found in them."""

    problems: list[str] = field(default_factory=list)

    def mapping(self, content: Mapping[str, Any], section: str, example: str) -> dict[str, Any]:
        """Return a section that is a mapping; empty if it is missing or something else."""
        value = content.get(section)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.problems.append(f"{section} is {_short(value)} and not a mapping, e.g. `{example}`")
            return {}
        return self.option_names(value, section)

    def option_names(self, values: Mapping[Any, Any], where: str) -> dict[str, Any]:
        """Return a mapping with the names of options as its keys: batch-size is batch_size."""
        named: dict[str, Any] = {}
        for key, item in values.items():
            name = str(key).replace("-", "_")
            if name in named:
                self.problems.append(f"{where}: {name.replace('_', '-')!r} and {name!r} are one option; remove one")
            named[name] = item
        return named

    def options(self, values: Mapping[str, Any], where: str) -> dict[str, Any]:
        """Return the values whose names are options that a cell can have."""
        known = {}
        for name, value in values.items():
            if name not in OPTIONS:
                self.problems.append(f"{where}: {name!r} is not an option; {suggest(name, OPTIONS)}")
            elif name in ONE_RUN_ONLY:
                self.problems.append(f"{where}: {name!r} is for single runs; use max_cost, which a campaign keeps")
            else:
                known[name] = value
        return known


def read_campaign(source: str | Path | Mapping[str, Any]) -> CampaignFile:
    """Read a file, or the same content as a mapping.

    Raises:
        ConfigError: The file cannot be read, or it has no matrix at all. Other problems are in the returned record.
    """
    path = None if not isinstance(source, str | Path) else expand_home(source)
    try:
        content = source if path is None else read_yaml(path)
    except ValueError as error:
        raise ConfigError(f"campaign {path} cannot be read: {error}") from error
    if not isinstance(content, dict) or not isinstance(content.get("matrix"), dict) or not content["matrix"]:
        raise ConfigError(
            f"{path or 'the campaign'} has no matrix; write e.g. `matrix: {{reflector: [none, rules]}}`, see "
            "docs/campaigns.md"
        )
    reader = _Reader()
    reader.problems += [
        f"{key!r} is not a section of a campaign; {suggest(str(key), SECTIONS)}"
        for key in content
        if key not in SECTIONS
    ]
    given = reader.options(reader.mapping(content, "options", "options: {profile: lite}"), "options")
    shared = {name: given.pop(name) for name in options_of("campaign") if name in given}
    axes = {
        axis: values
        for axis, listed in reader.mapping(content, "matrix", "matrix: {reflector: [none, rules]}").items()
        if (values := _axis(axis, listed, given, reader))
    }
    _check_overlaps(axes, reader)
    combinations = list(itertools.islice(itertools.product(*axes.values()), MAX_CELLS * 10))
    kept = list(_without(combinations, list(axes), content.get("exclude"), axes, reader))
    if len(kept) > MAX_CELLS:
        reader.problems.append(f"the matrix has more than {MAX_CELLS} cells; split it into several campaigns")
        kept = []
    labels = [dict(zip(axes, (value.label for value in row), strict=True)) for row in kept]
    cells = [
        Cell(name, label, {**given, **{key: item for value in row for key, item in value.options.items()}})
        for name, label, row in zip(cell_names(labels), labels, kept, strict=True)
    ]
    if not cells and not reader.problems:
        reader.problems.append("every cell is excluded; remove some of exclude")
    name, description = content.get("name"), content.get("description")
    for key, value in (("name", name), ("description", description)):
        if value is not None and not isinstance(value, str):
            reader.problems.append(f"{key} is {_short(value)} and not a text; put it in quotes")
    if isinstance(name, str) and name and not PLAIN_NAME.fullmatch(name):
        reader.problems.append(
            f"name is {_short(name)} and not the name of a folder: use letters, digits, spaces and inner . _ -; choose "
            "another place with --out"
        )
    return CampaignFile(
        name=str(name or (path.stem if path else "campaign")),
        description=str(description or ""),
        shared=shared,
        axes=tuple(axes),
        cells=tuple(cells),
        problems=tuple(reader.problems),
    )


def label_of(value: Any) -> str:
    """Return the name of a plain value of an axis."""
    if value is None:
        return DEFAULT_LABEL
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, type):
        return value.__name__
    if isinstance(value, list | tuple):
        return ",".join(map(label_of, value))
    return str(value) if isinstance(value, str | int | float) else json.dumps(value, default=str)


def _axis(axis: str, listed: Any, given: Mapping[str, Any], reader: _Reader) -> list[Value]:
    """Return the values of an axis."""
    where = f"matrix: {axis}"
    if not isinstance(listed, list | tuple) or not listed:
        reader.problems.append(f"{where} is {_short(listed)} and not a list of values, e.g. `{axis}: [a, b]`")
        return []
    if axis in options_of("campaign"):
        reader.problems.append(f"{where} holds for the whole campaign; move it to options")
        return []
    if axis in given:
        reader.problems.append(f"{axis!r} is in options and in the matrix; remove one of them")
    values = [value for item in listed if (value := _value(axis, item, where, reader))]
    for label, count in Counter(value.label for value in values).items():
        if count > 1:
            reader.problems.append(f"{where} has {label!r} {count} times; remove the others, or give each a name")
    return list({value.label: value for value in values}.values())


def _value(axis: str, item: Any, where: str, reader: _Reader) -> Value | None:
    if isinstance(item, dict) and NAME in item:
        label = label_of(item[NAME])
        given = {key: value for key, value in item.items() if key != NAME}
        settings = reader.option_names(given, f"{where}: {label}")
        for name in sorted(settings.keys() & options_of("campaign").keys()):
            reader.problems.append(f"{where}: {label}: {name!r} holds for the whole campaign; move it to options")
            del settings[name]
        return Value(label, reader.options(settings, f"{where}: {label}"))
    if axis not in OPTIONS:
        message = f"{where}: {axis!r} is not an option; {suggest(axis, OPTIONS)}"
        if isinstance(item, dict):
            message = f"{where}: {_short(item)} has no name; write e.g. {{name: a, batch_size: 3}}"
        if message not in reader.problems:
            reader.problems.append(message)
        return None
    if isinstance(item, dict) and not OPTIONS[axis].is_mapping:
        reader.problems.append(f"{where}: {_short(item)} sets several options and has no name; add `name: …`")
        return None
    if not reader.options({axis: item}, where):
        return None
    return Value(label_of(item), {} if item is None else {axis: item})


def _check_overlaps(axes: Mapping[str, list[Value]], reader: _Reader) -> None:
    """Check that no option is set by two axes."""
    by_axis = {axis: {name for value in values for name in value.options} for axis, values in axes.items()}
    for one, other in itertools.combinations(by_axis, 2):
        for name in sorted(by_axis[one] & by_axis[other]):
            reader.problems.append(f"matrix: {one} and {other} both set {name!r}; let one axis set it")


def _without(
    combinations: list[tuple[Value, ...]],
    names: list[str],
    excluded: Any,
    axes: Mapping[str, list[Value]],
    reader: _Reader,
) -> Iterator[tuple[Value, ...]]:
    """Yield the combinations that no entry of `exclude` matches."""
    entries = []
    if not isinstance(excluded, list | type(None)):
        reader.problems.append(f"exclude is {_short(excluded)} and not a list, e.g. `exclude: [{{reflector: none}}]`")
        excluded = None
    for number, entry in enumerate(excluded or (), 1):
        if wanted := _exclusion(f"exclude {number}", entry, axes, reader):
            entries.append((number, wanted))
    matched = set()
    for row in combinations:
        labels = dict(zip(names, (value.label for value in row), strict=True))
        hits = [number for number, wanted in entries if all(labels[axis] in wanted[axis] for axis in wanted)]
        matched.update(hits)
        if not hits:
            yield row
    reader.problems += [
        f"exclude {number} matches no cell; remove it" for number, _ in entries if number not in matched
    ]


def _exclusion(where: str, entry: Any, axes: Mapping[str, list[Value]], reader: _Reader) -> dict[str, set[str]]:
    """Return the values that an entry of `exclude` names, by axis; empty if the entry is wrong."""
    if not isinstance(entry, dict) or not entry:
        reader.problems.append(f"{where} is {_short(entry)} and not a mapping, e.g. {{reflector: none}}")
        return {}
    wanted: dict[str, set[str]] = {}
    for key, given in entry.items():
        axis = str(key).replace("-", "_")
        if axis not in axes:
            reader.problems.append(f"{where}: {key!r} is not an axis of the matrix; {suggest(axis, axes)}")
            return {}
        known = {value.label for value in axes[axis]}
        whole = label_of(given)
        chosen = {whole} if whole in known or not isinstance(given, list) else set(map(label_of, given))
        for label in sorted(chosen - known):
            reader.problems.append(f"{where}: {axis} has no value {label!r}; {suggest(label, known)}")
            return {}
        wanted[axis] = chosen
    return wanted


def _short(value: Any) -> str:
    return f"{json.dumps(value, ensure_ascii=False, default=str)!s:.80}"
