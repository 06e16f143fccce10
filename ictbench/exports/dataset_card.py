"""Data set card: README.md with the front matter that `load_dataset` and the Hub read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from ictbench.exports.features import features_of
from ictbench.exports.table_files import FileFormat, Table, file_name, has_datasets
from ictbench.results.formatting import code_span, markdown_table, markdown_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CSV_OPTIONS = {"keep_default_na": False, "na_values": ""}
"""pandas options for CSV: an empty cell is a missing value; texts such as NA or None stay texts."""

ABOUT_CSV = """\
CSV has no lists: lists and nested values are JSON texts. A text that a spreadsheet would evaluate, or that begins with
an apostrophe, stands after an apostrophe: remove it to get the text."""


def make_card(title: str, text: str, tables: Sequence[Table], file_format: FileFormat, rows: Mapping[str, int]) -> str:
    """Return the card of a data set.

    Args:
        title: Title of the page.
        text: Description of the data, in Markdown.
        tables: Tables of the data set; the first is its default.
        file_format: File format of the tables.
        rows: Number of rows by name of the table.
    """
    front: dict[str, Any] = {"pretty_name": title, "tags": ["ictbench", "in-context-training", "language-agents"]}
    # `load_dataset` cannot load a table without rows.
    loadable = [table for table in tables if rows[table.name]]
    if file_format != "datasets" and loadable:
        typed = _typed_configs if has_datasets() else _plain_configs
        front |= typed(loadable, file_format)
    parts = [
        f"---\n{yaml.dump(front, Dumper=_Dumper, sort_keys=False, allow_unicode=True)}---",
        f"# {markdown_text(title)}",
        text,
        "No licence is stated: add `license:` to the front matter before you share this data set.",
        *(_columns(table, rows[table.name]) for table in tables),
        _loading(tables, file_format),
    ]
    return "\n\n".join(parts) + "\n"


def facts(rows: Mapping[str, str]) -> str:
    """Return a Markdown table of names and values."""
    return markdown_table(("", ""), rows.items())


class _Dumper(yaml.SafeDumper):
    """YAML writer without anchors and aliases: repeated values are written out."""

    def ignore_aliases(self, data: Any) -> bool:
        """Return True: no value is written as an alias."""
        return True


def _configs(tables: Sequence[Table], file_format: FileFormat) -> list[dict[str, Any]]:
    return [
        {
            "config_name": table.name,
            "data_files": file_name(table.name, file_format),
            **({"default": True} if table is tables[0] else {}),
            **(CSV_OPTIONS if file_format == "csv" else {}),
        }
        for table in tables
    ]


def _plain_configs(tables: Sequence[Table], file_format: FileFormat) -> dict[str, Any]:
    return {"configs": _configs(tables, file_format)}


def _typed_configs(tables: Sequence[Table], file_format: FileFormat) -> dict[str, Any]:
    from datasets import DatasetInfo
    from datasets.info import DatasetInfosDict
    from huggingface_hub import DatasetCardData

    # The types are stated because they cannot be inferred from a column without values.
    infos = {
        table.name: DatasetInfo(features=features_of(table.row_type, flat=file_format == "csv"), config_name=table.name)
        for table in tables
    }
    card_data = DatasetCardData()
    DatasetInfosDict(infos).to_dataset_card_data(card_data)
    front: dict[str, Any] = card_data.to_dict()  # type: ignore[no-untyped-call]
    table_infos = front["dataset_info"] if len(tables) > 1 else [front["dataset_info"]]
    configs = _configs(tables, file_format)
    if file_format == "csv":
        # CSV is parsed by type: without it, the text 000 would become a number.
        for config, info in zip(configs, table_infos, strict=True):
            config["features"] = info["features"]
    return {"configs": configs, **front}


def _columns(table: Table, count: int) -> str:
    rows = [
        (code_span(name), " ".join((field.description or "").split()))
        for name, field in table.row_type.model_fields.items()
    ]
    about = markdown_text(" ".join((table.row_type.__doc__ or "").split()))
    return "\n".join(
        [
            f"## {table.name}",
            "",
            f"{count} rows. Each is {about[0].lower()}{about[1:]}",
            "",
            markdown_table(("column", "meaning"), rows),
        ]
    )


def _loading(tables: Sequence[Table], file_format: FileFormat) -> str:
    name = tables[0].name
    if file_format == "datasets":
        call = f'from datasets import load_from_disk\n\n{name} = load_from_disk("FOLDER/{name}")'
    else:
        call = f'from datasets import load_dataset\n\n{name} = load_dataset("FOLDER", "{name}", split="train")'
    text = f"## Loading\n\n```python\n{call}\n```"
    return f"{text}\n\n{ABOUT_CSV}" if file_format == "csv" else text
