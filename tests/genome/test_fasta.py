import gzip
import hashlib
import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regact.errors import FormatError
from regact.genome import encode
from regact.genome.fasta import FastaContents, read_fasta

BGZIP_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


def bgzip(text: bytes, block: int = 50) -> bytes:
    """Compress as bgzip does, by the SAM specification's section 4.1."""
    out = b""
    for start in range(0, len(text), block):
        part = text[start : start + block]
        deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
        data = deflate.compress(part) + deflate.flush()
        size = len(data) + 25
        out += b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0" + struct.pack("<H", size) + data
        out += struct.pack("<II", zlib.crc32(part), len(part))
    return out + BGZIP_END


def read(path: Path, block_bytes: int = 1 << 20) -> tuple[FastaContents, bytes]:
    codes = io.BytesIO()
    return read_fasta(path, codes, block_bytes=block_bytes), codes.getvalue()


def read_text(path: Path, text: str | bytes, **options: int) -> tuple[FastaContents, bytes]:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read(path, **options)


names = st.lists(st.text("ABCxyz019_.:*>", min_size=1, max_size=8), min_size=1, max_size=5, unique=True)


@st.composite
def fastas(draw: st.DrawFn) -> tuple[dict[str, str], str]:
    """Sequences, and one of the texts that hold them: any line width, line end, blank lines and case."""
    sequences, text = {}, ""
    end = draw(st.sampled_from(["\n", "\r\n"]))
    for name in draw(names):
        bases = draw(st.text("ACGTNacgtnRy", min_size=1, max_size=60))
        sequences[name] = bases
        text += f">{name} some > words{end}"
        width = draw(st.integers(1, 70))
        text += end.join(bases[i : i + width] for i in range(0, len(bases), width))
        text += end * draw(st.integers(1, 3))
    return sequences, text.rstrip() if draw(st.booleans()) else text


@settings(max_examples=150)
@given(fastas(), st.integers(1, 90))
def test_any_layout_and_block_size_gives_the_same_contents(
    tmp_path_factory: pytest.TempPathFactory, fasta: tuple[dict[str, str], str], block_bytes: int
) -> None:
    sequences, text = fasta
    contents, codes = read_text(tmp_path_factory.mktemp("fasta") / "g.fa", text, block_bytes=block_bytes)
    assert [(c.name, c.length, c.description) for c in contents.contigs] == [
        (name, len(bases), "some > words") for name, bases in sequences.items()
    ]
    assert codes == b"".join(encode(bases).tobytes() for bases in sequences.values())
    digest = hashlib.sha256()
    for contig, bases in zip(contents.contigs, sequences.values(), strict=True):
        digest.update(f">{contig.name}\n".encode() + encode(bases).tobytes() + f"\n{len(bases)}\n".encode())
        unknown = np.zeros(len(bases), bool)
        for start, end in contig.n_runs:
            assert start < end
            unknown[start:end] = True
        np.testing.assert_array_equal(unknown, encode(bases) == 4)
        assert (contig.n_runs[1:, 0] > contig.n_runs[:-1, 1]).all(), "runs are whole, whatever the blocks"
    assert contents.checksum == digest.hexdigest()


@pytest.mark.parametrize(
    "compress", [gzip.compress, bgzip, lambda text: gzip.compress(text[:9]) + gzip.compress(text[9:])]
)
def test_compressed_files_read_like_plain_ones(tmp_path: Path, compress: object) -> None:
    text = b">I\n" + b"ACGTN" * 40 + b"\n>II\nGGCC\n"
    plain, compressed = read_text(tmp_path / "g.fa", text), read_text(tmp_path / "g.gz", compress(text), block_bytes=7)
    assert plain[1] == compressed[1]
    assert plain[0].checksum == compressed[0].checksum


def test_progress_adds_up_to_the_files_size(tmp_path: Path) -> None:
    path = tmp_path / "g.fa.gz"
    path.write_bytes(gzip.compress(b">I\n" + b"ACGT" * 1000))
    seen: list[int] = []
    read_fasta(path, io.BytesIO(), on_read=seen.append, block_bytes=500)
    assert sum(seen) == path.stat().st_size
    assert min(seen) >= 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("\n\n", "no sequence in it"),
        ("ACGT\n>I\nAC\n", "line 1: 'ACGT' before the first header"),
        ("@read\nACGT\n+\nIIII\n", "line 1: '@read' before the first header"),
        (">I\nACGT\n>II\n>III\nAC\n", "line 3: contig II has no bases"),
        (">I\nACGT\n>\nAC\n", "line 3: a header without a name"),
        (">I\nAC\nGT\n>II\nAC\n>I x\nAC\n", r"line 6: contig I a second time \(first in line 1\)"),
        (">I\nACGT\n>II\nAC\nGT\n\nA-C\n", "line 7, contig II: character '-'"),
        (">I\nACG>T\n", "line 2, contig I: character '>'"),
        (">P53\nMEEPQSDPSV\n", "line 2, contig P53: character 'E'.*protein FASTA"),
        (">I\rACGT\r", "contig I.* has no bases"),
    ],
)
@pytest.mark.parametrize("block_bytes", [5, 7, 1000])
def test_bad_files_are_named_with_line_and_contig(tmp_path: Path, text: str, message: str, block_bytes: int) -> None:
    with pytest.raises(FormatError, match=message) as caught:
        read_text(tmp_path / "bad.fa", text, block_bytes=block_bytes)
    assert str(tmp_path / "bad.fa") in str(caught.value)


def test_truncated_files_are_refused(tmp_path: Path) -> None:
    text = b">I\n" + b"ACGTTGCA" * 500
    for compressed in (gzip.compress(text), bgzip(text)):
        for cut in (20, len(compressed) // 2, len(compressed) - 1):
            with pytest.raises(FormatError, match="truncated"):
                read_text(tmp_path / "cut.fa.gz", compressed[:cut])
    with pytest.raises(FormatError, match="end-of-file block is missing"):
        read_text(tmp_path / "cut.fa.gz", bgzip(text)[: -len(BGZIP_END)])


def test_damaged_gzip_is_refused(tmp_path: Path) -> None:
    damaged = bytearray(gzip.compress(b">I\n" + b"ACGTTGCA" * 500))
    damaged[-6] ^= 1  # its checksum
    with pytest.raises(FormatError, match="damaged"):
        read_text(tmp_path / "bad.fa.gz", bytes(damaged))


def test_a_header_that_never_ends_does_not_fill_the_memory(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="header line without an end"):
        read_text(tmp_path / "g.fa", b">" + b"x" * (3 << 20), block_bytes=1 << 16)
