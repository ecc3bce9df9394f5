"""Training as a whole: it learns, repeats itself, goes on after any stop, and says what went wrong."""

import csv
import itertools
import json
import os
import signal
import threading
from contextlib import nullcontext

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from regact.dataset.augment import to_device
from regact.dataset.loader import Loader
from regact.errors import DataError, OutputExistsError, RunError, TrainingError
from regact.model import build_model, load_model, one_hot
from regact.training import TrainingConfig, loop, read_card, step, train_model
from regact.training.objective import poisson_sums
from regact.training.optimizer import build_optimizer
from regact.training.run_folder import write_card


@pytest.fixture
def train(planted):
    """`train(out, **settings)` trains the planted experiment's model with some settings changed."""

    def run(out, *, store=None, spec=None, on_epoch=None, resume=False, overwrite=False, workers=0, **settings):
        config = TrainingConfig(**{**planted.experiment.training.model_dump(), **settings})
        return train_model(
            store or planted.store,
            planted.genome,
            spec or planted.experiment.model_spec(3),
            config,
            out,
            device="cpu",
            workers=workers,
            on_epoch=on_epoch,
            resume=resume,
            overwrite=overwrite,
        )

    return run


def log_of(run):
    """log.csv without the clock."""
    with (run / "log.csv").open() as file:
        return [{name: value for name, value in row.items() if name != "seconds"} for row in csv.DictReader(file)]


def read_progress(run):
    with safe_open(run / "last" / "state.safetensors", framework="pt") as file:
        return json.loads(file.metadata()["progress"])


def assert_same_run(left, right):
    assert log_of(left) == log_of(right)
    assert (left / "metrics.tsv").read_text() == (right / "metrics.tsv").read_text()
    for name in ("weights.safetensors", "last/state.safetensors"):
        a, b = load_file(left / name), load_file(right / name)
        assert a.keys() == b.keys()
        assert all(torch.equal(a[key], b[key]) for key in a), name


def test_it_learns_a_planted_motif(train, tmp_path):
    run = train(tmp_path / "run", epochs=25)
    log = log_of(run)
    assert float(log[-1]["train_loss"]) < float(log[0]["train_loss"])
    assert float(log[-1]["valid_pearson"]) > 0.7
    card = read_card(run)
    assert (card["state"], card["ended"]) == ("finished", "all 25 epochs done")
    assert card["best"]["pearson"] == pytest.approx(max(float(row["valid_pearson"]) for row in log), abs=1e-5)
    assert card["tracks"] == ["fwd", "rev", "both"]
    assert len((run / "metrics.tsv").read_text().splitlines()) == 4


def test_one_batch_can_be_overfitted(planted):
    loader = Loader(planted.store, planted.genome, "train", batch_size=2)
    example = to_device(next(loader.epoch(0)), "cpu", torch.from_numpy(planted.store.sheet.strand_pair))
    spec = planted.experiment.model_spec(3)
    still = spec.model_copy(
        update={
            "tower": spec.tower.model_copy(update={"dropout": 0.0}),
            "head": spec.head.model_copy(update={"dropout": 0.0}),
            "context": (),
        }
    )
    model = build_model(still, seed=0)
    optimizer = build_optimizer(model, TrainingConfig(learning_rate=0.02))
    losses = []
    for _ in range(300):
        loss = poisson_sums(model, model(one_hot(example.codes)), example).sum() / example.targets.numel()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    counts = example.targets.transpose(1, 2)[example.mask].double()
    least = (counts - torch.xlogy(counts, counts)).mean().item()  # the loss where the rate is the count itself
    assert losses[-1] - least < 0.1 * (losses[0] - least)


def test_the_same_seed_gives_the_same_run_and_another_seed_another(train, tmp_path):
    first, again, other = train(tmp_path / "1"), train(tmp_path / "2"), train(tmp_path / "3", seed=1)
    assert_same_run(first, again)
    assert log_of(first) != log_of(other)


def kernels(state):
    """All kernels of a model's state in one vector; batch norm, biases and alphas left out."""
    return torch.cat([state[name].flatten() for name in sorted(state) if state[name].ndim >= 2])


def kernels_of(run):
    state = load_file(run / "last/state.safetensors")
    return kernels({name.removeprefix("model."): t for name, t in state.items() if name.startswith("model.")})


@pytest.mark.parametrize(
    "settings",
    [{"clip_norm": 1e-9}, {"warmup_steps": 10**6}, {"learning_rate": 1e-8}],
    ids=["clip_norm", "warmup_steps", "learning_rate"],
)
def test_settings_that_hold_a_step_back_do(train, planted, tmp_path, settings):
    start = build_model(planted.experiment.model_spec(3), seed=planted.experiment.training.seed)
    before = kernels(start.state_dict())
    usual, held = train(tmp_path / "usual", epochs=1), train(tmp_path / "held", epochs=1, **settings)
    moved, barely = ((kernels_of(run) - before).norm() for run in (usual, held))
    assert barely < 0.01 * moved


