"""A sample from alignments to bigWig, card and quality: what is counted, that nothing is lost, and what goes wrong."""

import json
import os
import pickle
import shutil
import signal
import subprocess
import sys

import numpy as np
import pysam
import pytest

from regact.errors import DataError, DiskSpaceError, OutputExistsError
from regact.genome import Genome, load_genome
from regact.genome.code_file import CodeFile
from regact.reads import cover_sample, coverage_settings
from regact.tracks import open_signal

NO_GC = {"gc": False}


def values_of(path, genome) -> np.ndarray:
    signal_file = open_signal(path)
    try:
        return np.concatenate([np.nan_to_num(signal_file.base_values(c, 0, n)) for c, n in genome.lengths.items()])
    finally:
        signal_file.close()


@pytest.fixture
def pairs(record, write_alignments):
    """2,000 pairs, every tenth at two places; of them 1 in 20 a duplicate."""
    rng = np.random.default_rng(8)
    records = []
    for number in range(2_000):
        span = int(rng.integers(100, 300))
        for place in range(1 + (number % 10 == 0)):
            flag = (256 if place else 0) | (1024 if number % 20 == 1 else 0)
            chrom = ("c1", "c2")[rng.integers(2)]
            start = int(rng.integers(39_000))
            forward = bool(rng.integers(2))
            first, second = (99, 147) if forward else (83, 163)
            ends = [(start, span), (start + span - 20, -span)]
            for mate, (at, template) in zip((first, second), ends if forward else ends[::-1], strict=True):
                other = ends[1][0] if at == start else start
                records.append(
                    record(f"r{number}", mate | flag, chrom, at, "20M", "NM:i:0", mate=("=", other), span=template)
                )
    return write_alignments(records)


@pytest.mark.parametrize(
    ("assay", "replaced", "expected"),
    [
        ("chip", {}, 1_900),
        ("chip", {"count": "fragment", **NO_GC}, None),
        ("chip", {"count": "five_prime"}, 1_900),
        ("atac", {}, 3_800),
        ("dnase", {"keep_duplicates": True}, 4_000),
        ("dnase", {"em": "exact"}, 3_800),
        ("dnase", {"em": "unique"}, 3_400),
        ("dnase", {"em": "equal"}, 3_800),
        ("dnase", {"em": "random"}, 3_800),
    ],
)
def test_every_read_counts_as_one(pairs, genome, tmp_path, assay, replaced, expected):
    sample = cover_sample(pairs, genome, tmp_path / "x.bw", coverage_settings(assay, **replaced))
    values = values_of(tmp_path / "x.bw", genome)
    if expected is None:
        settings = coverage_settings(assay, **replaced)
        assert settings.count == "fragment"
        assert 100 * 1_900 < values.sum() < 300 * 1_900
    else:
        assert values.sum() == pytest.approx(expected, rel=1e-6)
    assert sample.qc.coverage.total == pytest.approx(values.sum(), rel=1e-6)
    assert sample.qc.reads == sum(sample.qc.fates.values())
    card = json.loads(sample.card.read_text())
    assert card["settings"] == coverage_settings(assay, **replaced).model_dump(mode="json")
    assert card["source"]["programs"] == ["aligner 1.0"]
    assert card["genome"]["checksum"] == genome.checksum
    assert card["tracks"] == ["x.bw"]
    assert card["fixed_numbers"]["gc"]["window_bp"] == 1_024
    assert card["qc"]["fates"] == sample.qc.fates


def test_strands_in_two_files(pairs, genome, tmp_path):
    sample = cover_sample(pairs, genome, tmp_path / "x.bw", "cage")
    assert [path.name for path in sample.tracks] == ["x_plus.bw", "x_minus.bw"]
    plus, minus = (values_of(path, genome) for path in sample.tracks)
    both = cover_sample(pairs, genome, tmp_path / "both.bw", coverage_settings("cage", stranded=False))
    assert plus.sum() + minus.sum() == pytest.approx(1_900, rel=1e-6)
    assert min(plus.sum(), minus.sum()) > 800
    # Reads with one place are the same either way; shares may differ, for strands tell nothing of each other.
    assert np.abs(plus + minus - values_of(both.tracks[0], genome)).sum() < 2 * 200


def test_unique_reads_only(pairs, record, write_alignments, genome, tmp_path):
    """Reads with several places are left out then, and said to be; without any other read there is no coverage."""
    sample = cover_sample(pairs, genome, tmp_path / "x.bw", coverage_settings("dnase", em="unique"))
    assert sample.qc.fates["multi"] == 0
    assert (sample.qc.fates["unique"], sample.qc.fates["too_many_places"]) == (3_400, 400)
    path = write_alignments([record("a", 0, "c1", 100), record("a", 256, "c2", 100)], "multi.bam")
    with pytest.raises(DataError, match=r"no read counts \(1 too many places\).*another em than unique"):
        cover_sample(path, genome, tmp_path / "y.bw", coverage_settings("dnase", em="unique"))
    assert not (tmp_path / "y.bw").exists()


