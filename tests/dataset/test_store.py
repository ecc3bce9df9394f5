import json
import pickle
import shutil

import numpy as np
import pandas as pd
import pytest
import torch
import zarr

from regact.dataset import open_store
from regact.dataset.schema import ATTRIBUTES_KEY, SCHEMA_VERSION
from regact.errors import DataError, StoreError
from regact.genome import Interval, load_genome


@pytest.fixture
def store(make_store):
    return make_store()[0]


def _edit(store, change):
    """Change the attributes on disk, as a user with an editor would."""
    path = store.path / "zarr.json"
    document = json.loads(path.read_text())
    change(document["attributes"][ATTRIBUTES_KEY])
    path.write_text(json.dumps(document))


def test_rows_come_back_in_the_order_asked_for(make_store):
    targets = np.random.default_rng(1).gamma(1, 3, (10, 8, 3)).astype(np.float16)
    mask = np.random.default_rng(2).random((10, 8)) < 0.5
    store, _ = make_store(targets=targets, mask=mask)
    read, read_mask = store.read([7, 2, 2])
    np.testing.assert_array_equal(read, targets[[7, 2, 2]])
    np.testing.assert_array_equal(read_mask, mask[[7, 2, 2]])


def test_one_row_comes_without_an_axis_of_rows(make_store):
    targets = np.random.default_rng(1).gamma(1, 3, (10, 8, 3)).astype(np.float16)
    mask = np.random.default_rng(2).random((10, 8)) < 0.5
    store, genome = make_store(targets=targets, mask=mask)
    for row in (7, np.int64(7), torch.tensor(7)):
        read, read_mask = store.read(row)
        np.testing.assert_array_equal(read, targets[7])
        np.testing.assert_array_equal(read_mask, mask[7])
    assert store.window(7) == Interval("chr1", 7 * 256, 8 * 256)
    assert genome.fetch(store.window(7)).shape == (store.window_bp,)


@pytest.mark.parametrize("rows", [[7, 2], (7, 2), np.array([7, 2], np.uint8), torch.tensor([7, 2]), pd.Series([7, 2])])
def test_rows_are_whatever_holds_whole_numbers(store, rows):
    np.testing.assert_array_equal(store.read(rows)[0], store.read(iter([7, 2]))[0])


def test_no_rows_are_no_windows(store):
    targets, mask = store.read([])
    assert (targets.shape, mask.shape) == ((0, 8, 3), (0, 8))


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ("test", "'test'"),
        (1.5, "a float of float64"),
        (None, "a NoneType of object"),
        ([0.0, 1.0], "a list of float64"),
        (np.ones(10, bool), "a ndarray of bool"),
        ([[0, 1]], "a list of int64 with 2 axes"),
    ],
)
def test_what_are_no_rows_is_explained(store, rows, found):
    with pytest.raises(TypeError, match=rf"^rows are {found}; needed .* such as store\.rows\(\"test\"\)$"):
        store.read(rows)


@pytest.mark.parametrize("row", [10, -1])
def test_a_row_beyond_the_table_is_no_damage(store, row):
    for ask in (store.read, store.window, lambda row: store.read([0, row])):
        with pytest.raises(ValueError, match=f"^row {row} is not in .*store.zarr; needed 0 to 9$"):
            ask(row)


def test_one_line_says_what_a_store_is(store, make_store):
    shape = "window_bp 256, bin_bp 32; 8 bins x 3 tracks; genome genome)"
    assert repr(store) == f"Store('{store.path}': 6 train, 2 valid, 2 test windows; {shape}"
    changed = store.with_roles(valid=[], test=["test"]).with_crop(store.crop_bins + 2)
    assert repr(changed) == f"Store('{store.path}': 8 train, 2 test windows; {shape.replace('8 bins', '4 bins')}"


def test_the_window_table_is_there_as_text_too(store):
    lines = (store.path / "windows.bed").read_text().splitlines()
    first = store.windows.iloc[0]
    assert lines[0].split("\t")[:4] == [first["chrom"], str(first["start"]), str(first["end"]), first["split"]]
    assert len(lines) == store.n_windows
    assert (store.path / "targets.txt").read_text().startswith("index\tidentifier\tfile")


