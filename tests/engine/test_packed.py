"""Packed or plain, by content."""

import gzip
import io

import pytest

from regact.engine import is_gzip, unpacked


@pytest.mark.parametrize("content", [b"", b"\x1f", b"ACGT\n" * 1_000])
@pytest.mark.parametrize("packed", [False, True])
def test_content_comes_back_whatever_the_name(tmp_path, content, packed):
    path = tmp_path / "x.txt"
    path.write_bytes(gzip.compress(content) if packed else content)
    assert is_gzip(path) == packed
    with path.open("rb") as raw, unpacked(raw) as file:
        assert file.read() == content


def test_a_damaged_file_is_told_when_it_is_read(tmp_path):
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(bytes(range(256)) * 50)[:-20])
    with path.open("rb") as raw, pytest.raises(EOFError):
        unpacked(raw).read()
    assert unpacked(io.BufferedReader(io.BytesIO(b"a"))).read() == b"a"
