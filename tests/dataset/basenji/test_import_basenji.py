"""Data directories of Basenji, Basenji2 and Borzoi: the store holds what was written, and what is wrong is named."""

import json
import os
import shutil
import tracemalloc

import numpy as np
import pytest

from regact.cli.app import main
from regact.dataset import open_store
from regact.dataset.audit import audit_dataset
from regact.dataset.basenji import (
    BasenjiSource,
    StorageSettings,
    import_basenji,
    import_basenji_h5,
    import_dataset,
    tfrecord,
)
from regact.dataset.basenji import run as run_module
from regact.dataset.basenji.part import import_part
from regact.dataset.basenji.tfrecord import read_records
from regact.dataset.config import SplitAsImported
from regact.dataset.loader import Loader
from regact.dataset.summary import summarize_store
from regact.errors import ConfigError, ContigError, DataError, FormatError, OutputExistsError, StoreError
from regact.genome import encode

WINDOW_BP, BIN_BP = 256, 32


def check_store(store, made):
    """The store holds exactly what was written, in the order of the genome."""
    order = made.order()
    targets, mask = store.read(range(store.n_windows))
    np.testing.assert_array_equal(targets, made.targets[order])
    expected = np.ones(mask.shape, bool) if made.unmappable is None else ~made.unmappable[order]
    np.testing.assert_array_equal(mask, expected)
    assert store.windows["chrom"].tolist() == [made.chrom[i] for i in order]
    assert store.windows["start"].tolist() == [made.start[i] for i in order]
    assert store.windows["fold"].tolist() == [made.label[i] for i in order]
    genome = store.open_genome()
    reader = Loader(store, genome, "train", batch_size=1)
    for batch in reader.epoch(0):
        sequence = made.sequence[order[int(batch.rows[0])]]
        np.testing.assert_array_equal(batch.codes[0].numpy(), encode(sequence))


@pytest.mark.parametrize("with_genome", [True, False], ids=["genome", "sequences kept"])
@pytest.mark.parametrize(
    "layout",
    [
        {},
        {"sequence_as": "one hot", "target_as": "floats"},
        {"target_as": "loose floats", "target_first": True},
        {"unmappable": True, "crop_bins": 0},
        {"empty_last": True, "per_file": 2, "labels": ("train",) * 4 + ("test",) * 2},
        {"labels": ("fold0", "fold0", "fold1", "fold10", "fold2", "fold2", "fold3"), "crop_bins": 2},
        {"cropped_bed": False, "crop_bins": 2, "gap_bp": 256},
        {"compression": "gzip"},
        {"compression": "none", "sum_stat": "mean_sqrt"},
        {"labels": ("train",) * 5},
    ],
    ids=lambda layout: ", ".join(f"{name} {value}"[:24] for name, value in layout.items()) or "as Basenji2",
)
def test_the_store_holds_what_was_written(write_directory, tmp_path, layout, with_genome):
    made = write_directory(tmp_path / "data", **layout)
    genome = made.genome if with_genome else None
    store = import_basenji(made.path, tmp_path / "store", genome_path=genome, workers=1)
    check_store(store, made)
    assert store.header.source.format == "basenji"
    assert any("keeps its sequences" in remark for remark in store.header.remarks) != with_genome


def test_hidden_files_and_blank_lines_are_no_data(write_directory, tmp_path):
    made = write_directory(tmp_path / "data")
    (made.path / "tfrecords" / "._train-0.tfr").write_bytes(b"Mac OS X")
    bed = made.path / "sequences.bed"
    bed.write_bytes(bed.read_bytes().replace(b"\n", b"\r\n") + b"\r\n\n")
    check_store(import_basenji(made.path, tmp_path / "store"), made)


def test_statistics_of_tracks_are_those_of_the_values(write_directory, tmp_path):
    made = write_directory(tmp_path / "data", unmappable=True)
    store = import_basenji(made.path, tmp_path / "store", genome_path=made.genome)
    counted = made.targets[~made.unmappable].astype(np.float64)
    np.testing.assert_allclose(store.track_statistics["mean"], counted.mean(axis=0))
    np.testing.assert_allclose(store.track_statistics["variance"], counted.var(axis=0))
    np.testing.assert_array_equal(store.track_statistics["max"], counted.max(axis=0))
    np.testing.assert_array_equal(store.track_statistics["clipped"], (counted >= 32).sum(axis=0))


