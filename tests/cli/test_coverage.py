"""`regact align` and `regact coverage`, as users run them: from FASTQ to what a dataset is built from."""

import json
import shutil
from pathlib import Path

import pytest

from regact.cli.app import main
from regact.simulation.landscape import LandscapeConfig, write_landscape
from regact.simulation.reads import simulate_reads
from regact.simulation.reads_config import ReadsConfig

needs_programs = pytest.mark.skipif(
    shutil.which("bowtie2") is None or shutil.which("samtools") is None, reason="bowtie2 and samtools are not on PATH"
)


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return int(ended.value.code or 0)


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """Pairs, aligned by the command: a folder with genome.fa and sample.bam."""
    folder = tmp_path_factory.mktemp("landscape")
    landscape = write_landscape(LandscapeConfig(chromosomes={"chr1": 120_000, "chr2": 60_000}), folder / "landscape")
    genome = landscape / "genome.fa"
    simulate_reads(genome, landscape / "targets.txt", folder / "reads", ReadsConfig(reads=3_000, paired=True))
    fastq = sorted((folder / "reads").glob("*.fastq.gz"))
    shutil.copy(genome, folder / "genome.fa")
    bam = folder / "sample.bam"
    options = ["--genome", folder / "genome.fa", "--index-dir", folder / "index", "--threads", 1]
    assert run("align", *fastq, *options, "--out", bam, "--bowtie2", "--very-fast --no-mixed") == 0
    card = json.loads((folder / "sample.align.json").read_text())
    assert {"--very-fast", "--no-mixed"} < set(card["command"])
    return folder


@needs_programs
def test_one_sample(sample, tmp_path, capsys):
    out = tmp_path / "x.bw"
    options = ["--genome", sample / "genome.fa", "--out", out]
    replaced = ["--set", "clip=8", "--set", "gc=false"]
    assert run("coverage", sample / "sample.bam", *options, "--assay", "ATAC", *replaced) == 0
    said = capsys.readouterr()
    assert said.out == f"{out}\n"
    assert "unique" in said.err
    assert {path.name for path in tmp_path.iterdir()} == {"x.bw", "x.json", "x.html"}
    settings = json.loads((tmp_path / "x.json").read_text())["settings"]
    assert (settings["clip"], settings["gc"], settings["shift_forward_bp"]) == (8, False, 4)
    assert run("coverage", sample / "sample.bam", *options, "--assay", "atac") == 1
    assert "already there" in capsys.readouterr().err


@needs_programs
def test_from_a_sheet_to_a_dataset(sample, tmp_path, capsys):
    sheet = tmp_path / "samples.tsv"
    bam = sample / "sample.bam"
    sheet.write_text(f"sample\tfile\tassay\ncuts\t{bam}\tatac\nstarts\t{bam}\tcage\n")
    options = ["--genome", sample / "genome.fa", "--out", tmp_path / "out", "--workers", 0]
    assert run("coverage", "--sheet", sheet, *options) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'out' / 'tracks.tsv'}\n"
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"cuts.html", "starts.html", "starts_minus.bw", "qc.tsv"} < names
    (tmp_path / "out" / "cuts.html").unlink()
    assert run("coverage", "--sheet", sheet, *options) == 0
    assert "2 samples are finished already" in capsys.readouterr().err
    assert (tmp_path / "out" / "cuts.html").exists()
    build = ["--genome", sample / "genome.fa", "--tracks", tmp_path / "out" / "tracks.tsv", "--valid", "chr2"]
    window = ["--set", "dataset.window_bp=8192", "--set", "dataset.bin_bp=128", "--workers", 0]
    assert run("dataset", "build", *build, *window, "--out", tmp_path / "store") == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "give either a file of alignments or --sheet"),
        (["x.bam"], "--assay is missing; needed one of cage, dnase, atac, chip"),
        (["x.bam", "--sheet", "s.tsv", "--assay", "atac"], "give either"),
        (["--sheet", "s.tsv", "--groups", "g.tsv"], "--groups goes with one file"),
        (["x.bam", "--assay", "rna"], "unknown 'rna'; needed one of"),
        (["x.bam", "--assay", "atac", "--set", "em_sd=3"], "em_sd: unknown key; did you mean em_sd_bp?"),
        (["x.bam", "--assay", "atac", "--set", "max_places=0"], "max_places: Input should be greater"),
    ],
)
def test_wrong_calls_are_told_in_one_line(tmp_path, arguments, words, capsys):
    (tmp_path / "g.fa").write_text(">c\nACGT\n")
    assert run("coverage", *arguments, "--genome", tmp_path / "g.fa", "--out", tmp_path / "x.bw") == 1
    error = capsys.readouterr().err
    assert words in error
    assert "Traceback" not in error


@needs_programs
def test_groups_of_cells(sample, tmp_path):
    fragments, cells = tmp_path / "fragments.tsv", tmp_path / "cells.csv"
    fragments.write_text("".join(f"chr1\t{100 * n}\t{100 * n + 180}\tC{n % 4}-1\t1\n" for n in range(1, 1_000)))
    cells.write_text("C0-1,T cell\nC1-1,T cell\nC2-1,B\n")
    options = ["--groups", cells, "--genome", sample / "genome.fa", "--out", tmp_path / "out", "--assay", "atac"]
    assert run("coverage", fragments, *options, "--set", "gc=false", "--workers", 0) == 0
    assert {path.name for path in Path(tmp_path / "out").glob("*.bw")} == {"T_cell.bw", "B.bw"}