def test_whole_fragments_are_runs_of_their_length(record, write_alignments, genome, tmp_path):
    path = write_alignments([
        record("a", 99, "c1", 100, mate=("=", 230), span=150), record("a", 147, "c1", 230, mate=("=", 100), span=-150),
        record("b", 99, "c2", 39_900, mate=("=", 39_980), span=100),
        record("b", 147, "c2", 39_980, mate=("=", 39_900), span=-100),
    ])  # fmt: skip
    cover_sample(path, genome, tmp_path / "x.bw", coverage_settings("chip", count="fragment", **NO_GC))
    covered = np.flatnonzero(values_of(tmp_path / "x.bw", genome) == 1)
    np.testing.assert_array_equal(covered, np.r_[100:250, 99_900:100_000])


def test_single_reads_are_extended_to_the_fragments_length(record, write_alignments, genome, tmp_path):
    path = write_alignments([record("a", 0, "c1", 100), record("b", 16, "c1", 500), record("c", 16, "c1", 20)])
    settings = coverage_settings("chip", fragment_bp=120, **NO_GC)
    sample = cover_sample(path, genome, tmp_path / "x.bw", settings)
    # 100..220; 400..520; 0..40, cut off at the contig's start
    np.testing.assert_array_equal(np.flatnonzero(values_of(tmp_path / "x.bw", genome)), [20, 160, 460])
    assert json.loads(sample.card.read_text())["fragment_bp"] == 120
    assert (sample.qc.fragment.chosen_bp, sample.qc.row()["fragment_told_by"]) == (120, "given")
    with pytest.raises(DataError, match=r"needed 1,000 on each to find the fragment length; say it with --fragment-bp"):
        cover_sample(path, genome, tmp_path / "y.bw", coverage_settings("chip", **NO_GC))
    assert not (tmp_path / "y.bw").exists()


def test_gc_of_few_single_reads_takes_the_assumed_length(record, write_alignments, genome, tmp_path):
    rng = np.random.default_rng(2)
    path = write_alignments([record(f"r{n}", 16 * (n % 2), "c1", int(rng.integers(59_000))) for n in range(600)])
    said = []
    settings = coverage_settings("dnase", assumed_fragment_bp=150)
    sample = cover_sample(path, genome, tmp_path / "x.bw", settings, tell=said.append)
    assert "fragments are assumed to have 150 bp for their GC, for the reads are too few to tell" in said[-1]
    assert (sample.qc.fragment.chosen_bp, sample.qc.row()["fragment_told_by"]) == (150, "assumed")
    assert json.loads(sample.card.read_text())["fragment_bp"] == 150
    assert values_of(tmp_path / "x.bw", genome).sum() == pytest.approx(600, rel=1e-6)


def test_a_lack_of_windows_for_gc_is_told_with_the_way_out(record, write_alignments, tmp_path):
    (tmp_path / "g.fa").write_text(">c1\n" + "ACGT" * 500 + "\n")
    path = write_alignments([record("a", 0, "c1", 5), record("b", 0, "c1", 9)], lengths={"c1": 2_000})
    with pytest.raises(DataError, match=r"GC bias: .*at least 20.*gc: false|gc=false"):
        cover_sample(path, load_genome(tmp_path / "g.fa"), tmp_path / "x.bw", "dnase")


@pytest.mark.parametrize("assay", ["atac", "chip"])
def test_the_order_of_reads_leaves_no_trace(pairs, genome, tmp_path, assay):
    sam = pysam.view("-h", str(pairs)).splitlines()
    header, records = [row for row in sam if row[0] == "@"], [row for row in sam if row[0] != "@"]
    reads: dict[str, list[str]] = {}
    for row in records:
        reads.setdefault(row.split("\t")[0], []).append(row)
    names = np.random.default_rng(1).permutation(list(reads))
    turned = tmp_path / "turned.sam"
    turned.write_text("\n".join([*header, *(row for name in names for row in reads[name])]) + "\n")
    settings = coverage_settings(assay, clip=4)
    one = cover_sample(pairs, genome, tmp_path / "one.bw", settings)
    other = cover_sample(turned, genome, tmp_path / "other.bw", settings)
    np.testing.assert_array_equal(values_of(one.tracks[0], genome), values_of(other.tracks[0], genome))


def test_outputs_are_not_replaced_unasked(pairs, genome, tmp_path):
    (tmp_path / "x_minus.bw").write_text("mine")
    with pytest.raises(OutputExistsError, match=r"x_minus\.bw.*--overwrite"):
        cover_sample(pairs, genome, tmp_path / "x.bw", "cage")
    cover_sample(pairs, genome, tmp_path / "x.bw", "cage", overwrite=True)


def test_a_full_disk_leaves_nothing(pairs, genome, small_disk):
    with pytest.raises(DiskSpaceError, match=r"x\.bw: 0\.00 GB free"):
        cover_sample(pairs, genome, small_disk / "x.bw", "atac")
    assert not list(small_disk.iterdir())


