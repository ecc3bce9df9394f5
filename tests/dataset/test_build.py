import json
import subprocess
from contextlib import contextmanager

import numpy as np
import pyBigWig
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regact.dataset import (
    DatasetConfig,
    SplitByChromosomes,
    SplitByFolds,
    SplitByFraction,
    SplitByRegions,
    Strides,
    build,
    build_dataset,
    open_store,
    rounds,
)
from regact.errors import (
    ConfigError,
    ContigError,
    DataError,
    DiskSpaceError,
    FormatError,
    OutputExistsError,
    StoreError,
)

LENGTHS = {"I": 4_096, "II": 2_048, "III": 1_024}
CONFIG = DatasetConfig(window_bp=512, bin_bp=32, split=SplitByChromosomes(valid=("III",), test=("II",)), max_shift_bp=0)


@pytest.fixture
def inputs(make_inputs):
    return make_inputs(LENGTHS)


def _expected(inputs, store):
    """Sums per bin, straight from the bases."""
    config = store.header.config
    values = np.zeros((store.n_windows, config.n_bins, len(inputs.bases)))
    for row, window in enumerate(store.windows.itertuples()):
        first = window.start + config.crop_bp
        for number, contigs in enumerate(inputs.bases.values()):
            bases = contigs[window.chrom][first : first + config.target_bp]
            values[row, :, number] = bases.reshape(config.n_bins, config.bin_bp).sum(axis=1)
    return values


def _values(store):
    return store.read(range(store.n_windows))[0]


def test_targets_are_the_sums_of_the_bases(inputs, tmp_path):
    store = build_dataset(inputs.fasta, inputs.sheet, CONFIG, tmp_path / "store")
    assert store.windows["split"].value_counts().to_dict() == {"train": 8, "test": 4, "valid": 2}
    np.testing.assert_array_equal(_values(store), _expected(inputs, store))


def test_counts_add_up_to_the_signal(inputs, tmp_path):
    """Windows tile these contigs without a rest, so nothing may be lost or counted twice."""
    store = build_dataset(inputs.fasta, inputs.sheet, CONFIG, tmp_path / "store")
    totals = [sum(values.sum() for values in contigs.values()) for contigs in inputs.bases.values()]
    np.testing.assert_array_equal(_values(store).astype(np.float64).sum(axis=(0, 1)), totals)


@given(
    bin_bp=st.sampled_from([1, 7, 32]),
    bins=st.integers(7, 40),
    crop_bins=st.integers(0, 1),
    stride=st.integers(100, 500),
    seed=st.integers(0, 3),
)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_targets_are_the_sums_for_any_windows(make_inputs, tmp_path_factory, bin_bp, bins, crop_bins, stride, seed):
    folder = tmp_path_factory.mktemp("any")
    inputs = make_inputs(LENGTHS, folder=str(folder / "inputs"), seed=seed, n_tracks=2)
    config = DatasetConfig(
        window_bp=bins * bin_bp,
        bin_bp=bin_bp,
        crop_bins=crop_bins,
        strides=Strides(train=stride),
        split=SplitByFraction(valid=0.2, test=0.2),
        break_bp=2_000,
    )
    store = build_dataset(inputs.fasta, inputs.sheet, config, folder / "store")
    np.testing.assert_array_equal(_values(store), _expected(inputs, store))


def test_small_spans_groups_and_rounds_and_workers_change_nothing(make_inputs, tmp_path, monkeypatch):
    inputs = make_inputs(LENGTHS, n_tracks=5)
    whole = build_dataset(inputs.fasta, inputs.sheet, CONFIG, tmp_path / "whole", workers=1)
    monkeypatch.setattr(rounds, "SPAN_BP", 4 * 512)
    monkeypatch.setattr(rounds, "ASSEMBLY_BYTES", 2 * 16 * 5 * 2)
    monkeypatch.setattr(rounds, "TEMPORARY_BYTES", 12 * 16 * 5 * 2)
    monkeypatch.setattr(build, "BASES_PER_WORKER", 1)
    cut = build_dataset(inputs.fasta, inputs.sheet, CONFIG, tmp_path / "cut", workers=2)
    np.testing.assert_array_equal(_values(cut), _values(whole))
    assert cut.fingerprint == whole.fingerprint
    for name in ("mean", "variance", "max", "clipped"):
        np.testing.assert_allclose(cut.track_statistics[name], whole.track_statistics[name], rtol=1e-12)


