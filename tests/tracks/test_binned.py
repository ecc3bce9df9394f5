"""`read_binned` equals the plain per-base reading in every combination of its steps."""

import pickle

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regact.errors import ContigError, DataError
from regact.genome import Interval, Regions, parse_contig_alias
from regact.tracks import (
    SUM_STATS,
    Track,
    depth_factors,
    open_signals,
    read_binned,
    track_total,
    track_transform,
)

LENGTHS = {"chr1": 6_000, "chr2": 1_500}
WINDOW = Interval("chr1", 128, 128 + 40 * 128)
BLACKLIST = Regions.from_intervals([Interval("chr1", 600, 1_100), Interval("chr1", 3_000, 3_050)])


def read(track, interval=WINDOW, bin_bp=128, *, blacklist=None, depth_factor=1.0, alias=None, lengths=LENGTHS):
    signals, names = open_signals(track, lengths, alias)
    return read_binned(track, signals, interval, bin_bp, track_transform(track, bin_bp, depth_factor), blacklist, names)


@pytest.fixture
def replicates(tmp_path, write_rows, random_rows):
    """Three replicates; only the first knows chr2."""
    paths = [write_rows(tmp_path / f"{seed}.bw", random_rows(seed)) for seed in (2, 3)]
    extra = [*random_rows(1), ("chr2", 0, 640, 2.0)]
    return (write_rows(tmp_path / "1.bw", extra), *paths)


@pytest.mark.parametrize("sum_stat", SUM_STATS)
@pytest.mark.parametrize("files", [1, 3])
@pytest.mark.parametrize("blacklisted", [False, True])
@pytest.mark.parametrize("limits", [(None, None), (40.0, None), (None, 30.0), (20.0, 30.0)])
def test_equals_the_per_base_reference(replicates, reference, sum_stat, files, blacklisted, limits):
    soft, hard = limits
    track = Track("t", replicates[:files], clip=hard, clip_soft=soft, scale=0.25, sum_stat=sum_stat)
    found = read(track, blacklist=BLACKLIST if blacklisted else None, depth_factor=1.5)
    expected = reference.read_per_base(
        track.files,
        WINDOW.chrom,
        WINDOW.start,
        WINDOW.end,
        128,
        sum_stat=sum_stat,
        scale=0.375,
        clip_soft=soft,
        clip=hard,
        blacklisted=BLACKLIST.covered(WINDOW) if blacklisted else None,
    )
    assert found.dtype == np.float32
    assert found.shape == (40,)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)
    assert expected.max() > 0


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 1_000),
    start=st.integers(-600, 5_900),
    bins=st.integers(1, 12),
    bin_bp=st.integers(1, 200),
    region=st.tuples(st.integers(0, 5_900), st.integers(1, 900)),
    sum_stat=st.sampled_from(SUM_STATS),
)
def test_equals_the_reference_anywhere(
    tmp_path, write_rows, random_rows, reference, seed, start, bins, bin_bp, region, sum_stat
):
    track = Track("t", (write_rows(tmp_path / "any.bw", random_rows(seed)),), sum_stat=sum_stat, scale=0.01)
    interval = Interval("chr1", start, start + bins * bin_bp)
    blacklist = Regions.from_intervals([Interval("chr1", region[0], sum(region))])
    expected = reference.read_per_base(
        track.files,
        "chr1",
        interval.start,
        interval.end,
        bin_bp,
        sum_stat=sum_stat,
        scale=0.01,
        blacklisted=blacklist.covered(interval),
    )
    np.testing.assert_allclose(read(track, interval, bin_bp, blacklist=blacklist), expected, rtol=1e-6, atol=1e-9)


