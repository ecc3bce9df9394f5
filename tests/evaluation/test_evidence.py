"""What a judgement rests on comes back as it was written, and is that of the run's own predictions."""

import json

import numpy as np
import pytest

from regact.errors import FormatError
from regact.evaluation import Evidence, judge_baseline, read_evidence, resample_accuracy
from regact.evaluation.evidence import holds_for, write_evidence


@pytest.fixture(scope="module")
def judged(planted, tmp_path_factory):
    folder = tmp_path_factory.mktemp("floor")
    return judge_baseline(planted.store, planted.genome, splits=["test"], folder=folder)[0]


def test_the_sums_are_of_the_judged_bins(judged):
    sums = read_evidence(judged.evidence).windows
    assert sums.count.sum() == judged.accuracy.n_bins
    alone = {str(track): np.arange(3) == track for track in range(3)}
    whole = resample_accuracy(sums, alone, np.ones((1, sums.n_blocks)))
    for measure in ("pearson", "r2", "pearson_log1p", "r2_log1p"):
        again = [whole[track][measure][0] for track in alone]
        np.testing.assert_allclose(again, judged.accuracy.tracks[measure], atol=1e-11)


def test_evidence_comes_back_as_it_was(judged, tmp_path):
    first = read_evidence(judged.evidence)
    write_evidence(tmp_path / "again.npz", first, {"weights": "1"})
    second = read_evidence(tmp_path / "again.npz")
    for name, value in vars(first.windows).items():
        np.testing.assert_array_equal(getattr(second.windows, name), value)
    assert second.distal is None
    assert isinstance(second, Evidence)
    assert holds_for(tmp_path / "again.npz", {"weights": "1"})
    assert not holds_for(tmp_path / "again.npz", {"weights": "2"})


def test_a_file_of_something_else(tmp_path):
    (tmp_path / "x.npz").write_text(json.dumps({}))
    for name in ("x.npz", "nowhere.npz"):
        assert not holds_for(tmp_path / name, {})
        with pytest.raises(FormatError, match=r"no sums of windows .* judge the run again"):
            read_evidence(tmp_path / name)


def test_a_judgement_without_its_evidence_is_made_anew(planted, judged):
    before = judged.evidence.read_bytes()
    judged.evidence.unlink()
    judge_baseline(planted.store, planted.genome, splits=["test"], folder=judged.evidence.parent)
    assert len(judged.evidence.read_bytes()) == len(before)
