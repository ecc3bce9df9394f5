import numpy as np
import pandas as pd
import pytest

from regact.dataset.audit import audit_dataset
from regact.dataset.findings import KINDS, AuditLimits, find_problems

N_WINDOWS, N_BINS = 20, 64
SPLITS = ("train",) * 12 + ("valid",) * 4 + ("test",) * 4
WINDOW_BP = 32 * N_BINS


def draw_targets(n_tracks, seed=0):
    rng = np.random.default_rng(seed)
    return rng.gamma(0.8, 5, (N_WINDOWS, N_BINS, n_tracks)).astype(np.float16)


@pytest.fixture(scope="module")
def audited(make_store):
    """Return `audited(targets, **settings)`, which gives findings as (kind, split, where), and the audit."""

    def audit(targets, *, limits=None, mask=None, **settings):
        n_tracks = targets.shape[2]
        settings.setdefault("strand_pair", range(n_tracks))
        settings.setdefault("max_shift_bp", 0)  # the windows touch
        mask = np.ones((N_WINDOWS, N_BINS), bool) if mask is None else mask
        store, genome = make_store(targets=targets, mask=mask, splits=SPLITS, window_bp=WINDOW_BP, **settings)
        result = audit_dataset(store, genome, limits=limits)
        return [(one.kind, one.split, one.where) for one in result.findings], result

    return audit


def test_good_data_gives_no_finding(audited):
    found, audit = audited(draw_targets(3), strand_pair=(1, 0, 2))
    assert found == []
    assert len(audit.findings_table()) == 0


def test_tables_hold_what_numpy_finds(audited):
    targets = draw_targets(3)
    mask = np.random.default_rng(1).random((N_WINDOWS, N_BINS)) < 0.9
    _, audit = audited(targets, mask=mask)
    rows = {"train": slice(0, 12), "valid": slice(12, 16), "test": slice(16, 20)}
    for row in audit.tracks.to_dict("records"):
        track = int(row["identifier"].removeprefix("track"))
        values = targets[rows[row["split"]], :, track].astype(float)
        kept = values[mask[rows[row["split"]]]]
        assert row["mean"] == pytest.approx(kept.mean())
        assert row["sd"] == pytest.approx(kept.std())
        assert row["max"] == kept.max()
        assert row["nonzero"] == pytest.approx((kept != 0).mean())
        assert row["q50_nonzero"] == pytest.approx(np.median(kept[kept != 0]), rel=0.15)
        window, target_bin = np.argwhere((values == kept.max()) & mask[rows[row["split"]]])[0]
        start = (rows[row["split"]].start + window) * WINDOW_BP + target_bin * 32
        assert row["max_at"] == f"chr1:{start + 1}-{start + 32}"
    splits = audit.splits.set_index("split")
    assert splits["windows"].to_dict() == {"train": 12, "valid": 4, "test": 4}
    assert splits.loc["train", "masked"] == pytest.approx(1 - mask[:12].mean())
    assert (audit.shared["shared_bp"] == 0).all()


def silence(targets):
    targets[16:, :, 1] = 0


def make_constant(targets):
    targets[12:16, :, 1] = 2


def add_outlier(targets):
    targets[3, 7, 1] = 1_000


def make_negative(targets):
    targets[2, 5, 1] = -1


def spoil(targets):
    targets[2, 5, 1] = np.inf


def scale_up(targets):
    targets[:, :, 1] *= 30


def lift_one_split(targets):
    targets[16:, :, 1] *= 5


def copy_track(targets):
    targets[:, :, 1] = targets[:, :, 0]


@pytest.mark.parametrize(
    ("spoil_it", "expected"),
    [
        (silence, ("silent", "test", "track1")),
        (make_constant, ("constant", "valid", "track1")),
        (add_outlier, ("outlier", "train", "track1")),
        (make_negative, ("negative", "train", "track1")),
        (spoil, ("not finite", "train", "track1")),
        (scale_up, ("scale", "train", "track1")),
        (lift_one_split, ("split differs", "test", "track1")),
        (copy_track, ("duplicate", "train", "track1")),
    ],
)
def test_a_bad_track_is_named(audited, spoil_it, expected):
    targets = draw_targets(5)
    spoil_it(targets)
    found, audit = audited(targets)
    assert found == [expected]
    assert audit.findings[0].must_be_mended == (expected[0] in ("negative", "not finite"))


