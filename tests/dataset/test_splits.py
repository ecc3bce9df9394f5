import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regact.dataset import (
    DatasetConfig,
    SplitByChromosomes,
    SplitByFolds,
    SplitByFraction,
    SplitByRegions,
    Strides,
)
from regact.dataset.splits import divide_genome
from regact.dataset.windows import check_splits, tile_windows
from regact.errors import ConfigError, DataError
from regact.genome import Interval, load_genome


@pytest.fixture
def genome(tmp_path):
    return _genome(tmp_path, {"I": 5_000, "II": 3_000, "III": 1_000, "Mito": 900})


def _genome(folder, lengths, gaps=()):
    sequences = {name: np.full(length, ord("A"), np.uint8) for name, length in lengths.items()}
    for chrom, start, end in gaps:
        sequences[chrom][start:end] = ord("N")
    fasta = folder / "genome.fa"
    fasta.write_text("".join(f">{name}\n{codes.tobytes().decode()}\n" for name, codes in sequences.items()))
    return load_genome(fasta)


def _config(split, **settings):
    return DatasetConfig(**{"window_bp": 256, "bin_bp": 32, "split": split, "break_bp": 1024} | settings)


def _windows(genome, config):
    division = divide_genome(genome, config)
    return tile_windows(division, config), division


def _assert_apart(windows, shift_bp):
    """No base of a window, shifted either way, is a base of another split's window, shifted either way."""
    for _, on_chrom in windows.groupby("chrom"):
        ordered = on_chrom.sort_values("start")
        reached = {}
        for window in ordered.itertuples():
            for split, end in reached.items():
                assert split == window.split or end + shift_bp <= window.start - shift_bp, (split, end, window)
            reached[window.split] = max(reached.get(window.split, -1), window.end)


def test_named_chromosomes_are_left_out_of_training(genome):
    windows, division = _windows(genome, _config(SplitByChromosomes(valid=("III",), test=("II",))))
    assert windows.groupby("split")["chrom"].unique().map(list).to_dict() == {
        "train": ["I"],
        "valid": ["III"],
        "test": ["II"],
    }
    assert any("Mito" in sentence for sentence in division.left_out)


def test_patterns_name_several_chromosomes(genome):
    windows, _ = _windows(genome, _config(SplitByChromosomes(valid=("II*",))))
    assert set(windows.loc[windows["split"] == "valid", "chrom"]) == {"II", "III"}


def test_wrong_chromosomes_are_told_at_once_with_the_nearest_name(genome):
    with pytest.raises(ConfigError) as caught:
        divide_genome(genome, _config(SplitByChromosomes(valid=("chrII", "Mito"), test=("I*",))))
    message = str(caught.value)
    assert "'chrII' matches no chromosome of I, II, III; did you mean 'II'?" in message
    assert "'Mito' is left out" in message
    with pytest.raises(ConfigError, match="II both in valid and in test"):
        divide_genome(genome, _config(SplitByChromosomes(valid=("II",), test=("II",))))


def test_every_chromosome_taken_leaves_training_empty(genome):
    config = _config(SplitByChromosomes(valid=("I",), test=("II*",)))
    windows, division = _windows(genome, config)
    with pytest.raises(DataError, match=r"split train is empty \(0 contigs.*needed at least one window in each split"):
        check_splits(windows, division, division.left_out, genome.path)


def test_fractions_are_met(tmp_path):
    genome = _genome(tmp_path, {f"c{i}": 20_000 for i in range(10)})
    windows, _ = _windows(genome, _config(SplitByFraction(valid=0.1, test=0.2)))
    shares = windows["split"].value_counts(normalize=True)
    assert shares["valid"] == pytest.approx(0.1, abs=0.01)
    assert shares["test"] == pytest.approx(0.2, abs=0.01)


def test_a_small_genome_is_broken_until_every_split_has_a_window(tmp_path):
    # Three windows fit, and three splits are wanted: break_bp alone would give one piece.
    genome = _genome(tmp_path, {"c": 3 * 256 + 2 * 6})
    windows, division = _windows(genome, _config(SplitByFraction(valid=0.1, test=0.1), break_bp=100_000))
    check_splits(windows, division, (), genome.path)
    assert sorted(windows["split"]) == ["test", "train", "valid"]
    _assert_apart(windows, 3)


