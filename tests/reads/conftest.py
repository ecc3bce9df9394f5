"""A genome, and files of alignments written record by record."""

import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pysam
import pytest

from regact.genome import Genome, load_genome
from regact.reads import GenomeLayout

LENGTHS = {"c1": 60_000, "c2": 40_000}


@pytest.fixture(scope="session")
def genome(tmp_path_factory: pytest.TempPathFactory) -> Genome:
    """Two contigs of drawn bases, with stretches rich and poor in G and C."""
    rng = np.random.default_rng(11)
    path = tmp_path_factory.mktemp("genome") / "genome.fa"
    with path.open("w") as fasta:
        for name, length in LENGTHS.items():
            gc = np.repeat(rng.uniform(0.3, 0.7, length // 500), 500)
            is_gc, second = rng.random(length) < gc, rng.random(length) < 0.5
            bases = np.where(is_gc, np.where(second, "G", "C"), np.where(second, "A", "T"))
            fasta.write(f">{name}\n{''.join(bases)}\n")
    return load_genome(path)


@pytest.fixture(scope="session")
def layout(genome: Genome) -> GenomeLayout:
    return GenomeLayout.from_lengths(genome.lengths)


WriteAlignments = Callable[..., Path]


@pytest.fixture
def write_alignments(tmp_path: Path) -> WriteAlignments:
    """A function that writes SAM records (lists of fields) as SAM, BAM or CRAM, by the name's ending."""

    def write(
        records: Sequence[Sequence[object]],
        name: str = "reads.bam",
        *,
        order: str = "SO:unsorted\tGO:query",
        lengths: dict[str, int] = LENGTHS,
        reference: Path | None = None,
    ) -> Path:
        header = [f"@HD\tVN:1.6\t{order}", *(f"@SQ\tSN:{c}\tLN:{n}" for c, n in lengths.items())]
        lines = [*header, "@PG\tID:x\tPN:aligner\tVN:1.0", *("\t".join(map(str, record)) for record in records)]
        sam = tmp_path / f"{name}.sam"
        sam.write_text("\n".join(lines) + "\n")
        path = tmp_path / name
        if path.suffix == ".sam":
            return sam.rename(path)
        kind = ["--cram", "--reference", str(reference)] if path.suffix == ".cram" else ["--bam"]
        pysam.view(*kind, "--no-PG", "--output", str(path), str(sam), catch_stdout=False)
        return path

    return write


@pytest.fixture(scope="session")
def record() -> Callable[..., list[object]]:
    """A function that gives the fields of one SAM record; `start` is 0-based."""

    def fields(
        name: str,
        flag: int,
        chrom: str = "*",
        start: int = -1,
        cigar: str = "20M",
        *tags: str,
        mapq: int = 30,
        mate: tuple[str, int] = ("*", -1),
        span: int = 0,
    ) -> list[object]:
        bases = sum(int(n) for n in re.findall(r"(\d+)[MIS=X]", cigar)) if cigar != "*" else 20
        place = [chrom, start + 1, mapq, cigar if start >= 0 else "*"]
        return [name, flag, *place, mate[0], mate[1] + 1, span, "A" * bases, "I" * bases, *tags]

    return fields


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte; skipped where mounting is not allowed."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no small disk can be mounted here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)
