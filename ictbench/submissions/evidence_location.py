"""Place of a submission's evidence outside its folder: the board's own folder, or an address that the board allows."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Annotated, Literal, get_args

from pydantic import AfterValidator, Field, ValidationError

from ictbench.errors import SubmissionError
from ictbench.records import Record
from ictbench.validation import validation_message
from ictbench.yaml_file import read_yaml

if TYPE_CHECKING:
    from collections.abc import Collection

    from ictbench.submissions.layout import BoardFolder

EvidenceFile = Literal["episodes.jsonl.gz", "trajectories.jsonl.gz", "memories.jsonl.gz"]
"""Files of a submission that may lie outside its folder."""

EVIDENCE_FILES: tuple[EvidenceFile, ...] = get_args(EvidenceFile)

ALWAYS: tuple[EvidenceFile, ...] = ("episodes.jsonl.gz", "trajectories.jsonl.gz")
"""Those that every submission has."""

BOARD = "board"
"""Name of the board's own folder of evidence."""

WEB, SCHEMES = ("https", "http"), ("https", "http", "s3", "hf")
"""Schemes of addresses. Others, such as `file`, could name what is not public."""

MAX_FILE_BYTES = 10_000_000
"""Maximum size of one file, as in a submission's folder."""

ADDRESS = re.compile(
    r"(?P<scheme>[a-z0-9]+)://(?P<host>[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::[0-9]{1,5})?(?:/[A-Za-z0-9_~@+-][A-Za-z0-9_.~@+-]*)*/?"
)
"""Address without credentials, query, fragment, escapes, `..` and hidden folders."""


def address_problem(text: str) -> str | None:
    """Return why a text is not an address at which evidence may lie; None if it is one."""
    scheme = text.partition("://")[0]
    if "::" in text:
        return f"{text!r:.200} chains protocols (::); name the store itself"
    if scheme not in SCHEMES:
        return f"{text!r:.200} does not begin with {', '.join(f'{scheme}://' for scheme in SCHEMES)}"
    if not ADDRESS.fullmatch(text):
        return (
            f"{text!r:.200} is not SCHEME://HOST/FOLDER/… in lower-case host names and plain characters, without "
            "credentials, query and hidden folders"
        )
    return None


def _address(text: str) -> str:
    if problem := address_problem(text):
        raise ValueError(problem)
    return text


def _place(text: str) -> str:
    return text if text == BOARD else _address(text)


Address = Annotated[str, Field(max_length=300), AfterValidator(_address)]
"""Address of a folder in a store."""


class EvidenceLocation(Record):
    """Where the evidence of a submission lies. Each file is named for its SHA-256."""

    store: Annotated[str, Field(max_length=300), AfterValidator(_place)]
    """`board`, or the address of a folder."""
    sizes: dict[EvidenceFile, Annotated[int, Field(ge=1, le=MAX_FILE_BYTES)]]
    """Bytes by file name; no more are read."""


def evidence_files(names: Collection[str]) -> list[EvidenceFile]:
    """Return those of the names that are files of evidence."""
    return [name for name in EVIDENCE_FILES if name in names]


class BoardStores(Record):
    """Content of a board's `evidence.yaml`: the addresses from which the board reads evidence."""

    stores: Annotated[tuple[Address, ...], Field(max_length=100)] = ()
    """Beginnings of addresses, e.g. `https://example.org/evidence/` or `hf://datasets/`."""
    private_addresses: bool = False
    """Whether names of hosts may lead to private and loopback addresses."""

    def problem(self, address: str) -> str | None:
        """Return why the board does not read from an address; None if it does."""
        if problem := address_problem(address):
            return problem
        if not any(_folder(address).startswith(_folder(store)) for store in self.stores):
            listed = ", ".join(self.stores) or "no store"
            return f"the board reads no evidence from {address} (its evidence.yaml lists {listed})"
        match = ADDRESS.fullmatch(address)
        assert match is not None, address
        return None if self.private_addresses else private_problem(match["host"])


def private_problem(host: str) -> str | None:
    """Return why a host that is an IP address is not public; None if it is, or is a name."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    inner = [getattr(address, name, None) for name in ("ipv4_mapped", "sixtofour")]
    if all(one is None or (one.is_global and not one.is_multicast) for one in (address, *inner)):
        return None
    return f"{host} is not a public address; the board's evidence.yaml does not allow private_addresses"


def read_stores(board: BoardFolder) -> BoardStores:
    """Return the stores that a board allows; none if it has no `evidence.yaml`.

    Raises:
        SubmissionError: The file cannot be used.
    """
    path = board.stores
    try:
        return BoardStores.model_validate(read_yaml(path) or {}) if path.exists() else BoardStores()
    except ValidationError as error:
        raise SubmissionError(f"{path} does not fit its schema: {validation_message(error)}") from error
    except ValueError as error:
        raise SubmissionError(f"{path} cannot be read: {error}") from error


def _folder(address: str) -> str:
    return f"{address.rstrip('/')}/"
