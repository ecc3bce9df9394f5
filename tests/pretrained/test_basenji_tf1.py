"""The published network of 2018 and its like from their checkpoints: the same answers, and what is refused."""

import re

import numpy as np
import pytest
import torch

from regact.errors import ConfigError, FormatError, OutputExistsError
from regact.model import count, load_model, load_spec, predict_codes
from regact.pretrained import import_basenji_2018
from regact.tracks import Track, TrackSheet
from regact.training import read_card

POOLS = (1, 2, 4, 4, 4, 1)
WINDOW_BP = 128 * 24


def reference(basenji_numpy, tensors, codes, *, layers=(6, 6), pools=POOLS, crop=4, **settings):
    tower, dilated = layers
    return basenji_numpy.forward(
        tensors,
        codes,
        pools=(*pools, *[1] * (dilated + 1)),
        dilations=(*[1] * tower, *(2 ** (i + 1) for i in range(dilated)), 1),
        dense=(*[False] * tower, *[True] * dilated, False),
        crop=crop,
        **settings,
    ).T


@pytest.fixture
def imported(write_checkpoint, tmp_path):
    """`imported(tensors)` writes a checkpoint and imports it with windows of 24 bins, 4 of them cropped at each end."""

    def run(tensors, *, params=None, window_bp=WINDOW_BP, crop_bins=4, checkpoint=None, **options):
        prefix = write_checkpoint(tmp_path / "model.tf", tensors, **(checkpoint or {}))
        if params is not None:
            (tmp_path / "params.txt").write_text(params)
            options["params"] = tmp_path / "params.txt"
        out = tmp_path / "run"
        return import_basenji_2018(prefix, out, window_bp=window_bp, crop_bins=crop_bins, **options)

    return run


@pytest.fixture
def codes():
    return np.random.default_rng(3).integers(0, 5, (2, WINDOW_BP), dtype=np.uint8)


def relative_error(found, expected):
    return np.abs(found - expected).max() / np.abs(expected).max()


@pytest.mark.parametrize(("head", "relu_first"), [("conv1d", False), ("dense", True)])
@pytest.mark.parametrize("bins", [24, 33])
def test_answers_are_those_of_the_formulas(imported, basenji_tensors, basenji_numpy, head, relu_first, bins):
    tensors = basenji_tensors(head=head)
    run = imported(tensors, window_bp=128 * bins)
    codes = np.random.default_rng(3).integers(0, 5, (2, 128 * bins), dtype=np.uint8)  # N as 0.25 in it
    rates = predict_codes(load_model(run), codes).numpy()
    assert rates.shape == (2, 5, bins - 8)
    for found, sequence in zip(rates, codes, strict=True):
        expected = reference(basenji_numpy, tensors, sequence, relu_first=relu_first)
        assert relative_error(found, expected) < 1e-5
        np.testing.assert_allclose(found, expected, rtol=1e-4)  # the smallest rates too, e^z far below 0


def test_each_layer_gives_what_its_formula_gives(imported, basenji_tensors, basenji_numpy, codes):
    tensors = basenji_tensors()
    model = load_model(imported(tensors))
    given = model.tower(model.one_hot(torch.from_numpy(codes[:1])))
    x = basenji_numpy.one_hot(codes[0])
    ours = model.one_hot(torch.from_numpy(codes[:1]))
    blocks = [*model.tower.blocks, *model.context[0].blocks]
    for i, block in enumerate(blocks):
        norm = [tensors[f"cnn{i}/batch_normalization/{name}"] for name in basenji_numpy.NORM]
        dilation = 1 if i < 6 else 2 ** (i - 5)
        y = basenji_numpy.relu(
            basenji_numpy.batch_norm(basenji_numpy.conv(x, tensors[f"cnn{i}/conv1d/kernel"], dilation), *norm)
        )
        y = basenji_numpy.max_pool(y, POOLS[i]) if i < 6 else y
        found = block(ours)
        assert relative_error(found[0].T.detach().numpy(), y) < 1e-5, f"cnn{i}"
        x = np.concatenate([x, y], axis=1) if i >= 6 else y
        ours = torch.cat([ours, found], dim=1) if i >= 6 else found
        if i == 5:
            torch.testing.assert_close(given, ours)


