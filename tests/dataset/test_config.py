import pytest
from pydantic import ValidationError

from regact.dataset import DatasetConfig, SplitByChromosomes, SplitByFolds, SplitByFraction, Strides
from regact.settings import check_settings


def test_defaults_are_the_paper_s_window():
    config = DatasetConfig()
    assert (config.window_bp, config.bin_bp, config.n_bins) == (131_072, 128, 1024)
    assert isinstance(config.split, SplitByFraction)


def test_crop_shortens_the_target_at_both_ends():
    config = DatasetConfig(window_bp=1024, bin_bp=32, crop_bins=3)
    assert (config.target_bp, config.n_bins, config.crop_bp) == (1024 - 6 * 32, 32 - 6, 96)


def test_windows_do_not_overlap_in_their_targets_unless_told_to():
    config = DatasetConfig(window_bp=1024, bin_bp=32, crop_bins=4, strides=Strides(train=100))
    assert [config.stride_bp(split) for split in ("train", "valid", "test")] == [100, 768, 768]


def test_all_broken_rules_are_told_at_once():
    with pytest.raises(ValidationError) as caught:
        DatasetConfig(window_bp=1000, bin_bp=128, crop_bins=4, break_bp=500, max_shift_bp=600)
    message = str(caught.value)
    for part in (
        "not a multiple of bin_bp 128; use for example 1024",
        "crop_bins 4",
        "break_bp 500",
        "max_shift_bp 600",
    ):
        assert part in message


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"window": 1024}, "window: unknown key; did you mean window_bp?"),
        ({"window_bp": "long"}, "window_bp: Input should be a valid integer"),
        ({"split": {"by": "fraction", "valid": 0.6, "test": 0.5}}, "leaves nothing to train"),
        ({"split": {"by": "fraction", "vaild": 0.6}}, "did you mean valid?"),
        ({"split": {"by": "folds", "k": 4, "valid": [4]}}, "fold 4 does not exist; needed 0 to 3"),
        ({"split": {"by": "folds", "k": 4, "valid": [1], "test": [1]}}, "fold 1 is both valid and test"),
        ({"split": {"by": "folds", "k": 2}}, "leave at least one to train"),
        ({"split": {"by": "folds", "k": 4}, "strides": {"train": 64}}, "folds change roles"),
        ({"split": {"by": "chromosome"}}, "split.by: unknown 'chromosome'; did you mean chromosomes?"),
        ({"split": {"by": "size"}}, "unknown 'size'; needed one of chromosomes, folds, fraction, imported, regions"),
        ({"split": {"valid": ["I"]}}, "split.by: missing; needed one of chromosomes, folds, fraction, imported, reg"),
        ({"split": {"by": "chromosomes", "test": [2]}}, "split.test.0: 2 is no text; write it in quotes"),
        ({"split": {"by": "chromosomes", "test": "chrI"}}, "split.test: 'chrI' is no list; write [chrI]"),
        ({"split": {"by": "regions", "bed": "a"}, "exclude": ["chrM"]}, "exclude has no effect on split by regions"),
        ({"split": {"by": "regions", "bed": "a"}, "gaps": "b"}, "gaps has no effect on split by regions"),
        ({"codec": "blosc_lz4", "compression_level": 19}, "compression_level 19 is too high"),
    ],
)
def test_wrong_settings_are_named(values, problem):
    settings, problems = check_settings(DatasetConfig, values)
    assert settings is None
    assert problem in " | ".join(problems)


def test_settings_survive_json():
    for split in (SplitByChromosomes(valid=("a",)), SplitByFraction(), SplitByFolds(k=5)):
        config = DatasetConfig(split=split, strides=Strides(train=None), blacklist="x.bed")
        assert DatasetConfig.model_validate_json(config.model_dump_json()) == config


def test_every_setting_says_what_it_is():
    for kind in (DatasetConfig, SplitByChromosomes, SplitByFolds, SplitByFraction, Strides):
        for name, field in kind.model_fields.items():
            assert field.description or name == "by", f"{kind.__name__}.{name}"
