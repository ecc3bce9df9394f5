"""The index that Bowtie2 needs of a genome: built once, kept, and found again by the genome's checksum."""

import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from regact.engine import check_space, take_turns, whole_folder
from regact.errors import ProgramError
from regact.genome import Genome
from regact.genome.code_file import cache_folder
from regact.genome.plain_fasta import plain_fasta

# About 3 bytes a base on disk, twice that for the first moments.
_BYTES_PER_BASE = 4
_STEM = "genome"
_SHOWN_CHARACTERS = 600


def bowtie2_index(
    genome: Genome,
    version: str,
    *,
    index_dir: Path | None = None,
    threads: int = 1,
    tell: Callable[[str], None] = lambda _: None,
) -> Path:
    """Path of the index, as Bowtie2's `-x` takes it; built where it is not there yet.

    Args:
        version: Of Bowtie2; every version has an index of its own.
        index_dir: Folder that holds indices; the user's cache folder by default.

    Raises: ProgramError where bowtie2-build fails; DiskSpaceError.
    """
    home = cache_folder() if index_dir is None else index_dir
    folder = home / f"{genome.name}-{genome.checksum[:12]}-bowtie2-{version}"
    home.mkdir(parents=True, exist_ok=True)
    with take_turns(folder.with_name(f".{folder.name}.lock")):
        if not folder.is_dir():
            tell(f"building the Bowtie2 index of {genome.name} in {folder} (once)")
            check_space(folder, _BYTES_PER_BASE * genome.total_bp, "a Bowtie2 index")
            with whole_folder(folder) as unfinished:
                _build(genome, unfinished / _STEM, threads)
    return folder / _STEM


def _build(genome: Genome, stem: Path, threads: int) -> None:
    folder = stem.parent
    with tempfile.TemporaryDirectory(prefix="regact-", dir=folder) as temporary:
        # Named from within the folder: bowtie2-build takes a comma in a path for the end of one file's name.
        fasta = plain_fasta(genome.path, Path(temporary)).relative_to(folder)
        command = ["bowtie2-build", "--quiet", "--threads", str(threads), str(fasta), stem.name]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, cwd=folder)
    if done.returncode:
        words = " ".join((done.stderr + done.stdout).split())[-_SHOWN_CHARACTERS:]
        raise ProgramError("bowtie2-build", f"failed with exit code {done.returncode}: {words}", "", "see its message")
