"""Where many independent tasks run, how far they are, and outputs that are whole or absent.

Also the two small things that all files of TensorFlow have in common: checksums and protocol buffers. Knows tasks and
files, not genomics; imports `errors` only.
"""

from regact.engine.checksums import SUMS, check_checksums, sha256_of, write_checksums
from regact.engine.crc import masked_crc32c
from regact.engine.files import (
    check_space,
    disk_full_as_error,
    partial_folder,
    refuse_existing,
    sole_writer,
    take_turns,
    whole_file,
    whole_folder,
    write_json,
)
from regact.engine.local import available_cores, run_apart, run_tasks
from regact.engine.packed import is_gzip, unpacked
from regact.engine.progress import ProgressBar, progress, without_progress
from regact.engine.protobuf import read_fields, read_varint
from regact.engine.usage import Usage, free_memory_bytes, measured, memory_bytes, peak_memory_bytes, reset_peak_memory

__all__ = [
    "SUMS",
    "ProgressBar",
    "Usage",
    "available_cores",
    "check_checksums",
    "check_space",
    "disk_full_as_error",
    "free_memory_bytes",
    "is_gzip",
    "masked_crc32c",
    "measured",
    "memory_bytes",
    "partial_folder",
    "peak_memory_bytes",
    "progress",
    "read_fields",
    "read_varint",
    "refuse_existing",
    "reset_peak_memory",
    "run_apart",
    "run_tasks",
    "sha256_of",
    "sole_writer",
    "take_turns",
    "unpacked",
    "whole_file",
    "whole_folder",
    "without_progress",
    "write_checksums",
    "write_json",
]
