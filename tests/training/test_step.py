"""One step: cut into micro-batches, recomputed, compiled or looked at later, it is the same step."""

import shutil

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

from regact.dataset.loader import Loader
from regact.errors import MemoryFullError, TrainingError
from regact.evaluation import evaluate
from regact.model import SequenceModel, build_model, load_model, predict_codes, preset_spec
from regact.model.memory import in_parts, is_memory_full, largest_that_fits
from regact.training import TrainingConfig, loop, open_fabric, read_card, train_model
from regact.training.compile import check_compiler, compile_network
from regact.training.optimizer import build_optimizer
from regact.training.recompute import recompute_activations
from regact.training.step import TrainingStep

CPU = torch.device("cpu")


@pytest.fixture
def batch(planted):
    """Eight training windows, unlike numbers of their bins masked."""
    loaded = next(Loader(planted.store, planted.genome, "train", batch_size=8).epoch(0))
    mask = (
        torch.rand(loaded.mask.shape, generator=torch.Generator().manual_seed(0)) < torch.linspace(0.1, 1, 8)[:, None]
    )
    loaded.mask[:] = mask
    return loaded


def make_step(planted, config, *, change=lambda model: model, train=True, preset=None, dropout=None):
    spec = planted.experiment.model_spec(3)
    if preset:
        spec = preset_spec(preset, tracks=3, window_bp=1024, filters=(16, 24), widths=(11, 3), pools=(4, 8))
    model = build_model(spec, seed=0)
    if dropout is not None:
        for module in model.modules():
            if hasattr(module, "rate") and isinstance(module.rate, float):
                module.rate = dropout
    changed = change(model)
    network = model if changed is None else changed
    fabric = open_fabric("cpu", config.precision)
    wrapped, optimizer = fabric.setup(network, build_optimizer(model, config))
    wrapped.train(train)
    return model, TrainingStep(
        model,
        wrapped,
        optimizer,
        fabric,
        config,
        strand_pair=torch.from_numpy(planted.store.sheet.strand_pair),
        total_steps=10,
    )


def after_steps(made, batch, n=2):
    model, step = made
    results = [step.begin(batch, number, (1.0, 0.0)).result() for number in range(n)]
    return [result.loss for result in results], results[-1], {k: v.clone() for k, v in model.state_dict().items()}


@pytest.mark.parametrize("accumulate", [2, 3, 8])
def test_micro_batches_add_up_to_the_batch(planted, batch, accumulate):
    """Weights by unmasked bins; batch norm, which sees micro-batches, works as in inference here."""
    config = {"l2": 1e-3, "clip_norm": None, "batch_size": 8}
    whole = after_steps(make_step(planted, TrainingConfig(**config), train=False), batch)
    cut = after_steps(make_step(planted, TrainingConfig(accumulate=accumulate, **config), train=False), batch)
    assert cut[0] == pytest.approx(whole[0], rel=1e-5)
    assert cut[1].gradient_norm == pytest.approx(whole[1].gradient_norm, rel=1e-4)
    assert cut[1].votes == (1.0, 0.0)
    for name, tensor in whole[2].items():
        torch.testing.assert_close(cut[2][name], tensor, rtol=1e-3, atol=2e-5)


@pytest.mark.parametrize("preset", ["basenji", "attention_two_sided", "exp_variable"])
def test_recomputing_changes_no_bit_and_moves_running_statistics_once(planted, batch, preset):
    config = TrainingConfig(batch_size=8, accumulate=2)
    kept = after_steps(make_step(planted, config, preset=preset), batch)
    again = after_steps(make_step(planted, config, preset=preset, change=recompute_activations), batch)
    assert again[0] == kept[0]
    assert again[2].keys() == kept[2].keys()
    assert all(torch.equal(again[2][name], tensor) for name, tensor in kept[2].items())
    assert all(int(tensor) == 4 for name, tensor in again[2].items() if "num_batches" in name)


def test_recomputing_keeps_less(planted, batch):
    def kept_bytes(change):
        _, step = make_step(planted, TrainingConfig(batch_size=8), change=change)
        kept = 0

        def count(tensor):
            nonlocal kept
            kept += tensor.numel() * tensor.element_size()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
            step.begin(batch, 0, ()).result()
        return kept

    assert kept_bytes(recompute_activations) < 0.5 * kept_bytes(lambda model: None)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's compiler uses what torch gave up
