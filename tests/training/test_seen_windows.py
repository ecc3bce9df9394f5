"""What a model was trained on, held against what it is tried on next."""

import json
import shutil

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regact.errors import FormatError
from regact.genome import Interval, Regions
from regact.model import ModelSpec
from regact.model.spec import TowerSpec
from regact.training import TransferConfig, train_model
from regact.training.seen_windows import (
    Overlap,
    SeenWindows,
    describe_overlap,
    find_overlap,
    find_seen,
    keep_windows,
    warn_of_overlap,
    write_windows,
)


@pytest.fixture(scope="module")
def trained(planted, tmp_path_factory):
    """A run on chrA (48 windows of 1,024 bp, end to end); chrV validates, chrT tests."""
    config = planted.experiment.training.model_copy(update={"epochs": 1})
    out = tmp_path_factory.mktemp("seen") / "run"
    return train_model(planted.store, planted.genome, planted.experiment.model_spec(3), config, out, device="cpu")


def write_bed(path, rows):
    path.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows))
    return path


def write_run(folder, state="imported", **card):
    folder.mkdir(exist_ok=True)
    (folder / "card.json").write_text(json.dumps({"format": 1, "state": state, "store": None, "genome": None, **card}))
    return folder


def test_a_run_keeps_which_windows_it_was_trained_on(trained, planted):
    kept = pd.read_csv(trained / "windows.bed", sep="\t", names=["chrom", "start", "end", "split"])
    pd.testing.assert_frame_equal(kept, planted.store.windows[kept.columns].reset_index(drop=True))
    seen = find_seen(trained)
    assert list(seen.regions) == [Interval("chrA", 0, 48 * 1024)]
    assert not seen.imported


def test_the_same_split_is_no_reason_to_warn(trained, planted):
    overlap = find_overlap(trained, planted.store)
    assert overlap.counts == {"train": (48, 48), "valid": (0, 12), "test": (0, 12)}
    assert overlap.same_genome
    assert overlap.remark == ""
    entry, warning = describe_overlap(trained, planted.store)
    assert warning == ""
    assert entry == {
        "train": {"seen": 48, "windows": 48},
        "valid": {"seen": 0, "windows": 12},
        "test": {"seen": 0, "windows": 12},
        "same_genome": True,
    }


def test_testing_on_what_was_trained_on_is_told_with_numbers(trained, planted):
    other = planted.store.with_roles(valid=["train"], test=["test"])
    entry, warning = describe_overlap(trained, other)
    assert entry["valid"] == {"seen": 48, "windows": 48}
    assert warning == (
        f"48 of 48 valid windows share bases with windows that {trained} was trained on: "
        "scores on valid will be higher than on bases never seen; test on others"
    )


def test_a_run_of_before_is_asked_for_its_dataset(trained, planted, tmp_path):
    old = tmp_path / "old"
    shutil.copytree(trained, old)
    (old / "windows.bed").unlink()
    assert list(find_seen(old).regions) == list(find_seen(trained).regions)
    card = json.loads((old / "card.json").read_text())
    for store in (
        {**card["store"], "fingerprint": "0"},
        {**card["store"], "path": str(tmp_path)},
        {"fingerprint": "0"},
    ):
        (old / "card.json").write_text(json.dumps(card | {"store": store}))
        assert find_seen(old) is None
    entry, warning = describe_overlap(old, planted.store)
    assert entry is None
    assert warning.startswith(f"{old} does not say which windows it was trained on")


def test_a_weights_file_is_known_by_its_folder(trained):
    assert find_seen(trained / "weights.safetensors").regions.total_bp == 48 * 1024


def test_imported_weights_with_a_bed_beside_them(planted, tmp_path):
    run = write_run(tmp_path / "run")
    assert find_seen(run) is None
    rows = [("chrA", 1024, 2048, "train"), ("chrT", 0, 4096, "test"), ("chrV", 512, 600, "train")]
    write_bed(run / "sequences.bed", rows)
    overlap = find_overlap(run, planted.store)
    assert overlap.counts == {"train": (1, 48), "valid": (1, 12), "test": (0, 12)}
    assert overlap.remark == (
        "1 of 48 train windows, 1 of 12 valid windows share bases with windows that "
        f"{run} was trained on (by coordinates; whether the genomes are the same is not known): "
        "scores on valid will be higher than on bases never seen; test on others"
    )
    write_bed(run / "sequences.bed", rows[:2])
    assert find_overlap(run, planted.store).remark.endswith("none of those that it will be judged on does")
    write_bed(run / "sequences.bed", [("chrT", 0, 4096, "fold3")])  # which fold was held out is not known
    assert find_overlap(run, planted.store).counts["test"] == (4, 12)
    assert warn_of_overlap(run, planted.store, "test").startswith("4 of 12 test windows share bases with windows that")
    assert warn_of_overlap(run, planted.store, "valid") == ""
    write_bed(run / "sequences.bed", [("chr9", 0, 4096, "train")])
    assert find_overlap(run, planted.store).remark == ""


def test_contigs_of_other_names_leave_the_question_open(planted, tmp_path):
    run = write_run(tmp_path / "run")
    write_bed(run / "sequences.bed", [("9", 0, 4096, "train")])
    entry, warning = describe_overlap(run, planted.store)
    assert entry is None
    assert "was trained on contigs of other names (9, ..) than those of" in warning
    assert "contigs of other names" in warn_of_overlap(run, planted.store, "test")


CROPPED = ModelSpec(tracks=1, window_bp=1024, crop_bins=2, tower=TowerSpec(filters=(4,), widths=(3,), pools=(32,)))


