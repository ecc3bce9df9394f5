"""Whether CRAM files can be decoded with a FASTA, asked before hours of work on other files."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import pysam

from regact.errors import FormatError
from regact.genome.plain_fasta import plain_fasta
from regact.reads.sources.bam_file import is_cram, quiet_htslib


def cram_problems(paths: Sequence[Path], reference: Path) -> list[FormatError]:
    """One error for each CRAM among the files whose first records cannot be decoded with `reference`.

    Its header alone does not tell: one contig of another assembly may have the same length, and a file may hold the
    bases itself. To decode a slice htslib compares the checksum of the bases that it was made with.
    """
    crams = [path for path in paths if is_cram(path)]
    if not crams:
        return []
    with tempfile.TemporaryDirectory(prefix="regact-") as folder, quiet_htslib():
        plain = plain_fasta(reference, Path(folder))
        return [
            FormatError(
                path,
                f"cannot be decoded with {reference}",
                "the FASTA that it was made with",
                "name it with --reference",
            )
            for path in crams
            if not _is_decoded(path, plain)
        ]


def _is_decoded(path: Path, plain: Path) -> bool:
    try:
        with pysam.AlignmentFile(str(path), "rc", reference_filename=str(plain)) as file:
            next(file, None)
    except (OSError, ValueError):
        return False
    return True
