"""`params.json` to tower, context and head: filters and dilations, what a U-Net keeps, and what is refused."""

import json

import pytest

from regact.errors import ConfigError, FormatError
from regact.model.stack import UNetSpec
from regact.pretrained.keras_network import NetworkError, make_network
from regact.pretrained.keras_params import read_params_json

HEAD = {"name": "final", "units": 3, "activation": "softplus"}
CONV = {"name": "conv_block", "filters": 6, "kernel_size": 5}


@pytest.fixture
def network_of(tmp_path):
    def make(*trunk, head=HEAD, seq_length=512, **model):
        settings = {"seq_length": seq_length, "trunk": list(trunk), "head": head, **model}
        (tmp_path / "params.json").write_text(json.dumps({"model": settings}))
        params = read_params_json(tmp_path / "params.json")
        return make_network(params, "head", [], "gelu_tanh", preset="test")

    return make


def filters_of(stack):
    return [layer.filters for layer in stack.leaves() if layer.kind == "conv"]


def test_published_widths_of_basenji2_and_borzoi(network_of):
    tower = network_of(
        CONV | {"filters": 288, "kernel_size": 15, "pool_size": 2},
        {
            "name": "conv_tower",
            "filters_init": 339,
            "filters_mult": 1.1776,
            "kernel_size": 5,
            "pool_size": 2,
            "repeat": 6,
        },
    ).spec.tower
    assert filters_of(tower) == [288, 339, 399, 470, 554, 652, 768]
    assert tower.bin_bp == 128
    tower = network_of(
        {"name": "conv_dna", "filters": 512, "pool_size": 2},
        {"name": "res_tower", "filters_init": 608, "filters_end": 1536, "divisible_by": 32, "kernel_size": 5}
        | {"num_convs": 1, "pool_size": 2, "repeat": 6},
    ).spec.tower
    assert filters_of(tower) == [512, 608, 736, 896, 1056, 1280, 1536]


def test_published_dilations_of_basenji2(network_of):
    dilated = {"name": "dilated_residual", "filters": 384, "rate_mult": 1.5, "repeat": 11, "round": True}
    context = network_of(CONV | {"pool_size": 2}, dilated).spec.context[0]
    found = [layer.dilation for layer in context.leaves() if layer.kind == "conv" and layer.width == 3]
    assert found == [1, 2, 3, 4, 6, 9, 14, 21, 32, 48, 72]
    context = network_of(CONV | {"pool_size": 2}, dilated | {"round": False, "repeat": 6}).spec.context[0]
    found = [layer.dilation for layer in context.leaves() if layer.kind == "conv" and layer.width == 3]
    assert found == [1, 2, 2, 3, 5, 8]  # 1, 1.5, 2.25, 3.4, 5.1, 7.6


def test_a_u_net_reads_the_newest_of_the_right_length(network_of):
    pool = {"name": "conv_block", "filters": 6, "pool_size": 2}
    spec = network_of(CONV, CONV | {"filters": 9}, CONV | {"filters": 7}, pool, {"name": "unet_conv"}).spec
    assert [block.keep for block in spec.tower.blocks] == [False, False, True, False]
    assert spec.kept == ((7, 2),)
    (join,) = [layer for layer in spec.context[0].layers if isinstance(layer, UNetSpec)]
    assert join.skip == 0


def test_pool_and_repetition_are_one_block_unless_a_u_net_reads_between(network_of):
    tower = {"name": "res_tower", "filters_init": 6, "filters_mult": 1, "num_convs": 1, "repeat": 2}
    names = [block.name for block in network_of(CONV, tower).spec.tower.blocks]
    assert names == ["conv_block", "res_tower 1", "res_tower 2"]
    names = [block.name for block in network_of(CONV, tower, {"name": "unet_conv"}).spec.tower.blocks]
    assert names == ["conv_block", "res_tower 1", "res_tower 2", "res_tower 2 pool"]


def test_without_a_crop_the_head_is_what_takes_each_position_alone(network_of):
    spec = network_of(
        CONV | {"pool_size": 4},
        {"name": "dilated_residual", "filters": 3},
        {"name": "conv_nac", "filters": 12},
        {"name": "dense_block", "units": 7},
        activation="relu",
    ).spec
    assert [block.name for block in spec.context[0].blocks] == ["dilated_residual 1"]
    assert [layer.kind for layer in spec.head.layers] == ["activation", "conv", "activation", "dense", "activation"]
    assert spec.crop_bins == 0


