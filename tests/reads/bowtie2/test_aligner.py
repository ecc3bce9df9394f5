"""Bowtie2 and samtools as they are: what comes out, and what is left when something goes wrong."""

import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pysam
import pytest

from regact.errors import ConfigError, DataError, DiskSpaceError, FormatError, OutputExistsError, ProgramError
from regact.genome import Interval
from regact.reads import align_reads, count_places, coverage_settings, read_bam

needs_programs = pytest.mark.skipif(
    shutil.which("bowtie2") is None or shutil.which("samtools") is None, reason="bowtie2 and samtools are not on PATH"
)


@pytest.fixture(scope="session")
def index_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("index")


@pytest.fixture
def fastq(genome, tmp_path):
    """A function that writes reads of the genome, from every `step`-th base of c1, as FASTQ pairs or single reads."""

    def write(step=500, paired=True, names=("read", "read")):
        text = "".join("ACGT"[code] for code in genome.fetch(Interval("c1", 0, genome.lengths["c1"])))
        rng = np.random.default_rng(1)
        complement = str.maketrans("ACGT", "TGCA")
        paths = []
        for mate in (1, 2) if paired else (1,):
            path = tmp_path / f"reads_R{mate}.fastq.gz"
            with gzip.open(path, "wt") as file:
                for number, start in enumerate(range(0, 59_000, step)):
                    bases = text[start : start + 200]
                    bases = bases[:50] if mate == 1 else bases.translate(complement)[::-1][:50]
                    quality = rng.integers(53, 75, 50).astype(np.uint8).tobytes().decode()
                    file.write(f"@{names[mate - 1]}{number}/{mate} x\n{bases}\n+\n{quality}\n")
            paths.append(path)
        return paths

    return write


@needs_programs
def test_single_and_paired_reads_come_back_to_where_they_are_from(genome, layout, fastq, tmp_path, index_dir):
    for paired, assay in ((False, "dnase"), (True, "chip")):
        paths = fastq(paired=paired)
        out = tmp_path / f"paired_{paired}.bam"
        said = []
        done = align_reads(
            paths[0], paths[1] if paired else None, genome, out, index_dir=index_dir, threads=1, tell=said.append
        )
        assert (done.reads, done.rate) == (118, 1.0)
        assert sorted(done.programs) == ["bowtie2", "bowtie2-build", "samtools"]
        assert "overall alignment rate" in done.log.read_text()
        card = json.loads(done.card.read_text())
        assert card["command"][:3] == ["bowtie2", "-k", "10"]
        assert card["programs"] == done.programs
        assert bool(said) == (not paired)  # the index is built once
        settings = coverage_settings(assay)
        reads, header = read_bam(out, layout, settings)
        assert header.grouped
        assert any("bowtie2" in program for program in header.programs)
        place = count_places(reads, layout, settings).place
        np.testing.assert_array_equal(np.sort(place), np.arange(0, 59_000, 500) + (100 if paired else 0))
        assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


@needs_programs
def test_an_output_is_not_replaced_unasked(genome, fastq, tmp_path, index_dir):
    (reads,) = fastq(paired=False)
    (tmp_path / "x.log").write_text("mine")
    with pytest.raises(OutputExistsError, match=r"x\.log"):
        align_reads(reads, None, genome, tmp_path / "x.bam", index_dir=index_dir)


def test_missing_programs_are_named_with_how_to_get_them(genome, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProgramError, match=r"bowtie2, bowtie2-build, samtools not found.*apt-get install bowtie2"):
        align_reads(tmp_path / "r.fq", None, genome, tmp_path / "x.bam")


@needs_programs
def test_fastq_is_looked_at_before_the_work(genome, fastq, tmp_path, index_dir):
    out = tmp_path / "x.bam"
    one, two = fastq(names=("read", "other"))
    with pytest.raises(DataError, match="record 1 has another name"):
        align_reads(one, two, genome, out, index_dir=index_dir)
    one.write_bytes(one.read_bytes()[:-100])
    with pytest.raises(FormatError, match="cannot be read to its end"):
        align_reads(one, None, genome, out, index_dir=index_dir)
    assert not out.exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["-k", "5"], r"-k cannot be given to Bowtie2 here; say it with --places"),
        (["-k5"], "say it with --places"),
        (["--very-fast", "-a"], "say it with --places"),
        (["--threads=4"], "say it with --threads"),
        (["-x", "other"], "say it with --genome"),
        (["-S", "x.sam"], "say it with --out"),
        (["-U", "x.fq"], "say it with the names of the FASTQ files"),
        (["--no-hd"], "--no-hd cannot be given to Bowtie2 here$"),
    ],
)
def test_options_that_regact_sets_itself_are_refused(genome, tmp_path, options, words):
    with pytest.raises(ConfigError, match=words):
        align_reads(tmp_path / "none.fq", None, genome, tmp_path / "x.bam", bowtie2_options=options)


