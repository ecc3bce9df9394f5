"""Keras's own files and answers, by hand: REGACT_TENSORFLOW names a Python that has TensorFlow and tf_keras (Keras 2).

python -m venv tf && tf/bin/pip install tensorflow-cpu tf_keras
REGACT_TENSORFLOW=tf/bin/python pytest -s tests/pretrained/test_real_keras.py
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from regact.model import load_model, predict_codes
from regact.pretrained import import_keras
from regact.training import read_card

SCRIPT = Path(__file__).with_name("with_keras.py")
PYTHON = os.environ.get("REGACT_TENSORFLOW", "")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PYTHON, reason="REGACT_TENSORFLOW does not name a Python that has TensorFlow"),
]


@pytest.fixture
def keras_answers(tmp_path, keras_networks):
    """`keras_answers(network, how)`: model.h5 and params.json, codes, and the rates of each head by Keras."""

    def make(network, how):
        settings = getattr(keras_networks, network.split("_")[0].upper())
        (tmp_path / "params.json").write_text(json.dumps({"model": settings}))
        codes = np.random.default_rng(8).integers(0, 5, (4, settings["seq_length"])).astype(np.uint8)
        np.savez(tmp_path / "sequences.npz", one_hot=np.eye(5)[:, :4][codes])
        files = [tmp_path / name for name in ("sequences.npz", "model.h5", "rates.npz")]
        subprocess.run([PYTHON, str(SCRIPT), network, *map(str, files), how], check=True, capture_output=True)
        with np.load(tmp_path / "rates.npz") as rates:
            return files[1], tmp_path / "params.json", codes, [rates[name].transpose(0, 2, 1) for name in rates]

    return make


def compare(what, ours, theirs):
    difference = np.abs(ours - theirs).max()
    each = np.abs(ours / theirs - 1).max()
    sys.stdout.write(f"\n{what}: {difference / theirs.max():.1e} of the largest rate, {each:.1e} of each\n")
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6 * theirs.max())


@pytest.mark.parametrize(
    ("network", "how"),
    [
        ("basenji2", "model"),
        ("basenji2", "trained"),
        ("basenji2", "second"),
        ("basenji2", "sync"),
        ("borzoi_human", "model"),
        ("borzoi_human", "trained"),
        ("borzoi_mouse", "second"),
        ("others", "model"),
    ],
)
def test_answers_are_those_of_keras(network, how, keras_answers, tmp_path):
    model, params, codes, (rates,) = keras_answers(network, how)
    run = import_keras(model, tmp_path / "run", params=params)
    compare(f"{network}, {how}", predict_codes(load_model(run), codes).numpy(), rates)
    assert read_card(run)["source"]["gelu"] == {"basenji2": "sigmoid", "others": "erf"}.get(network, "tanh")


def test_a_file_with_every_head(keras_answers, tmp_path):
    model, params, codes, rates = keras_answers("borzoi_human", "heads")
    for head, expected in zip(("human", "mouse"), rates, strict=True):
        run = import_keras(model, tmp_path / head, params=params, head=head)
        compare(f"borzoi, head {head} of two", predict_codes(load_model(run), codes).numpy(), expected)


def test_a_file_with_heads_of_several_layers(keras_answers, tmp_path):
    model, path, codes, rates = keras_answers("borzoi_human", "deep_heads")
    params = json.loads(path.read_text())
    block = {"name": "dense_block", "units": 6, "norm_type": None}
    for head in ("head_human", "head_mouse"):
        params["model"][head] = [block, params["model"][head]]
    path.write_text(json.dumps(params))
    for head, expected in zip(("human", "mouse"), rates, strict=True):
        run = import_keras(model, tmp_path / head, params=path, head=head)
        compare(f"borzoi, deep head {head} of two", predict_codes(load_model(run), codes).numpy(), expected)


def test_a_file_of_weights_alone(keras_answers, tmp_path):
    model, params, codes, (rates,) = keras_answers("basenji2", "weights")
    run = import_keras(model, tmp_path / "run", params=params, gelu="sigmoid")
    compare("basenji2, weights alone", predict_codes(load_model(run), codes).numpy(), rates)
