"""Weighted places to per-base coverage: sparse all the way, so that memory follows the reads and not the genome."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Float32, Int64

from regact.reads.alignments import Alignments
from regact.reads.layout import GenomeLayout
from regact.tracks import write_bigwig_intervals

# Weights are added up as whole multiples of 2**-32: sums are exact, so neither the order of the reads nor the end of a
# fragment leaves a trace, and 2**31 reads on one base still fit.
_UNIT = 2.0**32

IntervalChunk = tuple[str, Int64[np.ndarray, "row"], Int64[np.ndarray, "row"], Float32[np.ndarray, "row"]]


def coverage_intervals(
    alignments: Alignments,
    weights: Float[np.ndarray, "alignment"],
    layout: GenomeLayout,
    *,
    whole_fragment: bool = False,
    chosen: Bool[np.ndarray, "alignment"] | None = None,
) -> Iterator[IntervalChunk]:
    """Coverage as (contig, starts, ends, values): runs of equal values other than 0, one contig at a time.

    Args:
        weights: How much each place counts; those of one read add up to 1 or less.
        whole_fragment: Every base of the fragment counts; otherwise the one base `Alignments.place`.
        chosen: The places that count, such as those of one strand; all without it.
    """
    begin = alignments.start if whole_fragment else alignments.place
    rows = np.flatnonzero(weights != 0 if chosen is None else chosen & (weights != 0))
    rows = rows[np.argsort(begin[rows], kind="stable")]
    cuts = np.searchsorted(begin[rows], layout.offsets)
    for contig, name in enumerate(layout.names):
        here = rows[cuts[contig] : cuts[contig + 1]]
        if len(here):
            units = np.rint(np.asarray(weights[here], np.float64) * _UNIT).astype(np.int64)
            first = begin[here] - layout.offsets[contig]
            last = first + (alignments.length[here] if whole_fragment else 1)
            yield name, *_add_up(first, last, units)


def write_coverage(
    path: Path | str,
    alignments: Alignments,
    weights: Float[np.ndarray, "alignment"],
    layout: GenomeLayout,
    *,
    whole_fragment: bool = False,
    chosen: Bool[np.ndarray, "alignment"] | None = None,
) -> None:
    """Write coverage as bigWig, whole or not at all; arguments as `coverage_intervals`."""
    lengths = dict(zip(layout.names, layout.lengths, strict=True))
    chunks = coverage_intervals(alignments, weights, layout, whole_fragment=whole_fragment, chosen=chosen)
    write_bigwig_intervals(path, lengths, chunks)


def _add_up(
    starts: Int64[np.ndarray, "place"], ends: Int64[np.ndarray, "place"], units: Int64[np.ndarray, "place"]
) -> tuple[Int64[np.ndarray, "row"], Int64[np.ndarray, "row"], Float32[np.ndarray, "row"]]:
    """The sum of `units` over intervals sorted by start, as runs of equal values other than 0."""
    places = np.concatenate([starts, ends])
    changes = np.concatenate([units, -units])
    order = np.argsort(places, kind="stable")  # merges the two parts, of which the first is sorted
    places, changes = places[order], changes[order]
    last_here = np.append(places[1:] != places[:-1], True)
    edges, heights = places[last_here], np.cumsum(changes)[last_here]
    changed = np.append(True, heights[1:] != heights[:-1])
    edges, heights = edges[changed], heights[changed]
    covered = heights[:-1] != 0
    return edges[:-1][covered], edges[1:][covered], (heights[:-1][covered] / _UNIT).astype(np.float32)
