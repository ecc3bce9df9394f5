"""FASTQ is counted and checked as four lines a record, names in step."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regact.errors import DataError, FormatError
from regact.reads.bowtie2 import fastq
from regact.reads.bowtie2.fastq import check_fastq

NAMES = st.lists(st.text("abcXYZ:/_.#", min_size=1, max_size=12), min_size=1, max_size=30)


def write(path, names, *, end="\n", pack=False):
    text = "\n".join(f"@{name}\nACGT\n+\n@@@@" for name in names) + end
    path.write_bytes(gzip.compress(text.encode()) if pack else text.encode())
    return path


@given(names=NAMES, end=st.sampled_from(["\n", ""]), pack=st.booleans(), chunk=st.integers(1, 200))
def test_records_are_counted_wherever_chunks_are_cut(names, end, pack, chunk, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fastq")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fastq, "_CHUNK_BYTES", chunk)
        one = write(folder / "one.fq", names, end=end, pack=pack)
        two = write(folder / "two.fq", [f"{name} 2:N:0" for name in names])
        assert check_fastq([one]) == check_fastq([one, two]) == len(names)


def test_mates_numbers_and_remarks_are_no_part_of_the_name(tmp_path):
    one, two = write(tmp_path / "1.fq", ["a/1", "b/1 x"]), write(tmp_path / "2.fq", ["a/2 y", "b/2"])
    assert check_fastq([one, two]) == 2


def test_numbers_behind_a_dot_are_told_to_be_the_cause(tmp_path):
    one, two = write(tmp_path / "1.fq", ["SRR1.1.1", "SRR1.2.1"]), write(tmp_path / "2.fq", ["SRR1.1.2", "SRR1.2.2"])
    with pytest.raises(DataError, match=r"record 1 has another name.*must be /1 or /2, not \.1 or \.2"):
        check_fastq([one, two])


def test_pairs_out_of_step(tmp_path):
    one, two = write(tmp_path / "1.fq", ["a", "b", "c"]), write(tmp_path / "2.fq", ["a", "c", "b"])
    with pytest.raises(DataError, match=r"1\.fq: record 2 has another name than in .*2\.fq; needed pairs in the same"):
        check_fastq([one, two])
    short = write(tmp_path / "3.fq", ["a", "b"], pack=True)
    with pytest.raises(DataError, match=r"3\.fq: 2 records, 1 fewer than .*1\.fq; needed a mate for every read"):
        check_fastq([one, short])


@pytest.mark.parametrize(
    ("text", "record"),
    [("@a\nAC\n+\n", 1), ("@a\nAC\n+\nII\n@b\nAC\n+\nI\n", 2), (">a\nACGT\n", 1), ("@a\nAC\nAC\n+\nIIII\n", 1)],
)
def test_what_is_no_fastq_is_named_with_its_record(tmp_path, text, record):
    path = tmp_path / "x.fq"
    path.write_text(text)
    with pytest.raises(FormatError, match=rf"x\.fq: record {record} is cut off or no FASTQ"):
        check_fastq([path])


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(DataError, match="no read in it"):
        check_fastq([write(tmp_path / "empty.fq.gz", [], end="", pack=True)])
    with pytest.raises(FormatError, match="no such file"):
        check_fastq([tmp_path / "none.fq"])
    cut = write(tmp_path / "cut.fq.gz", [f"read{n}" for n in range(1000)], pack=True)
    cut.write_bytes(cut.read_bytes()[:-20])
    with pytest.raises(FormatError, match=r"cut\.fq\.gz: cannot be read to its end.*copy it again"):
        check_fastq([cut])