@pytest.mark.parametrize("length", [1, 7, 22, 33])
@pytest.mark.parametrize(("pool", "relu_first"), [(1, False), (2, False), (4, True), (3, False)])
def test_blocks_of_odd_lengths_pool_as_tensorflow_does(
    imported, basenji_tensors, basenji_numpy, length, pool, relu_first
):
    # A window is always a multiple of the bin, so a whole network never meets these; its layers could.
    tensors = basenji_tensors(filters=(6,), dilated=())
    run = imported(tensors, params=f"cnn_pool {pool}\ncnn_pool 1", window_bp=60 * pool, crop_bins=0)
    block = load_model(run).tower.blocks[0]
    block.relu_first = relu_first
    x = np.random.default_rng(0).normal(size=(length, 4))
    norm = [tensors[f"cnn0/batch_normalization/{name}"] for name in basenji_numpy.NORM]
    kernel = tensors["cnn0/conv1d/kernel"]
    if relu_first:
        expected = basenji_numpy.batch_norm(basenji_numpy.conv(basenji_numpy.relu(x), kernel), *norm)
    else:
        expected = basenji_numpy.relu(basenji_numpy.batch_norm(basenji_numpy.conv(x, kernel), *norm))
    found = block(torch.from_numpy(x.T[None]).float())[0].T.detach().numpy()
    assert relative_error(found, basenji_numpy.max_pool(expected, pool)) < 1e-5


def test_without_params_all_is_as_published(write_checkpoint, basenji_tensors, tmp_path):
    run = import_basenji_2018(write_checkpoint(tmp_path / "model.tf", basenji_tensors()), tmp_path / "run")
    spec = load_spec(run)
    assert (spec.window_bp, spec.bins, spec.bin_bp, spec.crop_bins) == (131_072, 960, 128, 32)
    assert (spec.head.link, spec.n_value, spec.tower.pools) == ("elu1", 0.25, POOLS)
    assert (spec.block.order, spec.block.epsilon) == ("conv_first", 1e-3)
    assert (spec.tower.dropout, spec.context[0].dropout, spec.context[0].layers) == (0.05, 0.1, 6)
    card = read_card(run)
    assert [file["name"] for file in card["source"]["files"]] == ["model.tf.index", "model.tf.data-00000-of-00001"]
    assert card["source"]["final_layer"] == "final/conv1d"


def test_the_published_widths_have_the_published_number_of_values(basenji_tensors):
    """15,200,568 values in the file recorded by Kipoi, moving statistics included."""
    published = basenji_tensors(
        filters=(312, 368, 435, 514, 607, 717), dilated=(108,) * 6, block=1365, tracks=4229, slots=False
    )
    assert sum(tensor.size for tensor in published.values()) == 15_200_568


def test_params_override_what_is_published(imported, basenji_tensors, basenji_numpy, codes):
    tensors = basenji_tensors(filters=(6, 7), dilated=(3,) * 3)
    params = """
        learning_rate        0.002063
        batch_buffer         256
        link                 softplus
        cnn_filters          6
        cnn_filters          7
        cnn_filters          3
        cnn_filters          3
        cnn_filters          3
        cnn_filters          13
        cnn_pool             4
        cnn_pool             8
        cnn_dilation         1
        cnn_dilation         1
        cnn_dilation         2
        cnn_dilation         4
        cnn_dilation         8
        cnn_dropout          0.2
        target_pool          32
        num_targets          5
        batch_norm_epsilon   0.01
        block_order          relu_first
        n_value              0
    """
    run = imported(tensors, params=params, crop_bins=None)
    spec = load_spec(run)
    assert (spec.crop_bins, spec.tower.dropout, spec.context[0].dropout) == (8, 0.2, 0.2)
    expected = reference(
        basenji_numpy,
        tensors,
        codes[0],
        layers=(2, 3),
        pools=(4, 8),
        crop=8,
        relu_first=True,
        epsilon=0.01,
        n_value=0,
        link=lambda z: np.logaddexp(0, z),
    )
    found = predict_codes(load_model(run), codes[:1]).numpy()[0]
    assert relative_error(found, expected) < 1e-5
    assert [file["name"] for file in read_card(run)["source"]["files"]][-1] == "params.txt"


