import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regact.dataset import DatasetConfig
from regact.dataset.mask import mask_windows, target_intervals
from regact.dataset.windows import drop_masked
from regact.genome import Interval, Regions, load_genome


def _windows(*starts, window_bp):
    return pd.DataFrame(
        {"chrom": "c", "start": starts, "end": [start + window_bp for start in starts], "split": "train"}
    )


def _genome(folder, n_places, length=400):
    bases = np.full(length, ord("G"), np.uint8)
    bases[list(n_places)] = ord("N")
    (folder / "genome.fa").write_text(f">c\n{bases.tobytes().decode()}\n")
    return load_genome(folder / "genome.fa")


def test_one_blacklisted_base_masks_its_bin(tmp_path):
    config = DatasetConfig(window_bp=40, bin_bp=10)
    blacklist = Regions.from_intervals([Interval("c", 119, 121)])
    mask = mask_windows(_windows(100, 120, window_bp=40), config, _genome(tmp_path, ()), blacklist=blacklist)
    assert mask.tolist() == [[True, False, False, True], [False, True, True, True]]


def test_unusable_bases_mask_beyond_the_allowed_share_and_count_once(tmp_path):
    config = DatasetConfig(window_bp=30, bin_bp=10, max_unusable_fraction=0.2)
    genome = _genome(tmp_path, (101, 102, 110, 111, 112))
    unmappable = Regions.from_intervals([Interval("c", 102, 103), Interval("c", 120, 122)])
    mask = mask_windows(_windows(100, window_bp=30), config, genome, unmappable=unmappable)
    # 2 bases (one of them N and unmappable) are within a fifth of 10, 3 are not.
    assert mask.tolist() == [[True, False, True]]


def test_crop_is_not_masked_because_it_is_no_target(tmp_path):
    config = DatasetConfig(window_bp=40, bin_bp=10, crop_bins=1)
    windows = _windows(100, window_bp=40)
    assert target_intervals(windows, config) == [Interval("c", 110, 130)]
    blacklist = Regions.from_intervals([Interval("c", 100, 110), Interval("c", 129, 130)])
    assert mask_windows(windows, config, _genome(tmp_path, ()), blacklist=blacklist).tolist() == [[True, False]]


@given(
    n_places=st.sets(st.integers(0, 399), max_size=60),
    unmappable=st.lists(st.tuples(st.integers(0, 380), st.integers(1, 20)), max_size=4),
    blacklist=st.lists(st.tuples(st.integers(0, 380), st.integers(1, 20)), max_size=3),
    start=st.integers(0, 300),
    fraction=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_mask_is_what_counting_base_by_base_says(tmp_path, n_places, unmappable, blacklist, start, fraction):
    config = DatasetConfig(window_bp=100, bin_bp=20, max_unusable_fraction=fraction)
    unusable, bad = np.zeros(400, bool), np.zeros(400, bool)
    unusable[sorted(n_places)] = True
    for places, flags in ((unmappable, unusable), (blacklist, bad)):
        for first, length in places:
            flags[first : first + length] = True
    regions = [
        Regions.from_intervals(Interval("c", first, first + length) for first, length in places)
        for places in (unmappable, blacklist)
    ]
    mask = mask_windows(
        _windows(start, window_bp=100), config, _genome(tmp_path, n_places), unmappable=regions[0], blacklist=regions[1]
    )
    for number in range(5):
        base = slice(start + 20 * number, start + 20 * number + 20)
        assert mask[0, number] == (unusable[base].mean() <= fraction and not bad[base].any())


def test_windows_with_too_much_masked_are_dropped_and_counted():
    config = DatasetConfig(window_bp=40, bin_bp=10, max_masked_fraction=0.5)
    mask = np.array([[True] * 4, [False, False, True, True], [False, False, False, True]])
    windows = _windows(0, 100, 200, window_bp=40)
    kept, kept_mask, remarks = drop_masked(windows, mask, config)
    assert kept["start"].tolist() == [0, 100]
    assert kept_mask.tolist() == mask[:2].tolist()
    assert remarks == ("windows with more than 50% of their bins masked: 1 train",)
