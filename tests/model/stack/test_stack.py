"""Stacks as towers, contexts and heads: what they are made of, cost, see, and refuse."""

import pytest
import torch
from pydantic import ValidationError
from torch.utils.flop_counter import FlopCounterMode

from regact.model import (
    ModelSpec,
    build_model,
    count,
    load_model,
    predict_codes,
    reach_bins,
    reach_bp,
    receptive_field_bp,
    save_model,
    summarize_context,
)
from regact.model.receptive_field import tower_field_bp
from regact.model.spec import DilatedSpec
from regact.model.stack import (
    ActivationSpec,
    BatchNormSpec,
    ConcatenateSpec,
    ConvSpec,
    DenseSpec,
    DropoutSpec,
    LayerNormSpec,
    MaxPoolSpec,
    RelativeAttentionSpec,
    ResidualSpec,
    ScaleSpec,
    SeparableConvSpec,
    StackBlockSpec,
    StackHeadSpec,
    StackSpec,
    UNetSpec,
)
from regact.model.stack.unet import fold, unfold

GELU = ActivationSpec(name="gelu_tanh")


def block(name, *layers, keep=False):
    return StackBlockSpec(name=name, layers=layers, keep=keep)


def u_net(*, attention=True, **changes):
    """One of every layer: bins of 8 bp in the tower, of 4 bp behind the context."""
    mixing = RelativeAttentionSpec(heads=2, key_size=3, value_size=5, position_features=6)
    mixing = mixing if attention else ConvSpec(filters=10, width=3, dilation=4)
    narrow = (BatchNormSpec(), DenseSpec(units=7))
    tower = StackSpec(
        blocks=(
            block("first", ConvSpec(filters=6, width=6), BatchNormSpec(), MaxPoolSpec(size=2)),
            block(
                "second", ActivationSpec(name="gelu_tanh"), ConvSpec(filters=8, width=3), MaxPoolSpec(size=2), keep=True
            ),
            block("third", ResidualSpec(layers=(ConvSpec(filters=8, width=4), ScaleSpec())), MaxPoolSpec(size=2)),
            block("fourth", ConcatenateSpec(layers=(ConvSpec(filters=2, bias=False), DropoutSpec(rate=0.1)))),
        )
    )
    context = StackSpec(
        blocks=(
            block("mixing", ResidualSpec(layers=(LayerNormSpec(), mixing))),
            block(
                "finer",
                UNetSpec(skip=0, main=narrow, side=narrow),
                SeparableConvSpec(filters=9, width=3),
            ),
        )
    )
    head = StackHeadSpec(layers=(ConvSpec(filters=11), BatchNormSpec(), ActivationSpec(name="relu")))
    settings = {"tracks": 3, "window_bp": 256, "crop_bins": 5, "tower": tower, "context": (context,), "head": head}
    return ModelSpec(**settings | changes)


def changed(spec, part, index, **changes):
    """The settings of a model whose block `index` of `part` is another."""
    settings = spec.model_dump()
    stack = settings["tower"] if part == "tower" else settings["context"][0]
    blocks = list(stack["blocks"])
    blocks[index] = blocks[index] | changes
    stack["blocks"] = tuple(blocks)
    return settings


class TestModel:
    def test_shapes_and_halves(self):
        spec = u_net()
        model = build_model(spec, seed=0).eval()
        assert (spec.tower.bin_bp, spec.bin_bp, spec.bins) == (8, 4, 54)
        x = torch.randn(2, 4, 256)
        bins = model.embed_bins(x)
        assert bins.shape == (2, 10 + 2 * 8, 32)  # what was kept is behind the bins' channels, two positions a bin
        torch.testing.assert_close(model.from_bins(bins), model(x))
        assert model(x).shape == (2, 3, 54)

    def test_survives_its_file_bit_by_bit(self, tmp_path):
        model = build_model(u_net(), seed=3).eval()
        model.head.start_at([0.5, 2.0, 30.0], model.link)
        save_model(model, tmp_path)
        loaded = load_model(tmp_path)
        assert loaded.spec == model.spec
        codes = torch.randint(0, 5, (2, 256), dtype=torch.uint8)
        assert torch.equal(predict_codes(loaded, codes), predict_codes(model, codes))

    def test_a_head_starts_at_each_tracks_mean(self):
        model = build_model(u_net(), seed=3).eval()
        with torch.no_grad():
            model.head.affine.weight.zero_()
        model.head.start_at([0.5, 2.0, 30.0], model.link)
        rates = predict_codes(model, torch.zeros(1, 256, dtype=torch.uint8))
        torch.testing.assert_close(rates[0, :, 0], torch.tensor([0.5, 2.0, 30.0]))

    def test_every_weight_learns(self):
        model = build_model(u_net(), seed=0)
        for name, parameter in model.named_parameters():
            if name.endswith("bias") or "Scale" in name:
                torch.nn.init.normal_(parameter)
        for module in model.modules():
            if type(module).__name__ == "Scale":
                torch.nn.init.ones_(module.weight)
        model(torch.randn(4, 4, 256)).square().mean().backward()
        still = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
        assert still == []