def test_the_sheet_s_transforms_and_the_statistics_of_unmasked_bins(inputs, tmp_path):
    inputs.write_sheet(scale=[0.5, 1, 1], clip=[np.nan, 9, np.nan], sum_stat=["sum", "sum", "mean"])
    blacklist = tmp_path / "black.bed"
    blacklist.write_text("I\t0\t40\n")
    config = CONFIG.model_copy(update={"blacklist": blacklist})
    store = build_dataset(inputs.fasta, inputs.sheet, config, tmp_path / "store")
    values, mask = store.read(range(store.n_windows))
    assert (~mask).sum() == 2
    plain = _expected(inputs, store)[1:]  # the first window touches the blacklist
    expected = np.stack([plain[..., 0] * 0.5, np.minimum(plain[..., 1], 9), plain[..., 2] / 32], axis=-1)
    np.testing.assert_array_equal(values[1:], expected.astype(np.float16))
    counted = values[mask].astype(np.float64)
    statistics = store.track_statistics
    np.testing.assert_allclose(statistics["mean"], counted.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(statistics["variance"], counted.var(axis=0), rtol=1e-9)
    np.testing.assert_array_equal(statistics["max"], counted.max(axis=0))
    np.testing.assert_array_equal(statistics["clipped"], [0, (counted[:, 1] == 9).sum(), 0])


def test_blacklisted_artefacts_are_clipped_to_the_baseline(make_inputs, tmp_path):
    inputs = make_inputs(LENGTHS, n_tracks=1)
    blacklist = tmp_path / "black.bed"
    blacklist.write_text("I\t100\t200\n")
    config = CONFIG.model_copy(update={"blacklist": blacklist})
    store = build_dataset(inputs.fasta, inputs.sheet, config, tmp_path / "store")
    bases = inputs.bases["track0"]["I"][:512].copy()
    assert np.median(bases) == 0
    bases[100:200] = 0
    np.testing.assert_array_equal(store.read([0])[0][0, :, 0], bases.reshape(16, 32).sum(axis=1))


def test_the_baseline_is_each_window_s_own(make_inputs, tmp_path):
    inputs = make_inputs(LENGTHS, n_tracks=1)
    bases = inputs.bases["track0"]["I"]
    bases[:512], bases[512:1024], bases[1024:1536] = 1, 5, 3
    bases[[100, 600]] = 900
    _write(inputs.folder / "track0.bw", inputs.bases["track0"])
    (tmp_path / "blacklist.bed").write_text("I\t100\t101\nI\t600\t601\n")
    config = CONFIG.model_copy(update={"blacklist": tmp_path / "blacklist.bed"})
    store = build_dataset(inputs.fasta, inputs.sheet, config, tmp_path / "store")
    np.testing.assert_array_equal(store.read([0, 1, 2])[0][:, :, 0].T, np.tile([32, 160, 96], (16, 1)))


def test_blacklisted_artefacts_do_not_count_as_depth(make_inputs, tmp_path):
    inputs = make_inputs(LENGTHS, n_tracks=1)
    inputs.bases["track0"]["I"][100] = 50_000
    _write(inputs.folder / "track0.bw", inputs.bases["track0"])
    (tmp_path / "blacklist.bed").write_text("I\t100\t101\n")
    config = CONFIG.model_copy(update={"blacklist": tmp_path / "blacklist.bed", "depth_total": 1000.0})
    store = build_dataset(inputs.fasta, inputs.sheet, config, tmp_path / "store")
    rest = sum(values.sum() for values in inputs.bases["track0"].values()) - 50_000
    np.testing.assert_allclose(store.depth_factors, 1000 / rest)


def test_depth_is_scaled_to_a_common_total_and_can_be_undone(inputs, tmp_path):
    inputs.write_sheet(strand_pair=[1, 0, 2])
    config = CONFIG.model_copy(update={"depth_total": 1000.0})
    store = build_dataset(inputs.fasta, inputs.sheet, config, tmp_path / "store")
    totals = np.array([sum(values.sum() for values in contigs.values()) for contigs in inputs.bases.values()])
    both = np.array([totals[0] + totals[1], totals[0] + totals[1], totals[2]])
    np.testing.assert_allclose(store.depth_factors, 1000 / both)
    undone = _values(store).astype(np.float64) / store.depth_factors
    np.testing.assert_allclose(undone, _expected(inputs, store), rtol=1e-3)


def test_folds_are_built_once_for_every_role(make_inputs, tmp_path):
    inputs = make_inputs({"I": 20_000}, n_tracks=1)
    config = DatasetConfig(window_bp=512, bin_bp=32, split=SplitByFolds(k=4), break_bp=2_048)
    store = build_dataset(inputs.fasta, inputs.sheet, config, tmp_path / "store")
    other = store.with_roles(valid=[2], test=[3])
    assert set(store.windows.loc[store.rows("test"), "fold"]) == {"1"}
    assert set(other.windows.loc[other.rows("test"), "fold"]) == {"3"}
    assert {len(store.with_roles(valid=[f], test=[]).rows("valid")) for f in range(4)} <= {8, 9, 10, 11, 12}


@pytest.mark.parametrize("codec", ["zstd", "blosc_zstd", "blosc_lz4"])
def test_codecs_hold_the_same_values(inputs, tmp_path, codec):
    config = CONFIG.model_copy(update={"codec": codec})
    store = build_dataset(inputs.fasta, inputs.sheet, config, tmp_path / "store")
    np.testing.assert_array_equal(_values(store), _expected(inputs, store))


def test_contigs_that_a_track_lacks_are_zero_and_told(make_inputs, tmp_path):
    inputs = make_inputs(LENGTHS, n_tracks=2)
    _write(inputs.folder / "track1.bw", {"I": inputs.bases["track1"]["I"], "II": inputs.bases["track1"]["II"]})
    told = []
    store = build_dataset(inputs.fasta, inputs.sheet, CONFIG, tmp_path / "store", tell=told.append)
    on_iii = store.windows.index[store.windows["chrom"] == "III"]
    assert not store.read(on_iii)[0][..., 1].any()
    assert store.read(on_iii)[0][..., 0].any()
    assert told == ["no data of 1 track (track1) on 1 contig (III): taken as 0"]
    assert store.header.remarks == tuple(told)


def test_contigs_that_a_track_lacks_are_told_together_however_many(make_inputs, tmp_path):
    inputs = make_inputs({"I": 2_048, "II": 1_024, "III": 1_024, **{f"s{i}": 512 for i in range(60)}}, n_tracks=2)
    _write(inputs.folder / "track1.bw", {"I": inputs.bases["track1"]["I"]})
    told = []
    build_dataset(inputs.fasta, inputs.sheet, CONFIG, tmp_path / "store", tell=told.append)
    assert told == ["no data of 1 track (track1) on 62 contigs (II, III, s0, ...): taken as 0"]


def test_an_existing_store_is_not_replaced_unless_told(inputs, tmp_path):
    first = build_dataset(inputs.fasta, inputs.sheet, CONFIG, tmp_path / "store")
    with pytest.raises(OutputExistsError, match="--overwrite"):
        build_dataset(inputs.fasta, inputs.sheet, CONFIG, tmp_path / "store")
    config = CONFIG.model_copy(update={"bin_bp": 64})
    second = build_dataset(inputs.fasta, inputs.sheet, config, tmp_path / "store", overwrite=True)
    assert second.fingerprint != first.fingerprint
    assert open_store(tmp_path / "store").bin_bp == 64
    assert sorted(path.name for path in tmp_path.iterdir()) == ["inputs", "store"]


def test_nothing_but_a_store_is_replaced(inputs, thesis):
    with pytest.raises(OutputExistsError, match=r"holds no zarr\.json"):
        build_dataset(inputs.fasta, inputs.sheet, CONFIG, thesis, overwrite=True)


# What bad input gets: an error in words, and nothing under the final name.


@contextmanager
def _refused(tmp_path, kind, match):
    with pytest.raises(kind, match=match) as caught:
        yield
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "store").exists()


