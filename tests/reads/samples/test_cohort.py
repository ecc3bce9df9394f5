"""Many samples: written, kept when finished, one sheet that a dataset is built from, one table of quality."""

import json
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from regact.dataset import DatasetConfig, build_dataset
from regact.errors import ConfigError, FormatError, OutputExistsError
from regact.reads import SheetRow, cover_sample, cover_samples, coverage_settings, read_sample_sheet
from regact.tracks import read_track_sheet


@pytest.fixture
def sheet(record, write_alignments, tmp_path):
    """A stranded and an unstranded sample, and fragments of cells in two groups."""
    rng = np.random.default_rng(6)
    for name in ("one", "two"):
        records = [
            record(f"r{n}", 16 * int(rng.integers(2)), ("c1", "c2")[n % 2], int(rng.integers(39_000)))
            for n in range(600)
        ]
        write_alignments(records, f"{name}.bam")
    starts = np.sort(rng.integers(0, 39_000, 900))
    rows = [f"c1\t{start}\t{start + 150}\tB{n % 9}\t{1 + n % 2}" for n, start in enumerate(starts)]
    (tmp_path / "fragments.tsv").write_text("\n".join(rows) + "\n")
    (tmp_path / "cells.tsv").write_text(
        "barcode\tgroup\n" + "".join(f"B{n}\t{['even', 'odd'][n % 2]}\n" for n in range(8))
    )
    path = tmp_path / "samples.tsv"
    path.write_text(
        "sample\tfile\tassay\tgroups\tclip\tdescription\tdonor\n"
        "starts\tone.bam\tcage\t\t\tliver\td1\n"
        "open\ttwo.bam\tdnase\t\t5\t\td2\n"
        "cells\tfragments.tsv\tatac\tcells.tsv\t\tbrain\td3\n"
    )
    return path


NAMES = ["starts", "open", "cells_even", "cells_odd"]


def test_from_the_sheet_to_a_dataset(sheet, genome, tmp_path):
    out = tmp_path / "out"
    seen, said = [], []
    covered = cover_samples(
        read_sample_sheet(sheet), genome, out, on_sample=lambda s: seen.append(s.outputs.sample), tell=said.append
    )
    assert seen == NAMES
    assert said[0] == "columns that go to the track sheet as they are: donor"
    tracks = read_track_sheet(covered.tracks)
    assert tracks.identifiers == ("starts_plus", "starts_minus", "open", "cells_even", "cells_odd")
    assert tracks.strand_pair.tolist() == [1, 0, 2, 3, 4]
    assert [track.description for track in tracks.tracks] == [
        "CAGE:liver", "CAGE:liver", "DNASE:open", "ATAC:brain, even", "ATAC:brain, odd",
    ]  # fmt: skip
    assert dict(tracks.tracks[3].annotations) == {"donor": "d3"}
    table = pd.read_csv(covered.qc, sep="\t")
    assert table["sample"].tolist() == NAMES
    assert table["counted"].tolist() == [600, 600, 800, 800]
    assert table["duplicate"].tolist() == [0, 0, 400, 400]
    assert json.loads((out / "open.json").read_text())["settings"]["clip"] == 5
    split = {"by": "chromosomes", "valid": ["c2"], "test": []}
    config = DatasetConfig.model_validate({"window_bp": 4096, "bin_bp": 128, "split": split})
    store = build_dataset(genome.path, covered.tracks, config, tmp_path / "store")
    assert store.sheet.identifiers == tracks.identifiers


def test_a_file_alone_gives_what_the_sheet_gives(sheet, genome, tmp_path):
    covered = cover_samples(read_sample_sheet(sheet), genome, tmp_path / "out", workers=2)
    alone = cover_sample(sheet.parent / "one.bam", genome, tmp_path / "starts.bw", "cage")
    for ours, theirs in zip(covered.samples[0].tracks, alone.tracks, strict=True):
        assert ours.read_bytes() == theirs.read_bytes()


def test_finished_samples_are_kept_and_others_made(sheet, genome, tmp_path):
    out, rows = tmp_path / "out", read_sample_sheet(sheet)
    first = cover_samples(rows, genome, out)
    written = {path.name: path.stat().st_mtime_ns for path in out.iterdir()}
    (out / "open.json").unlink()  # as if it had been stopped before
    (out / "cells_odd.bw").unlink()
    said = []
    again = cover_samples(rows, genome, out, tell=said.append)
    assert "2 samples are finished already" in said
    changed = {path.name for path in out.iterdir() if path.stat().st_mtime_ns != written[path.name]}
    assert changed == {"open.bw", "open.json", "cells_odd.bw", "cells_odd.json", "tracks.tsv", "qc.tsv"}
    assert [sample.qc for sample in again.samples] == [sample.qc for sample in first.samples]


