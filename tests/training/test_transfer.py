"""Starting from another run: what is taken, what stays as it came, how the rest trains, and what does not fit."""

import hashlib
import itertools
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from safetensors.torch import load_file

from regact.dataset.loader import Loader
from regact.errors import ConfigError, RunError
from regact.model import build_model, load_model, preset_spec, save_model
from regact.training import TrainingConfig, TransferConfig, check_transfer, read_card, train_model
from regact.training.kept_bins import KeptBins
from regact.training.transfer import mismatches, set_frozen, start_in_words, take_weights, taken_parts

NO_SHIFT = {"reverse_complement": "random", "max_shift_bp": 0}  # a window has the same bins in every epoch


@pytest.fixture
def train(planted):
    """`train(out, transfer, **settings)` trains the planted experiment's model, started from `transfer`."""

    def run(out, transfer=None, *, spec=None, resume=False, **settings):
        config = TrainingConfig(**{**planted.experiment.training.model_dump(), "patience": None, **settings})
        return train_model(
            planted.store,
            planted.genome,
            spec or planted.experiment.model_spec(3),
            config,
            out,
            transfer=transfer or TransferConfig(),
            device="cpu",
            resume=resume,
        )

    return run


@pytest.fixture(scope="module")
def source(planted, tmp_path_factory):
    """A run to start from."""
    out = tmp_path_factory.mktemp("source") / "run"
    config = planted.experiment.training.model_copy(update={"epochs": 2, "seed": 7})
    return train_model(planted.store, planted.genome, planted.experiment.model_spec(3), config, out, device="cpu")


def last_model(run):
    """The model as training left it, which need not be the best."""
    state = load_file(run / "last/state.safetensors")
    return {name.removeprefix("model."): tensor for name, tensor in state.items() if name.startswith("model.")}


def names_in(state, *parts):
    return [name for name in state if name.startswith(parts)]


@pytest.mark.parametrize(
    ("choice", "parts"),
    [
        ({}, ("tower.",)),
        ({"blocks": 1}, ("tower.blocks.0.",)),
        ({"parts": "trunk"}, ("tower.", "context.")),
    ],
    ids=["tower", "blocks", "trunk"],
)
def test_what_is_named_is_taken_and_the_rest_is_new(planted, source, choice, parts):
    spec = planted.experiment.model_spec(5)  # the head is of other tracks
    model, fresh, theirs = build_model(spec, seed=3), build_model(spec, seed=3).state_dict(), load_model(source)
    take_weights(model, TransferConfig(run=source, **choice))
    state, their_state = model.state_dict(), theirs.state_dict()
    taken = names_in(state, *parts)
    assert {name.rpartition(".")[2] for name in taken} >= {"weight", "running_mean", "running_var"}
    assert all(torch.equal(state[name], their_state[name]) for name in taken)
    assert all(torch.equal(state[name], fresh[name]) for name in state if name not in taken)


def test_a_frozen_part_stays_as_it_came_statistics_included(train, source, tmp_path):
    run = train(tmp_path / "run", TransferConfig(run=source, parts="trunk", freeze_epochs=2), epochs=2)
    before, after = load_file(source / "weights.safetensors"), last_model(run)
    assert all(torch.equal(after[name], before[name]) for name in names_in(after, "tower.", "context."))
    learned = [name for name in names_in(after, "head.") if not name.endswith("num_batches_tracked")]
    assert not any(torch.equal(after[name], before[name]) for name in learned)


def test_when_the_frozen_epochs_are_over_everything_learns(train, source, tmp_path):
    run = train(tmp_path / "run", TransferConfig(run=source, freeze_epochs=1), epochs=2)
    before, after = load_file(source / "weights.safetensors"), last_model(run)
    learned = [name for name in names_in(after, "tower.") if not name.endswith("num_batches_tracked")]
    assert not any(torch.equal(after[name], before[name]) for name in learned)


@pytest.mark.parametrize("accumulate", [1, 2])
def test_kept_bins_are_those_that_would_be_computed_again(train, source, tmp_path, accumulate):
    """Both strands of each window, in epochs with the tower frozen and after them."""
    usual, kept = (
        train(
            tmp_path / str(keep),
            TransferConfig(run=source, freeze_epochs=3, keep_bins=keep),
            epochs=4,
            accumulate=accumulate,
            augmentation=NO_SHIFT,
        )
        for keep in (False, True)
    )
    columns = ["train_loss", "valid_loss", "valid_pearson"]
    logs = [pd.read_csv(run / "log.csv")[columns] for run in (usual, kept)]
    pd.testing.assert_frame_equal(*logs, rtol=1e-3)
    assert logs[1]["train_loss"][2] < logs[1]["train_loss"][0]


