"""The HDF5 of 2018: what is written is what the store holds; what is missing or unlike the paper is told."""

import h5py
import numpy as np
import pytest

from regact.dataset.basenji import import_basenji_h5
from regact.dataset.basenji.hdf5 import read_layout
from regact.dataset.basenji.paper import PAPER_ASSAYS, describe_differences
from regact.errors import ConfigError, DataError, FormatError
from regact.genome import encode

FILE, BED, SAMPLES = "l131k_w128.h5", "l131k_w128.bed", "sample_wigs.txt"


def by_set(made):
    """The windows in the order of the file: train, valid, test."""
    return [i for split in ("train", "valid", "test") for i, label in enumerate(made.label) if label == split]


@pytest.mark.parametrize("with_genome", [True, False])
@pytest.mark.parametrize("chunks", [None, (2, 4, 2), (5, 8, 1), (1, 8, 3)])
def test_the_store_holds_what_was_written(write_h5, tmp_path, chunks, with_genome):
    made = write_h5(tmp_path, chunks=chunks)
    genome = made.genome if with_genome else None
    store = import_basenji_h5(
        tmp_path / FILE,
        tmp_path / "store",
        bed=tmp_path / BED,
        samples=tmp_path / SAMPLES,
        genome_path=genome,
        workers=1,
    )
    order = made.order()
    targets, mask = store.read(range(store.n_windows))
    np.testing.assert_array_equal(targets, made.targets[order])
    np.testing.assert_array_equal(mask, ~made.unmappable[order])
    assert store.windows["split"].tolist() == [made.label[i] for i in order]
    bases = store.open_genome()
    for i, window in zip(order, store.windows.itertuples(), strict=True):
        np.testing.assert_array_equal(bases.contig(window.chrom)[window.start : window.end], encode(made.sequence[i]))
    assert store.sheet.assays == ("CAGE", "DNASE", "CHIP")
    assert [track.files[0].name for track in store.sheet.tracks] == ["0.bw", "1.bw", "2.bw"]
    assert any("drawn window by window" in remark for remark in store.header.remarks)
    assert any("test windows touch a training window" in remark for remark in store.header.remarks)


def test_without_a_bed_every_sequence_is_a_contig_of_its_own(write_h5, tmp_path):
    made = write_h5(tmp_path)
    store = import_basenji_h5(tmp_path / FILE, tmp_path / "store", workers=1)
    assert store.windows["chrom"].tolist()[:3] == ["test_0", "test_1", "test_2"]
    order = by_set(made)
    place = {f"{made.label[i]}_{[j for j in order if made.label[j] == made.label[i]].index(i)}": i for i in order}
    targets, _ = store.read(range(store.n_windows))
    bases = store.open_genome()
    for row, chrom in enumerate(store.windows["chrom"]):
        np.testing.assert_array_equal(targets[row], made.targets[place[chrom]])
        np.testing.assert_array_equal(bases.contig(chrom), encode(made.sequence[place[chrom]]))
    with pytest.raises(ConfigError, match="give them with --bed"):
        import_basenji_h5(tmp_path / FILE, tmp_path / "no", genome_path=made.genome)


def test_every_difference_from_the_paper_is_told(write_h5, tmp_path):
    write_h5(tmp_path)
    told = []
    import_basenji_h5(tmp_path / FILE, tmp_path / "store", bed=tmp_path / BED, workers=1, tell=told.append)
    for number in (
        "1 CAGE tracks; the paper has 973",
        "1 DNASE tracks; the paper has 949",
        "2,307",
        "11 sequences",
        "8 bins",
    ):
        assert any(number in remark for remark in told), number
    assert sum("not the paper's data" in remark for remark in told) == 7


def test_the_papers_data_would_show_no_difference(write_h5, tmp_path):
    write_h5(tmp_path)
    assays = [assay for assay, count in PAPER_ASSAYS.items() for _ in range(count)]
    found = vars(read_layout(tmp_path / FILE)) | {
        "n_bins": 1024,
        "bin_bp": 128,
        "counts": {"train": 11_000, "valid": 1_500, "test": 2_033},
    }
    assert describe_differences(type("Layout", (), found), assays) == []


def test_assays_are_those_of_the_samples_where_the_file_has_no_labels(write_h5, tmp_path):
    write_h5(tmp_path)
    with h5py.File(tmp_path / FILE, "a") as file:
        file["target_labels"][...] = b""
    assays = ("CAGE:x", "CAGE:y", "CHIP:z")
    (tmp_path / SAMPLES).write_text("".join(f"id{i}\t{i}.bw\t{label}\n" for i, label in enumerate(assays)))
    store = import_basenji_h5(tmp_path / FILE, tmp_path / "store", samples=tmp_path / SAMPLES, workers=1)
    assert store.sheet.assays == ("CAGE", "CAGE", "CHIP")
    told = [remark for remark in store.header.remarks if "tracks; the paper has" in remark]
    assert [remark.split(": ")[1].split(";")[0] for remark in told] == [
        "2 CAGE tracks",
        "0 DNASE tracks",
        "1 CHIP tracks",
    ]