def test_a_network_without_dense_layers_is_imported_too(imported, basenji_tensors, basenji_numpy, codes):
    tensors = basenji_tensors(dilated=())
    found = predict_codes(load_model(imported(tensors)), codes[:1]).numpy()[0]
    assert relative_error(found, reference(basenji_numpy, tensors, codes[0], layers=(6, 0))) < 1e-5


def test_tracks_of_a_sheet_go_with_the_weights(imported, basenji_tensors, tmp_path):
    sheet = TrackSheet(tuple(Track(f"t{i}", (), strand_pair=i) for i in range(5)), tmp_path / "samples")
    assert read_card(imported(basenji_tensors(), sheet=sheet))["tracks"] == ["t0", "t1", "t2", "t3", "t4"]
    with pytest.raises(ConfigError, match="5 tracks; needed 6"):
        imported(basenji_tensors(tracks=6), sheet=sheet, overwrite=True)


def test_optimizer_slots_and_renorm_statistics_are_left_out(imported, basenji_tensors):
    tensors = basenji_tensors()
    for name in ("renorm_mean", "renorm_mean_weight", "renorm_stddev", "renorm_stddev_weight"):
        tensors[f"cnn0/batch_normalization/{name}"] = np.zeros(6, np.float32)
    tensors["global_step"] = np.array(7, np.int64)
    spec = load_spec(imported(tensors))
    assert count(spec).parameters == sum(
        tensor.size for name, tensor in tensors.items() if re.search(r"(kernel|gamma|beta|bias)$", name)
    )


def broken(tensors, **changes):
    """The tensors with some replaced, None taking one away."""
    changed = {**tensors, **{name.replace("__", "/"): tensor for name, tensor in changes.items()}}
    return {name: tensor for name, tensor in changed.items() if tensor is not None}


def test_all_tensors_that_do_not_fit_are_told_at_once(imported, basenji_tensors, tmp_path):
    changes = {
        "cnn2/batch_normalization/gamma": np.zeros(9, np.float32),
        "cnn3/batch_normalization/moving_mean": None,
        "cnn4/conv1d/bias": np.zeros(10, np.float32),
        "cnn8/conv1d/kernel": np.zeros((3, 16, 3), np.float32),
        "final/conv1d/bias": np.zeros(4, np.float32),
    }
    with pytest.raises(ConfigError) as caught:
        imported(broken(basenji_tensors(slots=False), **changes))
    assert sorted(caught.value.problems) == [
        "cnn2/batch_normalization/gamma has shape (9,); needed (8,)",
        "cnn3/batch_normalization/moving_mean is missing",
        "cnn4/conv1d/bias is no tensor of this network",
        "cnn8/conv1d/kernel has 16 channels; needed 3, or 17 behind a dense layer",
        "cnn9/conv1d/kernel has 20 channels; needed 3, or 19 behind a dense layer",
        "final/conv1d/bias has shape (4,); needed (5,)",
    ]
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"cnn0/conv1d/kernel": np.zeros((22, 5, 6), np.float32)}, "cnn0/conv1d/kernel has 5 channels; needed 4"),
        ({"cnn5/conv1d/kernel": None}, "cnn5/conv1d/kernel is missing"),
        ({"cnn5/conv1d/kernel": np.zeros((3, 10), np.float32)}, "has shape (3, 10); needed (width, channels, filters)"),
        ({"final/conv1d/kernel": None}, "no final layer found; needed final/conv1d or final/dense"),
        ({"final/dense/kernel": np.zeros((13, 5), np.float32)}, "final/conv1d and final/dense found"),
        ({"cnn12/conv1d/kernel": np.zeros((3, 29, 13), np.float32)}, "cnn12, the last, is of width 3; needed width 1"),
        ({"cnn7/conv1d/kernel": np.zeros((2, 14, 3), np.float32)}, "needed as many in each, of one odd width"),
        ({"cnn2/conv1d/kernel": np.full((6, 7, 8), np.nan, np.float32)}, "holds 336 values that are not finite"),
        ({"cnn2/conv1d/kernel": np.zeros((6, 7, 8))}, "cnn2/conv1d/kernel is of type float64; needed float32"),
    ],
)
def test_another_layout_is_refused(imported, basenji_tensors, changes, problem):
    with pytest.raises(ConfigError, match=re.escape(problem)):
        imported(broken(basenji_tensors(slots=False), **changes))