def test_what_was_made_otherwise_is_not_kept_in_silence(sheet, genome, tmp_path):
    out = tmp_path / "out"
    cover_samples(read_sample_sheet(sheet), genome, out)
    rows = read_sample_sheet(sheet, replaced={"max_places": 3})
    with pytest.raises(OutputExistsError, match=r"starts\.json: made with settings\.max_places=10 \(now 3\).*--over"):
        cover_samples(rows, genome, out)
    cover_samples(rows, genome, out, overwrite=True)
    assert json.loads((out / "open.json").read_text())["settings"]["max_places"] == 3
    bam = sheet.parent / "two.bam"
    bam.touch()
    with pytest.raises(OutputExistsError, match=r"open\.json: made with an earlier state of two\.bam"):
        cover_samples(rows, genome, out)
    (sheet.parent / "cells.tsv").write_text("B0\teven\nB1\todd\n")
    with pytest.raises(OutputExistsError, match=r"cells_even\.json: made with another group of barcodes"):
        cover_samples(rows[2:], genome, out)
    (out / "starts.json").write_text("{}")
    with pytest.raises(OutputExistsError, match="no card of this version"):
        cover_samples(rows[:1], genome, out)


def test_bad_files_are_all_told_before_the_work(sheet, genome, write_alignments, record, tmp_path):
    (sheet.parent / "one.bam").write_bytes(b"x")
    write_alignments([record("a", 0, "c1", 5)], "two.bam", lengths={"c1": 99})
    with pytest.raises(ConfigError) as caught:
        cover_samples(read_sample_sheet(sheet), genome, tmp_path / "out")
    assert len(caught.value.problems) == 2
    assert "neither BAM" in caught.value.problems[0]
    assert "99 bp" in caught.value.problems[1]
    assert not (tmp_path / "out").exists()


