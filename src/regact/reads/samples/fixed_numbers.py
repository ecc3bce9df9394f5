"""The numbers that no setting changes and that coverage depends on, for a sample's card."""

from regact.reads.alignments import SHARES_IN_ONE
from regact.reads.gc_bias import content, curve, fit, windows
from regact.reads.multimap import clip, smoothing
from regact.reads.sources import fragment_length, record_bytes

FIXED_NUMBERS = {
    "em": {"kernel_ends_at_sd": smoothing.TRUNCATE_SD, "shares_in_one": SHARES_IN_ONE},
    "unlisted": {"highest_mapq": record_bytes.TIED_MAPQ},
    "clip": {"chance": clip.CHANCE},
    "fragment_length": {
        "smoothing_sd_bp": fragment_length.SMOOTHING_SD_BP,
        "passed_over_bp": fragment_length.PHANTOM_BP,
        "least_ends": fragment_length.MIN_ENDS,
        "least_rise_sd": fragment_length.LEAST_RISE,
        "spread": content.LENGTH_SPREAD,
    },
    "gc": {
        "window_bp": windows.WINDOW_BP,
        "least_windows": windows.MIN_WINDOWS,
        "most_windows": windows.MAX_WINDOWS,
        "most_multimapped": windows.MAX_MULTIMAPPED,
        "stride_bp": windows.STRIDE_BP,
        "bins": windows.GC_BINS,
        "spline_intervals": curve.INTERVALS,
        "roughness": curve.ROUGHNESS,
        "ridge": curve.RIDGE,
        "tail": fit.TAIL,
        "most_factor": fit.MAX_FACTOR,
        "peak_ratio": fit.PEAK_RATIO,
        "peak_chance": fit.PEAK_CHANCE,
        "most_rounds": fit.MAX_ROUNDS,
    },
}