def test_counts_add_up_to_the_signal(replicates, reference):
    """Every base falls in one bin: the bins of a contig sum to the sum of its bases."""
    track = Track("t", replicates)
    whole = Interval("chr1", 0, 6_016)
    bases = sum(reference.base_values(path, "chr1", 0, 6_000).sum() for path in replicates)
    assert read(track, whole, 64).astype(np.float64).sum() == pytest.approx(bases, rel=1e-6)
    signals, names = open_signals(track, LENGTHS)
    assert track_total(track, signals, names, [Interval("chr1", 0, 6_000)]) == pytest.approx(bases, rel=1e-12)


def test_a_contig_that_files_lack_counts_as_0(tmp_path, write_rows):
    one = write_rows(tmp_path / "one.bw", [("chr1", 0, 10, 1.0)], {"chr1": 6_000})
    two = write_rows(tmp_path / "two.bw", [("chr2", 0, 640, 2.0)])
    interval = Interval("chr2", 0, 256)
    np.testing.assert_array_equal(read(Track("t", (one,)), interval), [0.0, 0.0])
    np.testing.assert_array_equal(read(Track("t", (one,), sum_stat="max"), interval), [0.0, 0.0])
    np.testing.assert_array_equal(read(Track("t", (one, two)), interval), [256.0, 256.0])
    everywhere = Regions.from_intervals([interval])
    np.testing.assert_array_equal(read(Track("t", (one,)), interval, blacklist=everywhere), [0.0, 0.0])


def test_blacklisted_bases_are_clipped_to_the_median_not_set_to_it(tmp_path, write_rows):
    rows = [
        ("chr1", 0, 1_000, 4.0),
        ("chr1", 1_000, 1_100, 90.0),
        ("chr1", 1_100, 1_200, 1.0),
        ("chr1", 1_200, 2_000, 4.0),
    ]
    track = Track("t", (write_rows(tmp_path / "t.bw", rows),))
    blacklist = Regions.from_intervals([Interval("chr1", 1_000, 1_200)])
    found = read(track, Interval("chr1", 0, 2_000), 100, blacklist=blacklist)
    expected = np.full(20, 400.0)
    expected[11] = 100.0  # below the baseline: left as it is
    np.testing.assert_array_equal(found, expected)


def test_the_baseline_is_0_below_8_bins(tmp_path, write_rows):
    track = Track("t", (write_rows(tmp_path / "t.bw", [("chr1", 0, 2_000, 4.0)]),))
    blacklist = Regions.from_intervals([Interval("chr1", 100, 200)])
    np.testing.assert_array_equal(read(track, Interval("chr1", 0, 700), 100, blacklist=blacklist)[:3], [400, 0, 400])
    np.testing.assert_array_equal(read(track, Interval("chr1", 0, 800), 100, blacklist=blacklist)[:3], [400, 400, 400])


def test_only_intervals_that_touch_the_blacklist_are_read_per_base(replicates, monkeypatch):
    track = Track("t", replicates[:1])
    signals, names = open_signals(track, LENGTHS)
    calls = []
    base_values = type(signals[0]).base_values
    monkeypatch.setattr(
        type(signals[0]), "base_values", lambda self, *place: calls.append(place) or base_values(self, *place)
    )
    transform = track_transform(track, 128)
    for start in range(0, 5_120, 1_024):
        read_binned(track, signals, Interval("chr1", start, start + 1_024), 128, transform, BLACKLIST, names)
    assert calls == [("chr1", 0, 1_024), ("chr1", 1_024, 2_048), ("chr1", 2_048, 3_072)]


def test_values_beyond_float16_are_an_error_that_names_track_place_and_remedy(tmp_path, write_rows):
    path = write_rows(tmp_path / "t.bw", [("chr1", 0, 128, 1.0), ("chr1", 300, 301, 65_505.0)])
    with pytest.raises(DataError, match=r"track CAGE_1, chr1:257-384: .*65505.*infinite.*clip"):
        read(Track("CAGE_1", (path,)), Interval("chr1", 0, 512))
    for mended in (
        Track("t", (path,), clip=60_000.0),
        Track("t", (path,), clip_soft=100.0),
        Track("t", (path,), scale=0.5),
    ):
        assert np.isfinite(read(mended, Interval("chr1", 0, 512)).astype(np.float16)).all()
    at_limit = Track("t", (write_rows(tmp_path / "l.bw", [("chr1", 0, 1, 65_504.0)]),))
    assert read(at_limit, Interval("chr1", 0, 128)).astype(np.float16)[0] == 65_504


