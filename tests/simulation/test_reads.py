"""Simulated reads: they are the genome's bases, follow the rate, and the laboratory's faults are as strong as asked."""

import gzip
import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regact.errors import ConfigError, DataError, OutputExistsError
from regact.genome import Genome, decode, encode, load_genome, reverse_complement
from regact.simulation import LandscapeConfig, ReadsConfig, simulate_reads, write_landscape
from regact.simulation.fragments import blocks_of, gc_factor
from regact.simulation.reads_config import GcBiasConfig
from regact.simulation.sequencing import error_rates, quality_letters
from regact.tracks import open_signal, read_track_sheet, write_bigwig

LENGTHS = {"chr1": 120_000, "chr2": 40_000}
NO_ERRORS = {"first_error": 0.0, "last_error": 0.0}


class Landscape:
    """A small genome and rates on it, as `simulate_reads` takes them."""

    def __init__(self, folder: Path) -> None:
        write_landscape(LandscapeConfig(seed=3, chromosomes=LENGTHS), folder)
        self.folder = folder
        self.fasta = folder / "genome.fa"
        self.genome: Genome = load_genome(self.fasta)

    def sheet(self, name: str, rows: str) -> Path:
        path = self.folder / name
        path.write_text("identifier\tfile\tstrand_pair\tdescription\n" + rows)
        return path

    def rate(self, name: str, values: dict[str, np.ndarray]) -> None:
        write_bigwig(self.folder / name, LENGTHS, ((chrom, 0, values[chrom]) for chrom in values), span=1)


@pytest.fixture(scope="module")
def landscape(tmp_path_factory) -> Landscape:
    return Landscape(tmp_path_factory.mktemp("landscape") / "genome")


def origins_of(folder: Path, sample: str) -> pd.DataFrame:
    return pd.read_csv(folder / "truth" / f"{sample}_origins.tsv.gz", sep="\t")


def bases_of(fastq: Path) -> list[str]:
    with gzip.open(fastq, "rt") as file:
        lines = file.read().split("\n")
    return lines[1::4]


def fragments_of(genome: Genome, origins: pd.DataFrame) -> list[str]:
    whole = {chrom: decode(np.array(genome.contig(chrom))) for chrom in genome.lengths}
    forward = [
        whole[chrom][start:end] for chrom, start, end in origins[["chrom", "start", "end"]].itertuples(index=False)
    ]
    return [
        bases if strand == "+" else decode(reverse_complement(encode(bases)))
        for bases, strand in zip(forward, origins["strand"], strict=True)
    ]


def test_pairs_without_errors_are_the_ends_of_their_fragments(landscape, tmp_path):
    config = ReadsConfig(reads=700, paired=True, read_bp=36, **NO_ERRORS)
    out = simulate_reads(landscape.fasta, landscape.folder / "targets.txt", tmp_path / "out", config)
    fragments = fragments_of(landscape.genome, origins_of(out, "rate"))
    assert bases_of(out / "rate_R1.fastq.gz")[:700] == [bases[:36] for bases in fragments]
    ends = [decode(reverse_complement(encode(bases[-36:]))) for bases in fragments]
    assert bases_of(out / "rate_R2.fastq.gz")[:700] == ends


def test_errors_are_as_frequent_as_asked_and_the_qualities_say_so(landscape, tmp_path):
    config = ReadsConfig(reads=4_000, first_error=0.01, last_error=0.1)
    out = simulate_reads(landscape.fasta, landscape.folder / "targets.txt", tmp_path / "out", config)
    fragments = fragments_of(landscape.genome, origins_of(out, "rate"))
    read = np.array([list(bases) for bases in bases_of(out / "rate_R1.fastq.gz")[:4_000]])
    true = np.array([list(bases[:50]) for bases in fragments])
    wrong, expected = (read != true).mean(axis=0), np.geomspace(0.01, 0.1, 50)
    assert np.abs(wrong - expected).max() < 5 * np.sqrt(0.1 * 0.9 / 4_000)
    assert wrong.sum() == pytest.approx(expected.sum(), rel=0.05)
    with gzip.open(out / "rate_R1.fastq.gz", "rt") as file:
        qualities = file.read().split("\n")[3]
    assert (ord(qualities[0]) - 33, ord(qualities[-1]) - 33) == (20, 10)


