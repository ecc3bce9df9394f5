"""Keras models of Basenji2's and Borzoi's kind become runs with the answers of the same network in float64 numpy."""

import json

import h5py
import numpy as np
import pandas as pd
import pytest
import torch

from regact.dataset.batch_plan import NO_AUGMENTATION
from regact.errors import ConfigError, FormatError, OutputExistsError, RunError
from regact.evaluation import evaluate
from regact.experiment import load_experiment
from regact.model import ModelSpec, count, load_model, load_spec, predict_codes
from regact.pretrained import import_keras
from regact.tracks import Track, TrackSheet
from regact.training import TransferConfig, read_card, train_model
from regact.training.transfer import check_transfer

NETWORKS = ["basenji2", "borzoi_human", "borzoi_mouse", "others"]


@pytest.fixture
def exported(tmp_path, keras_numpy, keras_networks, write_keras_file):
    """`exported(network)`: the files of a network with random weights, and `predict(codes)` in numpy."""

    def make(name, *, params=None, **options):
        network = getattr(keras_networks, name)
        settings = getattr(keras_networks, name.split("_")[0].upper())
        session = keras_numpy.NumpySession()
        session.input()
        network(session, np.zeros((settings["seq_length"], 4)))
        (tmp_path / "params.json").write_text(json.dumps({"train": {"loss": "poisson"}, "model": params or settings}))
        write_keras_file(tmp_path / "model.h5", session.layers, **options)

        def predict(codes, network=network):
            rates = []
            for sequence in codes:
                again = keras_numpy.NumpySession(session.layers)
                again.input()
                rates.append(network(again, np.eye(5)[:, :4][sequence]).T)
            return np.array(rates)

        return tmp_path / "model.h5", tmp_path / "params.json", predict, session.layers

    return make


def random_codes(length, n=2):
    return np.random.default_rng(3).integers(0, 5, (n, length)).astype(np.uint8)


@pytest.mark.parametrize("name", NETWORKS)
def test_answers_are_those_of_the_network_in_numpy(name, exported, tmp_path):
    model, params, predict, _ = exported(name)
    run = import_keras(model, tmp_path / "run", params=params)
    loaded = load_model(run)
    codes = random_codes(loaded.spec.window_bp)
    rates, expected = predict_codes(loaded, codes).numpy(), predict(codes)
    assert rates.shape == expected.shape
    assert expected.std() > 0.1
    np.testing.assert_allclose(rates, expected, rtol=1e-5, atol=1e-6 * expected.max())


@pytest.mark.parametrize("name", NETWORKS)
def test_numbers_of_the_spec_are_those_of_the_network(name, exported, tmp_path):
    model, params, _, layers = exported(name)
    run = import_keras(model, tmp_path / "run", params=params)
    statistics = ("moving_mean", "moving_variance")
    trained = sum(w.size for layer in layers for n, w in layer["weights"].items() if n not in statistics)
    assert count(load_spec(run)).parameters == trained


def test_what_a_run_of_basenji2_is(exported, tmp_path):
    model, params, _, _ = exported("basenji2")
    spec = load_spec(import_keras(model, tmp_path / "run", params=params))
    assert (spec.window_bp, spec.bin_bp, spec.crop_bins, spec.bins, spec.tracks) == (512, 16, 3, 26, 5)
    assert (spec.head.link, spec.n_value) == ("softplus", 0.0)
    assert [block.name for block in spec.tower.blocks] == ["conv_block", *(f"conv_tower {i}" for i in (1, 2, 3))]
    assert [block.name for block in spec.context[0].blocks] == [f"dilated_residual {i}" for i in (1, 2, 3, 4)]


def test_a_u_net_keeps_what_it_reads_and_makes_bins_finer(exported, tmp_path):
    model, params, _, _ = exported("borzoi_human")
    loaded = load_model(import_keras(model, tmp_path / "run", params=params))
    spec = loaded.spec
    assert (spec.tower.bin_bp, spec.bin_bp, spec.crop_bins, spec.bins) == (16, 4, 16, 96)
    assert [block.name for block in spec.tower.blocks if block.keep] == ["res_tower 2", "res_tower 3"]
    bins = loaded.embed_bins(torch.zeros(1, 4, 512))
    assert bins.shape == (1, 12 + 4 * 8 + 2 * 12, 32)  # coarse channels, then 4 positions of 8, 2 of 12
    assert loaded.from_bins(bins).shape == (1, 4, 96)


