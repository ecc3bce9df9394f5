"""What a judgement rests on, kept beside it: from this follow its numbers with other blocks of the genome."""

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from regact.engine import whole_file
from regact.errors import FormatError
from regact.evaluation.distal_bootstrap import DistalEvidence
from regact.evaluation.window_sums import WindowSums

_MADE_FROM = "made_from"


@dataclass(frozen=True)
class Evidence:
    """The sums of every window of a split, and, on simulated data, what was predicted of distally driven promoters."""

    windows: WindowSums
    distal: DistalEvidence | None


def write_evidence(path: Path, evidence: Evidence, made_from: Mapping[str, str]) -> None:
    """Write it as .npz, whole or not at all; `made_from` names what it holds for."""
    arrays = {f"windows.{field.name}": getattr(evidence.windows, field.name) for field in fields(WindowSums)}
    if evidence.distal is not None:
        arrays |= {f"distal.{field.name}": getattr(evidence.distal, field.name) for field in fields(DistalEvidence)}
    arrays[_MADE_FROM] = np.array(json.dumps(dict(made_from)))
    with whole_file(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)


def holds_for(path: Path, made_from: Mapping[str, str]) -> bool:
    """Whether there is evidence at `path`, and of just that."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return bool(json.loads(str(arrays[_MADE_FROM])) == dict(made_from))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return False


def read_evidence(path: Path) -> Evidence:
    """What `write_evidence` wrote.

    Raises: FormatError where it is not there or is something else.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            windows = {field.name: arrays[f"windows.{field.name}"] for field in fields(WindowSums)}
            names = [field.name for field in fields(DistalEvidence)] if "distal.block" in arrays else []
            distal = {name: arrays[f"distal.{name}"] for name in names}
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        found = f"no sums of windows ({error})"
        raise FormatError(path, found, "those of a judgement", "judge the run again") from error
    windows["n_blocks"] = int(windows["n_blocks"])
    return Evidence(WindowSums(**windows), DistalEvidence(**distal) if distal else None)