def test_summary_and_audit_read_an_imported_store(write_directory, tmp_path):
    made = write_directory(tmp_path / "data", gap_bp=512, crop_bins=0)
    store = import_basenji(made.path, tmp_path / "store")
    summary = summarize_store(store)
    assert ("imported", f"basenji, {made.path}") in summary.facts
    assert ("split", "as imported") in summary.facts
    audit = audit_dataset(store, store.open_genome(), workers=1)
    assert set(audit.splits["split"]) == {"train", "valid", "test"}
    assert not [one for one in audit.findings if one.must_be_mended]


def test_data_without_training_windows_can_be_judged_on(write_directory, tmp_path):
    made = write_directory(tmp_path / "data", labels=("test",) * 4, crop_bins=0, gap_bp=512)
    store = import_basenji(made.path, tmp_path / "store")
    audit = audit_dataset(store, store.open_genome(), workers=1)
    assert audit.splits["split"].tolist() == ["test"]
    assert audit.windows["shared"].tolist() == [0.0] * 4  # no k-mer of theirs is in training, where there is none


def test_folds_take_the_roles_that_are_asked_for(write_directory, tmp_path):
    labels = ("fold0", "fold1", "fold2", "fold2", "fold3")
    made = write_directory(tmp_path / "data", labels=labels)
    storage = StorageSettings(split=SplitAsImported(valid=("fold3",), test=("fold2",)))
    store = import_basenji(made.path, tmp_path / "store", storage=storage)
    assert store.roles == {"fold0": "train", "fold1": "train", "fold2": "test", "fold3": "valid"}
    assert store.with_roles(valid=["fold0"], test=["fold1"]).roles["fold3"] == "train"
    with pytest.raises(ConfigError, match="there is no fold9, which test names"):
        import_basenji(made.path, tmp_path / "no", storage=StorageSettings(split=SplitAsImported(test=("fold9",))))


def test_shifts_read_n_beside_what_is_kept_and_real_bases_where_it_is_known(write_directory, tmp_path):
    made = write_directory(tmp_path / "data", crop_bins=0, gap_bp=64, labels=("train",) * 4)
    kept = import_basenji(made.path, tmp_path / "kept")
    row = int(np.flatnonzero(kept.windows["start"] > 0)[0])
    window = kept.windows.iloc[row]
    bases = kept.open_genome()
    left = bases.contig(window["chrom"])[window["start"] - 3 : window["start"] + 3]
    true = encode(made.pieces[window["chrom"]][window["start"] - 3 : window["start"] + 3])
    np.testing.assert_array_equal(left[:3], [4, 4, 4])
    np.testing.assert_array_equal(left[3:], true[3:])
    whole = kept.open_genome(made.genome)
    np.testing.assert_array_equal(whole.contig(window["chrom"])[window["start"] - 3 : window["start"] + 3], true)


def test_another_genome_is_refused_afterwards_too(write_directory, tmp_path):
    made = write_directory(tmp_path / "data")
    other = write_directory(tmp_path / "other", seed=1)
    kept = import_basenji(made.path, tmp_path / "kept")
    with pytest.raises(StoreError, match=r"has other bases than its window chr1"):
        kept.open_genome(other.genome)


def test_the_first_base_that_differs_from_the_genome_is_named(write_directory, tmp_path):
    made = write_directory(tmp_path / "data")
    contigs = dict(made.pieces)
    row = made.label.index("train")
    place = made.start[row] + 100
    chrom = made.chrom[row]
    old = contigs[chrom][place]
    new = "A" if old != "A" else "C"
    contigs[chrom] = contigs[chrom][:place] + new + contigs[chrom][place + 1 :]
    made.genome.write_text("".join(f">{name}\n{bases}\n" for name, bases in contigs.items()))
    with pytest.raises(
        DataError, match=rf"train-0.tfr, record 0 .*: {old} at {chrom}:{place + 1:,}, and 0 more.*{new}"
    ):
        import_basenji(made.path, tmp_path / "store", genome_path=made.genome, workers=1)


