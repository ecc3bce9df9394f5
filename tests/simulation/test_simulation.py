"""The folder: complete, deterministic, readable by the rest of regact."""

import hashlib
import json
import time

import numpy as np
import pytest
import yaml

from regact.errors import ConfigError, OutputExistsError
from regact.genome import Interval, decode, read_bed_rows
from regact.simulation import SimulationConfig, load_truth, simulate
from regact.simulation.contig import simulate_contig
from regact.tracks import open_signal, read_track_sheet

SMALL = SimulationConfig(seed=3, window_bp=16_384, chromosomes={"a": 120_000, "b/2": 50_003})


def digests(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes_with_any_number_of_workers(tmp_path):
    once = digests(simulate(SMALL, tmp_path / "once"))
    assert digests(simulate(SMALL, tmp_path / "again", workers=2)) == once
    other = digests(simulate(SMALL, tmp_path / "other", seed=4))
    assert other.keys() == once.keys()
    same = {name for name in once if once[name] == other[name]}
    assert same <= {"targets.txt", "truth/targets.txt", "motifs.meme"}


def test_a_contig_does_not_depend_on_the_others(truth):
    config = truth.config
    shorter = SimulationConfig(**(config.model_dump() | {"chromosomes": {"chr1": 40_000, "chr2": 500_001}}))
    there, here = simulate_contig(truth, "chr2"), simulate_contig(type(truth)(shorter), "chr2")
    np.testing.assert_array_equal(there.codes, here.codes)
    assert there.links.equals(here.links)


def test_sheets_name_tracks_with_strand_pairs(simulated):
    for sheet in ("targets.txt", "truth/targets.txt"):
        tracks = read_track_sheet(simulated.folder / sheet)
        assert len(tracks) == 16
        assert tracks.strand_pair.tolist()[:4] == [1, 0, 2, 3]
        assert tracks.assays[:4] == ("CAGE", "CAGE", "DNASE", "CHIP")
        assert all(file.is_file() for track in tracks.tracks for file in track.files)


def test_truth_files_hold_the_true_rate(simulated):
    window = Interval("chr1", 128 * 1_000, 128 * 1_256)
    rate = simulated.truth.true_rate_in(simulated.genome, window)
    sheet = read_track_sheet(simulated.folder / "truth" / "targets.txt")
    for row, track in enumerate(sheet.tracks):
        found = open_signal(track.files[0]).bin_sums(window.chrom, window.start, window.end, 128)
        np.testing.assert_allclose(found, rate[row], rtol=1e-5)


def test_counts_are_whole_and_have_the_true_rate_as_their_mean(simulated):
    chrom, end = "chr1", 1_000_000 // 128 * 128
    dispersion = simulated.config.assays.dispersion
    for identifier in ("CAGE_liver_plus", "DNASE_brain", "CHIP_skin"):
        counts = open_signal(simulated.folder / "tracks" / f"{identifier}.bw").bin_sums(chrom, 0, end, 128)
        rate = open_signal(simulated.folder / "truth" / f"{identifier}.bw").bin_sums(chrom, 0, end, 128)
        np.testing.assert_allclose(counts, np.round(counts), atol=1e-6)
        deviation = np.sqrt((rate + dispersion * rate**2).sum())
        assert abs(counts.sum() - rate.sum()) < 5 * deviation
        # And bin by bin: standardised residuals have variance 1.
        residual = (counts - rate) / np.sqrt(rate + dispersion * rate**2)
        assert np.mean(residual**2) == pytest.approx(1, abs=0.25)


def test_fasta_holds_the_sequence_in_lines_of_80(simulated):
    text = (simulated.folder / "genome.fa").read_text().split("\n")
    assert text[0] == ">chr1"
    assert {len(line) for line in text[1:12_500]} == {80}
    contig = simulate_contig(simulated.truth, "chr2")
    second = text.index(">chr2")
    assert "".join(text[second + 1 :]) == decode(contig.codes)
    assert simulated.genome.lengths == simulated.config.chromosomes


def test_annotation_points_at_the_elements(simulated):
    lengths = simulated.genome.lengths
    elements = read_bed_rows(simulated.folder / "elements.bed", genome_lengths=lengths)
    assert [row.name for row in elements] == simulated.elements["element"].tolist()
    assert read_bed_rows(simulated.folder / "repeats.bed", genome_lengths=lengths)
    genes = [line.split("\t") for line in (simulated.folder / "genes.gtf").read_text().splitlines()]
    starts = [(int(g[3]) if g[6] == "+" else int(g[4])) - 1 for g in genes if g[2] == "gene"]
    assert starts == simulated.promoters["tss"].tolist()
    assert (simulated.folder / "motifs.meme").read_text().count("MOTIF ") == 8


def test_the_card_says_what_came_out(simulated):
    card = json.loads((simulated.folder / "card.json").read_text())
    assert card["seed"] == 5
    assert card["gc"] == pytest.approx(0.44, abs=0.01)
    assert card["true_links"] == pytest.approx(simulated.links["link"].mean(), abs=1e-4)
    assert card["enhancer_motifs_without_partner"] == pytest.approx(0.5, abs=0.08)
    assert card["elements"] == simulated.elements["kind"].value_counts().to_dict()


def test_settings_come_back_whole(simulated):
    assert load_truth(simulated.folder).config == simulated.config


def test_refuses_to_replace_unless_told(tmp_path):
    simulate(SMALL, tmp_path / "out")
    with pytest.raises(OutputExistsError, match="--overwrite"):
        simulate(SMALL, tmp_path / "out")
    simulate(SMALL, tmp_path / "out", overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_replaces_nothing_but_a_simulated_genome(thesis):
    with pytest.raises(OutputExistsError, match=r"holds no simulation\.yaml"):
        simulate(SMALL, thesis, overwrite=True)


def test_every_mistake_in_the_settings_is_told_at_once(tmp_path):
    path = tmp_path / "simulation.yaml"
    values = {
        "sead": 1,
        "contact": {"upstream_shares": 0.5},
        "grammar": {"core": {"name": "core", "consensus": "ACGT"}},
        "assays": {"noise": "gaussian"},
        "chromosomes": {"chr1": 1.5},
    }
    path.write_text(yaml.safe_dump(values))
    with pytest.raises(ConfigError) as caught:
        simulate(path, tmp_path / "out")
    text = str(caught.value)
    for part in (
        "did you mean seed?",
        "did you mean upstream_share?",
        "odd number",
        "assays.noise",
        "chromosomes.chr1",
    ):
        assert part in text
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"chromosomes": {"chr1": 1_000}}, "at least window_bp"),
        ({"window_bp": 131_000}, "not a multiple of bin_bp"),
        ({"layout": {"gap_bp": 10}}, "gap_bp 10 lets neighbouring elements act as one"),
        ({"layout": {"site_jitter_bp": 8}}, "lets sites overlap"),
        ({"layout": {"most_enhancer_sites": 8}}, "partner_within_bp"),
        ({"assays": {"resolution_bp": 24}}, "not a multiple of resolution_bp"),
        ({"grammar": {"partner": {"name": "fox", "consensus": "TGACTCAGCAC"}}}, "fox is given twice"),
        ({"grammar": {"cell_types": ["a", "b", "c", "d"]}}, "activity of fox names"),
        ({"grammar": {"core": {"name": "core", "consensus": "GCTATAAAAGGGC", "bits": 30}}}, "at most 26.00"),
    ],
)
def test_settings_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        SimulationConfig.model_validate(changes)


@pytest.mark.slow
def test_ten_megabases_take_seconds(truth):
    """Scanning and reading a whole genome is not what takes the time of a simulation."""
    codes = np.random.default_rng(0).integers(0, 4, 10_000_000 // 128 * 128).astype(np.uint8)
    began = time.process_time()
    truth.true_rate(codes)
    assert time.process_time() - began < 20
