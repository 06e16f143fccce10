"""The card of a data set: README.md with the front matter that `load_dataset` and the Hub read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from ictbench.export.features import features_of
from ictbench.export.table_files import Format, Table, file_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CSV_READING = {"keep_default_na": False, "na_values": ""}
"""An empty cell is missing; a text that reads NA or None is that text."""


def make_card(title: str, text: str, tables: Sequence[Table], form: Format, rows: Mapping[str, int]) -> str:
    """The card of a data set of these tables, the first its default; `text` is the page's own part."""
    front: dict[str, Any] = {"pretty_name": title, "tags": ["ictbench", "in-context-training", "language-agents"]}
    # The package cannot load a table without rows.
    loadable = [table for table in tables if rows[table.name]]
    if form != "datasets" and loadable:
        front |= _configs(loadable, form)
    parts = [
        f"---\n{yaml.dump(front, Dumper=_Dumper, sort_keys=False, allow_unicode=True)}---",
        f"# {plain(title)}",
        text,
        "No licence is stated: add `license:` to the front matter before others are to use this.",
        *(_columns(table, rows[table.name]) for table in tables),
        _loading(tables, form),
    ]
    return "\n\n".join(parts) + "\n"


def facts(rows: Mapping[str, str]) -> str:
    """A table of names and values."""
    return "\n".join(["| | |", "|---|---|", *(f"| {plain(name)} | {plain(value)} |" for name, value in rows.items())])


def plain(text: str) -> str:
    """Text as it can stand in a Markdown table."""
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")


class _Dumper(yaml.SafeDumper):
    """Writes what occurs twice twice, without YAML's references."""

    def ignore_aliases(self, data: Any) -> bool:
        """Always."""
        return True


def _configs(tables: Sequence[Table], form: Format) -> dict[str, Any]:
    from datasets import DatasetInfo
    from datasets.info import DatasetInfosDict
    from huggingface_hub import DatasetCardData

    # With their types, as a column that holds nothing shows none.
    infos = {
        table.name: DatasetInfo(features=features_of(table.row_type, flat=form == "csv"), config_name=table.name)
        for table in tables
    }
    described = DatasetCardData()
    DatasetInfosDict(infos).to_dataset_card_data(described)
    front: dict[str, Any] = described.to_dict()  # type: ignore[no-untyped-call]
    infos_read = front["dataset_info"] if len(tables) > 1 else [front["dataset_info"]]
    configs = [
        {
            "config_name": table.name,
            "data_files": file_name(table.name, form),
            **({"default": True} if table is tables[0] else {}),
            # Of a CSV file the types must be known before it is read: 000 is a text here.
            **({"features": info["features"], **CSV_READING} if form == "csv" else {}),
        }
        for table, info in zip(tables, infos_read, strict=True)
    ]
    return {"configs": configs, **front}


def _columns(table: Table, count: int) -> str:
    rows = [f"| `{name}` | {plain(field.description or '')} |" for name, field in table.row_type.model_fields.items()]
    about = plain(table.row_type.__doc__ or "")
    return "\n".join(
        [
            f"## {table.name}",
            "",
            f"{count} rows. Each is {about[0].lower()}{about[1:]}",
            "",
            "| column | meaning |",
            "|---|---|",
            *rows,
        ]
    )


def _loading(tables: Sequence[Table], form: Format) -> str:
    name = tables[0].name
    if form == "datasets":
        call = f'from datasets import load_from_disk\n\n{name} = load_from_disk("FOLDER/{name}")'
    else:
        call = f'from datasets import load_dataset\n\n{name} = load_dataset("FOLDER", "{name}", split="train")'
    text = f"## Loading\n\n```python\n{call}\n```"
    return text + "\n\nLists and what is nested are JSON texts here, as CSV has none." if form == "csv" else text