def _write(path, contigs):
    with pyBigWig.open(str(path), "w") as file:
        file.addHeader([(name, len(values)) for name, values in contigs.items()])
        for name, values in contigs.items():
            file.addEntries(name, 0, values=values.tolist(), span=1, step=1)


def test_other_contig_names_are_told_once_with_the_option_that_maps_them(make_inputs, tmp_path):
    inputs = make_inputs(LENGTHS, n_tracks=3)
    for track, contigs in inputs.bases.items():
        _write(inputs.folder / f"{track}.bw", {f"chr{name}": values for name, values in contigs.items()})
    with _refused(tmp_path, ContigError, r"track0.bw and 2 other files: contigs chrI, .*use --contig-alias chr"):
        build_dataset(inputs.fasta, inputs.sheet, CONFIG, tmp_path / "store")
    store = build_dataset(inputs.fasta, inputs.sheet, CONFIG, tmp_path / "store", contig_alias="chr")
    np.testing.assert_array_equal(_values(store), _expected(inputs, store))


def test_tracks_of_another_assembly_are_refused(make_inputs, tmp_path):
    inputs = make_inputs(LENGTHS)
    other = make_inputs({**LENGTHS, "II": 2_000}, folder="other")
    (other.folder / "track1.bw").replace(inputs.folder / "track1.bw")
    with _refused(tmp_path, ContigError, r"track1.bw: contig 'II' has 2,000 bp; needed 2,048 bp.*different assemblies"):
        build_dataset(inputs.fasta, inputs.sheet, CONFIG, tmp_path / "store")


