"""`model.run`: the network of a run for other data."""

import pytest

from regact.errors import ConfigError, RunError
from regact.model import ModelConfig, build_model, model_spec, preset_spec, save_model
from regact.model.spec import BlockSpec


@pytest.fixture
def run(tmp_path):
    spec = preset_spec("basenji", tracks=5, window_bp=1024, width=0.02, link="elu1", n_value=0.25)
    save_model(build_model(spec, seed=0), tmp_path / "run")
    return tmp_path / "run"


def test_tower_context_and_head_are_the_runs_tracks_and_windows_the_datas(run):
    source = preset_spec("basenji", tracks=5, window_bp=1024, width=0.02, link="elu1", n_value=0.25)
    spec = model_spec(ModelConfig(run=run, block=BlockSpec()), tracks=2, window_bp=2048, crop_bins=3, bin_bp=128)
    assert spec == source.model_copy(update={"tracks": 2, "window_bp": 2048, "crop_bins": 3})


def test_the_link_may_be_another(run):
    spec = model_spec(ModelConfig(run=run, link="exp", seed=3), tracks=5, window_bp=1024)
    assert (spec.head.link, spec.n_value) == ("exp", 0.25)


def test_what_does_not_fit_is_told_at_once(run):
    config = ModelConfig(run=run, preset="standard", width=0.5)
    with pytest.raises(ConfigError) as error:
        model_spec(config, tracks=2, window_bp=1000, crop_bins=2, bin_bp=64)
    first, second, third = error.value.problems
    assert first == f"preset, width: the network is that of {run}; leave them out"
    assert second == f"bins of {run} have 128 bases, the data's bin_bp is 64"
    assert third == "window_bp 1000 is no multiple of 128, the product of the pools"


def test_a_folder_without_a_model(tmp_path):
    with pytest.raises(RunError):
        model_spec(ModelConfig(run=tmp_path), tracks=2, window_bp=1024)