@pytest.mark.parametrize("preset", ["standard", "basenji", "attention_two_sided"])
def test_a_compiled_network_gives_the_same_numbers(planted, batch, preset):
    """Dropout included, which draws the same."""
    try:
        check_compiler(CPU)
    except Exception as error:
        pytest.skip(str(error))
    config = TrainingConfig(batch_size=8)
    plain_model, plain_step = make_step(planted, config, preset=preset)
    model, step = make_step(planted, config, preset=preset, change=compile_network)
    plain, compiled = plain_step.begin(batch, 0, ()).result(), step.begin(batch, 0, ()).result()
    assert compiled.loss == pytest.approx(plain.loss, rel=1e-5)
    assert compiled.gradient_norm == pytest.approx(plain.gradient_norm, rel=1e-4)
    # Gradients and not what Adam makes of them: of a gradient that is rounding alone, it makes a whole step.
    for (name, parameter), other in zip(plain_model.named_parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(other.grad, parameter.grad, rtol=1e-3, atol=1e-5 * plain.gradient_norm, msg=name)
    for (name, buffer), other in zip(plain_model.named_buffers(), model.buffers(), strict=True):
        torch.testing.assert_close(other, buffer, rtol=1e-4, atol=1e-5, msg=name)


def test_a_missing_compiler_is_one_line(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(Exception, match=r"training.compile: no a C\+\+ compiler \(no-such-compiler\)"):
        check_compiler(CPU)


@pytest.fixture
def train(planted, tmp_path):
    def run(name, **settings):
        config = TrainingConfig(**{**planted.experiment.training.model_dump(), **settings})
        spec = planted.experiment.model_spec(3)
        return train_model(planted.store, planted.genome, spec, config, tmp_path / name, device="cpu")

    return run


def test_a_step_looked_at_later_is_the_same_step(train, monkeypatch):
    """As on a GPU, where nothing waits for a step's loss until the next one is under way."""
    now = train("now", epochs=2, save_minutes=1e-9)
    monkeypatch.setattr(loop._Training, "looks_later", True)
    later = train("later", epochs=2, save_minutes=1e-9)
    assert all(
        torch.equal(tensor, load_file(later / "last/state.safetensors")[name])
        for name, tensor in load_file(now / "last/state.safetensors").items()
    )
    settings = {"epochs": 20, "learning_rate": 300.0, "clip_norm": None, "patience": None}
    with pytest.raises(TrainingError, match=r"track (fwd|rev|both): the loss") as told_later:
        train("broken_later", **settings)
    monkeypatch.setattr(loop._Training, "looks_later", False)
    with pytest.raises(TrainingError) as told_now:
        train("broken_now", **settings)
    now, later = (str(told.value).partition(", step ")[2] for told in (told_now, told_later))
    assert now == later


@pytest.fixture
def small_memory(monkeypatch):
    """`small_memory(n, training)`: a device on which no more than n windows fit in training or in inference."""
    embed_bins = SequenceModel.embed_bins

    def set_memory(n, training):
        def limited(self, one_hot):
            if self.training == training and len(one_hot) > n:
                raise torch.OutOfMemoryError("out of memory")
            return embed_bins(self, one_hot)

        monkeypatch.setattr(SequenceModel, "embed_bins", limited)

    return set_memory


def test_full_memory_names_the_batch_size_that_fits(train, small_memory, tmp_path):
    small_memory(3, training=True)
    with pytest.raises(MemoryFullError) as told:
        train("run")
    message = str(told.value)
    assert "holds 3 windows at once" in message
    assert "training.batch_size 3 at most" in message
    assert "training.accumulate 3" in message
    assert read_card(tmp_path / "run")["state"] == "failed"
    train("smaller", batch_size=3, epochs=1)
    train("accumulated", accumulate=3, epochs=1)
    with pytest.raises(MemoryFullError, match=r"training.batch_size 6 at most with accumulate 2"):
        train("half", accumulate=2)


def test_full_memory_with_one_window_says_what_takes_less(train, small_memory):
    small_memory(0, training=True)
    with pytest.raises(MemoryFullError, match=r"room for one window.*activation_checkpointing"):
        train("run")


def test_validation_evaluation_and_prediction_shrink_to_what_fits(train, planted, small_memory):
    run = train("run", epochs=1)
    model = load_model(run)
    codes = torch.randint(0, 4, (5, 1024), dtype=torch.uint8)
    rates = predict_codes(model, codes)
    settings = {"split": "valid", "store": planted.store, "genome": planted.genome, "device": "cpu"}
    judged = evaluate(run, **settings)
    small_memory(3, training=False)
    again = train("again", epochs=1)
    assert load_file(run / "weights.safetensors")["head.affine.bias"].equal(
        load_file(again / "weights.safetensors")["head.affine.bias"]
    )
    torch.testing.assert_close(predict_codes(model, codes), rates)
    found = evaluate(run, **settings)
    assert found.means == pytest.approx(judged.means)
    assert found.loss == pytest.approx(judged.loss)
    assert found.n_bins == judged.n_bins
    small_memory(0, training=False)
    with pytest.raises(MemoryFullError, match="one window"):
        predict_codes(model, codes)
    with pytest.raises(MemoryFullError, match="one window"):
        evaluate(run, **settings)
    shutil.rmtree(run)


@given(fits=st.integers(0, 40), most=st.integers(0, 40))
def test_the_search_finds_the_largest_that_fits(fits, most):
    tried = []

    def attempt(n):
        tried.append(n)
        if n > fits:
            raise torch.OutOfMemoryError

    assert largest_that_fits(attempt, most, CPU) == min(fits, most)
    assert len(tried) <= 7


@given(fits=st.integers(1, 20), n=st.integers(0, 50), most=st.integers(1, 30))
def test_parts_cover_everything_once_in_order(fits, n, most):
    spans = []

    def work(first, last):
        if last - first > fits:
            raise torch.OutOfMemoryError
        spans.append((first, last))

    size = in_parts(work, n, CPU, what="test", most=most)
    assert [i for first, last in spans for i in range(first, last)] == list(range(n))
    assert size <= max(most, 1)


def test_full_memory_is_known_on_a_cpu_and_other_errors_pass():
    with pytest.raises(RuntimeError) as full:
        torch.empty(2**60)
    assert is_memory_full(full.value)

    def broken(first, last):
        raise RuntimeError("something else")

    with pytest.raises(RuntimeError, match="something else"):
        in_parts(broken, 1, CPU, what="test", most=1)
