import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from regact.losses import poisson_nll
from regact.model import PRESETS, build_model, one_hot, preset_spec
from regact.model.conv_block import ConvBlock


@settings(deadline=None, max_examples=20)
@given(name=st.sampled_from(sorted(PRESETS)), tracks=st.integers(1, 5), bins=st.integers(3, 9), crop=st.integers(0, 1))
def test_shapes(name: str, tracks: int, bins: int, crop: int):
    spec = preset_spec(name, tracks=tracks, window_bp=128 * bins, width=0.02, crop_bins=crop)
    model = build_model(spec, seed=0)
    x = torch.zeros(2, 4, 128 * bins)
    assert model.embed_bins(x).shape == (2, spec.tower.filters[-1], bins)
    assert model(x).shape == (2, tracks, bins - 2 * crop)


@pytest.mark.parametrize("name", ["basenji", "attention_two_sided", "standard"])
def test_forward_is_its_two_halves_and_crop_only_cuts(name: str, small_model, codes):
    model = small_model(name).eval()
    x = one_hot(codes)
    z = model(x)
    assert torch.equal(model.from_bins(model.embed_bins(x)), z)
    cropped = small_model(name, crop_bins=5).eval()
    cropped.load_state_dict(model.state_dict())
    torch.testing.assert_close(cropped(x), z[..., 5:-5])


@pytest.mark.parametrize("name", PRESETS)
def test_sequences_of_a_batch_do_not_mix_in_inference(name: str, small_model, codes):
    model = small_model(name).eval()
    x = one_hot(codes)
    torch.testing.assert_close(model(x)[1:2], model(x[1:2]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("link", ["exp", "elu1", "softplus"])
def test_rate_goes_through_the_link(link: str, small_model, codes):
    model = small_model(link=link)
    z = model(one_hot(codes))
    assert model.link == link
    assert (model.rate(z) > 0).all()


def test_n_is_what_the_model_was_taught(small_model):
    codes = torch.tensor([[0, 4, 2]], dtype=torch.uint8)
    assert small_model(n_value=0.25).one_hot(codes)[0, :, 1].tolist() == [0.25] * 4
    assert small_model().one_hot(codes)[0, :, 1].tolist() == [0.0] * 4


def test_relu_first_reaches_every_block_and_ends_in_a_relu(small_model, codes):
    model = small_model("basenji", block={"order": "relu_first", "epsilon": 0.01}).eval()
    blocks = [module for module in model.modules() if isinstance(module, ConvBlock)]
    assert len(blocks) > len(model.spec.tower.filters)
    assert {(block.relu_first, block.norm.eps) for block in blocks} == {(True, 0.01)}
    model.head.block.norm.weight.data.zero_()
    model.head.block.norm.bias.data.fill_(-1.0)  # what the last ReLU takes away
    z = model(model.one_hot(codes))
    assert torch.equal(z, model.head.affine.bias[:, None].expand_as(z))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["standard", "basenji", "attention_two_sided", "exp_variable"])
def test_one_batch_can_be_overfitted(name: str, small_spec, codes):
    model = build_model(small_spec(name, dropout=0.0), seed=0)
    counts = torch.poisson(torch.full((3, 3, 16), 5.0), generator=torch.Generator().manual_seed(0))
    model.head.start_at([5.0] * 3)
    optimizer = torch.optim.Adam(model.parameters(), 5e-3)
    floor = poisson_nll(counts.clamp(min=1e-3).log(), counts).item()
    first = None
    for _ in range(150):
        optimizer.zero_grad()
        loss = poisson_nll(model(one_hot(codes)), counts)
        loss.backward()
        optimizer.step()
        first = loss.item() if first is None else first
    assert loss.item() - floor < 0.1 * (first - floor)