def test_a_genome_with_room_for_fewer_windows_than_splits_is_refused(tmp_path):
    genome = _genome(tmp_path, {"c": 3 * 256 + 11})
    with pytest.raises(DataError, match=r"only 2 pieces of window_bp = 256 fit.*make window_bp smaller"):
        divide_genome(genome, _config(SplitByFraction()))


def test_a_fraction_of_zero_is_no_split(tmp_path):
    genome = _genome(tmp_path, {"c": 10_000})
    windows, division = _windows(genome, _config(SplitByFraction(valid=0.2, test=0)))
    assert division.wanted == ("train", "valid")
    assert set(windows["split"]) == {"train", "valid"}


def test_the_seed_decides_who_validates(tmp_path):
    genome = _genome(tmp_path, {"c": 50_000})

    def starts(seed):
        windows, _ = _windows(genome, _config(SplitByFraction(), seed=seed))
        return tuple(windows.loc[windows["split"] == "valid", "start"])

    assert starts(1) == starts(1)
    assert len({starts(seed) for seed in range(5)}) > 1


def test_folds_are_equal_and_named_by_number(tmp_path):
    genome = _genome(tmp_path, {"c": 100_000})
    windows, division = _windows(genome, _config(SplitByFolds(k=5, valid=(0,), test=(1, 2))))
    counts = windows["fold"].value_counts()
    assert set(counts.index) == set("01234")
    assert counts.max() - counts.min() <= 4  # a piece holds four windows
    assert division.roles == {"0": "valid", "1": "test", "2": "test", "3": "train", "4": "train"}
    assert (windows["split"] == windows["fold"].map(division.roles)).all()


def test_folds_of_one_role_keep_apart_too_since_roles_may_change(tmp_path):
    genome = _genome(tmp_path, {"c": 50_000})
    windows, _ = _windows(genome, _config(SplitByFolds(k=5, valid=(0,), test=(1,)), max_shift_bp=10))
    _assert_apart(windows.assign(split=windows["fold"]), 10)


def test_a_window_longer_than_every_contig_is_refused_with_the_longest(tmp_path):
    genome = _genome(tmp_path, {"a": 900, "b": 1_500}, gaps=[("b", 500, 700)])
    with pytest.raises(
        DataError, match=r"the longest contig, a:1-900, has 900 bp; needed one of at least window_bp = 1,024"
    ):
        divide_genome(genome, _config(SplitByFraction(), window_bp=1024))


