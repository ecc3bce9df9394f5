"""Checkpoints of TensorFlow's second format: what comes back, and each way in which a file can be wrong."""

import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from regact.errors import FormatError
from regact.pretrained.tf_checkpoint import Checkpoint
from regact.pretrained.tf_table import read_table

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)
TENSORS = st.dictionaries(NAMES, arrays.arrays(np.float32, arrays.array_shapes(min_dims=0, max_side=4)), max_size=12)


@pytest.fixture
def tensors():
    return {f"layer{i}/kernel": np.arange(6 * i, dtype=np.float32).reshape(i, 3, 2) for i in range(9)}


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tensors=TENSORS, shards=st.integers(1, 3))
def test_reads_back_any_tensors_from_any_number_of_files(tensors, shards, write_checkpoint, tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoint")
    checkpoint = Checkpoint(write_checkpoint(folder / "model.tf", tensors, shards=shards))
    assert set(checkpoint.variables) == set(tensors)
    assert len(checkpoint.files) == 1 + shards
    for name, tensor in tensors.items():
        found = checkpoint.read(name)
        assert (found.shape, found.tobytes()) == (tensor.shape, tensor.tobytes())


def test_any_file_of_the_checkpoint_names_it(tensors, write_checkpoint, tmp_path):
    prefix = write_checkpoint(tmp_path / "model.tf", tensors)
    for name in ("model.tf", "model.tf.index", "model.tf.data-00000-of-00001", "model.tf.meta"):
        assert Checkpoint(tmp_path / name).prefix == prefix


def test_no_checkpoint_there(tmp_path, tensors, write_checkpoint):
    with pytest.raises(FormatError, match=r"no other\.tf\.index there; needed the prefix"):
        Checkpoint(tmp_path / "other.tf")
    (tmp_path / "old.ckpt").write_bytes(b"a checkpoint of the first format")
    with pytest.raises(FormatError, match="no checkpoint of the second format"):
        Checkpoint(tmp_path / "old.ckpt")
    write_checkpoint(tmp_path / "model.tf", tensors)
    with pytest.raises(FormatError, match=r"in that folder are model\.tf"):
        Checkpoint(tmp_path)


def test_missing_data_files_are_all_named(tmp_path, tensors, write_checkpoint):
    prefix = write_checkpoint(tmp_path / "model.tf", tensors, shards=3)
    for shard in (0, 2):
        (tmp_path / f"model.tf.data-0000{shard}-of-00003").unlink()
    with pytest.raises(FormatError, match=r"data-00000-of-00003, model\.tf\.data-00002-of-00003 missing; needed 3"):
        Checkpoint(prefix)


def test_a_compressed_block_is_named(tmp_path, tensors, write_checkpoint):
    prefix = write_checkpoint(tmp_path / "model.tf", tensors, compressed=True)
    with pytest.raises(FormatError, match=r"byte 0 is compressed \(Snappy\); needed an uncompressed index"):
        Checkpoint(prefix)


def test_another_byte_order_is_named(tmp_path, tensors, write_checkpoint):
    prefix = write_checkpoint(tmp_path / "model.tf", tensors, big_endian=True)
    with pytest.raises(FormatError, match="big-endian; needed little-endian"):
        Checkpoint(prefix)


def test_a_damaged_tensor_is_named_with_its_place(tmp_path, tensors, write_checkpoint):
    checkpoint = Checkpoint(write_checkpoint(tmp_path / "model.tf", tensors, wrong_checksum=("layer3/kernel",)))
    checkpoint.read("layer2/kernel")
    with pytest.raises(FormatError, match=r"data-00000-of-00001: layer3/kernel at byte 72 does not have its checksum"):
        checkpoint.read("layer3/kernel")


def test_a_truncated_data_file_is_told_before_anything_is_read(tmp_path, tensors, write_checkpoint):
    prefix = write_checkpoint(tmp_path / "model.tf", tensors)
    data = tmp_path / "model.tf.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:-1])
    with pytest.raises(FormatError, match=r"863 bytes, so that layer8/kernel is cut off; needed 864"):
        Checkpoint(prefix)


def test_a_sliced_tensor_is_known_and_refused(tmp_path, tensors, write_checkpoint):
    checkpoint = Checkpoint(write_checkpoint(tmp_path / "model.tf", tensors, sliced=("layer4/kernel",)))
    assert set(checkpoint.variables) == set(tensors)
    assert "saved in slices" in checkpoint.variables["layer4/kernel"].problem
    with pytest.raises(ValueError, match=r"layer4/kernel was saved in slices; needed whole"):
        checkpoint.read("layer4/kernel")


@pytest.mark.parametrize(("dtype", "name"), [("float64", "float64"), ("int64", "int64")])
def test_another_type_is_refused(tmp_path, dtype, name, write_checkpoint):
    checkpoint = Checkpoint(write_checkpoint(tmp_path / "model.tf", {"w": np.zeros(3, dtype)}))
    with pytest.raises(ValueError, match=f"w is of type {name}; needed float32"):
        checkpoint.read("w")


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_flipped_bit_of_an_index_goes_unseen(data, tensors, write_checkpoint, tmp_path_factory):
    prefix = write_checkpoint(tmp_path_factory.mktemp("checkpoint") / "model.tf", tensors)
    index = prefix.with_name("model.tf.index")
    content = bytearray(index.read_bytes())
    used = len(content) - 48 + 8  # the footer's padding says nothing
    position = data.draw(st.integers(0, used - 1) | st.integers(len(content) - 8, len(content) - 1))
    content[position] ^= 1 << data.draw(st.integers(0, 7))
    index.write_bytes(content)
    whole = {name: (0, tensor.shape) for name, tensor in tensors.items()}
    try:
        found = {name: (variable.shard, variable.shape) for name, variable in Checkpoint(prefix).variables.items()}
    except FormatError:
        return
    assert found == whole  # the place of the block of metadata, which nothing needs


@pytest.mark.parametrize("kept", [0, 10, 47, -1, -48])
def test_a_truncated_index_is_no_table(tmp_path, tensors, write_checkpoint, kept):
    prefix = write_checkpoint(tmp_path / "model.tf", tensors)
    index = prefix.with_name("model.tf.index")
    index.write_bytes(index.read_bytes()[:kept])
    with pytest.raises(FormatError, match="does not end as a table file does"):
        Checkpoint(prefix)


def test_an_index_without_header_is_refused(tmp_path, checkpoint_writer):
    checkpoint_writer.write_table(tmp_path / "model.tf.index", {b"w": b""})
    with pytest.raises(FormatError, match="no header in it"):
        Checkpoint(tmp_path / "model.tf")


def test_a_table_of_many_blocks_keeps_its_order(tmp_path, checkpoint_writer):
    items = {f"key{i:03d}".encode(): struct.pack("<I", i) for i in range(100)}
    checkpoint_writer.write_table(tmp_path / "table", items, per_block=7)
    assert list(read_table(tmp_path / "table").items()) == sorted(items.items())
