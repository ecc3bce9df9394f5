"""Reads to alignments: Bowtie2 and samtools as real programs, and outputs that are whole or absent."""

import errno
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from regact.engine import (
    available_cores,
    check_space,
    disk_full_as_error,
    progress,
    refuse_existing,
    whole_file,
    write_json,
)
from regact.errors import ConfigError, ProgramError
from regact.genome import Genome, load_genome
from regact.reads.bowtie2.fastq import check_fastq
from regact.reads.bowtie2.index import bowtie2_index
from regact.reads.bowtie2.sam_text import ReadCounter
from regact.reads.presets import PLACES

_PROGRAMS = ("bowtie2", "bowtie2-build", "samtools")
_INSTALL = "on Debian: apt-get install bowtie2 samtools; elsewhere: conda install -c bioconda bowtie2 samtools"
# What regact says to Bowtie2 itself, or what its output would be of no use with; and what says the same to regact.
_OWN_OPTIONS = {
    **dict.fromkeys(["-k", "-a", "--all"], "--places"),
    **dict.fromkeys(["-p", "--threads"], "--threads"),
    **dict.fromkeys(["-x", "--index"], "--genome"),
    **dict.fromkeys(["-S", "--output"], "--out"),
    **dict.fromkeys(["-1", "-2", "-U", "-b", "--interleaved", "--tab5", "--tab6"], "the names of the FASTQ files"),
    **dict.fromkeys(["-f", "-r", "-F", "-c", "--qseq", "--no-hd", "--no-sq", "--version", "-h", "--help"], ""),
}
_SHOWN_CHARACTERS = 600
_POUR_BYTES = 2**20
_DISK_FULL = os.strerror(errno.ENOSPC)
# Of a BAM for one of gzipped FASTQ, measured: 1.6 for pairs of 50 bases in yeast; more where more reads are repeated.
_BAM_PER_FASTQ = 2


@dataclass(frozen=True)
class AlignedSample:
    """What `align_reads` wrote.

    Attributes:
        bam: Records grouped by read name, as Bowtie2 wrote them.
        log: Bowtie2's own words.
        card: JSON with the command, versions and numbers; written last.
        reads: Reads, or pairs, that went in.
        rate: Share of reads (of mates, where paired) that aligned at least once, by Bowtie2's count.
        programs: Versions of the programs.
    """

    bam: Path
    log: Path
    card: Path
    reads: int
    rate: float
    programs: dict[str, str]