def test_settings_that_shrink_kernels_do(train, tmp_path):
    usual = kernels_of(train(tmp_path / "usual", epochs=2)).norm()
    assert kernels_of(train(tmp_path / "l2", epochs=2, l2=10.0)).norm() < 0.9 * usual
    assert kernels_of(train(tmp_path / "decay", epochs=2, decoupled_decay=5.0)).norm() < 0.9 * usual


@pytest.mark.parametrize(
    "settings",
    [{"precision": "bfloat16"}, {"augmentation": {"reverse_complement": "none", "max_shift_bp": 0}}],
    ids=["precision", "augmentation"],
)
def test_settings_that_change_what_a_step_sees_do(train, tmp_path, settings):
    usual, other = (float(log_of(train(tmp_path / name, epochs=1, **more))[0]["train_loss"])
                    for name, more in (("usual", {}), ("other", settings)))  # fmt: skip
    assert usual != other
    assert other == pytest.approx(usual, rel=0.3)


@pytest.mark.parametrize("measure", ["pearson", "pearson_log1p"])
def test_the_best_epoch_is_best_by_the_measure_asked_for(train, tmp_path, measure):
    run = train(tmp_path / "run", epochs=4, patience=None, judged_by=measure)
    scores = [float(row[f"valid_{measure}"]) for row in log_of(run)]
    best = read_card(run)["best"]
    assert best[measure] == pytest.approx(max(scores), abs=1e-5)
    assert best["epoch"] == 1 + scores.index(max(scores))


@pytest.mark.slow
def test_workers_change_nothing(train, tmp_path):
    assert_same_run(train(tmp_path / "1", epochs=2), train(tmp_path / "2", epochs=2, workers=2))


def test_a_resumed_run_equals_an_uninterrupted_one(train, tmp_path):
    whole = train(tmp_path / "whole", epochs=4)
    parts = train(tmp_path / "parts", epochs=2)
    train(parts, epochs=4, resume=True)
    assert_same_run(whole, parts)
    assert read_card(parts)["state"] == "finished"


def test_ctrl_c_saves_within_an_epoch_and_the_resumed_run_is_the_same(train, tmp_path):
    settings = {"epochs": 12, "patience": None, "schedule": "warmup_cosine", "warmup_steps": 5}
    whole = train(tmp_path / "whole", **settings)
    stopped = tmp_path / "stopped"
    timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        train(stopped, on_epoch=lambda row: timer.start() if row["epoch"] == 2 else None, **settings)
    assert read_card(stopped)["state"] == "interrupted"
    assert load_model(stopped).spec.tracks == 3
    train(stopped, resume=True, **settings)
    assert_same_run(whole, stopped)


class Asked:
    """An interrupt that comes when the loop asks for the `at`-th time, of training and validation together."""

    def __init__(self, at):
        self.at, self.asked = at, itertools.count(1)

    @property
    def requested(self):
        return next(self.asked) == self.at


def test_a_run_stopped_at_any_batch_goes_on_the_same(train, tmp_path, monkeypatch):
    settings = {"epochs": 2, "patience": None, "schedule": "warmup_cosine", "warmup_steps": 3}
    whole = train(tmp_path / "whole", **settings)
    for at in range(1, 40):
        stopped = tmp_path / f"stopped{at}"
        with monkeypatch.context() as patch:
            patch.setattr(loop, "deferred_interrupt", lambda at=at: nullcontext(Asked(at)))
            try:
                train(stopped, **settings)
                break  # the run has no more batches than that
            except KeyboardInterrupt:
                pass
        train(stopped, resume=True, **settings)
        assert_same_run(whole, stopped)
    assert at > 12  # both epochs of training were gone through, and their validation


def test_resume_begins_where_nothing_is_there_and_refuses_another_run(train, tmp_path):
    run = train(tmp_path / "run", epochs=1, resume=True)
    with pytest.raises(
        RunError, match=r"another training\.learning_rate \(0\.01, now 0\.5\), training\.seed \(0, now 9\)"
    ):
        train(run, epochs=2, learning_rate=0.5, seed=9, resume=True)
    (run / "last" / "state.safetensors").write_bytes(b"no state")
    with pytest.raises(RunError, match="unreadable state"):
        train(run, epochs=2, resume=True)


def test_what_is_there_is_not_lost_by_accident(train, tmp_path):
    run = train(tmp_path / "run", epochs=1)
    with pytest.raises(OutputExistsError, match="--resume"):
        train(run, epochs=1)
    train(run, epochs=1, overwrite=True)
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.tex").touch()
    with pytest.raises(OutputExistsError, match="already there"):
        train(precious, epochs=1, overwrite=True)
    assert (precious / "thesis.tex").exists()


