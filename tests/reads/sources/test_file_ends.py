"""Files that were cut off are told from whole ones and from those that say nothing of their end."""

import gzip

import pysam
import pytest

from regact.errors import FormatError
from regact.reads.sources.file_ends import check_bgzf_end, check_cram_end


def test_bgzf(tmp_path):
    text, packed = tmp_path / "t.tsv", tmp_path / "t.tsv.gz"
    text.write_text("chr1\t1\t2\n" * 100_000)
    pysam.tabix_compress(str(text), str(packed))
    check_bgzf_end(packed)
    content = packed.read_bytes()
    for kept in (len(content) - 1, len(content) - 28, 20):
        packed.write_bytes(content[:kept])
        with pytest.raises(FormatError, match="truncated"):
            check_bgzf_end(packed)


def test_other_files_say_nothing_of_their_end(tmp_path):
    path = tmp_path / "t.gz"
    with gzip.open(path, "wb") as file:
        file.write(b"text")
    check_bgzf_end(path)
    path.write_bytes(b"")
    check_bgzf_end(path)


def test_cram(write_alignments, record, genome):
    cram = write_alignments([record("a", 0, "c1", 5)], "r.cram", reference=genome.path)
    check_cram_end(cram)
    cram.write_bytes(cram.read_bytes()[:-38])
    with pytest.raises(FormatError, match=r"r\.cram: truncated.*copy or make the file again"):
        check_cram_end(cram)