def align_reads(
    reads1: Path | str,
    reads2: Path | str | None,
    genome: Path | str | Genome,
    out: Path | str,
    *,
    places: int = PLACES,
    threads: int | None = None,
    index_dir: Path | str | None = None,
    bowtie2_options: Sequence[str] = (),
    overwrite: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> AlignedSample:
    """Align FASTQ to the genome with `bowtie2 -k`, and write a BAM grouped by read name.

    The index is built once for a genome and kept. The log and a JSON card lie beside the BAM (`NAME.log` and
    `NAME.align.json` beside `NAME.bam`); nothing appears under its final name before it is whole.

    Args:
        reads1: FASTQ, plain or gzip; of read 1 where there is a second.
        reads2: FASTQ of read 2, in step with the first; None for single-end reads.
        places: Places in the genome that are reported for a read, at most (`-k`).
        threads: Threads of Bowtie2; all cores by default.
        index_dir: Folder that holds indices; the user's cache folder by default.
        bowtie2_options: Further words for Bowtie2's command line, such as `--very-sensitive`.
        tell: Takes a remark on the work, in words.

    Raises:
        ConfigError: Options of Bowtie2 that this function sets itself; names of FASTQ files that it cannot take.
        ProgramError: Bowtie2 or samtools is missing, or failed; its message is shown.
        FormatError, DataError: FASTQ that cannot be read to its end, or pairs out of step.
        OutputExistsError, DiskSpaceError.
    """
    fastq = [Path(path) for path in (reads1, reads2) if path is not None]
    _check_options(bowtie2_options)
    _check_names(fastq)
    programs = find_programs()
    bam = Path(out)
    log, card = bam.with_suffix(".log"), bam.with_suffix(".align.json")
    for path in (bam, log, card):
        refuse_existing(path, overwrite)
    reads = check_fastq(fastq)
    check_space(bam, _BAM_PER_FASTQ * sum(path.stat().st_size for path in fastq), "the alignments")
    genome = genome if isinstance(genome, Genome) else load_genome(genome)
    cores = available_cores() if threads is None else threads
    index_home = None if index_dir is None else Path(index_dir)
    index = bowtie2_index(genome, programs["bowtie2"], index_dir=index_home, threads=cores, tell=tell)
    inputs = ["-U", str(fastq[0])] if len(fastq) == 1 else ["-1", str(fastq[0]), "-2", str(fastq[1])]
    command = ["bowtie2", "-k", str(places), "-p", str(cores), *bowtie2_options, "-x", str(index), *inputs]
    with whole_file(bam) as temporary, whole_file(log) as words, disk_full_as_error(bam):
        with progress(f"Aligning {fastq[0].name}", reads, unit="reads") as bar:
            _align_into(temporary, words, command, bar.advance)
        rate = _alignment_rate(words)
        # A card stands for the BAM beside it: an older one must not outlive the BAM that it was of.
        card.unlink(missing_ok=True)
    sample = AlignedSample(bam, log, card, reads, rate, programs)
    write_json(
        card,
        {
            "bam": bam.name,
            "log": log.name,
            "reads": reads,
            "alignment_rate": rate,
            "programs": programs,
            "command": command,
            "genome": {"name": genome.name, "path": str(genome.path), "checksum": genome.checksum},
        },
    )
    return sample


def _check_options(options: Sequence[str]) -> None:
    """Raise ConfigError with every option that would undo what regact asks of Bowtie2."""
    problems = []
    for word in options:
        # `--threads=4`, and `-k5` for `-k 5`
        name = word.split("=")[0] if word.startswith("--") else word[:2]
        if name in _OWN_OPTIONS:
            remedy = f"; say it with {_OWN_OPTIONS[name]}" if _OWN_OPTIONS[name] else ""
            problems.append(f"{word} cannot be given to Bowtie2 here{remedy}")
    if problems:
        raise ConfigError("--bowtie2", problems)


def _check_names(fastq: Sequence[Path]) -> None:
    """Raise ConfigError with every name of which Bowtie2 would make something else."""
    problems = [
        f"{path} has a comma in its path, where Bowtie2 takes one file's name to end; rename it, or run in its folder"
        for path in fastq
        if "," in str(path)
    ]
    if len(fastq) == 2 and fastq[0] == fastq[1]:
        problems.append(f"{fastq[0]} is given as read 1 and as read 2; needed the file of the other mates")
    if problems:
        raise ConfigError("FASTQ files", problems)


def find_programs() -> dict[str, str]:
    """Name and version of the programs that aligning takes.

    Raises: ProgramError naming all that are missing, and how to install them.
    """
    if missing := [name for name in _PROGRAMS if shutil.which(name) is None]:
        raise ProgramError("align", f"{', '.join(missing)} not found on PATH", "Bowtie2 and samtools", _INSTALL)
    return {name: _version(name) for name in _PROGRAMS}


def _version(program: str) -> str:
    done = subprocess.run([program, "--version"], capture_output=True, text=True, errors="replace", check=False)
    found = re.search(r"(?:version|samtools)\s+(\d[\w.+-]*)", done.stdout)
    if done.returncode or found is None:
        words = " ".join(done.stderr.split())[-_SHOWN_CHARACTERS:]
        raise ProgramError(program, f"does not say its version ({words})", "a working program", _INSTALL)
    return found[1]


def _align_into(bam: Path, words: Path, command: Sequence[str], on_reads: Callable[[int], None]) -> None:
    """Run `command`, its alignments into `bam`, its messages into `words`; say how many reads went by."""
    to_bam = ["samtools", "view", "--bam", "--output", str(bam), "-"]
    with words.open("wb") as messages, tempfile.TemporaryFile() as complaints:
        with (
            _running(command, stdout=subprocess.PIPE, stderr=messages) as bowtie2,
            _running(to_bam, stdin=subprocess.PIPE, stderr=complaints) as samtools,
        ):
            samtools_took_all = _pour(bowtie2.stdout, samtools.stdin, on_reads)
            samtools_code, bowtie2_code = samtools.wait(), bowtie2.wait()
        complaints.seek(0)
        samtools_words = complaints.read().decode(errors="replace")
    # When one stops, the other stumbles: the cause comes first.
    if bowtie2_code and samtools_took_all:
        raise _failure("bowtie2", bowtie2_code, words.read_text(errors="replace"))
    if samtools_code and _DISK_FULL in samtools_words:
        raise OSError(errno.ENOSPC, _DISK_FULL)
    if samtools_code:
        raise _failure("samtools", samtools_code, samtools_words)


def _pour(source: IO[bytes] | None, sink: IO[bytes] | None, on_reads: Callable[[int], None]) -> bool:
    """Pass on everything; whether the sink took it all.

    It goes through this process, so that both programs lose their pipe and end, however this process ends.
    """
    if source is None or sink is None:
        raise ValueError("both ends must be pipes")
    counter = ReadCounter()
    try:
        with source, sink:
            while piece := source.read(_POUR_BYTES):
                sink.write(piece)
                on_reads(counter.add(piece))
    except BrokenPipeError:
        return False
    return True


@contextmanager
def _running(command: Sequence[str], **streams: IO[bytes] | int | None) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is ended with all its children where the block fails: bowtie2 is a script around its program."""
    process = subprocess.Popen(command, start_new_session=True, **streams)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        if process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait()


def _failure(program: str, code: int, words: str) -> ProgramError:
    shown = " ".join(words.split())[-_SHOWN_CHARACTERS:] or "it said nothing"
    how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"failed with exit code {code}"
    return ProgramError(program, f"{how}: {shown}", "", "nothing was written; see its message")


def _alignment_rate(words: Path) -> float:
    found = re.search(r"([\d.]+)% overall alignment rate", words.read_text(errors="replace"))
    if found is None:
        raise _failure("bowtie2", 0, words.read_text(errors="replace"))
    return float(found[1]) / 100