def test_a_loss_that_is_not_finite_names_step_and_track_and_leaves_the_best_weights(train, tmp_path):
    run = tmp_path / "run"
    with pytest.raises(TrainingError, match=r"step \d+, track (fwd|rev|both): the loss is (inf|nan)"):
        train(run, epochs=20, learning_rate=300.0, clip_norm=None, patience=None)
    card = read_card(run)
    assert card["state"] == "failed"
    if (run / "log.csv").exists():
        weights = load_file(run / "weights.safetensors")
        assert all(tensor.isfinite().all() for tensor in weights.values())


def test_a_gradient_that_is_not_finite_is_told_without_clipping_too(train, tmp_path, monkeypatch):
    def steep(model, z, example):
        return poisson_sums(model, z, example) + (0 * z).square().sum().sqrt()  # 0, with a gradient of 0 / 0

    monkeypatch.setattr(step, "poisson_sums", steep)
    for clip_norm in (None, 2.0):
        with pytest.raises(TrainingError, match="step 1: the gradient is nan"):
            train(tmp_path / f"clip{clip_norm}", clip_norm=clip_norm)


def test_a_log_lost_between_state_and_log_comes_back(train, tmp_path):
    run = train(tmp_path / "run", epochs=2)
    log = log_of(run)
    (run / "log.csv").unlink()
    write_card(run, state="training")
    train(run, epochs=2, resume=True)
    assert log_of(run) == log


def test_a_log_that_no_state_knows_of_is_cut_back(train, tmp_path):
    run = train(tmp_path / "run", epochs=2)
    log = (run / "log.csv").read_text().splitlines()
    (run / "log.csv").write_text("\n".join([*log, log[-1].replace("2,", "3,", 1)]) + "\n")
    write_card(run, state="training")
    train(run, epochs=2, resume=True)
    assert len(log_of(run)) == 2
    (run / "last/state.safetensors").unlink()
    write_card(run, state="training")
    seen = []
    train(run, epochs=3, resume=True, on_epoch=lambda row: seen.append(len(log_of(run))))
    assert seen == [1, 2, 3]  # from the beginning


def test_a_finished_run_is_left_alone_its_state_gone_or_not(train, tmp_path):
    run = train(tmp_path / "run", epochs=2)
    (run / "last/state.safetensors").unlink()  # three times the weights, of no use any more
    write_card(run, machine=read_card(run)["machine"] | {"threads": 64})
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    train(run, epochs=2, resume=True, on_epoch=lambda row: pytest.fail("trained again"))
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before
    with pytest.raises(RunError, match=r"machine\.threads"):
        train(run, epochs=3, resume=True)
    write_card(run, machine=read_card(run)["machine"] | {"threads": torch.get_num_threads()})
    with pytest.raises(RunError, match=r"no saved state; needed that of the finished run"):
        train(run, epochs=3, resume=True)
    assert read_card(run)["state"] == "finished"


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"max_steps": 8}, "max_steps 8 reached"),
        ({"max_minutes": 1e-6}, "max_minutes 1e-06 reached"),
        ({"epochs": 9, "patience": 2, "min_delta": 10.0}, "no better pearson in 2 epochs"),
    ],
)
def test_each_limit_ends_the_run_and_is_named(train, tmp_path, settings, reason):
    run = train(tmp_path / "run", **settings)
    assert read_card(run)["ended"] == reason
    assert (run / "weights.safetensors").exists()
    if "max_steps" in settings:
        assert json.loads(json.dumps(log_of(run)))[-1]["step"] == "8"


def test_a_model_for_other_data_is_refused_before_any_work(train, planted, tmp_path):
    spec = planted.experiment.model_spec(5)
    with pytest.raises(DataError, match="tracks 3; needed tracks 5"):
        train(tmp_path / "run", spec=spec)
    with pytest.raises(DataError, match="max_shift_bp is 9"):
        train(tmp_path / "run", augmentation={"max_shift_bp": 9})
    with pytest.raises(DataError, match=r"split valid is empty \(windows: 60 train, 0 valid, 12 test\)"):
        train(tmp_path / "run", store=planted.store.with_roles(valid=[], test=["test"]))
    assert not (tmp_path / "run").exists()


def test_training_leaves_the_callers_random_numbers_alone(train, tmp_path):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    train(tmp_path / "run", epochs=1)
    assert torch.equal(torch.rand(3), expected)


def test_a_limit_lowered_on_resume_still_validates_what_was_trained(train, tmp_path, monkeypatch):
    run = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(loop, "deferred_interrupt", lambda: nullcontext(Asked(12)))
        with pytest.raises(KeyboardInterrupt):
            train(run, epochs=200)
    progress = read_progress(run)
    assert progress["batch"] > 0  # within an epoch
    train(run, epochs=200, max_steps=progress["step"], resume=True)
    assert read_card(run)["ended"] == f"max_steps {progress['step']} reached"
    assert int(log_of(run)[-1]["step"]) == progress["step"]