def test_a_windows_bins_are_computed_once_for_each_strand():
    computed = []

    def embed(codes):
        computed.append(codes.tolist())
        return codes[:, None].float()

    kept = KeptBins(embed)
    windows = torch.tensor([[1, 2], [3, 0]], dtype=torch.uint8)
    for _ in range(2):
        bins = kept.of(windows, torch.tensor([7, 4]), torch.tensor([False, True]))
        assert torch.equal(bins, windows[:, None].float())
    assert computed == [[[1, 2]], [[3, 0]]]
    kept.of(windows.flip(1), torch.tensor([7, 4]), torch.tensor([True, True]))
    assert computed[2:] == [[[2, 1]]]


@pytest.mark.parametrize(
    ("choice", "settings", "problem"),
    [
        ({"blocks": 1}, {"augmentation": NO_SHIFT}, "blocks: the rest of the tower learns; needed the whole tower"),
        ({}, {"augmentation": NO_SHIFT | {"max_shift_bp": 3}}, "max_shift_bp is 3, another sequence each epoch"),
    ],
    ids=["blocks", "shifts"],
)
def test_bins_that_change_are_not_kept(train, source, tmp_path, choice, settings, problem):
    with pytest.raises(ConfigError, match=problem):
        train(tmp_path / "run", TransferConfig(run=source, freeze_epochs=1, keep_bins=True, **choice), **settings)
    assert not (tmp_path / "run").exists()


def test_gradients_of_the_rest_are_those_behind_the_towers_bins(planted, source):
    model, transfer = build_model(planted.experiment.model_spec(3), seed=0), TransferConfig(run=source, freeze_epochs=1)
    take_weights(model, transfer)
    x = torch.rand(2, 4, 1024, generator=torch.Generator().manual_seed(0))
    bins = load_model(source).embed_bins(x).detach()
    gradients = []
    for forward in (lambda: model(x), lambda: model.from_bins(bins)):
        model.train()
        set_frozen(model, transfer, epoch=0)
        model.zero_grad()
        torch.manual_seed(0)  # of the dropout behind the tower
        forward().square().mean().backward()
        gradients.append({name: p.grad for name, p in model.named_parameters() if p.grad is not None})
    through, behind = gradients
    assert names_in(through, "tower.") == []
    assert through.keys() == behind.keys() == {n for n, _ in model.named_parameters() if not n.startswith("tower.")}
    assert all(torch.equal(through[name], behind[name]) for name in through)


def test_a_frozen_tower_is_left_out_of_the_backward_pass(planted, source):
    model, transfer = build_model(planted.experiment.model_spec(3)), TransferConfig(run=source, freeze_epochs=1)
    x = torch.rand(1, 4, 1024)
    for epoch, learns in ((0, False), (1, True)):
        model.train()
        set_frozen(model, transfer, epoch)
        assert model.embed_bins(x).requires_grad == learns
        assert all(module.training == learns for part in taken_parts(model, transfer) for module in part.modules())


@pytest.mark.parametrize("factor", [1.0, 0.125])
def test_what_was_taken_learns_at_its_own_rate(train, source, tmp_path, factor):
    rate = 0.01  # Adam's first step moves every weight by the learning rate, whatever its gradient
    run = train(
        tmp_path / "run", TransferConfig(run=source, rate_factor=factor), max_steps=1, learning_rate=rate, l2=1e-3
    )
    before, after = load_file(source / "weights.safetensors"), last_model(run)
    step = (after["tower.blocks.0.conv.weight"] - before["tower.blocks.0.conv.weight"]).abs()
    torch.testing.assert_close(step, torch.full_like(step, rate * factor), rtol=1e-2, atol=0)


@pytest.mark.parametrize("keep", [False, True], ids=["", "kept"])
def test_a_run_that_dies_at_any_batch_goes_on_the_same(train, source, tmp_path, monkeypatch, keep):
    """Before, at and after the end of the frozen epochs."""
    transfer = TransferConfig(run=source, freeze_epochs=1, rate_factor=0.5, keep_bins=keep)
    settings = {"epochs": 2, "schedule": "warmup_cosine", "warmup_steps": 2, "save_minutes": 1e-9}
    settings |= {"augmentation": NO_SHIFT} if keep else {}
    whole = train(tmp_path / "whole", transfer, **settings)
    epoch = Loader.epoch

    def die_at(number):
        """Let batch `number`, of training and validation together, never come."""
        seen = itertools.count(1)

        def dying(loader, *arguments, **keywords):
            for batch in epoch(loader, *arguments, **keywords):
                if next(seen) == number:
                    raise ValueError("killed")
                yield batch

        return dying

    for number in itertools.count(1):
        cut = tmp_path / f"cut{number}"
        monkeypatch.setattr(Loader, "epoch", die_at(number))
        try:
            train(cut, transfer, **settings)
            break  # the run has no more batches than that
        except ValueError:
            monkeypatch.setattr(Loader, "epoch", epoch)
        train(cut, transfer, resume=True, **settings)
        for name in ("weights.safetensors", "last/state.safetensors"):
            one, other = load_file(whole / name), load_file(cut / name)
            assert one.keys() == other.keys()
            assert all(torch.equal(one[key], other[key]) for key in one)
    assert number > 12  # both epochs were gone through


