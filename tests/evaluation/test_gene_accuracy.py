"""Accuracy at genes against plain loops: where genes are, whose strand counts, and both directions of correlation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regact.evaluation.gene_accuracy import across_signals, measure_genes
from regact.evaluation.gene_places import find_gene_places, signals_of_genes
from regact.evaluation.split_predictions import SplitPredictions
from regact.genome import Gene, Interval, read_genes


@pytest.fixture(scope="module")
def data(simulated_with_crop, tmp_path_factory):
    """Noisy predictions of a test split with overlapping windows and crops, and the genes of the simulation."""
    simulated = simulated_with_crop(8)
    targets, mask = simulated.store.read(simulated.store.rows("test"))
    measured = targets.astype(np.float32)[mask].T
    predicted = ((0.2 + measured) * np.random.default_rng(1).gamma(3, 1 / 3, measured.shape)).astype(np.float32)
    folder = tmp_path_factory.mktemp("predictions")
    np.save(folder / "predicted.npy", predicted)
    np.save(folder / "measured.npy", measured.astype(np.float16))
    genes = read_genes(simulated.folder / "genes.gtf", genome_lengths=simulated.genome.lengths)
    return simulated, SplitPredictions(folder, simulated.store, "test"), genes


def target_of(store, row):
    start = int(store.windows["start"].iloc[row]) + store.crop_bins * store.bin_bp
    return start, start + store.n_bins * store.bin_bp


def places_by_hand(store, genes):
    """For each gene that has one the window in whose target it lies most centrally, and its three bins."""
    found = {}
    for gene in genes:
        rows = [
            row for row in store.rows("test") if store.windows["chrom"].iloc[row] == gene.interval.chrom
            and target_of(store, row)[0] <= gene.tss < target_of(store, row)[1]
        ]  # fmt: skip
        if rows:
            row = min(rows, key=lambda row: abs(sum(target_of(store, row)) // 2 - gene.tss))
            at = (gene.tss - target_of(store, row)[0]) // store.bin_bp
            if 0 < at < store.n_bins - 1 and store.read_mask(np.array([row]))[0, at - 1 : at + 2].all():
                found[gene.identifier] = (row, at)
    return found


def test_places_are_those_of_the_most_central_windows(data):
    simulated, predictions, genes = data
    places = find_gene_places(predictions, genes)
    expected = places_by_hand(simulated.store, genes)
    rows, bins = predictions.places
    found = {
        gene.identifier: (rows[columns[1]], bins[columns[1]])
        for gene, columns in zip(places.genes, places.columns, strict=True)
    }
    assert found == expected
    assert len(found) > 50
    np.testing.assert_array_equal(np.diff(bins[places.columns], axis=1), 1)


def test_genes_that_no_target_holds_or_that_are_masked(masked_predictions):
    predictions = masked_predictions[0]
    starts = {"masked": 350, "near": 3072, "edge": 1023, "seen": 1600, "train": 100}
    genes = [Gene(name, name, Interval("chrT", tss, tss + 50), "+") for name, tss in starts.items()]
    genes[-1] = Gene("train", "train", Interval("chrA", 100, 150), "+")
    places = find_gene_places(predictions, genes)
    assert [gene.name for gene in places.genes] == ["seen"]
    assert places.left_out == 3


def test_both_directions_equal_plain_loops(data):
    simulated, predictions, genes = data
    found = measure_genes(predictions, genes)
    signals, per_gene = found.tables["gene_tracks"], found.tables["genes"]
    names = simulated.store.sheet.identifiers
    store, of_gene = simulated.store, places_by_hand(simulated.store, genes)
    column = {place: i for i, place in enumerate(zip(*predictions.places, strict=True))}
    genes = [gene for gene in genes if gene.identifier in of_gene]

    def value(matrix, gene, plus, minus):
        row, at = of_gene[gene.identifier]
        columns = [column[row, at + step] for step in (-1, 0, 1)]
        return math.log1p(float(matrix[names.index(plus if gene.strand == "+" else minus)][columns].sum()))

    cells = ("liver", "blood", "brain", "skin")
    matrices = [np.load(predictions.folder / f"{name}.npy").astype(float) for name in ("predicted", "measured")]
    values = np.array([
        [[value(matrix, gene, f"CAGE_{cell}_plus", f"CAGE_{cell}_minus") for gene in genes] for cell in cells]
        for matrix in matrices
    ])  # fmt: skip
    cage = signals[signals["assay"] == "CAGE"]
    assert cage["identifier"].tolist() == [f"CAGE_{cell}_plus" for cell in cells]
    assert cage["other_strand"].tolist() == [f"CAGE_{cell}_minus" for cell in cells]
    across_genes = [np.corrcoef(*values[:, cell])[0, 1] for cell in range(4)]
    np.testing.assert_allclose(cage["pearson_genes"], across_genes, atol=1e-6)
    centred = values - values.mean(axis=2, keepdims=True)
    ours = per_gene[per_gene["assay"] == "CAGE"]
    assert ours["gene"].tolist() == [gene.identifier for gene in genes]
    with np.errstate(invalid="ignore"):
        across_tracks = [np.corrcoef(*centred[:, :, gene])[0, 1] for gene in range(len(genes))]
    np.testing.assert_allclose(ours["pearson"], across_tracks, atol=1e-5)
    most = np.argsort(-centred[1].var(axis=0), kind="stable")[: math.ceil(0.2 * len(genes))]
    summary = found.summary.set_index("assay").loc["CAGE"]
    assert summary["pearson_tracks_variable"] == pytest.approx(np.mean(np.array(across_tracks)[most]), abs=1e-5)
    assert summary["pearson_tracks"] == pytest.approx(np.nanmean(across_tracks), abs=1e-5)
    assert f"genes: {len(genes):,} start in split test" in found.remarks[0]
    assert store.crop_bins == 8


@given(st.integers(0, 2**32 - 1))
def test_depth_is_no_pattern_across_tracks(seed):
    rng = np.random.default_rng(seed)
    predicted, measured = rng.normal(size=(2, 4, 12))
    depth = rng.normal(0, 3, (4, 1))
    plain, deeper = across_signals(predicted, measured), across_signals(predicted + depth, measured - depth)
    np.testing.assert_allclose(deeper["pearson"], plain["pearson"], atol=1e-9)
    np.testing.assert_allclose(across_signals(measured * 2, measured)["pearson"], 1)


def test_a_pair_is_one_signal_whichever_strand_comes_first(simulated):
    sheet = simulated.store.sheet
    turned = sheet.select([name for name in sheet.identifiers if "CAGE" in name])
    for signal in signals_of_genes(turned):
        assert turned.identifiers[signal.plus].endswith("_plus")
        assert turned.identifiers[signal.minus].endswith("_minus")
    assert len(signals_of_genes(turned)) == 4


def test_assays_of_too_few_tracks_and_tracks_without_variance(flat_predictions):
    genes = [Gene(f"g{i}", f"g{i}", Interval("chrT", start, start + 60), "+-"[i % 2]) for i, start in GENES_IN_TEST]
    found = measure_genes(flat_predictions, genes)
    assert found.tables["genes"].empty
    assert math.isnan(found.tables["gene_tracks"]["pearson_genes"].iloc[1])
    assert found.tables["gene_tracks"]["identifier"].tolist() == ["fwd", "both"]
    assert "no pearson_genes, the same at every gene of this split: both" in found.remarks
    assert "no accuracy across tracks, fewer than 3 signals that vary: CAGE, CHIP" in found.remarks
    assert math.isnan(found.summary["pearson_tracks"].iloc[0])


GENES_IN_TEST = list(enumerate(range(1100, 1900, 90)))


def test_an_annotation_without_a_gene_in_the_split(masked_predictions):
    elsewhere = [Gene("a", "a", Interval("chrA", 100, 150), "+")]
    found = measure_genes(masked_predictions[0], elsewhere)
    assert found.tables["gene_tracks"]["genes"].tolist() == [0, 0]
    assert "genes: 0 start in split test" in found.remarks[0]