def test_the_sheet_survives(store):
    assert store.sheet.identifiers == ("track0", "track1", "track2")
    assert store.sheet.strand_pair.tolist() == [1, 0, 2]
    assert store.sheet.assays == ("CAGE", "CAGE", "CHIP")


def test_a_pickled_store_is_small_and_whole(store):
    sent = pickle.dumps(store)
    assert len(sent) < 1000
    again = pickle.loads(sent)
    np.testing.assert_array_equal(again.read([3])[0], store.read([3])[0])
    assert again.fingerprint == store.fingerprint


def test_a_store_that_was_replaced_meanwhile_is_noticed(store, make_store):
    sent = pickle.dumps(store)
    other, _ = make_store(seed=5)
    shutil.rmtree(store.path)
    shutil.copytree(other.path, store.path)
    with pytest.raises(StoreError, match="was replaced while it was in use"):
        pickle.loads(sent)


def test_roles_of_folds_may_change(store):
    changed = store.with_roles(valid=["test"], test=["valid"])
    assert changed.rows("valid").tolist() == store.rows("test").tolist()
    assert pickle.loads(pickle.dumps(changed)).rows("test").tolist() == store.rows("valid").tolist()
    assert store.rows("valid").tolist() == [6, 7]
    with pytest.raises(ValueError, match="needed disjoint sets of the folds train, valid, test"):
        store.with_roles(valid=["fold9"], test=[])


def test_more_may_be_cropped_than_was(store):
    """Everything that a window's bins are read by agrees on which are left, in a worker process too."""
    targets, mask = store.read([0, 7, 3])
    cropped = store.with_crop(store.crop_bins + 2)
    for view in (cropped, pickle.loads(pickle.dumps(cropped)), cropped.with_roles(valid=["test"], test=["valid"])):
        assert (view.crop_bins, view.n_bins) == (store.crop_bins + 2, store.n_bins - 4)
        np.testing.assert_array_equal(view.read([0, 7, 3])[0], targets[:, 2:-2])
        np.testing.assert_array_equal(view.read([0, 7, 3])[1], mask[:, 2:-2])
        np.testing.assert_array_equal(view.read_mask(7), mask[1, 2:-2])
    assert cropped.fingerprint == store.fingerprint
    assert store.read([0])[0].shape[1] == store.n_bins
    assert cropped.with_crop(store.crop_bins).n_bins == store.n_bins
    for crop_bins in (store.crop_bins - 1, store.crop_bins + store.n_bins):
        with pytest.raises(ValueError, match=f"crop_bins {crop_bins}; needed {store.crop_bins} or more, and less than"):
            store.with_crop(crop_bins)


def test_splits_are_asked_for_by_name(make_store):
    store, _ = make_store(splits=["train", "train", "valid"])
    assert store.rows("train").tolist() == [0, 1]
    with pytest.raises(DataError, match=r"split test is empty \(windows: 2 train, 1 valid, 0 test\)"):
        store.rows("test")
    with pytest.raises(ValueError, match="needed one of train, valid, test"):
        store.rows("validation")


def test_the_same_content_has_the_same_fingerprint_wherever_it_lies(make_store):
    mask = np.ones((10, 8), bool)
    one, two = (make_store(mask=mask)[0] for _ in range(2))
    assert one.genome_path != two.genome_path
    assert one.fingerprint == two.fingerprint
    assert make_store(mask=~mask)[0].fingerprint != one.fingerprint


def test_another_schema_version_is_named(store):
    _edit(store, lambda attributes: attributes.update(schema_version=SCHEMA_VERSION + 1))
    with pytest.raises(
        StoreError, match=f"schema_version {SCHEMA_VERSION + 1} .*needed schema_version {SCHEMA_VERSION}; update"
    ):
        open_store(store.path)
    _edit(store, lambda attributes: attributes.update(schema_version=0))
    with pytest.raises(StoreError, match="build it again with `regact dataset build`"):
        open_store(store.path)