@pytest.mark.parametrize(
    "settings", [{"activation_checkpointing": True}, {"accumulate": 2}], ids=lambda s: next(iter(s))
)
def test_ways_to_save_memory_leave_a_frozen_part_alone(train, source, tmp_path, settings):
    transfer = TransferConfig(run=source, freeze_epochs=1)
    usual, saving = (last_model(train(tmp_path / name, transfer, epochs=1, **more))
                     for name, more in (("usual", {}), ("saving", settings)))  # fmt: skip
    before = load_file(source / "weights.safetensors")
    for name in names_in(saving, "tower."):
        assert torch.equal(saving[name], before[name])
    same = [torch.equal(saving[name], usual[name]) for name in names_in(saving, "head.")]
    assert all(same) == ("activation_checkpointing" in settings)


def test_the_card_names_the_weights_and_a_resume_holds_to_them(train, source, tmp_path):
    transfer = TransferConfig(run=source, freeze_epochs=1)
    run = train(tmp_path / "run", transfer, epochs=1)
    start = read_card(run)["transfer"]
    assert start == {
        "run": str(source),
        "parts": "tower",
        "blocks": None,
        "freeze_epochs": 1,
        "keep_bins": False,
        "rate_factor": 1.0,
        "preset": "basenji",
        "weights_sha256": hashlib.sha256((source / "weights.safetensors").read_bytes()).hexdigest(),
    }
    with pytest.raises(RunError, match=r"another transfer\.freeze_epochs.*transfer\.rate_factor"):
        train(run, TransferConfig(run=source, freeze_epochs=2, rate_factor=0.1), epochs=2, resume=True)
    save_model(build_model(load_model(source).spec, seed=1), tmp_path / "other")
    with pytest.raises(RunError, match=r"another transfer\.weights_sha256"):
        train(run, TransferConfig(run=tmp_path / "other", freeze_epochs=1), epochs=2, resume=True)
    moved = source.rename(tmp_path / "moved")
    try:
        train(run, TransferConfig(run=moved, freeze_epochs=1), epochs=2, resume=True)
    finally:
        moved.rename(source)


def test_starts_in_words():
    def words(**start):
        defaults = {"run": "runs/x", "parts": "tower", "blocks": None, "freeze_epochs": 0, "rate_factor": 1.0}
        return start_in_words({"transfer": {**defaults, "preset": "basenji", **start}})

    assert start_in_words({}) == start_in_words({"transfer": None}) == "new"
    assert words() == "tower of basenji"
    assert words(parts="trunk", preset="", freeze_epochs=2) == "trunk of x, frozen for 2 epochs"
    assert words(blocks=3, freeze_epochs=1, rate_factor=0.1) == (
        "first 3 blocks of basenji, frozen for 1 epoch, learning rate x 0.1"
    )


def small_spec(filters=(4, 5, 6), widths=(5, 3, 3), pools=(2, 4, 2), **fields):
    preset = fields.pop("preset", "standard")
    return preset_spec(preset, tracks=2, window_bp=256, filters=filters, widths=widths, pools=pools, **fields)


SIZES = st.integers(1, 4).flatmap(
    lambda n: st.tuples(*(st.lists(st.sampled_from(some), min_size=n, max_size=n) for some in ((3, 4), (1, 3), (1, 2))))
)


@given(have=SIZES, want=SIZES, blocks=st.none() | st.integers(1, 4))
def test_no_mismatch_exactly_where_weights_and_pools_agree(have, want, blocks):
    source, spec = (build_model(small_spec(*map(tuple, sizes))) for sizes in (have, want))
    told = mismatches(source.spec, spec.spec, TransferConfig(run="run", blocks=blocks))
    theirs, ours = (
        [
            ([(name, tensor.shape) for name, tensor in block.state_dict().items()], block.pool)
            for block in model.tower.blocks[:blocks]
        ]
        for model in (source, spec)
    )
    assert (not told) == (theirs == ours and (blocks is None or len(ours) == blocks))


def test_every_mismatch_of_tower_and_context_is_told_at_once(tmp_path):
    source = small_spec(preset="attention_two_sided", heads=2)
    save_model(build_model(source), tmp_path)
    wider = small_spec(preset="attention_variable", heads=3, filters=(4, 8, 8), pools=(2, 2, 2))
    with pytest.raises(RunError) as caught:
        check_transfer(TransferConfig(run=tmp_path, parts="trunk"), wider)
    assert caught.value.found.split("; ") == [
        "tower block 2 has 5 filters of width 3, pool 4, needed 8 filters of width 3, pool 2",
        "tower block 3 has 6 filters of width 3, pool 2, needed 8 filters of width 3, pool 2",
        "context layer 1 has heads 2, needed 3",
        "context layer 1 has distance.kind two_sided, needed variable",
    ]
    check_transfer(TransferConfig(run=tmp_path, blocks=1), wider)


