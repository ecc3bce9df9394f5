"""The state of a run: what was saved comes back, and nothing else is taken for it."""

import copy
import signal

import pytest
import torch

from regact.errors import ProgramError, RunError
from regact.training import TrainingConfig
from regact.training.card import check_resume
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


def test_no_two_parts_of_a_batch_draw_the_same_dropout():
    drawn = set()
    for step in range(4):
        for part in range(4):
            seed_step(0, step, part)
            drawn.add(tuple(torch.rand(4).tolist()))
    assert len(drawn) == 16


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


@pytest.fixture
def card():
    """The parts of a card that a resume looks at."""
    config = TrainingConfig(epochs=5)
    return {
        "state": "interrupted",
        "store": {"fingerprint": "a" * 64},
        "model": {"tower": {"filters": [8, 16]}, "link": "exp"},
        "training": config.model_dump(mode="json"),
        "transfer": None,
        "machine": {"device": "cpu", "threads": 2, "processes": 1},
    }


def changed(card, **fields):
    """The card with some fields changed, given as part__field."""
    other = copy.deepcopy(card)
    for path, value in fields.items():
        *parts, last = path.split("__")
        place = other
        for part in parts:
            place = place[part]
        place[last] = value
    return other


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"training__epochs": 9, "training__max_steps": 7, "training__patience": None, "training__save_minutes": 1.0},
        {"training__max_minutes": 3.0},
        {"machine__device": "cpu", "machine__threads": 2},
    ],
)
def test_limits_may_change_on_resume(card, fields):
    check_resume("run", card, changed(card, **fields))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"training__accumulate": 2}, r"training\.accumulate \(1, now 2\)"),
        ({"training__min_delta": 0.1}, r"training\.min_delta \(0\.0, now 0\.1\)"),
        ({"training__augmentation__max_shift_bp": 0}, r"training\.augmentation\.max_shift_bp \(3, now 0\)"),
        ({"model__tower__filters": [8, 32], "model__link": "elu1"},
         r"model\.tower\.filters\.1 \(16, now 32\), model\.link \(exp, now elu1\)"),
        ({"store__fingerprint": "b"}, r"store\.fingerprint \(a+, now b\)"),
        ({"transfer": {"run": "other", "parts": "tower"}}, r"transfer\.parts \(None, now tower\)"),
        ({"machine__threads": 4}, r"machine\.threads \(2, now 4\).*OMP_NUM_THREADS=2"),
        ({"machine__processes": 2}, r"machine\.processes \(1, now 2\).*--devices 1"),
        ({"machine__device": "cuda"}, r"machine\.device \(cpu, now cuda\)"),
    ],
)  # fmt: skip
def test_what_would_change_the_run_is_named_on_resume(card, fields, message):
    with pytest.raises(RunError, match=message):
        check_resume("run", card, changed(card, **fields))


@pytest.mark.parametrize("field", ["epochs", "max_steps"])
def test_a_falling_rate_is_not_stretched_on_resume(card, field):
    falling = changed(card, training__schedule="warmup_cosine")
    with pytest.raises(RunError, match=rf"training\.{field} \(.*, now 9\)"):
        check_resume("run", falling, changed(falling, **{f"training__{field}": 9}))


def test_a_run_that_is_through_or_was_on_a_gpu_may_be_seen_from_another_machine(card):
    finished = changed(card, state="finished")
    check_resume("run", finished, changed(finished, machine__threads=8))
    with pytest.raises(RunError, match=r"machine\.threads"):
        check_resume("run", finished, changed(finished, machine__threads=8, training__epochs=9))
    on_gpu = changed(card, machine__device="NVIDIA H100")
    check_resume("run", on_gpu, changed(on_gpu, machine__device="cpu", machine__processes=2, machine__threads=1))


def test_a_setting_that_an_older_version_did_not_have_was_its_default(card):
    older = copy.deepcopy(card)
    for name in ("accumulate", "compile", "activation_checkpointing"):
        del older["training"][name]
    del older["machine"]["processes"]
    card["model"] |= {"n_value": 0.0, "block": {"order": "conv_first", "epsilon": 0.001}}
    check_resume("run", older, card)
    with pytest.raises(RunError, match=r"model\.n_value \(0\.0, now 0\.25\)"):
        check_resume("run", older, changed(card, model__n_value=0.25))
    with pytest.raises(RunError, match=r"training\.accumulate \(1, now 2\)"):
        check_resume("run", older, changed(card, training__accumulate=2))


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