def test_windows_lie_between_gaps(tmp_path):
    genome = _genome(tmp_path, {"c": 4_000}, gaps=[("c", 1_000, 1_200), ("c", 3_000, 3_100)])
    windows, division = _windows(genome, _config(SplitByChromosomes()))
    contigs = [Interval("c", 0, 1_000), Interval("c", 1_200, 3_000), Interval("c", 3_100, 4_000)]
    assert [stretch.interval for stretch in division.stretches] == contigs
    for window in windows.itertuples():
        assert any(c.start <= window.start and window.end <= c.end for c in contigs)
    assert len(windows) == sum(contig.length // 256 for contig in contigs)


def test_gaps_from_a_bed_cut_as_well(tmp_path):
    genome = _genome(tmp_path, {"c": 1_000})
    bed = tmp_path / "gaps.bed"
    bed.write_text("c\t500\t501\n")
    division = divide_genome(genome, _config(SplitByChromosomes(), gaps=bed))
    assert [stretch.interval.end for stretch in division.stretches] == [500, 1_000]


def _regions(folder, text):
    bed = folder / "regions.bed"
    bed.write_text(text)
    return SplitByRegions(bed=bed)


def test_regions_of_the_user_s_own(genome, tmp_path):
    split = _regions(tmp_path, "II\t0\t600\tvalid\nI\t100\t1000\ttrain\nI\t2000\t2256\ttest\n")
    windows, _ = _windows(genome, _config(split))
    found = list(windows[["chrom", "start", "split"]].itertuples(index=False, name=None))
    assert found == [
        ("I", 100, "train"),
        ("I", 356, "train"),
        ("I", 612, "train"),
        ("I", 2000, "test"),
        ("II", 0, "valid"),
        ("II", 256, "valid"),
    ]


def test_regions_that_overlap_within_a_split_give_each_window_once(genome, tmp_path):
    split = _regions(tmp_path, "I\t0\t512\ttrain\nI\t256\t768\ttrain\n")
    windows, _ = _windows(genome, _config(split))
    assert list(windows["start"]) == [0, 256, 512]


def test_regions_of_two_splits_that_overlap_are_refused(genome, tmp_path):
    split = _regions(tmp_path, "I\t0\t600\ttrain\nI\t599\t1200\ttest\nII\t0\t500\ttrain\n")
    with pytest.raises(DataError, match=r"train I:1-600 overlaps test I:600-1200.*cut the regions apart"):
        divide_genome(genome, _config(split))


def test_touching_regions_lose_what_shifts_would_share_and_say_so(genome, tmp_path):
    split = _regions(tmp_path, "I\t0\t256\ttrain\nI\t256\t512\ttest\nI\t600\t900\ttrain\n")
    division = divide_genome(genome, _config(split))
    assert any(
        "2 regions that hold no window once 6 bp away from another split's" in sentence
        for sentence in division.left_out
    )
    windows, _ = _windows(genome, _config(split, max_shift_bp=0))
    assert list(windows["start"]) == [0, 256, 600]


def test_regions_without_a_split_are_refused(genome, tmp_path):
    with pytest.raises(ConfigError, match="I:1-600 has 'training' in column 4; needed train, valid or test"):
        divide_genome(genome, _config(_regions(tmp_path, "I\t0\t600\ttraining\n")))
    with pytest.raises(ConfigError, match="no region lies on the genome"):
        divide_genome(genome, _config(_regions(tmp_path, "# nothing\n")))


def test_a_region_on_a_contig_that_the_genome_lacks_is_not_lost_in_silence(genome, tmp_path):
    split = _regions(tmp_path, "I\t0\t600\ttrain\nII\t0\t600\ttest\nIX\t0\t600\tvalid\n")
    with pytest.raises(ConfigError, match=r"line 3: the genome has no contig 'IX'"):
        divide_genome(genome, _config(split))


def test_regions_shorter_than_a_window_are_refused(genome, tmp_path):
    with pytest.raises(DataError, match=r"longest contig, I:1-200, has 200 bp"):
        divide_genome(genome, _config(_regions(tmp_path, "I\t0\t200\ttrain\n")))


@st.composite
def _cases(draw):
    lengths = draw(st.lists(st.integers(100, 6_000), min_size=1, max_size=4))
    gaps = [
        (f"c{number}", start, start + draw(st.integers(1, 150)))
        for number, length in enumerate(lengths)
        for start in draw(st.lists(st.integers(0, length), max_size=2))
    ]
    split = draw(
        st.sampled_from(
            [
                SplitByFraction(valid=0.1, test=0.1),
                SplitByFraction(valid=0.4, test=0.3),
                SplitByFolds(k=3),
                SplitByFolds(k=6, valid=(2, 3)),
            ]
        )
    )
    overlapping = {} if isinstance(split, SplitByFolds) else {"strides": Strides(train=draw(st.integers(20, 300)))}
    return (
        lengths,
        gaps,
        split,
        draw(st.integers(0, 20)),
        draw(st.integers(128, 2_000)),
        draw(st.integers(0, 9)),
        overlapping,
    )


@given(case=_cases())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_windows_of_different_splits_share_no_base_even_shifted(tmp_path, case):
    lengths, gaps, split, shift_bp, break_bp, seed, strides = case
    genome = _genome(tmp_path, {f"c{number}": length for number, length in enumerate(lengths)}, gaps)
    config = _config(split, window_bp=128, break_bp=break_bp, max_shift_bp=shift_bp, seed=seed, **strides)
    try:
        windows, division = _windows(genome, config)
    except DataError:
        return  # too little genome for so many splits: refused in words, not silently empty
    check_splits(windows, division, (), genome.path)
    _assert_apart(windows.assign(split=windows["fold"]), shift_bp)
    for window in windows.itertuples():
        codes = genome.fetch(Interval(window.chrom, window.start, window.end))
        assert len(codes) == 128
        assert not (np.convolve(codes == 4, np.ones(100), "valid") == 100).any()  # no gap inside a window
