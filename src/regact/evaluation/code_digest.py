"""Which code a judgement comes from."""

import hashlib
from functools import cache
from pathlib import Path

# `evaluation` and what it imports; errors, YAML and pictures apart, on which no number depends.
DECIDES = (
    "dataset",
    "engine",
    "evaluation",
    "genome",
    "losses.py",
    "metrics.py",
    "model",
    "shapes.py",
    "simulation",
    "tracks",
    "training",
)


@cache
def code_digest(package: Path = Path(__file__).parents[1]) -> str:
    """The checksum of the sources of regact that decide what a model predicts and how it is judged.

    The package's version alone would take a number for right that a changed formula no longer gives.
    """
    digest = hashlib.sha256()
    for part in map(package.joinpath, DECIDES):
        for file in sorted(part.rglob("*.py")) if part.is_dir() else [part]:
            digest.update(file.relative_to(package).as_posix().encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()