@pytest.mark.parametrize(
    ("description", "counted"),
    [
        ("DNASE:x", lambda o: np.where(o["strand"] == "+", o["start"], o["end"] - 1)),
        ("ATAC:x", lambda o: np.where(o["strand"] == "+", o["start"] + 4, o["end"] - 6)),
        ("CHIP:x", lambda o: o["start"] + (o["end"] - o["start"]) // 2),
    ],
)
def test_counted_bases_follow_the_rate(landscape, tmp_path, description, counted):
    sheet = landscape.sheet("one.txt", f"one\trate.bw\t0\t{description}\n")
    out = simulate_reads(landscape.fasta, sheet, tmp_path / "out", ReadsConfig(reads=30_000))
    origins = origins_of(out, "one")
    truth = open_signal(out / "truth" / "one.bw")
    observed, expected = [], []
    for chrom, length in LENGTHS.items():
        # Up to the last 500 bases at either end, which not every fragment reaches.
        place = np.asarray(counted(origins))[(origins["chrom"] == chrom).to_numpy()]
        observed.append(np.histogram(place, np.arange(500, length - 499, 500))[0])
        expected.append(truth.bin_sums(chrom, 500, length - 500, 500))
    observed, expected = np.concatenate(observed), np.concatenate(expected)
    assert sum(truth.bin_sums(c, 0, n, n)[0] for c, n in LENGTHS.items()) == pytest.approx(30_000, rel=1e-4)
    chi_square = ((observed - expected) ** 2 / expected).sum()
    assert chi_square == pytest.approx(len(expected), abs=5 * np.sqrt(2 * len(expected)))


def test_a_strand_pair_is_one_sample_whose_reads_keep_their_strands(landscape, tmp_path):
    rng = np.random.default_rng(0)
    for strand, share in (("plus", 3.0), ("minus", 1.0)):
        landscape.rate(f"{strand}.bw", {chrom: share * (rng.random(n) < 0.01) for chrom, n in LENGTHS.items()})
    sheet = landscape.sheet("cage.txt", "tss_plus\tplus.bw\t1\tCAGE:+\ntss_minus\tminus.bw\t0\tCAGE:-\n")
    out = simulate_reads(landscape.fasta, sheet, tmp_path / "out", ReadsConfig(reads=8_000))
    samples = pd.read_csv(out / "samples.tsv", sep="\t", keep_default_na=False)
    assert samples[["sample", "assay", "fastq_1", "fastq_2"]].to_numpy().tolist() == [
        ["tss", "CAGE", "tss_R1.fastq.gz", ""]
    ]
    origins = origins_of(out, "tss")
    assert (origins["strand"] == "+").mean() == pytest.approx(0.75, abs=0.03)
    truth = {
        track.identifier: open_signal(track.files[0]) for track in read_track_sheet(out / "truth/targets.txt").tracks
    }
    for row in origins.head(200).itertuples():
        five_prime = row.start if row.strand == "+" else row.end - 1
        signal = truth["tss_plus" if row.strand == "+" else "tss_minus"]
        assert signal.base_values(row.chrom, five_prime, five_prime + 1)[0] > 0


def test_gc_bias_has_the_strength_that_was_asked_for(landscape, tmp_path):
    flat = landscape.folder / "flat.bw"
    write_bigwig(flat, LENGTHS, ((chrom, 0, np.ones(n)) for chrom, n in LENGTHS.items()), span=1)
    sheet = landscape.sheet("flat.txt", "flat\tflat.bw\t0\tDNASE:x\n")
    bias = GcBiasConfig(peak=0.6, width=0.1)
    share = {}
    for name, chosen in (("without", None), ("with", bias)):
        config = ReadsConfig(reads=60_000, gc_bias=chosen)
        origins = origins_of(simulate_reads(landscape.fasta, sheet, tmp_path / name, config), "flat")
        bases = fragments_of(landscape.genome, origins)
        share[name] = np.array([(one.count("G") + one.count("C")) / len(one) for one in bases])
    edges = np.linspace(0.3, 0.5, 6)
    kept, all_of_bin = (np.histogram(share[name], edges)[0] for name in ("with", "without"))
    # Without bias every fragment weighs 1; with it, what the factor says.
    expected = np.histogram(share["without"], edges, weights=gc_factor(share["without"], bias))[0]
    np.testing.assert_allclose(kept / kept.sum(), expected / expected.sum(), rtol=0.03, atol=0.002)
    assert not np.allclose(kept / kept.sum(), all_of_bin / all_of_bin.sum(), rtol=0.3)


def test_duplicates_are_reads_of_one_molecule_as_lander_and_waterman_expect(landscape, tmp_path):
    config = ReadsConfig(reads=20_000, library_molecules=30_000)
    out = simulate_reads(landscape.fasta, landscape.folder / "targets.txt", tmp_path / "out", config)
    origins = origins_of(out, "rate")
    distinct = origins["molecule"].nunique()
    assert distinct == pytest.approx(30_000 * (1 - np.exp(-20 / 30)), rel=0.02)
    assert (origins.groupby("molecule")[["chrom", "start", "end", "strand"]].nunique() == 1).all(axis=None)


def test_files_do_not_depend_on_workers_or_other_samples(landscape, tmp_path):
    rows = "a\trate.bw\t0\tDNASE:x\nb\trate.bw\t1\tCHIP:x\n"
    sheet, config = landscape.sheet("two.txt", rows), ReadsConfig(reads=2_000, paired=True, library_molecules=1_500)

    def digests(name: str, **options: object) -> dict[str, str]:
        out = simulate_reads(landscape.fasta, sheet, tmp_path / name, config, **options)
        files = [path for path in out.rglob("*") if path.is_file()]
        return {str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    once = digests("once")
    assert digests("again", workers=2) == once
    alone = digests("alone", tracks=["b"])
    assert {name: once[name] for name in alone if name.startswith(("b_", "truth/b"))}.items() <= alone.items()
    assert not [name for name in alone if name.startswith("a_")]
    assert once["a_R1.fastq.gz"] != once["b_R1.fastq.gz"]


@given(st.floats(0, 0.7), st.floats(0, 0.7), st.integers(1, 200))
def test_error_rates_run_from_first_to_last(first, last, read_bp):
    config = ReadsConfig(first_error=first, last_error=last, read_bp=read_bp, fragment={"mean_bp": 200})
    errors = error_rates(config)
    assert len(errors) == read_bp
    assert errors[0] == pytest.approx(first)
    assert (np.diff(errors) * (last - first) >= 0).all()
    letters = quality_letters(errors)
    assert ((letters >= 35) & (letters <= 74)).all()


@given(st.lists(st.integers(1, 500), min_size=1, max_size=5), st.integers(1, 100))
def test_blocks_cover_every_contig_once(sizes, block_bp):
    lengths = {f"c{number}": size for number, size in enumerate(sizes)}
    covered = dict.fromkeys(lengths, 0)
    for block in blocks_of(lengths, block_bp):
        assert block.start == covered[block.chrom]
        assert 0 < block.length <= block_bp
        covered[block.chrom] = block.end
    assert covered == lengths


@pytest.mark.parametrize(("value", "message"), [(0.0, "0 on every base"), (-1.0, "the rate is -1")])
def test_a_rate_that_is_none_is_told(landscape, tmp_path, value, message):
    landscape.rate("bad.bw", {"chr1": np.full(LENGTHS["chr1"], value)})
    sheet = landscape.sheet("bad.txt", "bad\tbad.bw\t0\tDNASE:x\n")
    with pytest.raises(Exception, match=message) as caught:
        simulate_reads(landscape.fasta, sheet, tmp_path / "out", ReadsConfig(reads=10))
    assert isinstance(caught.value, DataError)
    assert not (tmp_path / "out").exists()


def test_a_rate_on_nothing_but_n_yields_no_fragments(tmp_path):
    fasta = tmp_path / "n.fa"
    fasta.write_text(">c\n" + "N" * 2_000 + "\n")
    write_bigwig(tmp_path / "r.bw", {"c": 2_000}, [("c", 0, np.ones(2_000))], span=1)
    (tmp_path / "t.txt").write_text("identifier\tfile\nr\tr.bw\n")
    with pytest.raises(DataError, match="sequence other than N"):
        simulate_reads(fasta, tmp_path / "t.txt", tmp_path / "out", ReadsConfig(reads=10))


def test_settings_and_sheets_that_do_not_fit_are_refused(landscape, tmp_path):
    with pytest.raises(ValueError, match="needed as much or more"):
        ReadsConfig(read_bp=200)
    pair = landscape.sheet("pair.txt", "x1\trate.bw\t1\tCAGE:x\nx2\trate.bw\t0\tCAGE:x\n")
    with pytest.raises(ConfigError, match="which of them is"):
        simulate_reads(landscape.fasta, pair, tmp_path / "out")
    same = landscape.sheet("same.txt", "x y\trate.bw\t0\tDNASE:x\nx_y\trate.bw\t1\tDNASE:x\n")
    with pytest.raises(ConfigError, match="2 samples would be called x_y"):
        simulate_reads(landscape.fasta, same, tmp_path / "out")


def test_nothing_but_outputs_of_the_same_kind_are_replaced(landscape, thesis):
    with pytest.raises(OutputExistsError, match=r"holds no samples\.tsv"):
        simulate_reads(landscape.fasta, landscape.folder / "targets.txt", thesis, ReadsConfig(reads=10), overwrite=True)
    with pytest.raises(OutputExistsError, match=r"holds no repeats\.bed"):
        write_landscape(LandscapeConfig(chromosomes=LENGTHS), thesis, overwrite=True)
