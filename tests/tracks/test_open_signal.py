"""What is no signal file is told before any work, by its content."""

import gzip
import struct

import pytest

from regact.errors import DataError, FormatError
from regact.tracks import open_signal

ROWS = [("chr1", 0, 100, 1.5), ("chr2", 7, 9, 2.0)]


@pytest.fixture
def bigwig(tmp_path, write_rows, random_rows):
    return write_rows(tmp_path / "whole.bw", [*random_rows(3), ("chr2", 7, 9, 2.0)])


def test_the_content_decides_not_the_name(tmp_path, bigwig):
    misnamed = tmp_path / "signal.bedgraph.gz"
    misnamed.write_bytes(bigwig.read_bytes())
    assert open_signal(misnamed).lengths == {"chr1": 6_000, "chr2": 1_500}
    text = tmp_path / "signal.bw"
    text.write_text("track type=bedGraph\n# made by hand\nchr1 0 5 1\n")
    assert open_signal(str(text)).bin_sums("chr1", 0, 8, 8) == 5.0


def test_a_byte_order_mark_and_a_contig_called_like_a_header_lose_no_row(tmp_path):
    for name, pack in (("a.bedgraph", bytes), ("a.bedgraph.gz", gzip.compress)):
        (tmp_path / name).write_bytes(pack(b"\xef\xbb\xbftrack_1\t0\t5\t2\r\nchr1\t0\t5\t1\r\n"))
        signal = open_signal(tmp_path / name)
        assert list(signal.lengths) == ["track_1", "chr1"]
        assert signal.bin_sums("track_1", 0, 8, 8) == 10.0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><html>not found</html>", "a web page"),
        (b"<HTML>", "a web page"),
        (struct.pack("<I", 0x8789F2EB) + bytes(100), "bigBed"),
        (b"\x89HDF\r\n\x1a\n" + bytes(80), "HDF5"),
        (gzip.compress(b"BAM\x01" + bytes(80), mtime=0), "BAM file"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        (b"fixedStep chrom=chr1 start=1 step=1\n1\n", "wiggle"),
        (bytes(range(128, 256)), "neither bigWig nor text"),
        (b"# nothing else\n", "holds no rows"),
        (b"chr1\t0\t5\n", "line 1: no bedGraph row: 3 fields"),
        (b"#c\nchr1,0,5,2\n", "line 2: no bedGraph row: 1 fields"),
        (struct.pack("<I", 0x888FFC26) + bytes(20), "cut off"),
        (struct.pack("<I", 0x888FFC26) + bytes(200), "without index"),
    ],
)
def test_other_files_are_named_for_what_they_are(tmp_path, content, message):
    path = tmp_path / "signal.bw"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=message) as caught:
        open_signal(path)
    assert str(caught.value).startswith(str(path))


def test_a_missing_file_and_a_folder_are_format_errors(tmp_path):
    with pytest.raises(FormatError, match="no such file"):
        open_signal(tmp_path / "none.bw")
    with pytest.raises(FormatError, match="cannot be read"):
        open_signal(tmp_path)


def test_a_packed_bigwig_is_refused_with_the_remedy(tmp_path, bigwig):
    path = tmp_path / "signal.bw.gz"
    path.write_bytes(gzip.compress(bigwig.read_bytes()))
    with pytest.raises(FormatError, match="unpack it"):
        open_signal(path)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.95])
def test_a_truncated_bigwig_is_found_on_opening(tmp_path, bigwig, share):
    whole = bigwig.read_bytes()
    path = tmp_path / "part.bw"
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(FormatError, match=r"cut off|without index"):
        open_signal(path)


def test_an_old_bigwig_without_the_closing_number_is_read(tmp_path, write_rows):
    """Writers before 2009 left it out; the header's places all lie inside the file."""
    whole = write_rows(tmp_path / "whole.bw", ROWS).read_bytes()
    path = tmp_path / "old.bw"
    path.write_bytes(whole[:-4])
    assert open_signal(path).bin_sums("chr1", 0, 100, 100) == 150.0


