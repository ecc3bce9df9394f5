"""Measures by name on a run: one pass of predictions, checks before it, tables and a picture after it."""

import shutil

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

from regact.errors import ConfigError
from regact.evaluation import (
    Measure,
    fit_kmer_ridge,
    judge,
    measure,
    measure_baseline,
    measures,
    parse_measures,
    write_measures,
)
from regact.evaluation.baselines import predict_kmer_ridge
from regact.evaluation.ensemble import ensemble_rate
from regact.genome import Gene, Interval
from regact.model import load_model
from regact.training import TrainingConfig, train_model

GENES = [Gene(f"g{i}", f"g{i}", Interval("chrT", 100 + 600 * i, 400 + 600 * i), "+-"[i % 2]) for i in range(18)]


@pytest.fixture(scope="module")
def run(planted, masked_store, tmp_path_factory):
    config = TrainingConfig(**{**planted.experiment.training.model_dump(), "epochs": 2})
    out = tmp_path_factory.mktemp("runs") / "run"
    return train_model(masked_store, planted.genome, planted.experiment.model_spec(3), config, out, device="cpu")


def never(*arguments, **options):
    pytest.fail("predicted, which it should not have")


def ask(run, store, names, **options):
    return measure(run, names, split="test", store=store, device="cpu", **options)


def test_all_measures_and_their_files(run, masked_store, tmp_path):
    results = ask(run, masked_store, ["all"], genes=GENES)
    assert [result.name for result in results] == [measure.value for measure in Measure]
    paths = write_measures(results, tmp_path, "test")
    assert sorted(path.name for path in paths) == [
        "calibration_deciles_test.tsv", "calibration_test.png", "calibration_test.tsv", "gene_tracks_test.tsv",
        "genes_test.tsv", "peaks_test.tsv", "spearman_test.tsv", "specificity_groups_test.tsv", "specificity_test.tsv",
    ]  # fmt: skip
    for path in paths:
        if path.suffix == ".tsv" and path.name not in ("genes_test.tsv", "specificity_groups_test.tsv"):
            assert set(pd.read_csv(path, sep="\t")["split"]) == {"test"}
    assert (tmp_path / "calibration_test.png").read_bytes().startswith(b"\x89PNG")
    assert all(result.summary["assay"].iloc[-1] == "all" for result in results)


def test_the_pass_leaves_the_judgement_and_no_predictions(run, masked_store, planted, monkeypatch):
    ask(run, masked_store, ["spearman"])
    assert not list(run.glob("predictions*"))
    monkeypatch.setattr("regact.evaluation.judgement.evaluate", None)
    judged = judge(run, split="test", store=masked_store, genome=planted.genome, device="cpu")
    assert judged.accuracy.n_bins == masked_store.read_mask(masked_store.rows("test")).sum()


def test_kept_predictions_are_not_made_twice_nor_taken_away(run, masked_store, monkeypatch):
    first = ask(run, masked_store, ["spearman"], keep_predictions=True)[0].tables["spearman"]
    monkeypatch.setattr(measures, "judge", never)
    again = ask(run, masked_store, ["spearman"])[0].tables["spearman"]
    pd.testing.assert_frame_equal(again, first)
    assert (run / "predictions_test" / "predicted.npy").is_file()


def test_other_folds_in_the_same_split_are_other_predictions(run, masked_store):
    kept = ask(run, masked_store, ["spearman"], keep_predictions=True)[0].tables["spearman"]
    other = masked_store.with_roles(valid=["test"], test=["valid"])
    found = ask(run, other, ["spearman"])[0].tables["spearman"]
    assert not np.allclose(found["spearman"], kept["spearman"])
    shutil.rmtree(run / "predictions_test")


def test_the_ensemble_is_measured_on_its_own_predictions(run, masked_store, planted):
    found = ask(run, masked_store, ["spearman"], ensemble=True)[0].tables["spearman"]["spearman"]
    rows = torch.from_numpy(masked_store.rows("test"))
    with torch.no_grad():
        rate = ensemble_rate(load_model(run), masked_store, planted.genome, rows).numpy()
    targets, mask = masked_store.read(rows.numpy())
    for track in range(3):
        expected = stats.spearmanr(rate[:, track][mask], targets[..., track][mask]).statistic
        assert found[track] == pytest.approx(expected, abs=1e-6)


def test_the_floor_is_measured_as_runs_are(masked_store, planted, tmp_path):
    (found,) = measure_baseline(["spearman"], split="test", store=masked_store, genome=planted.genome, folder=tmp_path)
    rows = masked_store.rows("test")
    ridge = fit_kmer_ridge(masked_store, planted.genome)
    rates = predict_kmer_ridge(ridge, masked_store, planted.genome, rows)
    targets, mask = masked_store.read(rows)
    for track in range(3):
        expected = stats.spearmanr(rates[:, track][mask].astype(np.float32), targets[..., track][mask]).statistic
        assert found.tables["spearman"]["spearman"][track] == pytest.approx(expected, abs=1e-6)
    assert list(tmp_path.iterdir()) == []


def test_every_wrong_name_is_told_and_nothing_is_predicted(run, masked_store, monkeypatch):
    monkeypatch.setattr(measures, "judge", never)
    with pytest.raises(ConfigError) as caught:
        ask(run, masked_store, ["spaerman", "genes", "mystery"])
    assert caught.value.problems == (
        "unknown measure 'mystery'; needed spearman, specificity, peaks, genes, calibration",
        "unknown measure 'spaerman'; did you mean spearman?",
        "genes: needed an annotation (GTF, GFF3 or BED); say with --genes where it is",
    )


def test_an_annotation_asks_for_genes_and_all_means_all_that_can_be_had():
    assert parse_measures([], with_genes=True) == [Measure.genes]
    assert parse_measures(["all"], with_genes=False) == [m for m in Measure if m is not Measure.genes]
    assert parse_measures(["peaks", "spearman"], with_genes=False) == [Measure.spearman, Measure.peaks]
    assert parse_measures([], with_genes=False) == []


def test_strands_that_are_not_told_stop_before_predicting(run, masked_store, monkeypatch):
    monkeypatch.setattr(measures, "judge", never)
    header = masked_store.header
    renamed = [{"identifier": f"t{i}", "description": "CAGE:x"} for i in range(3)]
    records = tuple(record.model_copy(update=new) for record, new in zip(header.tracks, renamed, strict=True))
    store = type(masked_store)(masked_store.path, header.model_copy(update={"tracks": records}), masked_store.roles)
    for names in (["specificity"], ["all"]):
        with pytest.raises(ConfigError, match="t0 and t1 do not say which of them is"):
            ask(run, store, names)


def test_summaries_leave_out_what_has_no_number(run, masked_store):
    (found,) = ask(run, masked_store, ["specificity"])
    assert found.remarks[0].startswith("no specificity of CAGE +: 1 tracks that vary")
    assert np.isnan(found.summary["specificity"]).all()