def test_a_genome_with_other_names_or_without_a_contig(write_directory, tmp_path):
    made = write_directory(tmp_path / "data")
    made.genome.write_text(made.genome.read_text().replace(">chr", ">"))
    with pytest.raises(ContigError, match="--contig-alias chr"):
        import_basenji(made.path, tmp_path / "store", genome_path=made.genome)
    store = import_basenji(made.path, tmp_path / "store", genome_path=made.genome, contig_alias="chr", workers=1)
    assert set(store.windows["chrom"]) == {"1", "2"}
    made.genome.write_text(f">chr1\n{made.pieces['chr1']}\n")
    with pytest.raises(ConfigError, match=r"windows on chr2, which .*genome\.fa does not have"):
        import_basenji(made.path, tmp_path / "other", genome_path=made.genome)


def test_windows_that_overlap_must_agree_where_no_genome_tells(write_directory, tmp_path):
    made = write_directory(tmp_path / "data", crop_bins=2)  # inputs overlap by four bins
    lines = (made.path / "sequences.bed").read_text().splitlines()
    train = [i for i, label in enumerate(made.label) if label == "train" and made.start[i] > 0]
    lines[train[0]], lines[train[1]] = lines[train[1]], lines[train[0]]
    (made.path / "sequences.bed").write_text("\n".join(lines) + "\n")
    with pytest.raises(DataError, match="other bases than a window that overlaps it"):
        import_basenji(made.path, tmp_path / "store", workers=1)


@pytest.mark.parametrize(
    ("labels", "counted"),
    [
        (("train",) * 7 + ("valid",) * 2 + ("test",) * 2, []),  # 7 in 3 files: 3 each
        (("train",) * 5 + ("valid",) * 4 + ("test",) * 2, ["valid-0.tfr"]),  # 5 in 2 files: 3 to 5; 4 in 2: 2 to 4
        (("train",) * 5 + ("valid",) * 7, []),
        (("train",) * 2 + ("valid",) * 2, []),
    ],
)
def test_files_are_unpacked_for_counting_only_where_rows_leave_a_doubt(
    write_directory, tmp_path, monkeypatch, labels, counted
):
    made = write_directory(tmp_path / "data", labels=labels)
    unpacked = []

    def spy(shard):
        unpacked.append(shard.name)
        return read_records(shard)

    monkeypatch.setattr("regact.dataset.basenji.surveys.read_records", spy)
    check_store(import_basenji(made.path, tmp_path / "store", workers=1), made)
    assert [name.split("-")[1] for name in unpacked] == [name.split("-")[1] for name in counted]


def test_labels_whose_files_hold_other_numbers(write_directory, tmp_path):
    """Shards that somebody cut anew: five in two files of four and one, valid ones two by two in three."""
    made = write_directory(tmp_path / "data", labels=("train",) * 5 + ("valid",) * 5, per_file=4)
    other = write_directory(tmp_path / "other", labels=("train",) * 5 + ("valid",) * 5, per_file=2)
    for number in range(3):
        shutil.copy(other.path / f"tfrecords/valid-{number}.tfr", made.path / "tfrecords")
    check_store(import_basenji(made.path, tmp_path / "store", workers=1), made)


def test_folds_cannot_be_named_where_windows_come_with_their_splits(write_directory, tmp_path):
    made = write_directory(tmp_path / "data")
    storage = StorageSettings(split=SplitAsImported(valid=("fold3",), test=("fold4",)))
    problem = "fold3, fold4 named as folds, but windows come as train, valid and test; needed no folds to be named"
    with pytest.raises(ConfigError, match=problem):
        import_basenji(made.path, tmp_path / "store", storage=storage)


def test_folds_are_named_with_blanks_or_without(write_directory, tmp_path, capsys):
    made = write_directory(tmp_path / "data", labels=("fold0", "fold1", "fold2", "fold10"))
    options = ["--valid", "fold2, fold10", "--test", " fold1", "--workers", "1"]
    with pytest.raises(SystemExit) as ended:
        main(["dataset", "import-basenji", str(made.path), str(tmp_path / "store"), *options])
    assert ended.value.code == 0, capsys.readouterr().err
    expected = {"fold0": "train", "fold1": "test", "fold2": "valid", "fold10": "valid"}
    assert open_store(tmp_path / "store").roles == expected


