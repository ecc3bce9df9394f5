"""An independent, plain reading of binned tracks: pyBigWig base by base, in the order of Basenji's steps.

Shares no code with `regact.tracks`; the tests hold `read_binned` equal to it and the benchmark compares speed with it.
"""

import numpy as np
import pyBigWig


def base_values(path, chrom, start, end):
    """Float64 value of each base of [start, end), 0 where the file has none or ends."""
    with pyBigWig.open(str(path)) as file:
        length = file.chroms().get(chrom)
        bases = np.zeros(end - start)
        if length is not None and max(start, 0) < min(end, length):
            first, last = max(start, 0), min(end, length)
            bases[first - start : last - start] = np.nan_to_num(file.values(chrom, first, last, numpy=True), nan=0.0)
    return bases


def read_per_base(
    paths, chrom, start, end, bin_bp, *, sum_stat="sum", scale=1.0, clip_soft=None, clip=None, blacklisted=None
):
    """Stored values of the bins of [start, end): replicates summed, blacklist, scale, pool, soft clip, hard clip."""
    bases = sum(base_values(path, chrom, start, end) for path in paths)
    if blacklisted is not None and blacklisted.any():
        baseline = abs(np.percentile(bases, 50)) if (end - start) // bin_bp >= 8 else 0.0
        bases[blacklisted] = np.clip(bases[blacklisted], -baseline, baseline)
    bases = bases * scale
    values = []
    for left in range(0, end - start, bin_bp):
        inside = bases[left : left + bin_bp]
        x = {"max": inside.max, "mean": inside.mean}.get(sum_stat, inside.sum)()
        if sum_stat == "sum_sqrt":
            x = np.sqrt(1 + x) - 1
        if sum_stat == "sum_exp75":
            x = (1 + x) ** 0.75 - 1
        if clip_soft is not None and x > clip_soft:
            x = clip_soft - 1 + np.sqrt(x - clip_soft + 1)
        if clip is not None:
            x = min(max(x, -clip), clip)
        values.append(x)
    return np.array(values)
