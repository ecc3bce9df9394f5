"""The state of a run: what was saved comes back, and nothing else is taken for it."""

import signal

import pytest
import torch

from regact.errors import ProgramError, RunError
from regact.training.interrupt import deferred_interrupt
from regact.training.run_folder import claim_run_folder, read_card, write_card
from regact.training.state import Progress, has_state, load_state, save_state, seed_step


def trained(seed, steps=3):
    torch.manual_seed(seed)
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
    for _ in range(steps):
        model(torch.randn(5, 3)).square().sum().backward()
        optimizer.step()
    return model, optimizer


def test_weights_moments_and_progress_come_back(tmp_path):
    model, optimizer = trained(0)
    progress = Progress(epoch=2, batch=3, step=40, loss_sum=0.1 + 0.2, best_score=1 / 3, history=[{"epoch": 1.0}])
    assert not has_state(tmp_path)
    save_state(tmp_path, model, optimizer, progress)
    other, other_optimizer = trained(1, steps=0)
    assert load_state(tmp_path, other, other_optimizer) == progress
    for name, tensor in model.state_dict().items():
        assert torch.equal(other.state_dict()[name], tensor)
    for index, moments in optimizer.state_dict()["state"].items():
        for name, value in moments.items():
            assert torch.equal(other_optimizer.state_dict()["state"][index][name], value)


def test_the_state_of_another_model_is_refused(tmp_path):
    save_state(tmp_path, *trained(0), Progress())
    model = torch.nn.Linear(2, 2)
    with pytest.raises(RunError, match="another model"):
        load_state(tmp_path, model, torch.optim.AdamW(model.parameters()))


def test_no_state_and_a_damaged_one(tmp_path):
    model, optimizer = trained(0)
    with pytest.raises(RunError, match="no saved state"):
        load_state(tmp_path, model, optimizer)
    save_state(tmp_path, model, optimizer, Progress())
    path = tmp_path / "last" / "state.safetensors"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(RunError, match="unreadable state"):
        load_state(tmp_path, model, optimizer)


def test_dropout_depends_on_seed_and_step_alone():
    def draw(seed, step):
        seed_step(seed, step)
        return torch.rand(4)

    assert torch.equal(draw(1, 2), draw(1, 2))
    assert not torch.equal(draw(1, 2), draw(2, 1))
    assert not torch.equal(draw(1, 2), draw(1, 3))


def test_a_second_interrupt_stops_at_once():
    with deferred_interrupt() as interrupt:
        signal.raise_signal(signal.SIGINT)
        assert interrupt.requested
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_cards_are_added_to_and_checked(tmp_path):
    with pytest.raises(RunError, match=r"no card\.json"):
        read_card(tmp_path)
    write_card(tmp_path, state="training", tracks=["a"])
    write_card(tmp_path, state="finished")
    card = read_card(tmp_path)
    assert (card["state"], card["tracks"]) == ("finished", ["a"])
    (tmp_path / "card.json").write_text('{"format": 99}')
    with pytest.raises(RunError, match="not a card of this version"):
        read_card(tmp_path)
    (tmp_path / "card.json").write_text("{")
    with pytest.raises(RunError, match="unreadable"):
        read_card(tmp_path)


def test_a_folder_has_one_writer_and_a_killed_start_leaves_nothing_in_the_way(tmp_path):
    run = tmp_path / "a" / "b"
    with claim_run_folder(run, overwrite=False, resume=False) as goes_on:
        assert goes_on is False
        with (
            pytest.raises(ProgramError, match="another process"),
            claim_run_folder(run, overwrite=False, resume=True),
        ):
            pass
    with claim_run_folder(run, overwrite=False, resume=True) as goes_on:
        assert goes_on is False
        write_card(run, state="training")
    with claim_run_folder(run, overwrite=False, resume=True) as goes_on:
        assert goes_on is True
    (run / "last" / "state.safetensors").touch()
    (run / "extra").mkdir()
    with claim_run_folder(run, overwrite=True, resume=False) as goes_on:
        assert goes_on is False
        assert [path.name for path in run.rglob("*")] == ["last", ".lock"]
