"""The study on disk: who has which trial, what is drawn, and what a kill leaves."""

import json

import pytest

from regact.errors import ProgramError
from regact.experiment import TuningConfig
from regact.tuning.space import Dimension
from regact.tuning.study import JOURNAL, MAX_ATTEMPTS, Study, require_optuna, workers_alive

DIMENSIONS = (
    Dimension("rate", low=1e-4, high=1e-1, log=True),
    Dimension("layers", low=1, high=4, whole=True),
    Dimension("kind", labels=("a", "b")),
)


def open_study(folder, **config):
    return Study(folder, TuningConfig(**{"trials": 6, "startup_trials": 2, **config}), DIMENSIONS)


def finish_next(study, score=None):
    with study.claim() as claim:
        if claim is None:
            return None
        study.finish(claim, "finished", score=claim.drawn["rate"] if score is None else score, epochs=1)
        return claim


def test_two_workers_never_have_the_same_trial_nor_draw_the_same(tmp_path):
    one, other = open_study(tmp_path), open_study(tmp_path)
    with one.claim() as first, other.claim() as second:
        assert (first.number, second.number) == (1, 2)
        assert first.drawn != second.drawn
        assert workers_alive(tmp_path) == ["0001", "0002"]
        one.finish(first, "finished", score=0.5)
        other.finish(second, "failed", failure="because")
    assert workers_alive(tmp_path) == []
    assert [(record.number, record.state) for record in one.records()] == [(1, "finished"), (2, "failed")]
    assert one.records()[1].notes["failure"] == "because"


def test_all_workers_together_do_as_many_trials_as_asked(tmp_path):
    studies = [open_study(tmp_path), open_study(tmp_path)]
    done = [finish_next(studies[i % 2]) for i in range(8)]
    assert [claim.number for claim in done[:6]] == [1, 2, 3, 4, 5, 6]
    assert done[6:] == [None, None]
    assert finish_next(open_study(tmp_path, trials=7)).number == 7


def test_what_is_drawn_does_not_depend_on_how_often_workers_begin_anew(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    steady = open_study(tmp_path / "a")
    at_once = [dict(finish_next(steady).drawn) for _ in range(6)]
    in_pieces = [dict(finish_next(open_study(tmp_path / "b")).drawn) for _ in range(6)]
    assert at_once == in_pieces
    (tmp_path / "c").mkdir()
    assert dict(finish_next(open_study(tmp_path / "c", seed=1)).drawn) != at_once[0]


def test_the_first_trial_has_the_values_given(tmp_path):
    study = open_study(tmp_path)
    study.begin_with({"rate": 0.01, "kind": "b"})
    open_study(tmp_path).begin_with({"rate": 0.02})  # a second worker's are too late
    claim = finish_next(study)
    assert (claim.drawn["rate"], claim.drawn["kind"]) == (0.01, "b")
    assert finish_next(study).drawn["rate"] != 0.02


def test_a_trial_that_was_cut_off_is_taken_up_with_its_values(tmp_path):
    study = open_study(tmp_path)
    with study.claim() as cut:
        cut.judge(1, 0.3)  # and its worker dies: the lock is free, nothing is told
    other = open_study(tmp_path)
    with other.claim() as again:
        assert (again.number, again.attempts, again.drawn) == (cut.number, 2, cut.drawn)
        assert again.reported == {1}
        again.judge(1, 0.9)  # known already
        again.judge(2, 0.4)
        other.finish(again, "finished", score=0.4)
    assert [record.state for record in study.records()] == ["finished"]


def test_a_trial_that_kills_its_workers_is_failed_at_last(tmp_path):
    for attempt in range(1, MAX_ATTEMPTS + 1):
        with open_study(tmp_path).claim() as claim:
            assert (claim.number, claim.attempts) == (1, attempt)
    study = open_study(tmp_path)
    with study.claim() as claim:
        assert claim.number == 2
        record = study.records()[0]
        assert record.state == "failed"
        assert "its worker died at it 3 times" in record.notes["failure"]
    assert workers_alive(tmp_path) == []


def test_a_kill_between_taking_a_trial_and_drawing_its_values(tmp_path):
    study = open_study(tmp_path)
    study._study.ask()
    with study.claim() as claim:
        assert claim.number == 1
        assert set(claim.drawn) == {"rate", "layers", "kind"}


@pytest.mark.parametrize("rest", [b'{"op_code":4,"wor', b"{", b'{"op_code":4}'])
def test_a_line_that_a_kill_left_half_written_is_dropped(tmp_path, rest):
    study = open_study(tmp_path)
    finish_next(study)
    whole = (tmp_path / JOURNAL).read_bytes()
    (tmp_path / JOURNAL).write_bytes(whole + rest)
    assert finish_next(open_study(tmp_path)).number == 2
    assert finish_next(study).number == 3  # of the worker that was there before, too
    lines = (tmp_path / JOURNAL).read_text().splitlines()
    assert all(json.loads(line) for line in lines)
    assert (tmp_path / JOURNAL).read_bytes().startswith(whole)


@pytest.mark.parametrize("pruner", ["median", "halving"])
def test_a_trial_that_falls_behind_is_told_to_end(tmp_path, pruner):
    study = open_study(tmp_path, pruner=pruner, warmup_epochs=2)
    for score in (0.5, 0.6, 0.7):
        with study.claim() as claim:
            for epoch in (1, 2, 3):
                claim.judge(epoch, score)
            study.finish(claim, "finished", score=score)
    with study.claim() as bad:
        assert not bad.judge(1, 0.1)  # warmup
        assert bad.judge(2, 0.1)
        study.finish(bad, "pruned", score=0.1)
    with study.claim() as good:
        assert not any(good.judge(epoch, 0.9) for epoch in (1, 2, 3))
        study.finish(good, "finished", score=0.9)
    with study.claim() as odd:
        assert not odd.judge(2, float("nan"))
    assert [record.state for record in study.records()][3:] == ["pruned", "finished", "running"]


def test_nothing_is_pruned_before_enough_trials_are_through_nor_without_a_pruner(tmp_path):
    for name, config in {"few": {"startup_trials": 4}, "none": {"pruner": "none"}}.items():
        (tmp_path / name).mkdir()
        study = open_study(tmp_path / name, **config)
        for _ in range(3):
            finish_next(study, score=0.9)
        with study.claim() as claim:
            assert not claim.judge(1, 0.0)


def test_importance_finds_the_setting_that_decides(tmp_path):
    study = open_study(tmp_path, trials=60, sampler="random")
    assert study.importances() == {}
    while finish_next(study):
        pass
    importances = study.importances()
    assert list(importances) == ["rate", "layers", "kind"]
    assert sum(importances.values()) == pytest.approx(1)
    assert importances["rate"] > 0.8


def test_without_optuna_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "optuna", None)
    with pytest.raises(ProgramError, match=r'optuna is not installed.*pip install "regact\[tune\]"'):
        require_optuna()