class TestNumbers:
    def test_parameters_are_those_of_the_built_model(self):
        model = build_model(u_net(), seed=0)
        assert count(model.spec).parameters == sum(p.numel() for p in model.parameters())

    @pytest.mark.parametrize("content_position_bias", [True, False])
    @pytest.mark.parametrize("position_features", [0, 6])
    def test_macs_are_those_that_torch_counts(self, content_position_bias, position_features):
        attention = RelativeAttentionSpec(
            heads=2,
            key_size=3,
            value_size=5,
            position_features=position_features,
            content_position_bias=content_position_bias,
        )
        spec = ModelSpec(**changed(u_net(), "context", 0, layers=({"kind": "residual", "layers": (attention,)},)))
        model = build_model(spec, seed=0).eval()
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            model(torch.zeros(1, 4, 256))
        assert 2 * count(spec).macs == counter.get_total_flops()

    def test_layers_are_told_in_words(self):
        names = [layer.name for layer in count(u_net()).layers]
        assert names[1] == "second: conv 3, pool 2"
        assert names[4:] == [
            "mixing: attention, 2 heads",
            "finer: 2 times finer, separable conv 3",
            "block: conv 1",
            "affine",
        ]

    def test_attention_sees_the_window(self):
        assert reach_bp(u_net()) is None
        assert receptive_field_bp(u_net()) == 256
        summary = summarize_context(u_net())
        assert (summary.dilated_layers, summary.attention_heads, summary.distances) == (0, (2,), ("relative",))

    def test_field_is_the_gradients_span(self):
        """All weights positive, no activation, sums for maxima: what a bin sees has a gradient."""
        plain = u_net(attention=False, window_bp=1024, crop_bins=0)
        settings = plain.model_dump()
        settings["tower"]["blocks"] = tuple(
            b | {"layers": tuple(layer for layer in b["layers"] if layer["kind"] != "activation")}
            for b in settings["tower"]["blocks"]
        )
        spec = ModelSpec(**settings)
        model = build_model(spec, seed=0).double().eval()
        for parameter in model.parameters():
            torch.nn.init.constant_(parameter, 0.5)
        for module in model.modules():
            if type(module).__name__ == "MaxPool":
                module.forward = lambda x, size=module.size: torch.nn.functional.avg_pool1d(x, size)
        left, right = tower_field_bp(spec)
        first, last = [], []
        for output in (spec.bins // 2, spec.bins // 2 + 1):  # both halves of a bin of the tower
            x = torch.rand(1, 4, 1024, dtype=torch.float64, requires_grad=True)
            model.context(model.tower(x))[0, :, output].sum().backward()
            seen = x.grad.abs().sum((0, 1)).nonzero()[:, 0]
            first.append(output * spec.bin_bp - seen.min().item())
            last.append(seen.max().item() + 1 - (output + 1) * spec.bin_bp)
        assert reach_bins(spec) == -(-reach_bp(spec) // 4)
        assert max(first) <= left + reach_bp(spec)
        assert max(last) == right + reach_bp(spec)
        assert summarize_context(spec).dilated_layers == 1


class TestRefused:
    def test_what_does_not_add_up(self):
        with pytest.raises(ValidationError, match="9 channels cannot be added to 8"):
            u_net(
                tower=StackSpec(
                    blocks=(
                        block(
                            "a", ConvSpec(filters=8), ResidualSpec(layers=(ConvSpec(filters=9),)), MaxPoolSpec(size=8)
                        ),
                    )
                ),
                context=(),
            )

    def test_u_net_joins_that_do_not_fit(self):
        join = u_net().context[0].blocks[1].layers[0].model_dump()
        for changes, problem in (
            ({"skip": 1}, "reads what was kept as number 1; the tower keeps 1"),
            ({"factor": 4}, "makes 4 positions a bin and adds what has 2"),
            ({"side": ()}, "adds 8 channels to 7"),
        ):
            with pytest.raises(ValidationError, match=problem):
                ModelSpec(**changed(u_net(), "context", 1, layers=(join | changes,)))

    def test_a_tower_that_keeps_for_nobody(self):
        with pytest.raises(ValidationError, match="keeps what no stack reads"):
            u_net(context=(DilatedSpec(layers=2),))

    def test_odd_features_unknown_layers_and_windows(self):
        with pytest.raises(ValidationError, match="position_features 7 is odd"):
            RelativeAttentionSpec(heads=1, key_size=1, value_size=1, position_features=7)
        with pytest.raises(ValidationError, match="kind"):
            StackBlockSpec.model_validate({"name": "a", "layers": [{"kind": "lambda", "code": "import os"}]})
        with pytest.raises(ValidationError, match="window_bp 250 is no multiple of 8"):
            u_net(window_bp=250)


@pytest.mark.parametrize("kept", [[], [(3, 2)], [(3, 4), (5, 1), (2, 8)]])
def test_unfold_undoes_fold(kept):
    bins = torch.randn(2, 7, 6)
    skips = [torch.randn(2, channels, 6 * positions) for channels, positions in kept]
    found, unfolded = unfold(fold(bins, skips), 7, kept)
    assert torch.equal(found, bins)
    assert all(torch.equal(a, b) for a, b in zip(unfolded, skips, strict=True))


def test_a_folded_bin_holds_its_own_positions():
    skip = torch.arange(12.0).reshape(1, 1, 12)
    folded = fold(torch.zeros(1, 1, 3), [skip])
    assert folded[0, 1:, 1].tolist() == [4, 5, 6, 7]
