"""Files that say where they end: one that was cut off is told before anything is read from it."""

from pathlib import Path

from regact.errors import FormatError

# The empty block that ends a file of blocked gzip (BGZF, SAM specification 4.1.2), BAM's compression.
_BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
# In the container that ends a CRAM (CRAM 3.0 specification, section 9), its last 38 bytes; 30 in CRAM 2.1.
_CRAM_END, _CRAM_END_BYTES = b"\xe0EOF", 38


def check_bgzf_end(path: Path) -> None:
    """Raise FormatError where a BGZF file was cut off; other files, plain gzip among them, are passed over."""
    with path.open("rb") as file:
        start = file.read(14)
    # A gzip member with the extra field `BC`, which holds its block's size.
    is_bgzf = start[:4] == b"\x1f\x8b\x08\x04" and start[12:14] == b"BC"
    if is_bgzf and _last_bytes(path, len(_BGZF_END)) != _BGZF_END:
        raise _truncated(path, "block")


def check_cram_end(path: Path) -> None:
    """Raise FormatError where a CRAM was cut off."""
    if _CRAM_END not in _last_bytes(path, _CRAM_END_BYTES):
        raise _truncated(path, "container")


def _last_bytes(path: Path, n: int) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - n))
        return file.read()


def _truncated(path: Path, part: str) -> FormatError:
    found = f"truncated (the {part} that ends such a file is missing)"
    return FormatError(path, found, "a whole file", "copy or make the file again")
