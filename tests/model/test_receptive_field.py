import pytest
import torch
from torch.nn import functional

from regact.model import build_model, conv_block, preset_spec, reach_bins, reach_bp, receptive_field_bp
from regact.model.receptive_field import tower_field_bp


def gradient_span(spec, monkeypatch) -> tuple[int, int]:
    """First and last base with a gradient for the middle bin, in the same net without ReLU and with average pooling."""
    monkeypatch.setattr(conv_block.functional, "relu", lambda x, inplace=False: x)
    monkeypatch.setattr(conv_block.functional, "max_pool2d", functional.avg_pool2d)
    model = build_model(spec, seed=0).double().eval()
    x = torch.randn(1, 4, spec.window_bp, dtype=torch.float64, requires_grad=True)
    model(x)[0, 0, spec.bins // 2].backward()
    seen = x.grad.abs().sum((0, 1)).nonzero()[:, 0]
    return seen.min().item(), seen.max().item() + 1


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("standard", {}),
        ("basenji", {"dilated_layers": 1}),
        ("basenji", {"dilated_layers": 3}),
        ("standard", {"filters": (5, 6, 7), "widths": (7, 4, 2), "pools": (2, 1, 8)}),
    ],
)
def test_computed_field_is_the_gradients_span(name: str, changes: dict, monkeypatch):
    spec = preset_spec(name, tracks=1, window_bp=8192, width=0.02, **changes)
    first, end = gradient_span(spec, monkeypatch)
    left, right = tower_field_bp(spec)
    bin_start = spec.bins // 2 * spec.bin_bp
    assert (first, end) == (bin_start - reach_bp(spec) - left, bin_start + spec.bin_bp + reach_bp(spec) + right)
    assert end - first == receptive_field_bp(spec)


@pytest.mark.parametrize("name", ["attention_two_sided", "exp_constant"])
def test_attention_and_pooling_see_the_window(name: str, small_spec, monkeypatch):
    spec = small_spec(name)
    assert reach_bins(spec) is None
    assert receptive_field_bp(spec) == spec.window_bp
    assert gradient_span(spec, monkeypatch) == (0, spec.window_bp)


def test_figures_of_the_paper():
    published, basenji = (preset_spec(name, tracks=1) for name in ("basenji_published", "basenji"))
    assert (reach_bins(published), reach_bp(published)) == (126, 16_128)
    assert (reach_bins(basenji), reach_bp(basenji)) == (254, 32_512)
    assert receptive_field_bp(preset_spec("standard", tracks=1)) == 615


def test_field_is_no_wider_than_the_window():
    assert receptive_field_bp(preset_spec("basenji", tracks=1, window_bp=4096)) == 4096
