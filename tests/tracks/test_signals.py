"""bigWig and bedGraph say the same of the same signal, and both say what reading base by base says."""

import gzip
import multiprocessing
import pickle

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regact.errors import ContigError, DataError, FormatError
from regact.tracks import open_signal

LENGTHS = {"chr1": 6_000, "chr2": 1_500}
KINDS = ["bigwig", "bedgraph", "bedgraph.gz"]


@pytest.fixture
def write_signal(tmp_path, write_rows):
    def write(kind, rows, name="signal"):
        if kind == "bigwig":
            return write_rows(tmp_path / f"{name}.bw", rows)
        text = "".join(f"{c}\t{s}\t{e}\t{v!r}\n" for c, s, e, v in sorted(rows))
        path = tmp_path / f"{name}.{kind}"
        path.write_bytes(gzip.compress(text.encode()) if kind.endswith("gz") else text.encode())
        return path

    return write


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("start", "end"), [(0, 5_120), (37, 37 + 512), (5_500, 6_140), (-300, 340), (6_000, 6_128)])
def test_sums_and_maxima_equal_the_per_base_reference(
    write_signal, write_rows, random_rows, reference, tmp_path, kind, start, end
):
    rows = random_rows(1)
    bigwig = write_rows(tmp_path / "reference.bw", rows)
    bases = reference.base_values(bigwig, "chr1", start, end).reshape(-1, 64)
    signal = open_signal(write_signal(kind, rows))
    np.testing.assert_allclose(signal.bin_sums("chr1", start, end, 64), bases.sum(axis=1), rtol=1e-13, atol=0)
    np.testing.assert_array_equal(signal.bin_max("chr1", start, end, 64), bases.max(axis=1))


@pytest.mark.parametrize("kind", KINDS)
def test_bases_without_data_are_nan_and_0_in_bins(write_signal, kind):
    signal = open_signal(write_signal(kind, [("chr1", 10, 12, 3.5), ("chr1", 14, 15, 2.0)]))
    values = signal.base_values("chr1", -2, 16)
    expected = np.full(18, np.nan, dtype=np.float32)
    expected[[12, 13, 16]] = 3.5, 3.5, 2.0
    assert values.dtype == np.float32
    np.testing.assert_array_equal(values, expected)
    np.testing.assert_array_equal(signal.bin_sums("chr1", 8, 16, 4), [7.0, 2.0])
    np.testing.assert_array_equal(signal.bin_max("chr1", 8, 24, 4), [3.5, 2.0, 0.0, 0.0])


@pytest.mark.parametrize("kind", KINDS)
def test_a_maximum_of_negative_values_is_0_only_where_a_base_has_no_data(write_signal, kind):
    signal = open_signal(write_signal(kind, [("chr1", 0, 6, -2.0)]))
    np.testing.assert_array_equal(signal.bin_max("chr1", 0, 12, 4), [-2.0, 0.0, 0.0])