@needs_programs
def test_names_with_blanks_anywhere_and_with_commas_but_for_fastq(genome, fastq, tmp_path):
    folder = tmp_path / "Doe, Jane"
    folder.mkdir()
    fasta = folder / "genome, final.fa"
    shutil.copyfile(genome.path, fasta)
    blank = [path.rename(tmp_path / f"read {number}.fastq.gz") for number, path in enumerate(fastq(), start=1)]
    done = align_reads(*blank, fasta, folder / "a, b.bam", index_dir=folder / "index", threads=1)
    assert (done.reads, done.rate) == (118, 1.0)
    commas = [path.rename(folder / path.name) for path in blank]
    with pytest.raises(ConfigError, match=r"read 1.* has a comma in its path.*; .*read 2.* has a comma.*in its folder"):
        align_reads(*commas, fasta, tmp_path / "x.bam")


def test_one_file_for_both_mates_is_refused(genome, tmp_path):
    with pytest.raises(ConfigError, match=r"r\.fq is given as read 1 and as read 2"):
        align_reads(tmp_path / "r.fq", tmp_path / "r.fq", genome, tmp_path / "x.bam")


@needs_programs
def test_bowtie2s_own_message_is_shown(genome, fastq, tmp_path, index_dir):
    (reads,) = fastq(paired=False)
    with pytest.raises(ProgramError, match=r"bowtie2: failed with exit code 1: .*no-such-option"):
        align_reads(reads, None, genome, tmp_path / "x.bam", index_dir=index_dir, bowtie2_options=["--no-such-option"])
    assert [path.name for path in tmp_path.iterdir()] == ["reads_R1.fastq.gz"]


def broken_bowtie2(folder, then):
    """A bowtie2 on PATH that does its work, but only in part: the real one's first lines, then `then`."""
    real = shutil.which("bowtie2")
    folder.mkdir()
    script = folder / "bowtie2"
    version = f'if [ "$1" = --version ]; then exec {real} --version; fi'
    script.write_text(f'#!/bin/sh\n{version}\n{real} "$@" 2>/dev/null | head -n 50\n{then}\n')
    script.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


@needs_programs
def test_a_failure_in_mid_stream_leaves_nothing(genome, fastq, tmp_path, index_dir, monkeypatch):
    (reads,) = fastq(paired=False)
    monkeypatch.setenv("PATH", broken_bowtie2(tmp_path / "bin", 'echo "Error: the node is going down" >&2; exit 3'))
    with pytest.raises(ProgramError, match="bowtie2: failed with exit code 3: Error: the node is going down"):
        align_reads(reads, None, genome, tmp_path / "x.bam", index_dir=index_dir)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bin", "reads_R1.fastq.gz"]


@needs_programs
def test_a_full_disk_is_told(genome, fastq, small_disk, index_dir, monkeypatch):
    one, two = fastq(step=4)
    monkeypatch.setattr("regact.reads.bowtie2.aligner.check_space", lambda *_: None)  # as if the guess had been too low
    with pytest.raises(DiskSpaceError, match=r"x\.bam: the disk is full"):
        align_reads(one, two, genome, small_disk / "x.bam", index_dir=index_dir)
    assert not list(small_disk.iterdir())


@needs_programs
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_run_leaves_nothing_and_nobody(genome, fastq, tmp_path, index_dir, how):
    (reads,) = fastq(paired=False)
    align_reads(reads, None, genome, tmp_path / "first.bam", index_dir=index_dir)
    # The real program, held up after its first alignments until its output is gone.
    slow = broken_bowtie2(tmp_path / "bin", f"echo $$ > {tmp_path}/pid; while echo x; do sleep 0.1; done; exit 1")
    out = tmp_path / "x.bam"
    arguments = [path and str(path) for path in (reads, None, genome.path, out)]
    call = f"import regact; regact.align(*{arguments}, index_dir={str(index_dir)!r})"
    environment = {**os.environ, "PATH": slow}
    process = subprocess.Popen([sys.executable, "-c", call], env=environment, stderr=subprocess.PIPE)
    wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip())
    bowtie2 = int((tmp_path / "pid").read_text())
    process.send_signal(how)
    _, words = process.communicate(timeout=120)
    assert process.returncode != 0
    if how == signal.SIGINT:
        assert b"KeyboardInterrupt" in words
        assert not list(tmp_path.glob(".x.*"))
    assert not out.exists()
    wait_until(lambda: not is_running(bowtie2))
    # What a killed one could not remove itself, the next does.
    align_reads(reads, None, genome, out, index_dir=index_dir)
    assert pysam.view("--count", str(out)) == pysam.view("--count", str(tmp_path / "first.bam"))
    assert not list(tmp_path.glob(".x.*"))


def wait_until(true, seconds=120):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