@pytest.mark.parametrize("target_as", ["floats", "bytes"])
def test_values_with_more_digits_than_the_store_keeps_are_counted(write_directory, tmp_path, target_as):
    def refine(row, features):
        if row == 4 and target_as == "floats":
            features["target"] = features["target"].copy()
            features["target"][2, 1] = 1.0001
            features["target"][3, :2] = 4097  # between two numbers of float16

    made = write_directory(tmp_path / "data", change=refine, target_as=target_as)
    told = []
    store = import_basenji(made.path, tmp_path / "store", workers=1, tell=told.append)
    remarks = [remark for remark in told if "rounded" in remark]
    assert remarks == [remark for remark in store.header.remarks if "rounded" in remark]
    if target_as == "bytes":
        assert not remarks
        return
    assert remarks == ["3 values had more digits than float16 keeps: rounded, by 0.05 % at most (3e-8 below 6e-5)"]
    values = store.read([made.order().index(4)])[0][0]
    assert (values[2, 1], values[3, 0]) == (1.0, 4096.0)


def test_identifiers_that_stand_there_twice_are_numbered_and_told(write_directory, tmp_path):
    """Published tables have them, and no model would be evaluated by names that are not its own."""
    made = write_directory(tmp_path / "data")
    sheet = made.path / "targets.txt"
    sheet.write_text(sheet.read_text().replace("ENC3", "ENC0"))
    told = []
    store = import_basenji(made.path, tmp_path / "store", workers=1, tell=told.append)
    assert store.sheet.identifiers == ("ENC0", "ENC1", "ENC2", "ENC0_2")
    assert store.sheet.strand_pair.tolist() == [1, 0, 2, 3]
    remark = f"{sheet}: 1 identifiers stand there again and were numbered (ENC0 is now ENC0_2)"
    assert remark in told
    assert remark in store.header.remarks
    check_store(store, made)