def test_edited_attributes_are_noticed(store):
    _edit(store, lambda attributes: attributes["config"].update(bin_bp=64))
    with pytest.raises(StoreError, match="attributes were edited"):
        open_store(store.path)


def test_damaged_attributes_name_field_and_value(store):
    _edit(store, lambda attributes: attributes["genome"].update(lengths="long"))
    with pytest.raises(StoreError, match=r"field genome.lengths is 'long'"):
        open_store(store.path)


def test_moved_files_are_no_edit(store):
    _edit(store, lambda attributes: attributes["genome"].update(path="/elsewhere/genome.fa"))
    assert open_store(store.path).fingerprint == store.fingerprint


def test_an_unfinished_store_says_how_to_go_on(store):
    _edit(store, lambda attributes: attributes.update(fingerprint=""))
    with pytest.raises(StoreError, match=r"its build did not end.*run the same build again"):
        open_store(store.path)


def test_a_missing_array_is_named(store):
    shutil.rmtree(store.path / "mask")
    with pytest.raises(StoreError, match="array mask is missing"):
        open_store(store.path)


def test_an_array_of_another_shape_is_named(store):
    group = zarr.open_group(store.path, mode="r+")
    group["targets"].resize((10, 8, 2))
    with pytest.raises(StoreError, match=r"array targets is float16 \(10, 8, 2\); needed float16 \(10, 8, 3\)"):
        open_store(store.path)


def test_an_edited_window_table_is_noticed(store):
    zarr.open_group(store.path, mode="r+")["window_fold"][0] = 2
    with pytest.raises(StoreError, match="window table was edited"):
        open_store(store.path)


def test_a_mask_that_was_edited_or_lost_is_noticed(store):
    chunk = next(path for path in (store.path / "mask" / "c").rglob("*") if path.is_file())
    chunk.unlink()
    with pytest.raises(StoreError, match="mask was edited or is damaged"):
        open_store(store.path)


def test_what_is_no_store_is_refused(tmp_path):
    with pytest.raises(StoreError, match="no such folder"):
        open_store(tmp_path / "nothing")
    with pytest.raises(StoreError, match="not a Zarr group"):
        open_store(tmp_path)
    zarr.open_group(tmp_path / "group", mode="w")
    with pytest.raises(StoreError, match="not a regact store"):
        open_store(tmp_path / "group")


def test_the_genome_is_checked(make_store, tmp_path):
    store, genome = make_store()
    assert store.open_genome().checksum == genome.checksum
    other = tmp_path / "other.fa"
    other.write_text(genome.path.read_text()[:-2] + "\n")
    with pytest.raises(StoreError, match=rf"{load_genome(other).checksum[:12]}.*{genome.checksum[:12]}.*--genome"):
        store.open_genome(other)
    moved = tmp_path / "moved.fa"
    genome.path.rename(moved)
    with pytest.raises(StoreError, match=r"is not at .*genome.fa; .*say where it is with --genome"):
        store.open_genome()
    assert store.open_genome(moved).checksum == genome.checksum


@pytest.mark.parametrize("codec", ["zstd", "blosc_zstd", "blosc_lz4"])
def test_targets_are_written_as_zarr_itself_would(make_store, tmp_path, codec):
    """Byte for byte: any Zarr reader must read them."""
    targets = np.random.default_rng(1).poisson(1, (2, 8, 3)).astype(np.float16)
    store, _ = make_store(targets=targets, splits=("train", "valid"), codec=codec)
    metadata = json.loads((store.path / "targets" / "zarr.json").read_text())
    group = zarr.open_group(tmp_path / "theirs", mode="w")
    (tmp_path / "theirs" / "targets").mkdir()
    (tmp_path / "theirs" / "targets" / "zarr.json").write_text(json.dumps(metadata))
    group["targets"][:] = targets
    for row in ("0", "1"):
        chunk = f"targets/c.{row}.0.0"
        assert (store.path / chunk).read_bytes() == (tmp_path / "theirs" / chunk).read_bytes()
