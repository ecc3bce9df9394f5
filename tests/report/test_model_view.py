"""What is drawn from weights: which samples stand in a figure, and one figure for each assay."""

from types import SimpleNamespace

import numpy as np
import pytest

from regact.errors import ConfigError
from regact.model import ModelConfig, model_spec
from regact.report.model_record import ModelRecord
from regact.report.model_view import (
    MOST_SAMPLES,
    ModelView,
    choose_samples,
    density_figures,
    distance_figures,
    region_figures,
    view_model,
)
from regact.report.region import choose_region, find_bins
from regact.report.run_record import read_run
from regact.training import TrainingConfig, train_model


@pytest.fixture(scope="module")
def views(planted, tmp_path_factory):
    """Two models after an epoch, one with distance functions and one without."""
    found = []
    store, genome = planted.store, planted.genome
    bins = find_bins(store, choose_region(store, "test"))
    for preset in ("standard", "attention_two_sided"):
        tower = planted.experiment.model.model_dump(include={"filters", "widths", "pools", "head_filters"})
        config = ModelConfig(preset=preset, **tower)
        spec = model_spec(config, tracks=store.n_tracks, window_bp=store.window_bp, bin_bp=store.bin_bp)
        run = tmp_path_factory.mktemp("views") / preset
        train_model(store, genome, spec, TrainingConfig(epochs=1, max_steps=2), run, device="cpu")
        record = ModelRecord(preset, (), runs=(read_run(run),))
        found.append(view_model(record, store, genome, bins, split="test", device="cpu"))
    return found, bins


def test_each_assay_has_its_figures_and_models_stand_side_by_side(views, planted):
    both, bins = views
    captions = [figure.caption for figure in region_figures(both, "standard", planted.store, bins)]
    assert [caption.split()[0] for caption in captions] == ["CAGE", "CHIP", "fwd:"]
    assert all("as standard predicts" in caption for caption in captions[:2])
    assert len(region_figures(both[:1], "standard", planted.store, bins)) == 2
    only = region_figures(both, "standard", planted.store, bins, tracks=["both"])
    assert [figure.caption.split()[0] for figure in only] == ["CHIP", "both:"]
    assert [figure.caption.split(":")[0] for figure in density_figures(both)] == ["CAGE", "CHIP"]
    assert [figure.caption.split(":")[0] for figure in distance_figures(both)] == ["attention_two_sided"]
    with pytest.raises(ConfigError, match="no track fits"):
        region_figures(both, "standard", planted.store, bins, tracks=["nothing"])


def test_models_of_one_region_differ_and_measured_values_do_not(views, planted):
    (one, other), bins = views
    assert one.predicted.shape == other.predicted.shape == bins.measured(planted.store).shape
    assert not np.allclose(one.predicted, other.predicted)
    assert all(
        (one.sample.counts[assay].sum(axis=1) == other.sample.counts[assay].sum(axis=1)).all()
        for assay in ("CAGE", "CHIP")
    )


def sheet(strand_pair):
    return SimpleNamespace(sheet=SimpleNamespace(strand_pair=np.array(strand_pair)))


def test_of_a_strand_pair_one_stands_for_the_sample():
    assert choose_samples(sheet([1, 0, 3, 2, 4]), range(5)) == [0, 2, 4]
    assert choose_samples(sheet([1, 0, 3, 2, 4]), [1, 0]) == [1]
    assert len(choose_samples(sheet(range(20)), range(20))) == MOST_SAMPLES


def test_a_view_is_named_as_its_model(views):
    assert [view.label for view in views[0]] == ["standard", "attention_two_sided"]
    assert all(isinstance(view, ModelView) for view in views[0])
