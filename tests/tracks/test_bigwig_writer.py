"""What is written as bigWig reads back equal, and half-written files have no final name."""

import shutil
import tracemalloc

import numpy as np
import pyBigWig
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regact.errors import DiskSpaceError
from regact.tracks import bigwig_writer, covered_intervals, open_signal, write_bigwig, write_bigwig_intervals

LENGTHS = {"chr2": 1_000, "chr10": 500, "chr1": 300}


def bases_of(path, chrom):
    with pyBigWig.open(str(path)) as file:
        return file.values(chrom, 0, file.chroms(chrom), numpy=True)


def test_dense_values_read_back_equal(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "dense.bw"
    values = {chrom: rng.gamma(1, 5, -(-length // 16)).astype(np.float32) for chrom, length in LENGTHS.items()}
    values["chr2"][5:9] = np.nan
    values["chr10"][-1] = np.nan
    chunks = [(chrom, left * 16, values[chrom][left : left + 20]) for chrom in LENGTHS for left in range(0, 63, 20)]
    write_bigwig(path, LENGTHS, chunks, span=16)
    for chrom, length in LENGTHS.items():
        np.testing.assert_array_equal(bases_of(path, chrom), np.repeat(values[chrom], 16)[:length])
    assert open_signal(path).lengths == LENGTHS
    assert list(tmp_path.iterdir()) == [path]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.lists(st.sampled_from([0.0, 1.0, 2.5, 0.1, float("nan")]), min_size=1, max_size=60),
    span=st.integers(1, 5),
    start=st.integers(0, 20),
)
def test_any_pattern_of_values_reads_back_equal(tmp_path, values, span, start):
    values = np.array(values, dtype=np.float32)
    expected = np.full(400, np.nan, dtype=np.float32)
    expected[start : start + span * len(values)] = np.repeat(values, span)
    dense = tmp_path / "dense.bw"
    write_bigwig(dense, {"c": 400}, [("c", start, values)], span=span)
    if not np.isnan(values).all():  # a file of nothing holds a 0 instead, see below
        np.testing.assert_array_equal(bases_of(dense, "c"), expected)
    sparse = tmp_path / "sparse.bw"
    write_bigwig_intervals(sparse, {"c": 400}, [("c", *covered_intervals(np.repeat(values, span), start=start))])
    np.testing.assert_array_equal(np.nan_to_num(bases_of(sparse, "c")), np.nan_to_num(expected))


def test_covered_intervals_are_the_runs_of_equal_values():
    starts, ends, values = covered_intervals(np.array([0, 2, 2, 0, 0, 3, 2, np.nan, 2]), start=100)
    assert starts.tolist() == [101, 105, 106, 108]
    assert ends.tolist() == [103, 106, 107, 109]
    assert values.tolist() == [2, 3, 2, 2]
    assert [len(part) for part in covered_intervals(np.array([]))] == [0, 0, 0]


def test_pieces_leave_no_trace_and_take_little_memory(tmp_path, monkeypatch):
    rng = np.random.default_rng(4)
    starts = np.arange(1_000_000) * 3
    values = rng.integers(0, 9, len(starts)).astype(np.float32)
    values[rng.random(len(starts)) < 0.1] = np.nan
    name = "a contig that has quite a long name"
    chunk = [(name, starts, starts + 2, values)]
    lengths = {name: 3 * len(starts)}
    tracemalloc.start()
    write_bigwig_intervals(tmp_path / "pieces.bw", lengths, chunk)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40 * len(starts)  # the name beside every interval alone would take 140
    monkeypatch.setattr(bigwig_writer, "_INTERVALS_AT_ONCE", 10**9)
    write_bigwig_intervals(tmp_path / "whole.bw", lengths, chunk)
    assert (tmp_path / "pieces.bw").read_bytes() == (tmp_path / "whole.bw").read_bytes()


def test_counts_survive_the_way_through_a_file(tmp_path):
    counts = np.random.default_rng(1).poisson(0.05, 1_000)
    path = tmp_path / "counts.bw"
    write_bigwig_intervals(path, LENGTHS, [("chr2", *covered_intervals(counts))])
    np.testing.assert_array_equal(open_signal(path).bin_sums("chr2", 0, 1_000, 50), counts.reshape(-1, 50).sum(axis=1))


@pytest.mark.parametrize("chunks", [[], [("chr2", 0, np.full(3, np.nan))], [("chr2", 0, np.array([]))]])
def test_a_file_without_values_can_be_read(tmp_path, chunks):
    path = tmp_path / "nothing.bw"
    write_bigwig(path, LENGTHS, chunks, span=10)
    assert open_signal(path).bin_sums("chr1", 0, 300, 300).tolist() == [0.0]


@pytest.mark.parametrize(
    ("chunks", "message"),
    [
        ([("chrX", 0, [1.0])], "no contig 'chrX'"),
        ([("chr1", 0, [1.0]), ("chr2", 0, [1.0])], "chr2 comes after chr1"),
        ([("chr2", 20, [1.0]), ("chr2", 10, [1.0])], "does not lie between 30"),
        ([("chr2", 20, [1.0]), ("chr2", 25, [1.0])], "does not lie between 30"),
        ([("chr2", -10, [1.0])], "does not lie between 0"),
        ([("chr1", 0, np.ones(31))], "reach to 310, the contig to 300"),
        ([("chr1", 0, [1.0, np.inf])], "infinite in float32"),
        ([("chr1", 0, [1e39])], "infinite in float32"),
    ],
)
def test_wrong_chunks_leave_no_file(tmp_path, chunks, message):
    with pytest.raises(ValueError, match=message):
        write_bigwig(tmp_path / "wrong.bw", LENGTHS, chunks, span=10)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("starts", "ends"), [([0, 5], [6, 9]), ([5, 0], [6, 2]), ([3], [3]), ([0], [301])])
def test_wrong_intervals_leave_no_file(tmp_path, starts, ends):
    with pytest.raises(ValueError, match="chr1"):
        write_bigwig_intervals(tmp_path / "wrong.bw", LENGTHS, [("chr1", starts, ends, np.ones(len(starts)))])
    assert list(tmp_path.iterdir()) == []


def test_a_failing_producer_leaves_the_old_file(tmp_path):
    path = tmp_path / "kept.bw"
    write_bigwig(path, LENGTHS, [("chr1", 0, [1.0])], span=10)
    before = path.read_bytes()

    def chunks():
        yield "chr1", 0, [2.0]
        raise RuntimeError("the model failed")

    with pytest.raises(RuntimeError, match="the model failed"):
        write_bigwig(path, LENGTHS, chunks(), span=10)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("free_after", [0, 1, 2])
def test_a_disk_that_fills_up_leaves_no_file(tmp_path, monkeypatch, free_after):
    """libBigWig itself would crash the process, so room is looked for first."""
    frees = iter([10**9] * free_after + [10_000] * 9)
    usage = type(shutil.disk_usage(tmp_path))
    monkeypatch.setattr("shutil.disk_usage", lambda folder: usage(10**9, 10**9, next(frees)))
    with pytest.raises(DiskSpaceError, match=r"0\.00 GB free"):
        write_bigwig(tmp_path / "full.bw", LENGTHS, [("chr2", 0, [1.0]), ("chr1", 0, [1.0])], span=10)
    assert list(tmp_path.iterdir()) == []


def test_arguments_without_meaning_are_refused(tmp_path):
    with pytest.raises(ValueError, match="span"):
        write_bigwig(tmp_path / "x.bw", LENGTHS, [], span=0)
    with pytest.raises(ValueError, match="at least one contig"):
        write_bigwig(tmp_path / "x.bw", {}, [], span=1)