def test_a_cram_of_other_bases_is_told_before_the_work(genome, write_alignments, record, tmp_path):
    records = [record(f"r{n}", 0, "c1", 50 * n) for n in range(900)]
    cram = write_alignments(records, "x.cram", reference=genome.path)
    rows = [SheetRow("x", cram, coverage_settings("dnase", gc=False))]
    lines = genome.path.read_text().splitlines()
    other = tmp_path / "other.fa"  # the same names and lengths
    other.write_text("\n".join(line if line.startswith(">") else line[::-1] for line in lines) + "\n")
    with pytest.raises(
        ConfigError, match=r"x\.cram: cannot be decoded with .*other\.fa; needed the FASTA.*--reference"
    ):
        cover_samples(rows, other, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    for reference in (tmp_path / "none.fa", tmp_path):
        with pytest.raises(FormatError, match=r"cannot be read .*needed a FASTA file"):
            cover_samples(rows, other, tmp_path / "out", reference=reference)
    covered = cover_samples(rows, other, tmp_path / "out", reference=genome.path)
    assert covered.samples[0].qc.fates["unique"] == 900


def test_groups_need_a_fragment_file_and_names_of_their_own(sheet, genome, tmp_path):
    bam, cells = sheet.parent / "one.bam", sheet.parent / "cells.tsv"
    row = SheetRow("x", bam, coverage_settings("atac"), cells)
    with pytest.raises(ConfigError, match=r"one\.bam: no fragment file, but .*cells\.tsv groups its barcodes"):
        cover_samples([row], genome, tmp_path / "out")
    rows = [SheetRow("a_even", bam, coverage_settings("dnase")),
            SheetRow("a", sheet.parent / "fragments.tsv", coverage_settings("atac"), cells)]  # fmt: skip
    with pytest.raises(ConfigError, match=r"2 samples would be written as a_even\.bw"):
        cover_samples(rows, genome, tmp_path / "out")
    rows = [SheetRow("x", bam, coverage_settings("cage")), SheetRow("x_plus", bam, coverage_settings("dnase"))]
    with pytest.raises(ConfigError, match=r"2 samples would be written as x_plus\.bw"):
        cover_samples(rows, genome, tmp_path / "out")


def test_cells_that_are_not_found_and_empty_groups(sheet, genome, tmp_path):
    (sheet.parent / "other.tsv").write_text("B0\tx\nZ\tempty\nB1\ty\nB99\ty\n")
    row = SheetRow("", sheet.parent / "fragments.tsv", coverage_settings("atac"), sheet.parent / "other.tsv")
    said = []
    covered = cover_samples([row], genome, tmp_path / "out", tell=said.append)
    assert [sample.outputs.sample for sample in covered.samples] == ["x", "y"]
    assert read_track_sheet(covered.tracks).identifiers == ("x", "y")
    assert any(words.startswith("empty: left out, ") and "no fragment counts" in words for words in said)
    assert "y: 1 of the group's 2 cells have a fragment in the file" in said
    assert f"{row.file}: 700 fragments are of barcodes in no group" in said
    table = pd.read_csv(covered.qc, sep="\t")
    assert table[["cells", "cells_listed", "ungrouped_fragments"]].to_numpy().tolist() == [[1, 1, 700], [1, 2, 700]]
    (sheet.parent / "other.tsv").write_text("B0\tx\nZ\tempty\n")
    nothing_fits = coverage_settings("atac", min_fragment_bp=1_000)
    with pytest.raises(ConfigError, match=r"x: .*group x: no fragment counts \(200 fragment length"):
        cover_samples([replace(row, settings=nothing_fits)], genome, tmp_path / "none")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_sample_that_cannot_be_made_does_not_stop_the_others(
    sheet, genome, write_alignments, record, workers, tmp_path
):
    write_alignments([record("a", 4), record("b", 4)], "one.bam")
    out, said, seen = tmp_path / "out", [], []
    with pytest.raises(
        ConfigError, match=r"3 are finished, and kept.*starts: .*no read counts \(2 unmapped\)"
    ) as caught:
        cover_samples(read_sample_sheet(sheet), genome, out, workers=workers, tell=said.append, on_sample=seen.append)
    assert len(caught.value.problems) == 1
    assert {sample.outputs.sample for sample in seen} == {"open", "cells_even", "cells_odd"}
    assert any(words.startswith("starts: FAILED, ") for words in said)
    assert not (out / "tracks.tsv").exists()
    write_alignments([record(f"r{n}", 0, "c1", 50 * n) for n in range(600)], "one.bam")
    covered = cover_samples(read_sample_sheet(sheet), genome, out, tell=said.append)
    assert "3 samples are finished already" in said
    assert len(covered.samples) == 4


def test_another_way_of_reading_is_another_sample(sheet, genome, tmp_path):
    out, rows = tmp_path / "out", read_sample_sheet(sheet)[:1]
    cover_samples(rows, genome, out)
    with pytest.raises(OutputExistsError, match=r"starts\.json: made with group_by_name=False \(now True\)"):
        cover_samples(rows, genome, out, group_by_name=True)
    (tmp_path / "alias.tsv").write_text("c1\tc1\n")
    with pytest.raises(OutputExistsError, match=r"contig_alias=None \(now .*alias\.tsv\)"):
        cover_samples(rows, genome, out, contig_alias=str(tmp_path / "alias.tsv"))
    with pytest.raises(OutputExistsError, match=r"reference=None \(now .*genome\.fa\)"):
        cover_samples(rows, genome, out, reference=genome.path)


def test_samples_of_another_version_are_kept_and_told_of(sheet, genome, tmp_path):
    out, rows, said = tmp_path / "out", read_sample_sheet(sheet)[:1], []
    cover_samples(rows, genome, out)
    card = json.loads((out / "starts.json").read_text())
    (out / "starts.json").write_text(json.dumps({**card, "regact": "0.0.7"}))
    cover_samples(rows, genome, out, tell=said.append)
    assert any("made by regact 0.0.7, not" in words for words in said)


KILLED = """
import os, signal, sys
from regact.reads import cover_samples, read_sample_sheet
def stop(sample):
    if sample.outputs.sample == "open":
        os.kill(os.getpid(), getattr(signal, sys.argv[4]))
cover_samples(read_sample_sheet(sys.argv[1]), sys.argv[2], sys.argv[3], on_sample=stop)
"""


@pytest.mark.parametrize("how", ["SIGINT", "SIGKILL"])
def test_a_killed_run_goes_on_where_it_was(sheet, genome, tmp_path, how):
    out = tmp_path / "out"
    command = [sys.executable, "-c", KILLED, str(sheet), str(genome.path), str(out), how]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode in (-getattr(signal, how), 1, 130)
    assert not (out / "tracks.tsv").exists()
    seen = []
    cover_samples(read_sample_sheet(sheet), genome, out, tell=seen.append)
    assert "2 samples are finished already" in seen
    whole = cover_samples(read_sample_sheet(sheet), genome, tmp_path / "whole")
    for sample in whole.samples:
        for path in sample.tracks:
            assert path.read_bytes() == (out / path.name).read_bytes()
