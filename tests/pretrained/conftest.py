"""Published formats in small: writers and reference networks of the tests' own, independent of the code."""

import numpy as np
import pytest

from regact.model import build_model, preset_spec


@pytest.fixture(scope="session")
def checkpoint_writer(module_at):
    """TensorFlow's second checkpoint format, written from its description."""
    return module_at("pretrained/checkpoint_writer.py")


@pytest.fixture(scope="session")
def write_checkpoint(checkpoint_writer):
    return checkpoint_writer.write_checkpoint


@pytest.fixture(scope="session")
def basenji_numpy(module_at):
    """Basenji of 2018 in float64 numpy."""
    return module_at("pretrained/basenji_numpy.py")


@pytest.fixture(scope="session")
def basenji_tensors():
    """`basenji_tensors(...)`: random tensors of a checkpoint of the published layout, narrower."""

    def make(filters=(6, 7, 8, 9, 10, 11), dilated=(3,) * 6, block=13, tracks=5, *, head="conv1d", slots=True, seed=0):
        random = np.random.default_rng(seed)
        widths = (22, 1, 6, 6, 6, 3)[: len(filters)] + (3,) * len(dilated) + (1,)
        tensors, channels = {}, 4
        for i, (width, out) in enumerate(zip(widths, (*filters, *dilated, block), strict=True)):
            tensors[f"cnn{i}/conv1d/kernel"] = random.normal(0, 1.5 / np.sqrt(width * channels), (width, channels, out))
            tensors[f"cnn{i}/batch_normalization/gamma"] = random.normal(0.5, 1, out)  # negative ones too
            tensors[f"cnn{i}/batch_normalization/beta"] = random.normal(0.2, 0.5, out)
            tensors[f"cnn{i}/batch_normalization/moving_mean"] = random.normal(0, 0.3, out)
            tensors[f"cnn{i}/batch_normalization/moving_variance"] = random.gamma(2, 0.3, out)
            channels = channels + out if len(filters) <= i < len(filters) + len(dilated) else out
        shape = (1, channels, tracks) if head == "conv1d" else (channels, tracks)
        tensors[f"final/{head}/kernel"] = random.normal(0, 1 / np.sqrt(channels), shape)
        tensors[f"final/{head}/bias"] = random.normal(0, 1, tracks)
        if slots:
            trained = [name for name in tensors if "moving" not in name]
            tensors |= {f"{name}/{slot}": tensors[name] * 0.1 for name in trained for slot in ("Adam", "Adam_1")}
            tensors |= {"beta1_power": np.array(0.5), "beta2_power": np.array(0.6)}
        return {name: np.asarray(tensor, dtype=np.float32) for name, tensor in tensors.items()}

    return make


@pytest.fixture(scope="session")
def keras_numpy(module_at):
    """Keras layers in float64 numpy."""
    return module_at("pretrained/keras_numpy.py")


@pytest.fixture(scope="session")
def keras_networks(module_at):
    """Small networks in the manner of Basenji2 and Borzoi."""
    return module_at("pretrained/keras_networks.py")


@pytest.fixture(scope="session")
def write_keras_file(module_at):
    """Keras's HDF5, written from its description."""
    return module_at("pretrained/keras_writer.py").write_keras_file


@pytest.fixture(scope="session")
def small_hub(module_at):
    """`with small_hub() as hub:` a hub of the tests' own."""
    return module_at("pretrained/small_hub.py").small_hub


@pytest.fixture
def small_network():
    """A network of little size with a link and an N of its own."""
    spec = preset_spec("basenji", tracks=3, window_bp=2048, width=0.02, dilated_layers=3, crop_bins=1, link="elu1")
    return build_model(spec.model_copy(update={"n_value": 0.25}), seed=1).eval()
