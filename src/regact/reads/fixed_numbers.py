"""The numbers that no setting changes and that coverage depends on, for a sample's card."""

from regact.reads import (
    bam_records,
    clip,
    fragment_length,
    gc_bias,
    gc_content,
    gc_curve,
    gc_windows,
    multimap,
    smoothing,
)

FIXED_NUMBERS = {
    "em": {"kernel_ends_at_sd": smoothing.TRUNCATE_SD, "shares_in_one": multimap.SHARES_IN_ONE},
    "unlisted": {"highest_mapq": bam_records.TIED_MAPQ},
    "clip": {"chance": clip.CHANCE},
    "fragment_length": {
        "smoothing_sd_bp": fragment_length.SMOOTHING_SD_BP,
        "passed_over_bp": fragment_length.PHANTOM_BP,
        "least_ends": fragment_length.MIN_ENDS,
        "least_rise_sd": fragment_length.LEAST_RISE,
        "spread": gc_content.LENGTH_SPREAD,
    },
    "gc": {
        "window_bp": gc_windows.WINDOW_BP,
        "least_windows": gc_windows.MIN_WINDOWS,
        "most_windows": gc_windows.MAX_WINDOWS,
        "most_multimapped": gc_windows.MAX_MULTIMAPPED,
        "stride_bp": gc_windows.STRIDE_BP,
        "bins": gc_windows.GC_BINS,
        "spline_intervals": gc_curve.INTERVALS,
        "roughness": gc_curve.ROUGHNESS,
        "ridge": gc_curve.RIDGE,
        "tail": gc_bias.TAIL,
        "most_factor": gc_bias.MAX_FACTOR,
        "peak_ratio": gc_bias.PEAK_RATIO,
        "peak_chance": gc_bias.PEAK_CHANCE,
        "most_rounds": gc_bias.MAX_ROUNDS,
    },
}