def test_identifiers_that_stand_there_twice_are_numbered_in_both_files(write_h5, tmp_path):
    """Published tables have them; the n-th of a name is the n-th of it in the samples."""
    made = write_h5(tmp_path)
    with h5py.File(tmp_path / FILE, "a") as file:
        file["target_ids"][...] = np.array(["id1", "id0", "id1"], "S")
    (tmp_path / SAMPLES).write_text("id1\tfirst.bw\nid1\tsecond.bw\nid0\tother.bw\n")
    store = import_basenji_h5(tmp_path / FILE, tmp_path / "store", samples=tmp_path / SAMPLES, workers=1)
    assert store.sheet.identifiers == ("id1", "id0", "id1_2")
    assert [track.files[0].name for track in store.sheet.tracks] == ["first.bw", "other.bw", "second.bw"]
    assert any(
        "1 identifiers stand there again and were numbered (id1 is now id1_2)" in r for r in store.header.remarks
    )
    assert sum("numbered" in remark for remark in store.header.remarks) == 1
    assert store.n_windows == len(made.start)


@pytest.mark.parametrize("missing", [("train_out",), ("valid_na", "test_in")])
def test_missing_sets_are_all_named(write_h5, tmp_path, missing):
    write_h5(tmp_path, leave_out=missing)
    with pytest.raises(ConfigError) as caught:
        import_basenji_h5(tmp_path / FILE, tmp_path / "store")
    found = {problem.split(" is missing")[0] for problem in caught.value.problems}
    assert found == {f"data set {name}" for name in missing}
    assert "the file holds" in str(caught.value)


def test_sets_that_do_not_fit_each_other(write_h5, tmp_path):
    write_h5(tmp_path)
    with h5py.File(tmp_path / FILE, "a") as file:
        del file["test_na"], file["target_ids"]
        file["test_na"] = np.zeros((2, 8), bool)
        file["target_ids"] = np.array(["a"], "S")
    with pytest.raises(ConfigError, match=r"test_na has the shape \(2, 8\); needed \(3, 8\).*target_ids has 1 entries"):
        import_basenji_h5(tmp_path / FILE, tmp_path / "store")


def test_files_that_are_no_hdf5_or_have_no_one_hot_bases(write_h5, tmp_path):
    (tmp_path / "text.h5").write_text("no")
    with pytest.raises(FormatError, match=r"text\.h5: cannot be read as HDF5"):
        import_basenji_h5(tmp_path / "text.h5", tmp_path / "store")
    write_h5(tmp_path)
    with h5py.File(tmp_path / FILE, "a") as file:
        file["valid_in"][1, 3] = True
    with pytest.raises(FormatError, match="valid, sequences 0 to 1: bases that are not coded"):
        import_basenji_h5(tmp_path / FILE, tmp_path / "store", workers=1)


def test_a_bed_or_samples_of_other_data(write_h5, tmp_path):
    made = write_h5(tmp_path)
    lines = (tmp_path / BED).read_text().splitlines()
    (tmp_path / "short.bed").write_text("\n".join(lines[1:]) + "\n")
    with pytest.raises(ConfigError, match=r"5 rows of train; needed 6, as l131k_w128\.h5 has"):
        import_basenji_h5(tmp_path / FILE, tmp_path / "store", bed=tmp_path / "short.bed")
    (tmp_path / "other.txt").write_text("id0\ta.bw\nid1\tb.bw\nidX\tc.bw\n")
    with pytest.raises(ConfigError, match=r"does not have: id2.*does not have: idX"):
        import_basenji_h5(tmp_path / FILE, tmp_path / "store", samples=tmp_path / "other.txt")
    train = [i for i, label in enumerate(made.label) if label == "train"]
    lines[train[0]], lines[train[1]] = lines[train[1]], lines[train[0]]
    (tmp_path / "swapped.bed").write_text("\n".join(lines) + "\n")
    with pytest.raises(DataError, match=r"train, sequence 0 \(chr"):
        import_basenji_h5(
            tmp_path / FILE, tmp_path / "store", bed=tmp_path / "swapped.bed", genome_path=made.genome, workers=1
        )


def test_values_that_are_no_numbers(write_h5, tmp_path):
    write_h5(tmp_path)
    with h5py.File(tmp_path / FILE, "a") as file:
        file["test_out"][1, 2, 0] = np.nan
    with pytest.raises(DataError, match=r"test, sequence 1: 1 values of 1 tracks are inf or NaN \(id0 1\)"):
        import_basenji_h5(tmp_path / FILE, tmp_path / "store", workers=1)


def test_values_of_more_digits_are_counted(write_h5, tmp_path):
    write_h5(tmp_path)
    with h5py.File(tmp_path / FILE, "a") as file:
        values = file["test_out"][...].astype(np.float32)
        values[1, 2, :2] = 0.1
        del file["test_out"]
        file["test_out"] = values
    store = import_basenji_h5(tmp_path / FILE, tmp_path / "store", workers=1)
    assert any(remark.startswith("2 values had more digits than float16 keeps") for remark in store.header.remarks)