def test_the_head_is_the_one_that_fits_or_that_was_asked_for(exported, tmp_path):
    model, params, _, _ = exported("borzoi_mouse")
    card = read_card(import_keras(model, tmp_path / "run", params=params))
    assert (card["source"]["head"], card["source"]["gelu"], len(card["tracks"])) == ("head_mouse", "tanh", 3)
    wrong = r"dense_7 \(head_human\[0\] final\) has kernel of shape \(10, 3\); needed \(10, 4\)"
    with pytest.raises(ConfigError, match=wrong):
        import_keras(model, tmp_path / "other", params=params, head="human")
    with pytest.raises(ConfigError, match="no head 'rat'; it has head_human, head_mouse"):
        import_keras(model, tmp_path / "other", params=params, head="rat")


def test_a_file_with_every_head(exported, tmp_path, keras_numpy, keras_networks, write_keras_file):
    _, params, _, _ = exported("borzoi_human")
    session = keras_numpy.NumpySession()
    session.input()
    codes = random_codes(512, n=1)
    trunk = keras_networks.borzoi_trunk(session, np.eye(5)[:, :4][codes[0]])
    before = session.layers[-1]["name"]
    human, mouse = session.dense(trunk, 4, "softplus"), session.dense(trunk, 3, "softplus")
    for layer in session.layers[-2:]:
        layer["inputs"] = [before]
    ends = [layer["name"] for layer in session.layers[-2:]]
    model = write_keras_file(tmp_path / "both.h5", session.layers, outputs=ends)
    for head, expected in (("human", human), ("head_mouse", mouse)):
        loaded = load_model(import_keras(model, tmp_path / head, params=params, head=head))
        np.testing.assert_allclose(predict_codes(loaded, codes)[0].numpy().T, expected, rtol=1e-5)
    with pytest.raises(ConfigError, match=r"every head \(head_human, head_mouse\); say which with --head"):
        import_keras(model, tmp_path / "run", params=params)


@pytest.fixture
def deep_heads(exported, tmp_path, keras_numpy, keras_networks):
    """Two heads of the same shapes, two layers each, in Keras's order: by distance from the outputs, head by head."""
    _, params, _, _ = exported("borzoi_human")
    settings = json.loads(params.read_text())
    for head in ("head_human", "head_mouse"):
        block = {"name": "dense_block", "units": 6, "norm_type": None}
        settings["model"][head] = [block, {"name": "final", "units": 4, "activation": "softplus"}]
    params.write_text(json.dumps(settings))
    session = keras_numpy.NumpySession()
    session.input()
    codes = random_codes(512, n=1)
    trunk = keras_networks.borzoi_trunk(session, np.eye(5)[:, :4][codes[0]])
    hidden = [session.activation(trunk, "gelu_tanh") for _ in range(2)]
    hidden = [session.dense(one, 6) for one in hidden]
    rates = [session.dense(one, 4, "softplus") for one in hidden]
    names = [layer["name"] for layer in session.layers]
    for place, layer in enumerate(session.layers[-6:]):
        layer["inputs"] = [names[-7] if place < 2 else names[place - 8]]
    return session.layers, names[-2:], params, codes, dict(zip(("human", "mouse"), rates, strict=True))


def test_heads_of_several_layers_in_one_file(deep_heads, tmp_path, write_keras_file):
    layers, ends, params, codes, rates = deep_heads
    model = write_keras_file(tmp_path / "both.h5", layers, outputs=ends)
    for head, expected in rates.items():
        loaded = load_model(import_keras(model, tmp_path / head, params=params, head=head))
        np.testing.assert_allclose(predict_codes(loaded, codes)[0].numpy().T, expected, rtol=1e-5)
    with pytest.raises(ConfigError, match=r"every head \(head_human, head_mouse\); say which with --head"):
        import_keras(model, tmp_path / "run", params=params)