def test_all_bad_tracks_are_told_at_once(inputs, tmp_path):
    for name, content in (("track0", b""), ("track2", (inputs.folder / "track2.bw").read_bytes()[:-500])):
        (inputs.folder / f"{name}.bw").write_bytes(content)
    with _refused(tmp_path, ConfigError, r"track0.bw: is empty.*track2.bw: is cut off"):
        build_dataset(inputs.fasta, inputs.sheet, CONFIG, tmp_path / "store")


def test_a_truncated_bigwig_is_found_before_the_work(inputs, tmp_path):
    path = inputs.folder / "track1.bw"
    path.write_bytes(path.read_bytes()[:-300])
    with _refused(tmp_path, FormatError, r"track1.bw: is cut off.*copy or make it again"):
        build_dataset(inputs.fasta, inputs.sheet, CONFIG, tmp_path / "store")
    assert not (tmp_path / "store.partial").exists()


def test_a_bigwig_damaged_inside_names_file_and_place(inputs, tmp_path):
    path = inputs.folder / "track1.bw"
    content = bytearray(path.read_bytes())
    with pyBigWig.open(str(path)) as file:
        assert file.chroms("I") == 4_096
    data = int.from_bytes(content[16:24], "little")  # header: where the values start
    content[data + 12 : data + 60] = bytes(48)
    path.write_bytes(content)
    with _refused(tmp_path, FormatError, r"track1.bw: cannot be read at I:"):
        build_dataset(inputs.fasta, inputs.sheet, CONFIG, tmp_path / "store")


def test_a_truncated_fasta_is_refused(inputs, tmp_path):
    subprocess.run(["gzip", inputs.fasta], check=True)
    packed = inputs.fasta.with_suffix(".fa.gz")
    packed.write_bytes(packed.read_bytes()[:-100])
    with _refused(tmp_path, FormatError, r"genome.fa.gz"):
        build_dataset(packed, inputs.sheet, CONFIG, tmp_path / "store")


def test_a_value_that_would_be_infinite_names_track_and_place(inputs, tmp_path):
    contigs = inputs.bases["track2"]
    contigs["II"][1_000] = 70_000
    _write(inputs.folder / "track2.bw", contigs)
    with _refused(tmp_path, DataError, r"track track2, II:993-1024: .*would be infinite in the store.*set clip"):
        build_dataset(inputs.fasta, inputs.sheet, CONFIG, tmp_path / "store")
    inputs.write_sheet(clip=[1000, 1000, 1000])
    build_dataset(inputs.fasta, inputs.sheet, CONFIG, tmp_path / "store", resume=False)


def test_a_mask_that_empties_a_split_is_refused_with_the_count(inputs, tmp_path):
    blacklist = tmp_path / "black.bed"
    blacklist.write_text("III\t0\t1024\n")
    config = CONFIG.model_copy(update={"blacklist": blacklist})
    with _refused(
        tmp_path, DataError, r"split valid is empty \(1 contigs, the longest 1,024 bp\).*bins masked: 2 valid"
    ):
        build_dataset(inputs.fasta, inputs.sheet, config, tmp_path / "store")


def test_a_window_longer_than_every_contig_is_refused(inputs, tmp_path):
    config = DatasetConfig(window_bp=8_192, bin_bp=32)
    with _refused(tmp_path, DataError, r"longest contig, I:1-4096, has 4,096 bp"):
        build_dataset(inputs.fasta, inputs.sheet, config, tmp_path / "store")


def test_duplicate_identifiers_and_strand_pairs_out_of_range(inputs, tmp_path):
    inputs.write_sheet(strand_pair=[0, 7, 2])
    inputs.sheet.write_text(inputs.sheet.read_text().replace("track2\t", "track1\t"))
    with _refused(tmp_path, ConfigError, r"track1.*lines 3, 4.*"):
        build_dataset(inputs.fasta, inputs.sheet, CONFIG, tmp_path / "store")


