"""Tracks: the sheet that lists them, their signal files, and how coverage becomes the values that models learn.

May import `genome`, `engine`, `errors` and `shapes`; knows nothing of windows, splits or stores.
"""

from regact.tracks.bigwig_writer import covered_intervals, write_bigwig, write_bigwig_intervals
from regact.tracks.binned import open_signals, read_binned, track_total, track_transform
from regact.tracks.open_signal import open_signal
from regact.tracks.read_sheet import read_published_sheet, read_track_sheet
from regact.tracks.repeated_names import number_repeats
from regact.tracks.sheet import Track, TrackSheet
from regact.tracks.signals import Signal
from regact.tracks.strand import track_strands
from regact.tracks.transform import SUM_STATS, TRANSFORM_VERSION, TrackTransform, depth_factors

__all__ = [
    "SUM_STATS",
    "TRANSFORM_VERSION",
    "Signal",
    "Track",
    "TrackSheet",
    "TrackTransform",
    "covered_intervals",
    "depth_factors",
    "number_repeats",
    "open_signal",
    "open_signals",
    "read_binned",
    "read_published_sheet",
    "read_track_sheet",
    "track_strands",
    "track_total",
    "track_transform",
    "write_bigwig",
    "write_bigwig_intervals",
]
