"""The numbers that no setting changes and that coverage depends on, for a sample's card."""

from regact.reads.gc import bias, content, curve, windows
from regact.reads.multimap import clip, em, smoothing
from regact.reads.sources import fragment_length, record_bytes

FIXED_NUMBERS = {
    "em": {"kernel_ends_at_sd": smoothing.TRUNCATE_SD, "shares_in_one": em.SHARES_IN_ONE},
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
        "tail": bias.TAIL,
        "most_factor": bias.MAX_FACTOR,
        "peak_ratio": bias.PEAK_RATIO,
        "peak_chance": bias.PEAK_CHANCE,
        "most_rounds": bias.MAX_ROUNDS,
    },
}