def test_a_checkpoint_of_something_else_is_refused(imported):
    with pytest.raises(ConfigError, match="no tensor cnn0/conv1d/kernel"):
        imported({"dense/kernel": np.zeros((3, 4), np.float32)})


@pytest.mark.parametrize(
    ("checkpoint", "problem"),
    [
        ({"compressed": True}, "compressed"),
        ({"big_endian": True}, "big-endian"),
        ({"wrong_checksum": ("cnn11/batch_normalization/beta",)}, "cnn11/batch_normalization/beta at byte"),
    ],
)
def test_damaged_files_are_refused(imported, basenji_tensors, checkpoint, problem, tmp_path):
    with pytest.raises(FormatError, match=problem):
        imported(basenji_tensors(), checkpoint=checkpoint)
    assert not (tmp_path / "run").exists()


def test_all_sliced_tensors_are_named(imported, basenji_tensors):
    sliced = ("cnn0/conv1d/kernel", "final/conv1d/kernel", "final/conv1d/kernel/Adam")
    with pytest.raises(ConfigError) as caught:
        imported(basenji_tensors(), checkpoint={"sliced": sliced})
    assert [problem.split()[0] for problem in caught.value.problems] == list(sliced[:2])


@pytest.mark.parametrize(
    ("params", "problems"),
    [
        (
            "cnn_pool 2",
            ["cnn_pool is (2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2); needed 1 behind the 6 layers of the tower"],
        ),
        ("target_pool 64\nnum_targets 6", ["num_targets is 6; needed 5", "target_pool is 64; needed 128"]),
        ("cnn_filter_sizes 21", ["cnn_filter_sizes is (21,); needed (22, 1, 6"]),
        ("cnn_dilation 1", ["cnn_dilation is (1,); needed (1, 1, 1, 1, 1, 1, 2, 4, 8, 16, 32, 64, 1)"]),
        ("link identity\ncnn_strides 2", ["link: Input should be", "cnn_strides.0: Input should be 1 (found 2)"]),
        ("cnn_pools 2", ["unknown name 'cnn_pools'; did you mean 'cnn_pool'?"]),
        ("link\ncnn_pool 1 2", ["line 1 has 1 words", "line 2 has 3 words"]),
        ("nonlinearity gelu", ["nonlinearity: Input should be 'relu'"]),
    ],
)
def test_params_that_contradict_are_refused(imported, basenji_tensors, params, problems):
    with pytest.raises(ConfigError) as caught:
        imported(basenji_tensors(), params=params)
    for problem in problems:
        assert any(problem in told for told in caught.value.problems), caught.value.problems


def test_pools_of_another_tower_have_to_be_said(imported, basenji_tensors):
    with pytest.raises(ConfigError, match="layers of its tower: 5; the published one has 6; give the pools"):
        imported(basenji_tensors(filters=(6, 7, 8, 9, 10)))


@pytest.mark.parametrize(("window_bp", "crop_bins"), [(100, 0), (128 * 8, 4)])
def test_a_window_without_bins_is_refused(imported, basenji_tensors, window_bp, crop_bins):
    with pytest.raises(ConfigError, match="needed a multiple of the bins that leaves one"):
        imported(basenji_tensors(), window_bp=window_bp, crop_bins=crop_bins)


def test_what_is_there_is_not_replaced_unless_told(imported, basenji_tensors, tmp_path):
    imported(basenji_tensors())
    with pytest.raises(OutputExistsError):
        imported(basenji_tensors())
    imported(basenji_tensors(tracks=7), overwrite=True)
    assert load_spec(tmp_path / "run").tracks == 7