def test_only_a_bed_with_labels_is_kept(tmp_path):
    with pytest.raises(FormatError, match="line 1"):
        keep_windows(tmp_path, write_bed(tmp_path / "a.bed", [("chr1", 0, 5)]), CROPPED)
    assert not (tmp_path / "windows.bed").exists()


@pytest.mark.parametrize("kept_by", ["importer", "hand"])
def test_targets_of_a_bed_are_widened_to_what_the_network_read(tmp_path, kept_by):
    """Basenji's sequences.bed has the cropped target, that of 2018 whole windows; crops are 2 bins of 32 bp here."""
    rows = [("a", 5064, 5960, "train"), ("b", 0, 896, "train"), ("c", 7000, 8024, "train"), ("d", 64, 960, "test")]
    run = write_run(tmp_path / "run", model=CROPPED.model_dump(mode="json"))
    bed = write_bed(tmp_path / "a.bed" if kept_by == "importer" else run / "sequences.bed", rows)
    if kept_by == "importer":
        keep_windows(run, bed, CROPPED)
    expected = [Interval("a", 5000, 6024), Interval("b", 0, 960), Interval("c", 7000, 8024)]
    assert list(find_seen(run).regions) == expected


def test_windows_that_begin_before_their_contig_can_be_read_again(tmp_path):
    table = pd.DataFrame([("a", -64, 960, "train")], columns=["chrom", "start", "end", "split"])
    run = write_run(tmp_path / "run")
    write_windows(run, table)
    assert list(find_seen(run).regions) == [Interval("a", 0, 960)]


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(0, 30), st.integers(1, 9), st.sampled_from(["train", "test"]))
    ),
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 30), st.integers(1, 9)), min_size=1),
)
def test_counts_are_those_of_base_by_base(tmp_path_factory, trained_on, judged):
    run = write_run(tmp_path_factory.mktemp("run"))
    table = pd.DataFrame(
        [(chrom, start, start + length, split) for chrom, start, length, split in trained_on],
        columns=["chrom", "start", "end", "split"],
    )
    if len(table):
        write_windows(run, table)
    regions = find_seen(run).regions if len(table) else Regions()
    bases = {(row.chrom, p) for row in table.itertuples() if row.split == "train" for p in range(row.start, row.end)}
    windows = [Interval(chrom, start, start + length) for chrom, start, length in judged]
    expected = [any((window.chrom, p) in bases for p in range(window.start, window.end)) for window in windows]
    assert [regions.overlaps(window) for window in windows] == expected


def test_counting_says_nothing_of_splits_that_are_not_there():
    seen = SeenWindows(None, Regions(), None, imported=True)
    assert Overlap(seen, {"train": (0, 3)}, same_genome=True).remark == ""


def test_what_was_seen_first_is_known_after_a_second_transfer(trained, planted, tmp_path):
    """The middle run trains on chrV alone, but started from one that was trained on chrA."""
    config = planted.experiment.training.model_copy(update={"epochs": 1})
    spec = planted.experiment.model_spec(3)
    other = planted.store.with_roles(valid=["test"], test=["train"])
    transfer = TransferConfig(run=trained)
    middle = train_model(other, planted.genome, spec, config, tmp_path / "m", device="cpu", transfer=transfer)
    assert list(find_seen(middle).regions) == [Interval("chrA", 0, 48 * 1024), Interval("chrV", 0, 12 * 1024)]
    overlap = find_overlap(middle, planted.store)
    assert overlap.counts == {"train": (48, 48), "valid": (12, 12), "test": (0, 12)}
    assert overlap.same_genome
    assert warn_of_overlap(middle, other, "test") == (
        f"48 of 48 test windows share bases with windows that {middle} or what it started from was trained on: "
        "scores are higher than on bases never seen"
    )
    assert warn_of_overlap(middle, other, "train") == ""  # its own training windows
    assert warn_of_overlap(middle, other, "valid") == ""


def test_a_start_of_which_nobody_knows_stays_in_doubt(planted, tmp_path):
    """Of the first run nothing was known; who goes on from the second one has to be told so again."""
    told = {}
    for name, overlap in (("unknown", None), ("known", {"test": {"seen": 0, "windows": 1}})):
        run = write_run(tmp_path / name, state="finished", transfer={"run": "published"}, overlap=overlap)
        write_bed(run / "windows.bed", [("chrV", 0, 10, "valid"), ("chrA", 0, 10, "train")])
        told[name] = describe_overlap(run, planted.store)[1]
    doubt = "started from published, of which it is not known what it was trained on"
    assert told["unknown"] == f"{tmp_path / 'unknown'} {doubt}"
    assert told["known"] == ""


def test_what_was_seen_on_another_genome_leaves_a_doubt(tmp_path):
    table = pd.DataFrame(
        [("a", 100, 200, "train"), ("a", 300, 400, "test")], columns=["chrom", "start", "end", "split"]
    )
    genome = {"checksum": "ours"}
    for known, number in (("ours", 1), (None, 2)):
        run = write_run(tmp_path / f"run{number}", state="finished", genome=genome)
        before = SeenWindows(tmp_path, Regions.from_intervals([Interval("a", 150, 350)]), known, imported=known is None)
        write_windows(run, table, before=before, genome="ours")
        seen = find_seen(run)
        assert list(seen.regions) == [Interval("a", 100, 350)]
        assert seen.genome == known


def test_what_is_taken_from_a_run_does_not_change_its_own_windows(trained, planted, tmp_path):
    config = planted.experiment.training.model_copy(update={"epochs": 1})
    spec = planted.experiment.model_spec(3)
    transfer = TransferConfig(run=trained)
    tuned = train_model(planted.store, planted.genome, spec, config, tmp_path / "t", device="cpu", transfer=transfer)
    assert (tuned / "windows.bed").read_bytes() == (trained / "windows.bed").read_bytes()
