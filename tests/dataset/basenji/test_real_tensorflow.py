"""TensorFlow's own files, by hand: REGACT_TENSORFLOW names a Python that has TensorFlow, which regact never needs.

python -m venv tf && tf/bin/pip install tensorflow-cpu
REGACT_TENSORFLOW=tf/bin/python pytest tests/dataset/basenji/test_real_tensorflow.py
"""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from regact.dataset.basenji import import_basenji

SCRIPT = Path(__file__).with_name("with_tensorflow.py")
PYTHON = os.environ.get("REGACT_TENSORFLOW", "")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PYTHON, reason="REGACT_TENSORFLOW does not name a Python that has TensorFlow"),
]


def run(*arguments):
    subprocess.run([PYTHON, str(SCRIPT), *map(str, arguments)], check=True, capture_output=True)


def arrays_of(made, rows):
    codes = ["ACGTN".index(base) for i in rows for base in made.sequence[i]]
    return {
        "sequence": np.array(codes, np.uint8).reshape(len(rows), -1),
        "target": made.targets[rows].astype(np.float32),
        "umap": made.unmappable[rows],
    }


@pytest.mark.parametrize("target_as", ["bytes", "floats"])
def test_what_tensorflow_writes_is_what_the_store_holds(write_directory, tmp_path, target_as):
    made = write_directory(tmp_path / "data", unmappable=True, per_file=100)
    for label in ("train", "valid", "test"):
        rows = [i for i, name in enumerate(made.label) if name == label]
        np.savez(tmp_path / "arrays.npz", **arrays_of(made, rows))
        run("write", tmp_path / "arrays.npz", made.path / "tfrecords" / f"{label}-0.tfr", target_as)
    store = import_basenji(made.path, tmp_path / "store", genome_path=made.genome, workers=1)
    targets, mask = store.read(range(store.n_windows))
    np.testing.assert_array_equal(targets, made.targets[made.order()])
    np.testing.assert_array_equal(mask, ~made.unmappable[made.order()])


def test_tensorflow_reads_what_the_tests_write(write_directory, tmp_path):
    made = write_directory(tmp_path / "data", unmappable=True, per_file=100)
    run("read", made.path / "tfrecords/train-0.tfr", tmp_path / "read.npz")
    rows = [i for i, name in enumerate(made.label) if name == "train"]
    expected = arrays_of(made, rows)
    with np.load(tmp_path / "read.npz") as read:
        np.testing.assert_array_equal(read["sequence"], expected["sequence"])
        np.testing.assert_array_equal(read["target"], made.targets[rows].reshape(len(rows), -1))
        np.testing.assert_array_equal(read["umap"], expected["umap"])