WAIT_IN_WRITING = """
import sys, time
import regact.reads.coverage as coverage
from regact.reads import cover_sample
whole = coverage.coverage_intervals
def slowly(*arguments, **options):
    for chunk in whole(*arguments, **options):
        yield chunk
        print("writing", flush=True)
        time.sleep(60)
coverage.coverage_intervals = slowly
cover_sample(*sys.argv[1:], "atac")
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_run_leaves_nothing_under_a_final_name(pairs, genome, tmp_path, how):
    out = tmp_path / "out" / "x.bw"
    command = [sys.executable, "-c", WAIT_IN_WRITING, str(pairs), str(genome.path), str(out)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"writing\n"
        process.send_signal(how)
        process.wait(120)
    left = [path.name for path in out.parent.iterdir()]
    assert all(name.startswith(".x.bw.") for name in left)
    assert len(left) == (how != signal.SIGINT)
    cover_sample(pairs, genome, out, "atac")
    assert sorted(path.name for path in out.parent.iterdir()) == ["x.bw", "x.json"]


def test_an_old_card_does_not_outlive_the_tracks_that_it_was_of(pairs, genome, tmp_path):
    out = tmp_path / "x.bw"
    cover_sample(pairs, genome, out, "cage")
    command = [sys.executable, "-c", WAIT_IN_WRITING.replace('"atac"', '"cage", overwrite=True'), str(pairs)]
    with subprocess.Popen([*command, str(genome.path), str(out)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"writing\n"
        process.kill()
        process.wait(120)
    assert (tmp_path / "x_plus.bw").exists()
    assert not (tmp_path / "x.json").exists()


HUMAN_SIZE = {f"chr{number}": 125_000_000 for number in range(24)}


@pytest.mark.slow
def test_memory_follows_the_reads_not_the_genome(record, write_alignments, tmp_path):
    """3 Gb of contigs, few reads: the whole of it, GC and quality too, in under 2 GB (and much less, in fact)."""
    rng = np.random.default_rng(0)
    codes = tmp_path / "codes.u8"
    with codes.open("wb") as file:
        file.truncate(sum(HUMAN_SIZE.values()))  # a hole on the disk, read as A
        for start in range(0, 3_000_000_000, 100_000_000):  # and some bases in it
            file.seek(start)
            file.write(rng.integers(0, 4, 2_000_000, dtype=np.uint8).tobytes())
    np.save(tmp_path / "runs.npy", np.zeros((0, 3), np.int64))
    records = []
    for number in range(4_000):
        for place in range(1 + number % 3):
            chrom = f"chr{rng.integers(24)}"
            start = int(rng.integers(1_900_000)) if rng.random() < 0.7 else int(rng.integers(124_000_000))
            records.append(record(f"r{number}", 16 * int(rng.integers(2)) | 256 * bool(place), chrom, start))
    bam = write_alignments(records, lengths=HUMAN_SIZE)
    file = CodeFile(tmp_path / "g.fa", codes, tmp_path / "runs.npy", "0", HUMAN_SIZE, dict.fromkeys(HUMAN_SIZE, ""))
    (tmp_path / "task.py").write_text(MEASURED)
    (tmp_path / "g.fa").touch()
    pickled = tmp_path / "genome.pickle"
    pickled.write_bytes(pickle.dumps(Genome(file)))
    command = [sys.executable, str(tmp_path / "task.py"), str(bam), str(pickled), str(tmp_path / "x.bw")]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    peak_mb = float(done.stdout)
    assert peak_mb < 700, peak_mb


MEASURED = """
import pickle, re, sys
from pathlib import Path
from regact.reads import cover_sample
genome = pickle.loads(Path(sys.argv[2]).read_bytes())
cover_sample(sys.argv[1], genome, sys.argv[3], "atac")
print(int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1e3)
"""


@pytest.mark.skipif(shutil.which("bedtools") is None, reason="bedtools is not on PATH")
def test_plain_five_prime_counts_are_those_of_bedtools(record, write_alignments, genome, tmp_path):
    rng = np.random.default_rng(9)
    records = [
        record(f"r{n}", 16 * int(rng.integers(2)), ("c1", "c2")[n % 2], int(rng.integers(39_900)), "5S10M2D10M")
        for n in range(3_000)
    ]
    in_order = sorted(records, key=lambda fields: (fields[2], fields[3]))
    path = write_alignments(in_order, order="SO:coordinate")
    sample = cover_sample(path, genome, tmp_path / "x.bw", "cage")
    for track, strand in zip(sample.tracks, "+-", strict=True):
        command = ["bedtools", "genomecov", "-5", "-d", "-strand", strand, "-ibam", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        expected = np.array([int(line.rpartition("\t")[2]) for line in done.stdout.splitlines()])
        np.testing.assert_array_equal(values_of(track, genome), expected)