@pytest.mark.parametrize(
    ("have", "want", "told"),
    [
        ({"preset": "standard"}, {"preset": "exp_constant"}, ["its context has 0 layers, needed 1"]),
        ({"preset": "basenji"}, {"preset": "exp_constant"}, ["context layer 1 has kind dilated, needed pooling"]),
        (
            {"preset": "exp_constant"},
            {"preset": "exp_constant", "alphas": (0.1,) * 5},
            ["context layer 1 has distance.alphas (0.01, 0.02, 0.05, 0.1, 0.2), needed (0.1, 0.1, 0.1, 0.1, 0.1)"],
        ),
        ({"preset": "exp_variable"}, {"preset": "exp_variable", "alphas": (0.1,) * 5}, []),  # learned: a start alone
        ({"preset": "attention_two_sided"}, {"preset": "attention_two_sided", "seed": 4}, []),
        ({"preset": "basenji"}, {"preset": "basenji", "dilated_dropout": 0.3, "dropout": 0.5}, []),
        (
            {"filters": (4, 5), "widths": (5, 3), "pools": (2, 4)},
            {},
            ["its tower has 2 blocks, needed 3"],
        ),
    ],
)
def test_a_trunk_fits_where_its_function_is_the_same(have, want, told):
    assert mismatches(small_spec(**have), small_spec(**want), TransferConfig(run="run", parts="trunk")) == told


def test_blocks_of_another_order_and_another_n_do_not_fit():
    have = preset_spec("standard", tracks=1, window_bp=1024, n_value=0.25, block={"order": "relu_first"})
    want = preset_spec("standard", tracks=1, window_bp=1024, block={"epsilon": 1e-5})
    assert mismatches(have, want, TransferConfig(run="run")) == [
        "its block.order is relu_first, needed conv_first",
        "its block.epsilon is 0.001, needed 1e-05",
        "its n_value is 0.25, needed 0.0",
    ]


def test_a_trunk_of_another_window_has_its_peaks_elsewhere():
    short = small_spec(preset="attention_two_sided")
    long = preset_spec(
        "attention_two_sided", tracks=2, window_bp=512, filters=(4, 5, 6), widths=(5, 3, 3), pools=(2, 4, 2)
    )
    told = mismatches(short, long, TransferConfig(run="run", parts="trunk"))
    assert told == ["context layer 1 has distance.half_window_bins 8.0, needed 16.0"]
    assert mismatches(short, long, TransferConfig(run="run")) == []


def test_a_run_without_weights_is_told_before_any_work(train, tmp_path):
    with pytest.raises(RunError, match=re.escape(f"{tmp_path / 'absent' / 'weights.safetensors'}: no such file")):
        train(tmp_path / "run", TransferConfig(run=tmp_path / "absent"))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"freeze_epochs": 2, "rate_factor": 0.1}, "freeze_epochs, rate_factor without a run to start from"),
        ({"run": "x", "parts": "trunk", "blocks": 2}, "a trunk holds the whole tower"),
        ({"run": "x", "rate_factor": 0}, "greater than 0"),
    ],
)
def test_settings_that_contradict_each_other(settings, problem):
    with pytest.raises(ValidationError, match=problem):
        TransferConfig(**settings)


@pytest.mark.slow
@pytest.mark.parametrize("keep", ["false", "true"], ids=["", "kept"])
def test_two_devices_freeze_and_release_as_one_does(planted, source, tmp_path, keep):
    """Gradients of what was released are those of all windows again."""
    settings = ["model.dropout=0", "model.dilated_dropout=0", "training.epochs=2", "transfer.freeze_epochs=1"]
    settings += [f"transfer.keep_bins={keep}", "training.augmentation.max_shift_bp=0"]
    options = [option for setting in (*settings, f"transfer.run={source}") for option in ("--set", setting)]
    command = [str(Path(sys.executable).with_name("regact")), "train", str(planted.yaml), "--device", "cpu", *options]
    for devices in ("1", "2"):
        out = str(tmp_path / devices)
        done = subprocess.run(
            [*command, "--devices", devices, "--out", out], capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
    one, two = (pd.read_csv(tmp_path / devices / "log.csv") for devices in ("1", "2"))
    assert two["train_loss"].tolist() == pytest.approx(one["train_loss"].tolist(), rel=2e-3)
    assert two["valid_loss"].tolist() == pytest.approx(one["valid_loss"].tolist(), rel=2e-3)
