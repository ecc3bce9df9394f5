"""inf and NaN among imported targets: counted, named, and either refused or clipped."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float16, Int64

from regact.dataset.basenji.window import SourceWindow
from regact.errors import DataError
from regact.genome import Interval
from regact.tracks.transform import FLOAT16_MAX

_SHOWN = 3


@dataclass(frozen=True)
class ValueCheck:
    """What is done about values that are no number.

    Attributes:
        clip: Take inf as the track's limit, NaN as 0; otherwise refuse them.
        limits: Each track's hard clip, inf for none.
        identifiers: The tracks.
        bin_bp, crop_bp: Where a bin lies in its window.
    """

    clip: bool
    limits: Float16[np.ndarray, " track"]
    identifiers: tuple[str, ...]
    bin_bp: int
    crop_bp: int

    def clean(
        self, window: SourceWindow, place: Interval
    ) -> tuple[Float16[np.ndarray, "bin track"], Int64[np.ndarray, " track"]]:
        """The window's targets, all finite, and how many of each track were not.

        Raises: DataError naming tracks, counts and the first place, where they are not to be clipped.
        """
        finite = np.isfinite(window.targets)
        if finite.all():
            return window.targets, np.zeros(len(self.identifiers), np.int64)
        counts = np.count_nonzero(~finite, axis=0)
        if not self.clip:
            start = place.start + self.crop_bp + int(np.argmin(finite.all(axis=1))) * self.bin_bp
            first = Interval(place.chrom, start, start + self.bin_bp)
            raise DataError(
                window.where,
                f"{describe_counts(counts, self.identifiers)}, first in {first}",
                "numbers",
                "say --not-finite clip to take inf as the clip and NaN as 0",
            )
        most = np.minimum(self.limits, np.float16(FLOAT16_MAX))
        values = np.where(np.isnan(window.targets), np.float16(0), window.targets)
        return np.where(finite, values, np.clip(values, -most, most)), counts


def describe_counts(counts: Int64[np.ndarray, " track"], identifiers: tuple[str, ...]) -> str:
    """How many values are inf or NaN, and of which tracks the most."""
    worst = [track for track in np.argsort(-counts, kind="stable")[:_SHOWN].tolist() if counts[track]]
    named = ", ".join(f"{identifiers[track]} {counts[track]:,}" for track in worst)
    n_tracks = int(np.count_nonzero(counts))
    more = ", ..." if n_tracks > len(worst) else ""
    return f"{int(counts.sum()):,} values of {n_tracks:,} tracks are inf or NaN ({named}{more})"