@pytest.mark.parametrize("config", [True, False])
def test_of_two_heads_that_fit_none_is_guessed(config, exported, tmp_path):
    model, path, _, _ = exported("borzoi_human", config=config)
    params = json.loads(path.read_text())
    params["model"]["head_mouse"]["units"] = 4
    path.write_text(json.dumps(params))
    with pytest.raises(ConfigError, match="head_human and head_mouse fit it; say which with --head"):
        import_keras(model, tmp_path / "run", params=path, gelu="tanh")
    card = read_card(import_keras(model, tmp_path / "run", params=path, gelu="tanh", head="mouse"))
    assert card["source"]["head"] == "head_mouse"


def test_weights_alone_of_heads_with_several_layers_are_not_guessed(deep_heads, tmp_path, write_keras_file):
    layers, _, params, _, _ = deep_heads
    model = write_keras_file(tmp_path / "both.h5", layers, config=False)
    with pytest.raises(ConfigError, match="without model_config layers of heads with several are not told apart"):
        import_keras(model, tmp_path / "run", params=params, head="human", gelu="tanh")


def test_a_file_with_other_numbers_of_heads(deep_heads, tmp_path, write_keras_file):
    layers, ends, params, _, _ = deep_heads
    settings = json.loads(params.read_text())
    settings["model"]["head_rat"] = settings["model"]["head_mouse"]
    params.write_text(json.dumps(settings))
    model = write_keras_file(tmp_path / "both.h5", layers, outputs=ends)
    found = r"2 outputs; needed one, or one for each head of params\.json: head_human, head_mouse, head_rat"
    with pytest.raises(ConfigError, match=found):
        import_keras(model, tmp_path / "run", params=params)


def switched(layers, pairs):
    """The layers with baskerville's last one, which undoes the reverse complement of augmented inputs."""
    return [*layers, {"class": "SwitchReverse", "name": "switch", "weights": {}, "calls": {}, "config": pairs}]


class TestStrandPairs:
    """The strand swap of imported stranded tracks: by the sheet, else by the file, and never unsaid."""

    def test_are_the_files_where_there_is_no_sheet(self, exported, tmp_path, write_keras_file):
        _, params, _, layers = exported("borzoi_human")
        model = write_keras_file(tmp_path / "pairs.h5", switched(layers, {"strand_pair": [1, 0, 2, 3]}))
        told = []
        card = read_card(import_keras(model, tmp_path / "run", params=params, tell=told.append))
        assert card["strand_pair"] == [1, 0, 2, 3]
        expected = (
            "tracks are called track_1, track_2, ..., and their strand pairs are the file's: name them with --tracks"
        )
        assert told == [expected]

    @pytest.mark.parametrize("pairs", [{}, {"strand_pair": [1, 2, 3, 0]}, {"strand_pair": [5, 4, 6, 7]}])
    def test_are_not_known_where_the_file_has_none(self, pairs, exported, tmp_path, write_keras_file):
        _, params, _, layers = exported("borzoi_human")
        model = write_keras_file(tmp_path / "pairs.h5", switched(layers, pairs))
        told = []
        card = read_card(import_keras(model, tmp_path / "run", params=params, tell=told.append))
        assert card["strand_pair"] == [0, 1, 2, 3]
        assert "each is its own strand pair, stranded ones too: name them with --tracks" in told[0]

    def test_of_a_sheet_are_held_against_the_files(self, exported, tmp_path, write_keras_file):
        _, params, _, layers = exported("borzoi_human")
        model = write_keras_file(tmp_path / "pairs.h5", switched(layers, {"strand_pair": [1, 0, 2, 3]}))
        for name, pairs, warnings in (("right", (1, 0, 2, 3), 0), ("wrong", (0, 1, 3, 2), 1)):
            tracks = tuple(Track(f"t{row}", (), strand_pair=pair) for row, pair in enumerate(pairs))
            told = []
            sheet = TrackSheet(tracks, tmp_path / "targets.txt")
            card = read_card(import_keras(model, tmp_path / name, params=params, sheet=sheet, tell=told.append))
            assert card["strand_pair"] == list(pairs)
            assert len(told) == warnings
        assert told[0].startswith(f"warning: 4 tracks of {sheet.path} have other strand pairs than the network was")


