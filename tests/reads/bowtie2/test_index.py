"""The index of a genome: built once, found again, absent where building failed."""

import gzip
import os
import shutil

import pytest

from regact.errors import ProgramError
from regact.genome import load_genome
from regact.reads.bowtie2.index import bowtie2_index

needs_bowtie2 = pytest.mark.skipif(shutil.which("bowtie2-build") is None, reason="bowtie2 is not on PATH")


@needs_bowtie2
def test_it_is_built_once_for_a_genome_and_a_version(genome, tmp_path):
    said = []
    first = bowtie2_index(genome, "2.5", index_dir=tmp_path, tell=said.append)
    made = first.with_name("genome.1.bt2").stat().st_mtime_ns
    assert bowtie2_index(genome, "2.5", index_dir=tmp_path, tell=said.append) == first
    assert first.with_name("genome.1.bt2").stat().st_mtime_ns == made
    assert len(said) == 1
    # The same bases compressed are the same genome; another version has an index of its own.
    packed = tmp_path / "genome.fa.gz"
    packed.write_bytes(gzip.compress(genome.path.read_bytes()))
    assert bowtie2_index(load_genome(packed), "2.5", index_dir=tmp_path) == first
    other = bowtie2_index(load_genome(packed), "2.6", index_dir=tmp_path)
    assert other != first
    assert other.with_name("genome.rev.2.bt2").exists()


@needs_bowtie2
def test_names_with_commas_and_blanks(genome, tmp_path):
    folder = tmp_path / "Doe, Jane"
    folder.mkdir()
    fasta = folder / "genome, final.fa"
    shutil.copyfile(genome.path, fasta)
    stem = bowtie2_index(load_genome(fasta), "2.5", index_dir=folder / "kept, once")
    assert stem.with_name("genome.rev.2.bt2").exists()
    assert [path.name for path in stem.parent.iterdir() if not path.name.startswith("genome.")] == []


def test_where_building_fails_nothing_is_left(genome, tmp_path, monkeypatch):
    programs = tmp_path / "bin"
    programs.mkdir()
    script = programs / "bowtie2-build"
    script.write_text('#!/bin/sh\necho "Error: out of ideas" >&2\nexit 7\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    with pytest.raises(ProgramError, match="bowtie2-build: failed with exit code 7: Error: out of ideas"):
        bowtie2_index(genome, "2.5", index_dir=tmp_path / "index")
    assert not [path for path in (tmp_path / "index").iterdir() if path.is_dir()]
