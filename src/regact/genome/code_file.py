"""The code file: a genome's codes on disk, made once from its FASTA and mapped into memory ever after.

A folder `genome.fa.gz.regact` beside the FASTA (or in the cache folder, where that place is read-only) holds
`codes.KEY.u8` (all contigs one after the other), `n_runs.KEY.npy` (contig's number, start, end) and `index.json`.
KEY stands for one state of the FASTA (size and time of change). The index is replaced last and in one step, so a
reader finds either the former state or the new one, and two processes that make it at once write the same files.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from regact.engine import check_space, progress, whole_file, write_json
from regact.errors import FormatError
from regact.genome.fasta import FastaContents, read_fasta

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class CodeFile:
    """Where a genome's codes lie and what its contigs are called; all that a worker process needs to map them."""

    fasta: Path
    codes: Path
    n_runs: Path
    checksum: str
    lengths: dict[str, int]
    descriptions: dict[str, str]


def find_code_file(fasta: Path, cache_dir: Path | None = None) -> CodeFile:
    """The code file of `fasta`, made now where there is none of its present state.

    Args:
        cache_dir: Put it there rather than beside the FASTA.

    Raises: FormatError where the FASTA cannot be read; DiskSpaceError where the code file does not fit.
    """
    state = _SourceState.of(fasta)
    for folder in _folders(fasta, cache_dir):
        found = _read_index(folder, fasta, state)
        if found is not None:
            return found
    return _make(fasta, state, cache_dir)


def cache_folder() -> Path:
    """Where regact keeps what it can make again: `XDG_CACHE_HOME/regact`, by default `~/.cache/regact`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "regact"


@dataclass(frozen=True, slots=True)
class _SourceState:
    """A FASTA file as it was when it was looked at; another size or time of change means another content."""

    size: int
    mtime_ns: int

    @classmethod
    def of(cls, fasta: Path) -> "_SourceState":
        try:
            status = fasta.stat()
        except FileNotFoundError as error:
            raise FormatError(fasta, "no such file", "a FASTA file, plain, gzip or bgzip") from error
        if fasta.is_dir():
            raise FormatError(fasta, "a folder", "a FASTA file, plain, gzip or bgzip")
        return cls(status.st_size, status.st_mtime_ns)

    @property
    def key(self) -> str:
        return hashlib.sha256(f"{SCHEMA} {self.size} {self.mtime_ns}".encode()).hexdigest()[:12]


def _folders(fasta: Path, cache_dir: Path | None) -> list[Path]:
    """Where the code file may lie, the preferred place first."""
    path = fasta.resolve()
    cached = f"{path.name}-{hashlib.sha256(os.fsencode(path)).hexdigest()[:12]}"
    if cache_dir is not None:
        return [cache_dir / cached]
    return [path.with_name(f"{path.name}.regact"), cache_folder() / cached]


def _read_index(folder: Path, fasta: Path, state: _SourceState) -> CodeFile | None:
    """The code file in `folder`, None where it is absent, of another state of the FASTA, or damaged."""
    try:
        index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
        if (index["schema"], index["size"], index["mtime_ns"]) != (SCHEMA, state.size, state.mtime_ns):
            return None
        found = _code_file(folder, fasta, state, index)
        if found.codes.stat().st_size != sum(found.lengths.values()) or not found.n_runs.is_file():
            return None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found


def _code_file(folder: Path, fasta: Path, state: _SourceState, index: Mapping[str, Any]) -> CodeFile:
    return CodeFile(
        fasta=fasta,
        codes=folder / f"codes.{state.key}.u8",
        n_runs=folder / f"n_runs.{state.key}.npy",
        checksum=index["checksum"],
        lengths={contig["name"]: contig["length"] for contig in index["contigs"]},
        descriptions={contig["name"]: contig["description"] for contig in index["contigs"]},
    )


def _make(fasta: Path, state: _SourceState, cache_dir: Path | None) -> CodeFile:
    folder = _first_writable(fasta, _folders(fasta, cache_dir))
    # A code takes a byte; compressed sequence opens to more than its size, and a full disk is noticed in any case.
    check_space(folder, state.size, f"the codes of {fasta.name}")
    try:
        index = _write_code_file(fasta, state, folder)
    except BaseException:
        with suppress(OSError):
            folder.rmdir()  # only where nothing else is in it
        raise
    _remove_former(folder, state)
    return _code_file(folder, fasta, state, index)


def _write_code_file(fasta: Path, state: _SourceState, folder: Path) -> dict[str, Any]:
    """Write codes, N runs and, last, the index; return the index."""
    with whole_file(folder / f"codes.{state.key}.u8") as codes_path:
        with codes_path.open("wb") as out, progress(f"Reading {fasta.name}", state.size, unit="bytes") as bar:
            contents = read_fasta(fasta, out, on_read=bar.advance)
        if _SourceState.of(fasta) != state:
            raise FormatError(fasta, "it changed while it was being read", "", "run again once it is whole")
    with whole_file(folder / f"n_runs.{state.key}.npy") as runs_path, runs_path.open("wb") as out:
        np.save(out, _number_runs(contents))
    index = _index(contents, fasta, state)
    write_json(folder / "index.json", index)
    return index


def _first_writable(fasta: Path, folders: list[Path]) -> Path:
    """The first folder that can be made and written to."""
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return folder
        except OSError:
            continue
    places = " nor ".join(str(folder) for folder in folders)
    raise FormatError(
        fasta, f"its codes can be written neither to {places}", "", "set XDG_CACHE_HOME to a folder of yours"
    )


def _number_runs(contents: FastaContents) -> np.ndarray:
    """Rows (contig's number, start, end), int64."""
    parts = [np.insert(contig.n_runs, 0, number, axis=1) for number, contig in enumerate(contents.contigs)]
    return np.concatenate(parts).astype(np.int64)


def _index(contents: FastaContents, fasta: Path, state: _SourceState) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "fasta": str(fasta.resolve()),
        "size": state.size,
        "mtime_ns": state.mtime_ns,
        "checksum": contents.checksum,
        "contigs": [
            {"name": contig.name, "length": contig.length, "description": contig.description}
            for contig in contents.contigs
        ],
    }


def _remove_former(folder: Path, state: _SourceState) -> None:
    """Remove the files of earlier states; a process that has mapped one keeps it until it ends."""
    for pattern in ("codes.*.u8", "n_runs.*.npy"):
        for path in folder.glob(pattern):
            if state.key not in path.name:
                path.unlink(missing_ok=True)
