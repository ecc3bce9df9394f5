"""Samples beside each other fit into the memory that is free."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regact.reads import SheetRow, cover_samples, coverage_settings
from regact.reads.samples import cohort
from regact.reads.samples.memory import estimate_memory, workers_that_fit


@given(needed=st.lists(st.integers(1, 100), max_size=8), cores=st.integers(1, 6), free=st.integers(1, 300))
def test_any_so_many_fit_and_one_more_would_not(needed, cores, free):
    workers = workers_that_fit(needed, cores=cores, free_bytes=free)
    largest = sorted(needed, reverse=True)
    assert 1 <= workers <= cores
    assert workers == 1 or sum(largest[:workers]) <= 0.9 * free
    if workers < min(cores, len(needed)):
        assert sum(largest[: workers + 1]) > 0.9 * free


def test_a_files_kind_and_size_say_what_it_takes(tmp_path):
    files = {name: tmp_path / name for name in ("x.bam", "x.cram", "x.tsv.gz")}
    for path in files.values():
        path.write_bytes(b"\0" * 1_000)
    files["x.tsv.gz"].write_bytes(gzip.compress(b"c1\t1\t2\tA\t1\n"))
    genome_bp = 1_000_000
    alone = 300_000_000 + 60 * 1_000
    assert estimate_memory(files["x.bam"], genome_bp) == alone + 8_000
    assert estimate_memory(files["x.cram"], genome_bp) == alone + 16_000
    assert estimate_memory(files["x.tsv.gz"], genome_bp) == alone + 40 * files["x.tsv.gz"].stat().st_size


@pytest.mark.parametrize(("free", "expected"), [(750_000_000, 2), (1_000, 1)])
def test_a_small_memory_makes_fewer_workers(record, write_alignments, genome, tmp_path, monkeypatch, free, expected):
    monkeypatch.setattr(cohort, "free_memory_bytes", lambda: free)
    monkeypatch.setattr(cohort, "available_cores", lambda: 8)
    path = write_alignments([record(f"r{n}", 0, "c1", n) for n in range(9)])
    rows = [SheetRow(name, path, coverage_settings("dnase", gc=False)) for name in "abc"]
    said = []
    covered = cover_samples(rows, genome, tmp_path / "out", workers=None, tell=said.append)
    assert said[0].startswith(f"{expected} samples at once, for they take up to 0.3 GB each")
    assert len(covered.samples) == 3
