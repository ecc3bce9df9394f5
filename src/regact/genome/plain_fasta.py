"""A FASTA as programs need it that cannot read every compression: plain, in a folder that may be written to."""

import errno
import gzip
import shutil
import zlib
from pathlib import Path

from regact.engine import is_gzip
from regact.errors import FormatError


def plain_fasta(fasta: Path, folder: Path) -> Path:
    """A plain copy of `fasta` in `folder`, or a link to it where it is plain already.

    Raises: FormatError where it is missing or cannot be read to its end; OSError where the disk is full.
    """
    plain = folder / "reference.fa"
    try:
        if not is_gzip(fasta):
            plain.symlink_to(fasta.resolve())
            return plain
        with gzip.open(fasta, "rb") as source, plain.open("wb") as target:
            shutil.copyfileobj(source, target)
    except (OSError, EOFError, zlib.error) as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise
        raise FormatError(fasta, f"cannot be read ({error})", "a FASTA file") from error
    return plain