@pytest.mark.parametrize("form", ["sigmoid", "tanh", "erf"])
def test_gelu_is_the_form_that_the_file_says(form, exported, tmp_path, keras_numpy, keras_networks, write_keras_file):
    _, params, _, _ = exported("basenji2")
    session = keras_numpy.NumpySession()
    session.input()
    codes = random_codes(512, n=1)
    expected = keras_networks.basenji2(session, np.eye(5)[:, :4][codes[0]], gelu=f"gelu_{form}")
    model = write_keras_file(tmp_path / "gelu.h5", session.layers)
    run = import_keras(model, tmp_path / "run", params=params)
    assert read_card(run)["source"]["gelu"] == form
    np.testing.assert_allclose(predict_codes(load_model(run), codes)[0].numpy().T, expected, rtol=1e-5)
    other = {"sigmoid": "erf", "tanh": "sigmoid", "erf": "tanh"}[form]
    overridden = import_keras(model, tmp_path / "other", params=params, gelu=other)
    difference = predict_codes(load_model(overridden), codes)[0].numpy().T - expected
    assert np.abs(difference).max() > 1e-4 * expected.max()


def test_without_model_config_gelu_has_to_be_said(exported, tmp_path):
    model, params, predict, _ = exported("basenji2", config=False)
    with pytest.raises(ConfigError, match=r"trunk\[0\] conv_block: .*form of GELU.*--gelu sigmoid, tanh or erf"):
        import_keras(model, tmp_path / "run", params=params)
    loaded = load_model(import_keras(model, tmp_path / "run", params=params, gelu="sigmoid"))
    codes = random_codes(512)
    np.testing.assert_allclose(predict_codes(loaded, codes).numpy(), predict(codes), rtol=1e-5, atol=1e-6)


def test_layers_are_matched_by_their_order_not_their_number(exported, tmp_path, write_keras_file):
    _, params, predict, layers = exported("borzoi_human")
    numbered = [
        layer if layer["class"] == "InputLayer" else layer | {"name": f"{layer['name'].rstrip('_0123456789')}_{90 - i}"}
        for i, layer in enumerate(layers)
    ]
    model = write_keras_file(tmp_path / "second.h5", numbered, split_names=True)
    codes = random_codes(512, n=1)
    loaded = load_model(import_keras(model, tmp_path / "run", params=params))
    np.testing.assert_allclose(predict_codes(loaded, codes).numpy(), predict(codes), rtol=1e-5)


