"""Exported models on Hugging Face's hub, by its own conventions: `from_pretrained` and `push_to_hub`.

The only file that names the hub's client, which is an extra: `pip install regact[hub]`.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from regact.errors import ProgramError, RunError
from regact.model import SequenceModel
from regact.pretrained.export import CONFIG, FILES, export_weights, load_exported


def from_pretrained(
    name: str | Path,
    *,
    revision: str | None = None,
    cache_dir: str | Path | None = None,
    token: str | None = None,
    local_files_only: bool = False,
    device: str = "cpu",
) -> SequenceModel:
    """The model of an exported folder, or of a repository on the hub, in inference mode.

    Every file is held against its checksum, and none is ever run.

    Args:
        name: A folder, or `owner/name` of a repository.
        revision: Branch, tag or commit of the repository.
        cache_dir: Where repositories are kept; the client's own place by default.
        token: Of a private repository.
        local_files_only: Take what is kept and ask nobody.
        device: Where the model goes.

    Raises:
        RunError: there is no such repository, or it cannot be reached; no exported model is in it.
        FormatError: a file is missing or was changed.
        ProgramError: the hub's client is not installed.
    """
    folder = Path(name)
    if not folder.is_dir():
        folder = fetch(
            str(name), revision=revision, cache_dir=cache_dir, token=token, local_files_only=local_files_only
        )
    return load_exported(folder, device=device)


def fetch(
    repository: str,
    *,
    revision: str | None = None,
    cache_dir: str | Path | None = None,
    token: str | None = None,
    local_files_only: bool = False,
) -> Path:
    """The folder in the client's cache with the files of a repository on the hub; see `from_pretrained`."""
    client = _require_client()
    with _errors_of_hub(repository):
        return Path(
            client.snapshot_download(
                repository,
                revision=revision,
                cache_dir=cache_dir,
                token=token,
                local_files_only=local_files_only,
                allow_patterns=list(FILES),  # whatever else a repository holds is not even fetched
            )
        )


def push_to_hub(
    run: str | Path,
    repository: str,
    *,
    private: bool = False,
    revision: str | None = None,
    token: str | None = None,
    commit_message: str = "Upload a model of regact",
    license_id: str | None = None,
) -> str:
    """Upload a run, or a folder that was exported already, as a repository on the hub; return its address.

    Files of a model that was there before go, where this one has none of that name; all others stay.

    Args:
        run: Run folder; it is exported on the way. An exported folder goes as it is, README.md included.
        repository: `owner/name`, made where it is not there yet.
        private: Make a new repository private; one that is there has to be.
        revision: Branch to put it on.
        token: The hub's, where the client has none of its own (`hf auth login`).
        commit_message: What the repository's history says of it.
        license_id: As in `export_weights`.

    Raises:
        RunError: the repository cannot be reached or written, or is public against `private`; as `export_weights`.
        ProgramError: the hub's client is not installed.
    """
    api = _require_client().HfApi(token=token)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(run)
        if (folder / CONFIG).is_file():
            load_exported(folder)  # nothing damaged goes out
        else:
            folder = export_weights(run, Path(temporary) / repository.rpartition("/")[2], license_id=license_id)
        with _errors_of_hub(repository):
            address = api.create_repo(repository, private=private, exist_ok=True)
            public = private and not api.repo_info(repository).private
        if public:
            remedy = "make it private on its page, take another name, or leave --private out"
            raise RunError(address, "there already, and public: nothing was uploaded", "a private repository", remedy)
        with _errors_of_hub(repository):
            api.upload_folder(
                repo_id=repository,
                folder_path=folder,
                revision=revision,
                commit_message=commit_message,
                allow_patterns=list(FILES),
                delete_patterns=[name for name in FILES if not (folder / name).is_file()],
            )
    return str(address)


def _require_client() -> Any:
    """The module huggingface_hub. Raises: ProgramError where it is not installed."""
    try:
        import huggingface_hub  # noqa: PLC0415, an extra
    except ImportError as error:
        raise ProgramError(
            "Hugging Face's hub", "its client is not installed", "the extra `hub`", 'say pip install "regact[hub]"'
        ) from error
    return huggingface_hub


@contextmanager
def _errors_of_hub(repository: str) -> Iterator[None]:
    """What the client raises, as RunError: it passes on its transport's errors too, whose classes are another's."""
    try:
        yield
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        needed = "a repository `owner/name` that can be reached"
        raise RunError(repository, f"the hub's client says: {reason}", needed) from error
