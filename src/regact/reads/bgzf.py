"""Blocked gzip (BGZF), the compression of BAM and of tables with an index (SAM specification 4.1)."""

from pathlib import Path

from regact.errors import FormatError

# The empty block that ends every BGZF file: without it the file was cut off.
_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


def check_bgzf_end(path: Path) -> None:
    """Raise FormatError where a BGZF file was cut off; other files, plain gzip among them, are passed over."""
    with path.open("rb") as file:
        if not _is_bgzf(file.read(18)):
            return
        file.seek(0, 2)
        file.seek(max(0, file.tell() - len(_END)))
        if file.read() != _END:
            found = "truncated (the block that ends such a file is missing)"
            raise FormatError(path, found, "a whole file", "copy or make the file again")


def _is_bgzf(start: bytes) -> bool:
    """Whether a gzip member has the extra field `BC` that holds its block's size."""
    return start[:4] == b"\x1f\x8b\x08\x04" and start[12:14] == b"BC"