def test_large_bases_are_pooled_before_anything_is_narrowed(tmp_path, write_rows):
    """70,000 is infinite in float16: Basenji's order of casts would lose it, a mean brings it in range."""
    track = Track("t", (write_rows(tmp_path / "t.bw", [("chr1", 0, 1, 70_000.0)]),), sum_stat="mean")
    assert read(track, Interval("chr1", 0, 128))[0] == pytest.approx(70_000 / 128)


def test_negative_values_are_an_error_unless_the_scale_turns_them_round(tmp_path, write_rows):
    path = write_rows(tmp_path / "minus.bw", [("chr1", 0, 10, -2.0), ("chr1", 130, 140, -3.0)])
    with pytest.raises(DataError, match=r"track minus, chr1:129-256: .*-30.*negative scale"):
        read(Track("minus", (path,)), Interval("chr1", 0, 256))
    for sum_stat, expected in (("sum", [10.0, 15.0]), ("max", [1.0, 1.5])):
        turned = Track("minus", (path,), scale=-0.5, sum_stat=sum_stat)
        np.testing.assert_array_equal(read(turned, Interval("chr1", 0, 256)), expected)


def test_contig_names_may_differ_per_file(tmp_path, write_rows):
    named = write_rows(tmp_path / "named.bw", [("chr1", 0, 10, 1.0)])
    bare = write_rows(tmp_path / "bare.bw", [("1", 5, 10, 1.0)], {"1": 6_000, "2": 1_500})
    track = Track("t", (named, bare))
    with pytest.raises(ContigError, match="--contig-alias chr"):
        read(track, Interval("chr1", 0, 128))
    np.testing.assert_array_equal(read(track, Interval("chr1", 0, 128), alias=parse_contig_alias("chr")), [15.0])


def test_a_track_of_another_assembly_is_refused(replicates):
    with pytest.raises(ContigError, match="6,000 bp"):
        open_signals(Track("t", replicates), {"chr1": 6_001, "chr2": 1_500})


def test_everything_needed_travels_to_workers(replicates):
    track = Track("t", replicates, scale=0.5, clip=9.0)
    signals, names = open_signals(track, LENGTHS)
    arguments = (track, signals, WINDOW, 128, track_transform(track, 128), BLACKLIST, names)
    expected = read_binned(*arguments)
    np.testing.assert_array_equal(read_binned(*pickle.loads(pickle.dumps(arguments))), expected)


def test_depth_factors_bring_totals_to_the_common_total(replicates):
    tracks = [
        Track(f"t{row}", (path,), scale=scale)
        for row, (path, scale) in enumerate(zip(replicates, (1, 2, 3), strict=True))
    ]
    pairs = np.array([1, 0, 2])
    places = [Interval("chr1", 0, 6_000), Interval("chr2", 0, 1_500)]
    opened = [open_signals(track, LENGTHS) for track in tracks]
    totals = [track_total(track, *files, places) for track, files in zip(tracks, opened, strict=True)]
    factors = depth_factors(totals, pairs, 1e6)
    assert factors[0] == factors[1]
    scaled = np.array(totals) * factors
    assert scaled[0] + scaled[1] == pytest.approx(1e6)
    assert scaled[2] == pytest.approx(1e6)


def test_a_track_without_signal_has_no_depth_factor():
    with pytest.raises(DataError, match=r"b, d: .*adds up to 0"):
        depth_factors([1.0, 0.0, 0.0, 0.0], np.array([2, 1, 0, 3]), 1e6, names=["a", "b", "c", "d"])
    with pytest.raises(ValueError, match="common_total"):
        depth_factors([1.0], np.array([0]), 0)
