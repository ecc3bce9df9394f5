"""TensorFlow's own checkpoints and answers, by hand: REGACT_TENSORFLOW names a Python that has TensorFlow.

python -m venv tf && tf/bin/pip install tensorflow-cpu
REGACT_TENSORFLOW=tf/bin/python pytest -s tests/pretrained/test_real_tensorflow1.py
"""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from regact.errors import ConfigError
from regact.model import load_model, predict_codes
from regact.pretrained import import_basenji_2018

SCRIPT = Path(__file__).with_name("with_tensorflow1.py")
PYTHON = os.environ.get("REGACT_TENSORFLOW", "")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PYTHON, reason="REGACT_TENSORFLOW does not name a Python that has TensorFlow"),
]


def save_with_tensorflow(network, folder):
    subprocess.run([PYTHON, str(SCRIPT), network, str(folder)], check=True, capture_output=True)
    return folder / "model.tf"


@pytest.mark.parametrize("network", ["published", "relu_first", "full"])
def test_answers_are_tensorflows(network, tmp_path):
    prefix = save_with_tensorflow(network, tmp_path)
    with np.load(tmp_path / "answers.npz") as answers:
        codes, theirs = answers["codes"], answers["rates"].transpose(0, 2, 1)
    model = load_model(import_basenji_2018(prefix, tmp_path / "run", window_bp=codes.shape[1]))
    ours = predict_codes(model, codes, batch_size=1).numpy()
    with torch.inference_mode():
        exact = model.double().rate(model(model.one_hot(torch.from_numpy(codes[:1])).double())).numpy()
    size = prefix.with_name("model.tf.data-00000-of-00001").stat().st_size
    print(  # noqa: T201, the figures of docs/import.md
        f"\n{network}: {np.abs(ours - theirs).max() / theirs.max():.1e} of the largest rate, "
        f"{np.abs(ours / theirs - 1).max():.1e} of each; TensorFlow from float64 "
        f"{np.abs(theirs[:1] - exact).max() / theirs.max():.1e}; data file {size:,} bytes"
    )
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    assert network != "full" or size == 182_327_368  # as recorded for the published file


def test_a_partitioned_variable_is_refused_by_name(tmp_path):
    with pytest.raises(ConfigError, match="cnn0/conv1d/kernel was saved in slices"):
        import_basenji_2018(save_with_tensorflow("sliced", tmp_path), tmp_path / "run")
