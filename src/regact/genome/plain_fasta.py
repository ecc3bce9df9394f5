"""A FASTA as programs need it that cannot read every compression: plain, in a folder that may be written to."""

import gzip
import shutil
from pathlib import Path


def plain_fasta(fasta: Path, folder: Path) -> Path:
    """A plain copy of `fasta` in `folder`, or a link to it where it is plain already.

    Raises: OSError, EOFError where it cannot be read.
    """
    plain = folder / "reference.fa"
    with fasta.open("rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
    if not compressed:
        plain.symlink_to(fasta.resolve())
        return plain
    with gzip.open(fasta, "rb") as source, plain.open("wb") as target:
        shutil.copyfileobj(source, target)
    return plain
