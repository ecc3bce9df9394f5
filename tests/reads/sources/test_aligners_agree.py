"""Pairs in repeats through real aligners: each tells of further places in its own way, and all mean the same."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pysam
import pytest

from regact.reads import GenomeLayout, count_places, coverage_settings, read_bam

LENGTHS = {"c1": 60_000, "c2": 20_000}
COPIES = (10_000, 40_000, 65_000)  # genome-wide, alike; each 2,000 bp
COPY_BP, READ_BP = 2_000, 60
COMPLEMENT = str.maketrans("ACGT", "TGCA")
LAYOUT = GenomeLayout.from_lengths(LENGTHS)

# How each is told to give further places: records of both mates (with or without NH), of each by itself, or XA tags.
COMMANDS = {
    "bowtie2": "bowtie2-build -q genome.fa index && bowtie2 -k 10 -x index -1 R1.fq -2 R2.fq",
    "hisat2": "hisat2-build -q genome.fa index && hisat2 --no-spliced-alignment -k 10 -x index -1 R1.fq -2 R2.fq",
    "minimap2": "minimap2 -ax sr --secondary=yes -N 20 genome.fa R1.fq R2.fq",
    "bwa": "bwa index genome.fa && bwa mem -h 20 genome.fa R1.fq R2.fq",
}
# One of the places, and scores that say that there are others.
WITHOUT = {
    "bowtie2": "bowtie2-build -q genome.fa index && bowtie2 -x index -1 R1.fq -2 R2.fq",
    "bwa": "bwa index genome.fa && bwa mem -h 1 genome.fa R1.fq R2.fq",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`genome.fa` with three copies of a repeat, and 1,500 pairs of it, `R1.fq` and `R2.fq`."""
    folder = tmp_path_factory.mktemp("aligners")
    rng = np.random.default_rng(3)
    genome = "".join(rng.choice(list("ACGT"), sum(LENGTHS.values())))
    for start in COPIES[1:]:
        genome = genome[:start] + genome[COPIES[0] : COPIES[0] + COPY_BP] + genome[start + COPY_BP :]
    first = LENGTHS["c1"]
    (folder / "genome.fa").write_text(f">c1\n{genome[:first]}\n>c2\n{genome[first:]}\n")
    mates: tuple[list[str], list[str]] = ([], [])
    for number in range(1_500):
        length = int(rng.normal(200, 20))
        # A third lies in copies whole, a third across their ends, where one mate tells the place of the other.
        copy = COPIES[rng.integers(3)]
        start = int(
            (copy + rng.integers(0, COPY_BP - 300), copy - length // 2, rng.integers(15_000, 35_000))[number % 3]
        )
        fragment = genome[start : start + length]
        ends = [fragment[:READ_BP], fragment.translate(COMPLEMENT)[::-1][:READ_BP]]
        for reads, bases in zip(mates, ends if rng.random() < 0.5 else ends[::-1], strict=True):
            reads.append(f"@{number}_{start}_{length}\n{bases}\n+\n{'I' * READ_BP}")
    for name, reads in zip(("R1.fq", "R2.fq"), mates, strict=True):
        (folder / name).write_text("\n".join(reads) + "\n")
    return folder


def align(folder: Path, program: str, command: str) -> Path:
    """Alignments of the pairs, in the order in which the aligner writes them."""
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not on PATH")
    done = subprocess.run(command, cwd=folder, shell=True, check=True, capture_output=True)
    path = folder / f"{program}.sam"
    text = done.stdout
    path.write_bytes(text[text.index(b"@") :])  # hisat2-build talks
    return path


def places_of(path: Path, assay: str) -> list[set[tuple[int, int]]]:
    """(start, length) of every place of every read that counts, in the order of the file."""
    settings = coverage_settings(assay, gc=False)
    reads, _ = read_bam(path, LAYOUT, settings)
    alignments = count_places(reads, LAYOUT, settings)
    found = list(zip(alignments.start.tolist(), alignments.length.tolist(), strict=True))
    return [set(found[a:b]) for a, b in zip(alignments.offsets[:-1], alignments.offsets[1:], strict=True)]


def true_places(folder: Path) -> list[set[tuple[int, int]]]:
    """The same of the pairs from their names: whole in a copy, a pair may be of each of the copies."""
    places = []
    for row in (folder / "R1.fq").read_text().splitlines()[::4]:
        number, start, length = (int(part) for part in row[1:].split("_"))
        copy = next((copy for copy in COPIES if number % 3 == 0 and copy <= start < copy + COPY_BP), None)
        places.append({(start, length)} if copy is None else {(start - copy + other, length) for other in COPIES})
    return places


@pytest.mark.parametrize("assay", ["chip", "cage", "dnase"])
@pytest.mark.parametrize("program", COMMANDS)
def test_places_in_repeats_are_all_copies_and_no_others(folder, program, assay):
    """Whether a pair is one read, or read 1 alone, or each mate: one in a repeat is where the other tells."""
    found, expected = places_of(align(folder, program, COMMANDS[program]), assay), true_places(folder)
    if assay == "dnase":
        expected = [places for places in expected for _ in range(2)]
    assert [n for n, (ours, theirs) in enumerate(zip(found, expected, strict=True)) if ours != theirs] == []


@pytest.mark.parametrize("program", WITHOUT)
def test_places_that_are_not_listed_are_told_by_scores(folder, program):
    """Pairs with one mate outside of the repeat are unique all the same."""
    settings = coverage_settings("chip", gc=False)
    reads, _ = read_bam(align(folder, program, WITHOUT[program]), LAYOUT, settings)
    assert (reads.fates.unique, reads.fates.multi, reads.fates.places_not_listed) == (1_000, 0, 500)


@pytest.mark.parametrize("assay", ["chip", "cage", "dnase"])
def test_bwa_sorted_by_coordinate_says_the_same(folder, assay):
    path = align(folder, "bwa", COMMANDS["bwa"])
    in_order = folder / "sorted.bam"
    pysam.sort("-o", str(in_order), str(path))
    assert sorted(map(sorted, places_of(in_order, assay))) == sorted(map(sorted, places_of(path, assay)))
