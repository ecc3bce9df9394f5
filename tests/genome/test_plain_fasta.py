"""A FASTA for programs that read no gzip: unpacked, or the file itself."""

import gzip

import pytest

from regact.errors import FormatError
from regact.genome.plain_fasta import plain_fasta

TEXT = ">c1\nACGT\nNNAC\n>c2\nggcc\n"


@pytest.mark.parametrize("packed", [False, True])
def test_the_bases_stay_and_nothing_is_copied_without_need(tmp_path, packed):
    source, folder = tmp_path / "genome.fa", tmp_path / "work"
    folder.mkdir()
    source.write_bytes(gzip.compress(TEXT.encode()) if packed else TEXT.encode())
    plain = plain_fasta(source, folder)
    assert plain.parent == folder
    assert plain.read_text() == TEXT
    assert plain.is_symlink() != packed


def test_a_damaged_or_missing_file(tmp_path):
    source = tmp_path / "genome.fa.gz"
    with pytest.raises(FormatError, match=r"genome\.fa\.gz: cannot be read \(.*No such file.*needed a FASTA file"):
        plain_fasta(source, tmp_path)
    source.write_bytes(gzip.compress(TEXT.encode())[:-9])
    with pytest.raises(FormatError, match="cannot be read"):
        plain_fasta(source, tmp_path)
