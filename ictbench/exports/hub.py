"""Upload of data sets to the Hugging Face Hub, with the user's own token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.errors import ConfigError, RunError
from ictbench.exports.table_files import quiet, require_datasets

if TYPE_CHECKING:
    from pathlib import Path


def check_push(repo: str) -> None:
    """Check, before anything is written, that a push is possible.

    Raises:
        ConfigError: The name is not valid, or huggingface_hub finds no token.
        MissingExtraError: A package is not installed.
    """
    require_datasets()
    from huggingface_hub import get_token
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    try:
        if repo.count("/") != 1:
            raise HFValidationError("the owner is missing")
        validate_repo_id(repo)
    except HFValidationError as error:
        raise ConfigError(f"--push-to-hub {repo!r} is not a valid OWNER/NAME: {error}") from error
    if get_token() is None:
        raise ConfigError("--push-to-hub needs your Hugging Face token: set HF_TOKEN, or log in with `hf auth login`")


def push(folder: Path, repo: str, *, public: bool = False) -> str:
    """Upload an exported folder and return the address of the data set.

    Args:
        folder: The exported folder.
        repo: OWNER/NAME of the data set; it is created if it does not exist.
        public: Whether a new data set is public instead of private.

    Raises:
        UsageError: There is no token, or the name is not valid.
        RunError: The Hub does not answer, or refuses; the folder is kept.
    """
    check_push(repo)
    from huggingface_hub import HfApi

    api = HfApi()
    try:
        address = api.create_repo(repo, repo_type="dataset", private=not public, exist_ok=True)
        with quiet():
            api.upload_folder(repo_id=repo, repo_type="dataset", folder_path=folder, commit_message="ictbench export")
    except Exception as error:  # huggingface_hub raises many types, some from its HTTP client
        message = " ".join(f"{type(error).__name__}: {error}".split())
        raise RunError(
            f"{repo} could not be pushed to {api.endpoint} ({message}); the export is in {folder}"
        ) from error
    return str(address)