def test_settings_of_the_network_are_those_of_its_blocks_unless_they_have_their_own(network_of):
    spec = network_of(
        CONV | {"pool_size": 2, "norm_type": "layer", "bn_momentum": 0.5},
        CONV | {"norm_type": None, "activation": "relu"},
        CONV,
        activation="tanh",
        norm_type="batch",
        bn_momentum=0.9,
    ).spec
    kinds = [[layer.kind for layer in block.layers] for block in (*spec.tower.blocks, *spec.context[0].blocks)]
    assert kinds == [
        ["activation", "conv", "layer_norm", "max_pool"],
        ["activation", "conv"],
        ["activation", "conv", "batch_norm"],
    ]
    assert spec.context[0].layers[-1].momentum == pytest.approx(0.1)
    assert spec.context[0].layers[0].name == "relu"


def test_heads_are_in_the_order_of_a_files_outputs(tmp_path):
    model = {"seq_length": 512, "trunk": [CONV], **{f"head{n}": HEAD for n in (10, 2, 1)}}
    (tmp_path / "params.json").write_text(json.dumps({"model": model}))
    assert list(read_params_json(tmp_path / "params.json").heads) == ["head1", "head2", "head10"]


class TestRefused:
    def test_every_block_and_setting_that_is_unknown_at_once(self, network_of):
        with pytest.raises(ConfigError) as error:
            network_of(
                {"name": "conv_blok", "filters": 6},
                CONV | {"stride": 2, "kernel_sise": 4},
                {"name": "transformer_tower", "key_size": 4, "qkv_width": 3},
                CONV | {"pool_type": "softmax", "activation": "swish"},
                head=HEAD | {"units": 0},
            )
        told = "; ".join(error.value.problems)
        assert "trunk[0]: block 'conv_blok' is none of this project's; did you mean conv_block? it has conv_" in told
        assert "trunk[1] conv_block, stride: Input should be 1 (found 2)" in told
        assert "trunk[1] conv_block, kernel_sise: Extra inputs are not permitted (found 4)" in told
        assert "trunk[2] transformer_tower, qkv_width: Input should be 1 (found 3)" in told
        assert "trunk[3] conv_block, pool_type: Input should be 'max' (found 'softmax')" in told
        assert "trunk[3] conv_block, activation" in told
        assert "head[0] final, units: Input should be greater than 0 (found 0)" in told

    @pytest.mark.parametrize(
        ("trunk", "problem"),
        [
            (
                [CONV, {"name": "Cropping1D", "cropping": [3, 4]}],
                r"trunk\[1\] Cropping1D: 3 positions cropped",
            ),
            ([{"name": "Cropping1D", "cropping": 1}] * 2, "a second Cropping1D"),
            ([CONV, {"name": "Cropping1D", "cropping": 3}, CONV], "see each other behind Cropping1D"),
            ([CONV, {"name": "unet_conv"}], r"trunk\[1\] unet_conv: no block before it gives 1,024 positions"),
            ([CONV | {"filters": 7, "residual": True}], r"trunk\[0\] conv_block: 7 channels cannot be added to 4"),
            ([CONV, {"name": "transformer", "key_size": 2, "heads": 4}], r"6 channels cannot be shared among 4 heads"),
            ([{"name": "Cropping1D", "cropping": 1}, CONV | {"pool_size": 2}], "stands before the last pool"),
            ([CONV | {"pool_size": 2}, {"name": "Cropping1D", "cropping": 128}], "leave no bin"),
        ],
    )
    def test_blocks_that_do_not_fit(self, trunk, problem, network_of):
        with pytest.raises(NetworkError, match=problem):
            network_of(*trunk)

    @pytest.mark.parametrize(
        ("head", "problem"),
        [
            ([CONV | {"kernel_size": 1}], "the last block of a head is no dense layer"),
            (
                HEAD | {"activation": "linear"},
                "activation linear of the last layer; needed one of softplus, exponential",
            ),
            ([CONV, HEAD], "see each other"),
            ([{"name": "Cropping1D", "cropping": 3}, HEAD], r"head\[0\] Cropping1D: not in a head"),
        ],
    )
    def test_heads_that_make_no_rates(self, head, problem, network_of):
        with pytest.raises(NetworkError, match=problem):
            network_of(CONV, head=head)

    def test_files_without_a_network(self, tmp_path):
        path = tmp_path / "params.json"
        for text, problem in (
            ("{", "cannot be read"),
            ("{}", "no entry 'model'"),
            ('{"model": {"trunk": []}}', "no entry 'seq_length'"),
        ):
            path.write_text(text)
            with pytest.raises(FormatError, match=problem):
                read_params_json(path)
        path.write_text('{"model": {"trunk": [], "seq_length": -1}}')
        with pytest.raises(ConfigError, match=r"no head.*; seq_length: .*greater than 0"):
            read_params_json(path)
