"""TFRecords and tf.train.Examples read back as they were written; what is damaged is found, wherever it is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regact.dataset.basenji.example import read_example
from regact.dataset.basenji.tfrecord import read_records
from regact.errors import FormatError

RECORDS = st.lists(st.binary(max_size=300), max_size=5)
WAYS = st.sampled_from(["zlib", "gzip", "none"])


@given(records=RECORDS, way=WAYS)
def test_records_come_back(writer, tmp_path_factory, records, way):
    file = tmp_path_factory.mktemp("records") / "x.tfr"
    file.write_bytes(writer.compress[way](writer.framed(records)))
    assert list(read_records(file)) == records


def test_a_shard_without_records_and_an_empty_file(writer, tmp_path):
    for content in (b"", writer.compress["zlib"](b"")):
        (tmp_path / "x.tfr").write_bytes(content)
        assert list(read_records(tmp_path / "x.tfr")) == []


@given(records=st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=4), way=WAYS, data=st.data())
def test_a_cut_or_flipped_file_never_gives_other_records(writer, tmp_path_factory, records, way, data):
    whole = writer.compress[way](writer.framed(records))
    place = data.draw(st.integers(1, len(whole) - 1))
    bit = data.draw(st.integers(0, 8))
    flipped = whole[:place] + bytes([whole[place] ^ (1 << bit & 0xFF)]) + whole[place + 1 :]
    file = tmp_path_factory.mktemp("damaged") / "x.tfr"
    file.write_bytes(whole[:place] if bit == 8 else flipped)
    read, problem = [], ""
    try:
        read.extend(read_records(file))
    except FormatError as error:
        problem = str(error)
    assert read == records[: len(read)]
    # What is cut off between two records is a whole file of fewer; not all that gzip says of itself matters.
    assert f"x.tfr, record {len(read)}, byte" in problem or (way == "none" and bit == 8) or read == records


@pytest.mark.parametrize("packed", [True, False])
def test_features_come_back_in_any_order(writer, packed):
    floats = np.array([0.5, -2, 3e5], np.float32)
    for names in (["sequence", "target"], ["target", "sequence"]):
        features = {name: floats if name == "target" else b"\x00\x01\xff" for name in names}
        found = read_example(writer.example(features, packed=packed))
        assert bytes(found["sequence"]) == b"\x00\x01\xff"
        np.testing.assert_array_equal(found["target"], floats)


@given(st.binary(max_size=80))
def test_any_bytes_are_an_example_or_a_value_error(content):
    try:
        found = read_example(content)
    except ValueError:
        return
    assert isinstance(found, dict)


def test_whole_numbers_are_refused_by_name(writer):
    numbers = b"\x1a\x04\x0a\x02\x01\x02"  # int64_list, packed
    entry = b"\x0a\x01n" + b"\x12" + bytes([len(numbers)]) + numbers
    message = b"\x0a" + bytes([len(entry) + 2]) + b"\x0a" + bytes([len(entry)]) + entry
    with pytest.raises(ValueError, match="feature n is a list of 1 whole numbers"):
        read_example(message)