def test_an_unfinished_build_of_another_plan_is_refused_by_field(inputs, tmp_path, monkeypatch):
    inputs.write_sheet(clip=[0.5, 1, 1])
    _interrupt(monkeypatch, inputs, tmp_path)
    other = CONFIG.model_copy(update={"bin_bp": 64})
    with _refused(tmp_path, StoreError, r"store.partial: .*dataset.bin_bp: 32, now 64.*--no-resume to begin anew"):
        build_dataset(inputs.fasta, inputs.sheet, other, tmp_path / "store")
    store = build_dataset(inputs.fasta, inputs.sheet, other, tmp_path / "store", resume=False)
    assert store.bin_bp == 64
    assert not (tmp_path / "store.partial").exists()


def test_a_build_of_changed_tracks_is_not_continued(inputs, tmp_path, monkeypatch):
    _interrupt(monkeypatch, inputs, tmp_path)
    _write(inputs.folder / "track0.bw", inputs.bases["track1"])
    with _refused(tmp_path, StoreError, r"track files"):
        build_dataset(inputs.fasta, inputs.sheet, CONFIG, tmp_path / "store")


def test_a_build_of_the_same_places_on_another_contig_is_not_continued(inputs, tmp_path, monkeypatch):
    bed = tmp_path / "mine.bed"
    bed.write_text("I\t0\t1024\ttrain\nII\t0\t512\tvalid\n")
    config = CONFIG.model_copy(update={"split": SplitByRegions(bed=bed)})
    _interrupt(monkeypatch, inputs, tmp_path, config)
    bed.write_text("I\t0\t1024\ttrain\nIII\t0\t512\tvalid\n")
    with _refused(tmp_path, StoreError, r"another plan \(windows: "):
        build_dataset(inputs.fasta, inputs.sheet, config, tmp_path / "store")


def test_a_part_that_a_power_cut_shortened_is_read_again(inputs, tmp_path, monkeypatch):
    _interrupt(monkeypatch, inputs, tmp_path)
    part = next((tmp_path / "store.partial" / "build").rglob("track_1_windows_0.f16"))
    part.write_bytes(part.read_bytes()[:100])
    store = build_dataset(inputs.fasta, inputs.sheet, CONFIG, tmp_path / "store")
    np.testing.assert_array_equal(_values(store), _expected(inputs, store))


def _interrupt(monkeypatch, inputs, tmp_path, config=CONFIG):
    """Leave an unfinished build behind, stopped as by Ctrl-C once everything is read."""

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(rounds, "assemble_windows", stop)
        with pytest.raises(KeyboardInterrupt):
            build_dataset(inputs.fasta, inputs.sheet, config, tmp_path / "store", workers=1)
    assert json.loads((tmp_path / "store.partial" / "build" / "plan.json").read_text())
    assert not (tmp_path / "store").exists()


@pytest.fixture
def small_disk(tmp_path):
    """A disk of one megabyte, and a function that gives it more; skipped where mounting is not allowed."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = _mount("size=1m", disk)
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def _mount(options, disk):
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_too_little_room_is_told_before_the_work(make_inputs, small_disk):
    inputs = make_inputs({"I": 400_000, "II": 2_048, "III": 1_024}, n_tracks=2)
    with pytest.raises(DiskSpaceError, match=r"0.00 GB free; needed 0.00 GB for 787 windows of 2 tracks"):
        build_dataset(inputs.fasta, inputs.sheet, CONFIG, small_disk / "store")
    assert not list(small_disk.iterdir())


def test_a_disk_that_fills_up_keeps_what_is_built(make_inputs, tmp_path, small_disk, monkeypatch):
    inputs = make_inputs({"I": 400_000, "II": 2_048, "III": 1_024}, n_tracks=2)
    whole = build_dataset(inputs.fasta, inputs.sheet, CONFIG, tmp_path / "whole")
    out = small_disk / "store"
    monkeypatch.setattr(build, "DISK_BLOCK_BYTES", 0)  # as if the values had shrunk less than was thought
    with pytest.raises(
        DiskSpaceError, match=r"store.partial: .*full.*run the same command again: what is built is kept"
    ):
        build_dataset(inputs.fasta, inputs.sheet, CONFIG, out)
    assert not out.exists()
    part = next((small_disk / "store.partial" / "build").glob("parts_*/*.f16"))
    with part.open("r+b") as file:
        file.write(np.full(10, 77, np.float16).tobytes())
    assert not _mount("remount,size=20m", small_disk).returncode
    store = build_dataset(inputs.fasta, inputs.sheet, CONFIG, out)
    kept = _values(store) == 77
    assert kept.sum() == 10, "a part that was there was read again"
    np.testing.assert_array_equal(_values(store)[~kept], _values(whole)[~kept])