def test_an_outlier_is_named_with_its_place(audited):
    targets = draw_targets(2)
    add_outlier(targets)
    _, audit = audited(targets)
    start = 3 * WINDOW_BP + 7 * 32
    assert audit.findings[0].found.startswith(f"1000 at chr1:{start + 1}-{start + 32}, 99.9 %")


def test_masked_bins_are_not_judged(audited):
    targets = draw_targets(2)
    add_outlier(targets)
    mask = np.ones((N_WINDOWS, N_BINS), bool)
    mask[3, 7] = False
    assert audited(targets, mask=mask)[0] == []


def test_clipped_bins_are_counted(audited):
    targets = np.minimum(draw_targets(2), np.float16(10))
    found, audit = audited(targets, clip=(10.0, None))
    assert found == [("clipped", split, "track0") for split in ("train", "valid", "test")]
    assert "at clip 10" in audit.findings[0].found


def test_strands_of_unequal_totals_are_named_once(audited):
    targets = draw_targets(2)
    targets[:, :, 1] *= 2
    assert audited(targets, strand_pair=(1, 0))[0] == [("strands differ", "train", "track0 and track1")]
    assert audited(targets, strand_pair=(1, 0), limits=AuditLimits(strand_factor=3))[0] == []


def test_windows_without_signal_and_much_mask_are_told(audited):
    targets = draw_targets(2)
    targets[13] = 0
    mask = np.ones((N_WINDOWS, N_BINS), bool)
    mask[16:, :32] = False
    assert audited(targets, mask=mask)[0] == [
        ("silent windows", "valid", "split valid"),
        ("masked", "test", "split test"),
    ]


def test_a_test_window_that_is_a_copy_of_a_training_window_is_named(audited):
    rng = np.random.default_rng(2)
    sequence = "".join(rng.choice(list("ACGT"), N_WINDOWS * WINDOW_BP))
    copied = sequence[: 17 * WINDOW_BP] + sequence[WINDOW_BP : 2 * WINDOW_BP] + sequence[18 * WINDOW_BP :]
    found, audit = audited(draw_targets(2), sequences={"chr1": copied})
    place = f"chr1:{17 * WINDOW_BP + 1}-{18 * WINDOW_BP}"
    assert found == [("similar sequence", "test", place)]
    assert audit.findings[0].found == "100% of its k-mers are in training, 100% in chr1:2049-4119"


def test_touching_splits_share_bases_when_windows_are_shifted(audited):
    found, audit = audited(draw_targets(2), max_shift_bp=3)
    assert found == [("shared bases", "", "train and valid"), ("shared bases", "", "valid and test")]
    assert audit.findings[0].found == "0 bp shared; 6 bp where windows are shifted"


def test_shared_bases_are_an_error(audited):
    _, audit = audited(draw_targets(2))
    shared = pd.DataFrame([("train", "test", 10, 16)], columns=["split", "other", "shared_bp", "shared_shifted_bp"])
    windows = audit.windows[audit.windows["split"] != "train"]
    (finding,) = find_problems(audit.store, audit.values, audit.splits, shared, windows, AuditLimits())
    assert (finding.kind, finding.where, finding.must_be_mended) == ("shared bases", "train and test", True)
    assert finding.found == "10 bp shared; 16 bp where windows are shifted"


def test_every_finding_has_advice():
    assert all(advice.endswith(".") for _, advice in KINDS.values())


def test_tables_are_written(audited, tmp_path):
    targets = draw_targets(4)
    silence(targets)
    _, audit = audited(targets)
    audit.to_table(tmp_path / "audit")
    assert {path.name for path in (tmp_path / "audit").iterdir()} == {
        f"{name}.tsv" for name in ("findings", "splits", "tracks", "windows", "shared")
    }
    tracks = pd.read_csv(tmp_path / "audit/tracks.tsv", sep="\t")
    assert len(tracks) == 4 * 3
    findings = pd.read_csv(tmp_path / "audit/findings.tsv", sep="\t")
    assert findings[["severity", "kind", "split", "where"]].to_numpy().tolist() == [
        ["warning", "silent", "test", "track1"]
    ]


def test_a_store_without_a_test_split_is_audited_too(make_store):
    audit = audit_dataset(*make_store(splits=("train",) * 5))
    assert audit.windows["shared"].isna().all()
    assert len(audit.shared) == 0