class TestBadInput:
    def damage(self, made, change, name="train-1.tfr"):
        shard = made.path / "tfrecords" / name
        shard.write_bytes(change(shard.read_bytes()))

    def fails(self, made, tmp_path, error, match, **options):
        with pytest.raises(error, match=match):
            import_basenji(made.path, tmp_path / "store", workers=1, **options)
        assert not (tmp_path / "store").exists()

    def test_truncated_file(self, write_directory, tmp_path):
        made = write_directory(tmp_path / "data")
        self.damage(made, lambda content: content[: len(content) // 2])
        self.fails(made, tmp_path, FormatError, r"train-1.tfr, record \d, byte [\d,]+ of the unpacked file: truncated")

    def test_truncated_record(self, write_directory, tmp_path):
        made = write_directory(tmp_path / "data", compression="none")
        self.damage(made, lambda content: content[:-10])
        self.fails(made, tmp_path, FormatError, r"train-1.tfr, record 2, byte [\d,]+ .*truncated: \d+ of [\d,]+ bytes")

    def test_one_flipped_bit(self, write_directory, tmp_path):
        made = write_directory(tmp_path / "data", compression="none")
        size = len((made.path / "tfrecords/train-1.tfr").read_bytes()) // 3

        def flip(content):
            place = size + 40
            return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]

        self.damage(made, flip)
        where = rf"train-1.tfr, record 1, byte {size + 12:,} of the unpacked file: its content is damaged \(checksum"
        self.fails(made, tmp_path, FormatError, where)

    def test_a_damaged_length_is_not_believed(self, write_directory, tmp_path):
        made = write_directory(tmp_path / "data", compression="none")
        size = len((made.path / "tfrecords/train-1.tfr").read_bytes()) // 3
        self.damage(made, lambda content: content[: size + 6] + b"\x7f" + content[size + 7 :])
        self.fails(made, tmp_path, FormatError, rf"record 1, byte {size:,} .*its length is damaged")

    def test_no_compressed_file(self, write_directory, tmp_path):
        made = write_directory(tmp_path / "data")
        self.damage(made, lambda _: b"<html>not found</html>")
        self.fails(made, tmp_path, FormatError, r"train-1.tfr, record 0, byte 0 .*cannot be unpacked")

    def test_other_target_counts_than_the_sheet(self, write_directory, tmp_path):
        def more(row, features):
            features["target"] = np.zeros((6, 5), "<f2").tobytes()

        made = write_directory(tmp_path / "data", change=more)
        self.fails(made, tmp_path, FormatError, r"test-0.tfr, record 0: targets of 5 tracks; needed 4 tracks \(rows of")

    def test_sheet_and_statistics_disagree(self, write_directory, tmp_path):
        made = write_directory(tmp_path / "data")
        lines = (made.path / "targets.txt").read_text().splitlines()
        (made.path / "targets.txt").write_text("\n".join(lines[:-1]) + "\n")
        self.fails(made, tmp_path, ConfigError, "targets.txt has 3 tracks, statistics.json 4 num_targets")

    def test_fewer_rows_than_records(self, write_directory, tmp_path):
        made = write_directory(tmp_path / "data")
        lines = (made.path / "sequences.bed").read_text().splitlines()
        (made.path / "sequences.bed").write_text("\n".join(lines[1:]) + "\n")
        self.fails(made, tmp_path, ConfigError, "sequences.bed has 6 rows of train, statistics.json 7 train_seqs")
        statistics = json.loads((made.path / "statistics.json").read_text())
        (made.path / "statistics.json").write_text(json.dumps(statistics | {"train_seqs": 6}))
        self.fails(made, tmp_path, FormatError, r"train-2.tfr, record 0: a window more than its coordinates say")
        shutil.rmtree(tmp_path / "store.partial")
        (made.path / "sequences.bed").write_text("\n".join(lines[5:]) + "\n")
        (made.path / "statistics.json").write_text(json.dumps(statistics | {"train_seqs": 2}))
        self.fails(made, tmp_path, FormatError, r"train-0.tfr, record 1: a window more than its coordinates say")

    def test_more_rows_than_records(self, write_directory, tmp_path):
        made = write_directory(tmp_path / "data")
        bed = made.path / "sequences.bed"
        bed.write_text(bed.read_text() + "chr1\t9984\t10176\ttrain\n")
        statistics = json.loads((made.path / "statistics.json").read_text())
        (made.path / "statistics.json").write_text(json.dumps(statistics | {"train_seqs": 8}))
        self.fails(made, tmp_path, FormatError, r"train-2.tfr: 1 windows; needed 2, as its coordinates say")

    def test_more_rows_than_files_can_hold(self, write_directory, tmp_path):
        made = write_directory(tmp_path / "data")
        bed = made.path / "sequences.bed"
        bed.write_text(bed.read_text() + "chr1\t9984\t10176\ttrain\n" * 13)
        statistics = json.loads((made.path / "statistics.json").read_text())
        (made.path / "statistics.json").write_text(json.dumps(statistics | {"train_seqs": 20}))
        found = "20 rows of train, but its 3 TFRecord files cannot hold as many: train-0.tfr has 3 records"
        self.fails(made, tmp_path, ConfigError, found)

    def test_a_file_is_missing_between_others(self, write_directory, tmp_path):
        made = write_directory(tmp_path / "data")
        (made.path / "tfrecords/train-1.tfr").unlink()
        self.fails(made, tmp_path, ConfigError, "1 files are missing from tfrecords: train-1.tfr")

    def test_labels_without_records_are_left_out_and_said_to_be(self, write_directory, tmp_path):
        made = write_directory(tmp_path / "data")
        (made.path / "tfrecords/valid-0.tfr").unlink()
        store = import_basenji(made.path, tmp_path / "store", workers=1)
        assert store.header.remarks[0] == "2 windows of valid have no TFRecords: left out"
        assert set(store.windows["split"]) == {"train", "test"}

    @pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
    def test_values_that_are_no_numbers(self, write_directory, tmp_path, value):
        def spoil(row, features):
            if row == 4:
                targets = np.frombuffer(features["target"], "<f2").reshape(6, 4).copy()
                targets[2, 1] = targets[3, 1] = targets[3, 2] = value
                features["target"] = targets.tobytes()

        made = write_directory(tmp_path / "data", change=spoil)
        start = made.start[4] + 3 * BIN_BP
        found = (
            rf"train-1.tfr, record 1: 3 values of 2 tracks are inf or NaN \(ENC1 2, ENC2 1\), first in {made.chrom[4]}"
        )
        self.fails(
            made, tmp_path, DataError, rf"{found}:{start + 1}-{start + BIN_BP}; needed numbers; say --not-finite"
        )
        source = BasenjiSource(directory=made.path, not_finite="clip")
        store = import_dataset(source, tmp_path / "store", workers=1)
        row = made.order().index(4)
        read = store.read([row])[0][0]
        limit = {np.inf: 32, -np.inf: -32}.get(value, 0)
        assert [read[2, 1], read[3, 1], read[3, 2]] == [limit] * 3
        expected = made.targets[4].copy()
        expected[2, 1] = expected[3, 1] = expected[3, 2] = limit
        np.testing.assert_array_equal(read, expected)
        assert any("3 values of 2 tracks" in remark for remark in store.header.remarks)

    def test_bases_that_are_no_code(self, write_directory, tmp_path):
        def spoil(row, features):
            features["sequence"] = b"\x07" + features["sequence"][1:]

        made = write_directory(tmp_path / "data", change=spoil)
        self.fails(made, tmp_path, FormatError, r"record 0: a base coded 7; needed 0 to 4")

    def test_a_sequence_of_another_length(self, write_directory, tmp_path):
        def cut(row, features):
            features["sequence"] = features["sequence"][:-2]

        made = write_directory(tmp_path / "data", change=cut)
        self.fails(made, tmp_path, FormatError, r"record 0: a sequence of 254 bytes; needed 256, or four for each base")

    def test_a_record_of_something_else(self, write_directory, tmp_path):
        def other(row, features):
            del features["target"]
            features["image"] = b"x"

        made = write_directory(tmp_path / "data", change=other)
        self.fails(made, tmp_path, FormatError, r"features sequence, image; needed sequence and target")

    @pytest.mark.parametrize("name", ["statistics.json", "targets.txt", "sequences.bed"])
    def test_missing_tables(self, write_directory, tmp_path, name):
        made = write_directory(tmp_path / "data")
        (made.path / name).unlink()
        self.fails(made, tmp_path, FormatError, name)

    def test_statistics_without_a_key_or_that_do_not_fit(self, write_directory, tmp_path):
        made = write_directory(tmp_path / "data")
        path = made.path / "statistics.json"
        statistics = json.loads(path.read_text())
        path.write_text(json.dumps({name: value for name, value in statistics.items() if name != "pool_width"}))
        self.fails(made, tmp_path, FormatError, "statistics.json: pool_width: Field required")
        path.write_text(json.dumps(statistics | {"crop_bp": 5}))
        self.fails(made, tmp_path, ConfigError, "crop_bp 5, pool_width 32 and target_length 6 do not fit")
        path.write_text(json.dumps(statistics | {"seq_depth": 6}))
        self.fails(made, tmp_path, ConfigError, "seq_depth is 6; needed 4")

    def test_a_row_of_another_length(self, write_directory, tmp_path):
        made = write_directory(tmp_path / "data")
        lines = (made.path / "sequences.bed").read_text().splitlines()
        lines[4] = "chr1\t0\t100\ttrain"
        (made.path / "sequences.bed").write_text("\n".join(lines) + "\n")
        self.fails(made, tmp_path, FormatError, "sequences.bed line 5: a window of 100 bp; needed the target's 192 bp")


class TestInterruption:
    def test_a_second_import_does_only_what_is_missing(self, write_directory, tmp_path):
        made = write_directory(tmp_path / "data")
        whole = import_basenji(made.path, tmp_path / "whole", workers=1)
        shard = made.path / "tfrecords/train-2.tfr"
        content, times = shard.read_bytes(), (shard.stat().st_atime_ns, shard.stat().st_mtime_ns)
        self.overwrite(shard, content[:50] + bytes(len(content) - 50), times)
        with pytest.raises(FormatError):
            import_basenji(made.path, tmp_path / "store", workers=1)
        partial = tmp_path / "store.partial"
        done = {file: file.stat().st_mtime_ns for file in partial.glob("build/part_*.npz")}
        assert 0 < len(done) < 5
        self.overwrite(shard, content, times)
        store = import_basenji(made.path, tmp_path / "store", workers=1)
        assert store.fingerprint == whole.fingerprint
        check_store(store, made)

    def test_clipped_values_are_not_taken_over_by_who_wants_to_stop_at_them(self, write_directory, tmp_path):
        def spoil(row, features):
            if row == 4:
                features["target"] = np.full((6, 4), np.inf, "<f2").tobytes()

        made = write_directory(tmp_path / "data", change=spoil)
        shard = made.path / "tfrecords/train-2.tfr"
        content, times = shard.read_bytes(), (shard.stat().st_atime_ns, shard.stat().st_mtime_ns)
        self.overwrite(shard, content[:50] + bytes(len(content) - 50), times)
        clip = BasenjiSource(directory=made.path, not_finite="clip")
        with pytest.raises(FormatError, match="train-2"):
            import_dataset(clip, tmp_path / "store", workers=1)
        self.overwrite(shard, content, times)
        with pytest.raises(DataError, match=r"train-1\.tfr, record 1: 24 values of 4 tracks are inf or NaN"):
            import_basenji(made.path, tmp_path / "store", workers=1)
        store = import_dataset(clip, tmp_path / "store", workers=1)  # what went well before is not done again
        assert any("24 values of 4 tracks" in remark for remark in store.header.remarks)

    def test_other_data_are_not_continued(self, write_directory, tmp_path):
        made = write_directory(tmp_path / "data")
        shard = made.path / "tfrecords/train-2.tfr"
        content = shard.read_bytes()
        shard.write_bytes(content[:50])
        with pytest.raises(FormatError):
            import_basenji(made.path, tmp_path / "store", workers=1)
        shard.write_bytes(content)
        with pytest.raises(StoreError, match=r"unfinished build of another plan \(files"):
            import_basenji(made.path, tmp_path / "store", workers=1)
        check_store(import_basenji(made.path, tmp_path / "store", workers=1, resume=False), made)

    def test_what_is_there_is_not_replaced_unless_asked_for(self, write_directory, tmp_path):
        made = write_directory(tmp_path / "data")
        import_basenji(made.path, tmp_path / "store", workers=1)
        with pytest.raises(OutputExistsError):
            import_basenji(made.path, tmp_path / "store", workers=1)
        import_basenji(made.path, tmp_path / "store", workers=1, overwrite=True)

    def overwrite(self, file, content, times):
        file.write_bytes(content)
        os.utime(file, ns=times)


def test_any_number_of_workers_makes_the_same_store(write_directory, tmp_path, monkeypatch):
    made = write_directory(tmp_path / "data", unmappable=True)
    one = import_basenji(made.path, tmp_path / "one", workers=1)
    monkeypatch.setattr("regact.dataset.basenji.run.BYTES_PER_WORKER", 1)
    two = import_basenji(made.path, tmp_path / "two", workers=2)
    assert two.fingerprint == one.fingerprint
    shutil.move(tmp_path / "two", tmp_path / "moved")
    check_store(open_store(tmp_path / "moved"), made)


@pytest.mark.parametrize("kind", ["TFRecords", "HDF5"])
def test_memory_does_not_grow_with_the_windows(write_directory, write_h5, tmp_path, monkeypatch, kind):
    """One file of 20 windows takes as much as one of 400, whose targets have 5 MB, a window's 12 kB."""
    peaks = []

    def measured(task):
        tracemalloc.start()
        import_part(task)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    monkeypatch.setattr(run_module, "import_part", measured)
    monkeypatch.setattr(tfrecord, "_READ_BYTES", 2**16)  # which a file of 20 windows has, too
    highest = []
    for windows in (20, 20, 400):  # the first time loads what is loaded once
        labels, folder, out = ("train",) * windows, tmp_path / f"{len(highest)}", tmp_path / f"{len(highest)}.zarr"
        if kind == "TFRecords":
            made = write_directory(folder, labels=labels, n_tracks=1_000, per_file=400)
            import_basenji(made.path, out, workers=1)
        else:
            made = write_h5(folder, labels=(*labels, "valid", "test"), n_tracks=1_000, chunks=(2, 8, 500))
            import_basenji_h5(made.path / "l131k_w128.h5", out, workers=1)
        highest.append(max(peaks))
        peaks.clear()
    assert highest[2] - highest[1] < 0.1 * made.targets.nbytes