@pytest.mark.parametrize("kind", KINDS)
def test_a_stored_nan_takes_no_other_base_of_its_bin_away(write_signal, kind):
    """pybigtools alone would give 0 for the whole bin."""
    rows = [
        ("chr1", 0, 10, 1.0),
        ("chr1", 10, 20, float("nan")),
        ("chr1", 20, 64, 1.0),
        ("chr1", 64, 128, float("nan")),
    ]
    signal = open_signal(write_signal(kind, rows))
    np.testing.assert_array_equal(signal.bin_sums("chr1", 0, 192, 64), [54.0, 0.0, 0.0])
    np.testing.assert_array_equal(signal.bin_max("chr1", 0, 192, 64), [1.0, 0.0, 0.0])
    assert np.isnan(signal.base_values("chr1", 10, 20)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_sums_of_huge_values_are_exact(write_signal, kind):
    """16,777,217 has no float32, 128 times 16,777,216 + 1 has no float32 sum: both need the sum in float64."""
    rows = [("chr1", 0, 127, 16_777_216.0), ("chr1", 127, 128, 1.0), ("chr1", 128, 256, 2.0**100)]
    signal = open_signal(write_signal(kind, rows))
    np.testing.assert_array_equal(signal.bin_sums("chr1", 0, 256, 128), [127 * 2.0**24 + 1, 2.0**107])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_an_infinite_value_is_an_error_that_names_its_place(write_signal, kind, value):
    path = write_signal(kind, [("chr1", 5, 6, 1.0), ("chr1", 200, 201, value)])
    with pytest.raises(DataError, match=r"chr1:201-201: the signal is -?inf|line 2: the value is inf") as caught:
        open_signal(path).bin_sums("chr1", 0, 256, 64)
    assert str(path) in str(caught.value)
    with pytest.raises(DataError):
        open_signal(path).base_values("chr1", 0, 256)


@pytest.mark.parametrize("kind", KINDS)
def test_an_infinite_value_beside_a_stored_nan_is_found(write_signal, kind):
    path = write_signal(kind, [("chr1", 5, 6, float("nan")), ("chr1", 7, 8, np.inf)])
    with pytest.raises(DataError):
        open_signal(path).bin_sums("chr1", 0, 64, 64)


@pytest.mark.parametrize("kind", KINDS)
def test_bins_must_divide_the_interval(write_signal, kind):
    signal = open_signal(write_signal(kind, [("chr1", 5, 6, 1.0)]))
    for question in (signal.bin_sums, signal.bin_max):
        with pytest.raises(ValueError, match="whole number of bins"):
            question("chr1", 0, 100, 64)
    with pytest.raises(ValueError, match="no contig 'chrX'"):
        signal.bin_sums("chrX", 0, 64, 64)


@pytest.mark.parametrize("kind", KINDS)
def test_a_signal_travels_to_other_processes_while_in_use(write_signal, kind):
    signal = open_signal(write_signal(kind, [("chr1", 5, 10, 2.0)]))
    assert signal.bin_sums("chr1", 0, 64, 64) == 10.0
    assert pickle.loads(pickle.dumps(signal)).bin_sums("chr1", 0, 64, 64) == 10.0
    with multiprocessing.get_context("fork").Pool(2) as pool:
        found = pool.starmap(signal.bin_sums, [("chr1", start, start + 8, 8) for start in range(0, 16, 8)])
    np.testing.assert_array_equal(np.concatenate(found), [6.0, 4.0])
    signal.close()
    assert signal.bin_sums("chr1", 0, 64, 64) == 10.0


@pytest.mark.parametrize("kind", KINDS)
def test_contigs_are_checked_against_the_genome(write_signal, kind):
    signal = open_signal(write_signal(kind, [("chr1", 5, 5_000, 2.0)]))
    assert signal.contig_names(LENGTHS)["chr1"] == "chr1"
    assert signal.contig_names({"chr1": 6_000, "chr9": 50}) == {"chr1": "chr1"}
    with pytest.raises(ContigError, match="--contig-alias"):
        signal.contig_names({"1": 6_000, "2": 1_500})
    with pytest.raises(ContigError, match="assembl"):
        signal.contig_names({"chr1": 4_999, "chr2": 1_500})


@st.composite
def intervals(draw):
    """Non-overlapping rows on 400 bases with values that float32 holds, some NaN."""
    edges = sorted(draw(st.sets(st.integers(0, 400), min_size=2, max_size=30)))
    values = st.floats(-1e6, 1e6, width=32) | st.just(float("nan"))
    kept = draw(st.lists(st.booleans(), min_size=len(edges) - 1, max_size=len(edges) - 1))
    rows = [
        ("chr1", start, end, draw(values)) for start, end, keep in zip(edges[:-1], edges[1:], kept, strict=True) if keep
    ]
    return rows or [("chr1", edges[0], edges[1], 1.0)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=intervals(), start=st.integers(-50, 420), bins=st.integers(1, 9), bin_bp=st.integers(1, 70))
def test_both_formats_equal_plain_arrays(tmp_path, write_rows, rows, start, bins, bin_bp):
    end = start + bins * bin_bp
    bases = np.full(2_000, np.nan)  # position p lies at p + 100
    for _, left, right, value in rows:
        bases[left + 100 : right + 100] = value
    inside = bases[start + 100 : end + 100]
    sums = np.nan_to_num(inside, nan=0.0).reshape(bins, bin_bp)
    bigwig = write_rows(tmp_path / "any.bw", rows)
    bedgraph = tmp_path / "any.bedgraph"
    bedgraph.write_text("".join(f"{c}\t{s}\t{e}\t{v!r}\n" for c, s, e, v in rows))
    for path in (bigwig, bedgraph):
        signal = open_signal(path)
        if "chr1" not in signal.lengths:  # every row of the bedGraph was NaN
            continue
        np.testing.assert_array_equal(signal.base_values("chr1", start, end), inside.astype(np.float32))
        np.testing.assert_allclose(signal.bin_sums("chr1", start, end, bin_bp), sums.sum(axis=1), rtol=1e-12, atol=1e-6)
        np.testing.assert_array_equal(signal.bin_max("chr1", start, end, bin_bp), sums.max(axis=1))


def test_the_file_is_read_anew_after_it_was_replaced_and_closed(write_signal):
    path = write_signal("bedgraph", [("chr1", 0, 4, 1.0)])
    signal = open_signal(path)
    assert signal.bin_sums("chr1", 0, 4, 4) == 4.0
    write_signal("bedgraph", [("chr1", 0, 4, 2.0)])
    signal.close()
    assert signal.bin_sums("chr1", 0, 4, 4) == 8.0


def test_a_bigwig_gone_since_it_was_opened_is_an_error(write_signal):
    path = write_signal("bigwig", [("chr1", 0, 4, 1.0)])
    signal = open_signal(path)
    path.unlink()
    with pytest.raises(FormatError, match="cannot be opened"):
        signal.bin_sums("chr1", 0, 4, 4)