@pytest.mark.parametrize("window_bp", [256, 640])
def test_a_window_of_another_length(window_bp, exported, tmp_path, keras_numpy, keras_networks):
    model, params, _, layers = exported("borzoi_human")
    loaded = load_model(import_keras(model, tmp_path / "run", params=params, window_bp=window_bp))
    codes = random_codes(window_bp, n=1)

    class TrainedWidths(keras_numpy.NumpySession):
        def attention(self, x, **sizes):
            return super().attention(x, **sizes | {"feature_bins": 512 // 16})

    session = TrainedWidths(layers)
    session.input()
    expected = keras_networks.borzoi_human(session, np.eye(5)[:, :4][codes[0]])
    np.testing.assert_allclose(predict_codes(loaded, codes)[0].numpy().T, expected, rtol=1e-5)


def test_every_shape_that_does_not_fit_is_told_at_once(exported, tmp_path):
    model, params, _, _ = exported("basenji2")
    settings = json.loads(params.read_text())
    settings["model"]["trunk"][0]["filters"] = 8
    settings["model"]["trunk"][4]["filters"] = 11
    settings["model"]["head_human"]["units"] = 9
    params.write_text(json.dumps(settings))
    with pytest.raises(ConfigError) as error:
        import_keras(model, tmp_path / "run", params=params)
    told = "; ".join(error.value.problems)
    assert "conv1d (trunk[0] conv_block) has kernel of shape (15, 4, 6); needed (15, 4, 8)" in told
    assert "conv1d_1 (trunk[1] conv_tower) has kernel of shape (4, 6, 7); needed (4, 8, 7)" in told
    assert "batch_normalization (trunk[0] conv_block) has moving_variance of shape (6,); needed (8,)" in told
    assert "(trunk[4] conv_block) has kernel of shape (1, 10, 12); needed (1, 10, 11)" in told
    assert "dense (head_human[0] dense) has kernel of shape (12, 5); needed (11, 9)" in told
    assert not (tmp_path / "run").exists()


def test_numbers_of_layers_that_differ_are_told(exported, tmp_path):
    model, params, _, _ = exported("basenji2")
    settings = json.loads(params.read_text())
    settings["model"]["trunk"][2]["repeat"] = 5
    params.write_text(json.dumps(settings))
    with pytest.raises(ConfigError) as error:
        import_keras(model, tmp_path / "run", params=params)
    assert "13 layers Conv1D; needed 15, the first missing in" in str(error.value)
    settings["model"]["trunk"][2]["repeat"] = 3
    params.write_text(json.dumps(settings))
    with pytest.raises(ConfigError, match="13 layers BatchNormalization; needed 11, the first left over is"):
        import_keras(model, tmp_path / "run", params=params)


def test_sizes_that_shapes_do_not_show_are_held_against_model_config(exported, tmp_path):
    model, params, _, _ = exported("basenji2")
    settings = json.loads(params.read_text())
    trunk = settings["model"]["trunk"]
    trunk[1]["pool_size"], trunk[2]["rate_mult"], trunk[3]["cropping"] = 1, 2, 4
    trunk[4]["activation"] = "relu"
    params.write_text(json.dumps(settings))
    with pytest.raises(ConfigError) as error:
        import_keras(model, tmp_path / "run", params=params)
    told = "; ".join(error.value.problems)
    assert "max-pools of model_config are [2, 2, 2, 2]; needed [2], as params.json has them" in told
    assert "Cropping1D of model_config are [3]; needed [4]" in told
    assert "activations of model_config are gelu, softplus; needed gelu, relu, softplus" in told
    assert "(trunk[2] dilated_residual) has dilation_rate [3]; needed 4" in told


@pytest.mark.parametrize(
    ("network", "class_name", "setting", "problem"),
    [
        (
            "basenji2",
            "Conv1D",
            {"padding": "valid"},
            r"conv1d \(trunk\[0\] conv_block\) has padding valid; needed same",
        ),
        ("basenji2", "Conv1D", {"strides": [2]}, r"has strides \[2\]; needed 1"),
        ("basenji2", "Conv1D", {"groups": 2}, "has groups 2; needed 1"),
        ("basenji2", "Conv1D", {"activation": "relu"}, "has activation relu; needed linear"),
        ("basenji2", "MaxPooling1D", {"padding": "valid"}, "max_pooling1d has padding valid; needed same"),
        ("basenji2", "MaxPooling1D", {"strides": [1]}, r"max_pooling1d has strides \[1\]; needed 2"),
        ("borzoi_human", "SeparableConv1D", {"depth_multiplier": 2}, "has depth_multiplier 2; needed 1"),
        (
            "borzoi_human",
            "Dense",
            {"activation": "softplus"},
            r"dense \(trunk.* has activation softplus; needed linear",
        ),
        ("borzoi_human", "MultiheadAttention", {"content_position_bias": False}, "bias False; needed True"),
        ("borzoi_human", "MultiheadAttention", {"seqlen_train": 99}, "has seqlen_train 99; needed 32"),
        ("borzoi_human", "MultiheadAttention", {"relative_position_symmetric": True}, "symmetric True; needed False"),
        ("borzoi_human", "MultiheadAttention", {"scaling": False}, "has scaling False; needed True"),
        (
            "borzoi_human",
            "MultiheadAttention",
            {"relative_position_functions": ["positional_features_gamma"]},
            "has relative_position_functions .*gamma.*; needed .*central_mask",
        ),
    ],
)
def test_what_no_shape_shows_is_held_against_each_layer(
    network, class_name, setting, problem, exported, tmp_path, write_keras_file
):
    _, params, _, layers = exported(network)
    (first,) = [layer for layer in layers if layer["class"] == class_name][:1]
    changed = [layer | {"config": layer["config"] | setting} if layer is first else layer for layer in layers]
    model = write_keras_file(tmp_path / "changed.h5", changed)
    with pytest.raises(ConfigError, match=problem):
        import_keras(model, tmp_path / "run", params=params)


def test_a_link_that_the_file_does_not_have_is_told(exported, tmp_path):
    model, params, _, _ = exported("basenji2")
    settings = json.loads(params.read_text())
    settings["model"]["head_human"]["activation"] = "exponential"
    params.write_text(json.dumps(settings))
    with pytest.raises(ConfigError, match="activations of model_config are gelu, softplus; needed exponential, gelu"):
        import_keras(model, tmp_path / "run", params=params)


def test_missing_and_unknown_datasets_are_named(exported, tmp_path):
    model, params, _, _ = exported("borzoi_human")
    with h5py.File(model, "a") as file:
        weights = file["model_weights"]
        del weights["multihead_attention/multihead_attention/r_w_bias:0"]
        del weights["separable_conv1d/separable_conv1d/pointwise_kernel:0"]
        weights["dense"].attrs["weight_names"] = [b"dense/kernel:0", b"dense/bias:0", b"dense/mask:0"]
    with pytest.raises(ConfigError) as error:
        import_keras(model, tmp_path / "run", params=params)
    told = "; ".join(error.value.problems)
    assert (
        "multihead_attention (trunk[2] transformer_tower) has no dataset r_w_bias; needed one of shape (1, 2, 1, 3)"
        in told
    )
    assert (
        "separable_conv1d (trunk[3] unet_conv) has no dataset pointwise_kernel; needed one of shape (1, 12, 12)" in told
    )
    assert "dense (trunk[2] transformer_tower) has an unknown weight mask; needed kernel, bias" in told


def test_layers_and_functions_of_other_kinds_are_named(exported, tmp_path, write_keras_file):
    _, params, _, layers = exported("basenji2")
    stranger = {"class": "SoftmaxPool1D", "name": "softmax_pool1d", "weights": {"dense/kernel": np.ones((3, 1))}}
    function = {"class": "TFOpLambda", "name": "tf.math.erf", "weights": {}, "config": {"function": "math.erf"}}
    plain = {"config": {}, "calls": {}}
    model = write_keras_file(tmp_path / "strange.h5", [*layers, plain | stranger, plain | function])
    with pytest.raises(ConfigError) as error:
        import_keras(model, tmp_path / "run", params=params)
    told = str(error.value)
    assert "layer softmax_pool1d, class SoftmaxPool1D, is none of this project's; it has Activation, Add" in told
    assert "layer tf.math.erf, function math.erf, is none of this project's" in told


def test_values_that_are_not_finite_are_refused(exported, tmp_path):
    model, params, _, _ = exported("basenji2")
    with h5py.File(model, "a") as file:
        file["model_weights/conv1d_2/conv1d_2/kernel:0"][0, 0, :2] = np.nan
    with pytest.raises(ConfigError, match=r"conv1d_2/conv1d_2/kernel:0 holds 2 values that are not finite"):
        import_keras(model, tmp_path / "run", params=params)


def test_files_of_another_kind_are_refused(exported, tmp_path):
    model, params, _, _ = exported("basenji2")
    text = tmp_path / "text.h5"
    text.write_text("no HDF5")
    with pytest.raises(FormatError, match="cannot be opened"):
        import_keras(text, tmp_path / "run", params=params)
    with pytest.raises(FormatError, match="cannot be opened"):
        import_keras(tmp_path / "absent.h5", tmp_path / "run", params=params)
    cut = tmp_path / "cut.h5"
    cut.write_bytes(model.read_bytes()[:-4000])
    with pytest.raises(FormatError):
        import_keras(cut, tmp_path / "run", params=params)
    with h5py.File(tmp_path / "keras3.h5", "w") as file:
        file.create_group("layers")
    with pytest.raises(FormatError, match=r"no attribute layer_names \(written by Keras 3\?\)"):
        import_keras(tmp_path / "keras3.h5", tmp_path / "run", params=params)


def test_a_folder_that_is_there_is_kept(exported, tmp_path):
    model, params, _, _ = exported("basenji2")
    run = import_keras(model, tmp_path / "run", params=params)
    with pytest.raises(OutputExistsError):
        import_keras(model, run, params=params)
    assert import_keras(model, run, params=params, overwrite=True) == run


class TestInUse:
    """An imported run, U-Net and attention included, is a run like any other."""

    @pytest.fixture
    def run(self, exported, tmp_path):
        model, params, _, _ = exported("planted")
        return import_keras(model, tmp_path / "run", params=params)

    def test_evaluation_judges_it(self, run, planted):
        result = evaluate(run, split="test", store=planted.store, genome=planted.genome, device="cpu")
        assert len(result.tracks) == 3
        assert result.n_bins == 12 * 32

    def test_an_experiment_takes_its_network_and_tunes_it(self, run, planted, tmp_path):
        experiment = load_experiment(
            planted.yaml,
            overrides=[
                *(f"model.{name}=null" for name in ("filters", "widths", "pools", "dilated_layers", "head_filters")),
                "model.dilated_filters=null",
                "model.preset=attention_two_sided",
                f"model.run={run}",
            ],
        )
        spec = experiment.model_spec(3)
        assert spec.head.link == "softplus"
        tuned = train_model(
            planted.store,
            planted.genome,
            spec,
            experiment.training.model_copy(update={"epochs": 2, "activation_checkpointing": True}),
            tmp_path / "tuned",
            transfer=TransferConfig(run=run, parts="trunk"),
            device="cpu",
        )
        losses = pd.read_csv(tuned / "log.csv")["train_loss"]
        assert losses[1] < losses[0]
        taken, ours = load_model(run).state_dict(), load_model(tuned).state_dict()
        assert not torch.equal(ours["tower.blocks.0.layers.0.weight"], taken["tower.blocks.0.layers.0.weight"])

    @pytest.mark.parametrize("keep_bins", [False, True])
    def test_a_frozen_trunk_stays_as_it_came(self, keep_bins, run, planted, tmp_path):
        tuned = train_model(
            planted.store,
            planted.genome,
            load_spec(run),
            planted.experiment.training.model_copy(update={"epochs": 1, "augmentation": NO_AUGMENTATION}),
            tmp_path / "tuned",
            transfer=TransferConfig(run=run, parts="trunk", freeze_epochs=1, keep_bins=keep_bins),
            device="cpu",
        )
        taken, ours = load_model(run).state_dict(), load_model(tuned).state_dict()
        assert all(torch.equal(ours[name], taken[name]) for name in taken if name.startswith(("tower.", "context.")))
        assert not torch.equal(ours["head.affine.weight"], taken["head.affine.weight"])

    def test_another_network_is_refused_with_what_differs(self, run, exported, planted, tmp_path, keras_networks):
        spec = load_spec(run)
        differ = r"its tower has 8 blocks, needed 2.*context layer 1 has kind stack, needed dilated"
        with pytest.raises(RunError, match=differ):
            check_transfer(TransferConfig(run=run, parts="trunk"), planted.experiment.model_spec(3))
        tower = spec.tower.model_dump()
        tower["blocks"][1]["layers"][1]["name"] = "gelu_erf"
        tower["blocks"][2]["layers"][2]["filters"] = 9
        other = spec.model_dump() | {"tower": tower, "context": (), "head": {"filters": 4}}
        tower["blocks"][-2]["keep"] = False
        with pytest.raises(RunError) as error:
            check_transfer(TransferConfig(run=run), ModelSpec.model_validate(other))
        assert 'block 2 has {"kind": "activation", "name": "gelu_tanh"}, needed' in str(error.value)
        assert '"filters": 8' in str(error.value)