def test_a_damaged_block_is_an_error_that_names_the_place(tmp_path, bigwig, capfd):
    damaged = bytearray(bigwig.read_bytes())
    data = struct.unpack("<Q", damaged[16:24])[0]
    damaged[data + 20 : data + 60] = bytes(40)
    path = tmp_path / "damaged.bw"
    path.write_bytes(damaged)
    with pytest.raises(FormatError, match="cannot be read at chr1:1-6000"):
        open_signal(path).bin_sums("chr1", 0, 6_000, 6_000)
    capfd.readouterr()  # the reading library prints a backtrace


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("chr1 0 5 1\nchr1 4 9 1\n", FormatError, "line 2: chr1 4-9 starts before 5"),
        ("chr1 5 9 1\nchr1 0 5 1\n", FormatError, "line 2: chr1 0-5 starts before 9"),
        ("chr1 0 5 1\nchr2 0 5 1\nchr1 5 9 1\n", FormatError, "line 3: chr1 comes a second time"),
        ("chr1 0 5 1\nchr1 9 9 1\n", FormatError, "line 2: start 9, end 9"),
        ("chr1 0 5 1\nchr1 9 7 1\n", FormatError, "line 2: start 9, end 7"),
        ("chr1 0 5 1\nchr1 7 9 x\n", FormatError, "line 2: .*not numbers"),
        ("chr1 0 5 1\nchr1 7.5 9 1\n", FormatError, "line 2: .*not numbers"),
        ("chr1 0 5 1\nchr1 7 9\n", FormatError, "line 2: 3 fields"),
        ("chr1 0 5 1\nchr1 7 9 1 2\n", FormatError, "line 2: 5 fields"),
        ("chr1 0 5 1\n\ntrack name=second\nchr1 7 9 1\n", FormatError, "line 3: 2 fields"),
        ("chr1 0 5 1\nchr1 7 9 inf\n", DataError, "line 2: the value is infinite"),
        ("chr1 0 5 1\nchr1 7 9 1e39\n", DataError, "line 2: the value is infinite"),
        ("chr1 0 5 1\nchr1 7 3000000000 1\n", FormatError, "line 2: start 7, end 3000000000"),
    ],
)
def test_a_bad_bedgraph_row_is_named_by_its_line(tmp_path, text, error, message):
    path = tmp_path / "signal.bedgraph"
    path.write_text(text)
    with pytest.raises(error, match=message):
        open_signal(path).bin_sums("chr1", 0, 8, 8)


def test_a_negative_start_is_found_in_the_first_row(tmp_path):
    path = tmp_path / "signal.bedgraph"
    path.write_text("chr1 -5 5 1\n")
    with pytest.raises(FormatError, match="start -5, end 5"):
        open_signal(path)


def test_a_truncated_gzip_is_found(tmp_path):
    path = tmp_path / "signal.bedgraph.gz"
    rows = "".join(f"chr1 {start} {start + 1} {start % 7}.25\n" for start in range(20_000))
    path.write_bytes(gzip.compress(rows.encode())[:-2_000])
    with pytest.raises(FormatError, match="cannot be read to its end"):
        open_signal(path).bin_sums("chr1", 0, 8, 8)


def test_binary_rubbish_after_good_rows_is_found(tmp_path):
    path = tmp_path / "signal.bedgraph"
    path.write_bytes(b"chr1 0 5 1\n" * 1 + b"\xff\xfe\x00" * 5)
    with pytest.raises(FormatError):
        open_signal(path).bin_sums("chr1", 0, 8, 8)


def test_contig_names_with_signs_of_their_own_are_kept(tmp_path):
    path = tmp_path / "signal.bedgraph"
    path.write_text('HG002#1#chr1 0 5 2\n"x" 0 1 1\nNA 0 2 3\n')
    signal = open_signal(path)
    assert list(signal.lengths) == ["HG002#1#chr1", '"x"', "NA"]
    assert signal.bin_sums("HG002#1#chr1", 0, 5, 5) == 10.0


def test_rows_that_cross_the_readers_chunks_are_joined(tmp_path, monkeypatch):
    monkeypatch.setattr("regact.tracks.bedgraph_rows.ROWS_AT_ONCE", 3)
    path = tmp_path / "signal.bedgraph"
    path.write_text("".join(f"chr{c} {s} {s + 2} {s + c}\n" for c in (1, 2) for s in range(0, 10, 2)))
    signal = open_signal(path)
    assert signal.bin_sums("chr1", 0, 10, 10) == 2 * (1 + 3 + 5 + 7 + 9)
    assert signal.bin_sums("chr2", 0, 10, 10) == 2 * (2 + 4 + 6 + 8 + 10)
    path.write_text("".join(f"chr1 {s} {s + 2} 1\n" for s in (0, 2, 4, 5, 8)))
    signal.close()
    with pytest.raises(FormatError, match="line 4"):
        signal.bin_sums("chr1", 0, 10, 10)
