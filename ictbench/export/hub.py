"""Data sets to the Hugging Face Hub, with the user's own token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.errors import ConfigError, RunError
from ictbench.export.table_files import quiet, require_datasets

if TYPE_CHECKING:
    from pathlib import Path


def check_push(repo: str) -> None:
    """Whether a push can begin at all: a name, and a token in one of huggingface_hub's usual places.

    Raises:
        ConfigError: the name is none, or there is no token.
        MissingExtraError: a package is not installed.
    """
    require_datasets()
    from huggingface_hub import get_token
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    try:
        if repo.count("/") != 1:
            raise HFValidationError("it has no owner")
        validate_repo_id(repo)
    except HFValidationError as error:
        raise ConfigError(f"--push-to-hub {repo!r} is no OWNER/NAME: {error}") from error
    if get_token() is None:
        raise ConfigError("--push-to-hub needs your Hugging Face token: set HF_TOKEN, or log in with `hf auth login`")


def push(folder: Path, repo: str, *, public: bool = False) -> str:
    """Upload an exported folder as the data set `repo`, a new one private unless `public`; its address.

    Raises:
        UsageError: there is no token, or the name is none.
        RunError: the Hub does not answer, or refuses; the folder is left as it is.
    """
    check_push(repo)
    from huggingface_hub import HfApi

    api = HfApi()
    try:
        address = api.create_repo(repo, repo_type="dataset", private=not public, exist_ok=True)
        with quiet():
            api.upload_folder(repo_id=repo, repo_type="dataset", folder_path=folder, commit_message="ictbench export")
    except Exception as error:  # of many kinds, some of them its HTTP client's
        said = " ".join(f"{type(error).__name__}: {error}".split())
        raise RunError(f"{repo} could not be pushed to {api.endpoint} ({said}); {folder} holds the export") from error
    return str(address)
