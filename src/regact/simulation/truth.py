"""The true answer as a function of sequence: expected counts of every track, for any sequence whatever."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float64, UInt8

from regact.errors import RunError
from regact.genome import Genome, Interval
from regact.settings import read_settings
from regact.simulation.assays import SimulatedTrack, expected_counts, list_tracks
from regact.simulation.config import SimulationConfig
from regact.simulation.contact import build_contact
from regact.simulation.regulation import Activity, Regulation

CONFIG_FILE = "simulation.yaml"


@dataclass(frozen=True)
class Truth:
    """What a simulated genome's sequence does. Everything true about it, effects of edits too, comes from `true_rate`.

    It holds nothing of where elements were planted: a site that an edit creates acts like any other.
    """

    config: SimulationConfig

    @cached_property
    def regulation(self) -> Regulation:
        """The grammar and the contact function."""
        return Regulation(self.config.grammar, build_contact(self.config.contact, self.config.reach))

    @property
    def tracks(self) -> tuple[SimulatedTrack, ...]:
        """The tracks, in the order of the track sheet and of `true_rate`."""
        return list_tracks(self.config.grammar.cell_types)

    @property
    def context_bp(self) -> int:
        """Bases to either side of a place that can change its rate; a multiple of `bin_bp`."""
        assays = self.config.assays
        widest = max(assay.width_bp for assay in (assays.cage, assays.dnase, assays.chip))
        bins = -(-(self.regulation.context_bp + widest) // self.config.bin_bp)
        return bins * self.config.bin_bp

    def true_rate(
        self, codes: UInt8[np.ndarray, " position"], *, bin_bp: int | None = None
    ) -> Float64[np.ndarray, "track bin"]:
        """Expected count of every track in every bin of `codes`, sequence beyond its ends unknown (as N).

        Larger bins are sums of smaller ones; `bin_bp` is the configuration's by default and may be 1.

        Raises: ValueError where `bin_bp` does not divide the sequence.
        """
        activity = self.regulation.activity(self.regulation.scan(codes))
        return np.stack([self.expected_counts(track, activity, len(codes), bin_bp) for track in self.tracks])

    def expected_counts(
        self, track: SimulatedTrack, activity: Activity, length: int, bin_bp: int | None = None
    ) -> Float64[np.ndarray, " bin"]:
        """Expected count of every bin of one track, from what a sequence of `length` bases does."""
        cell = self.config.grammar.cell_types.index(track.cell_type)
        bin_bp = bin_bp or self.config.bin_bp
        return expected_counts(track, activity, self.config.assays, cell=cell, length=length, bin_bp=bin_bp)

    def true_rate_in(
        self, genome: Genome, interval: Interval, *, bin_bp: int | None = None
    ) -> Float64[np.ndarray, "track bin"]:
        """Expected count of every track in every bin of `interval`, with the genome around it taken into account."""
        bin_bp = bin_bp or self.config.bin_bp
        margin = -(-self.context_bp // bin_bp)
        around = Interval(interval.chrom, interval.start - margin * bin_bp, interval.end + margin * bin_bp)
        return self.true_rate(genome.fetch(around), bin_bp=bin_bp)[:, margin:-margin]

    def true_effect(
        self, ref: UInt8[np.ndarray, " position"], alt: UInt8[np.ndarray, " position"], *, bin_bp: int | None = None
    ) -> Float64[np.ndarray, "track bin"]:
        """Change of the expected counts, f(alt) - f(ref), when `ref` is edited into `alt` of the same length.

        Raises: ValueError where the two differ in length: their bins would not be the same places.
        """
        if len(ref) != len(alt):
            raise ValueError(f"ref has {len(ref)} bases and alt {len(alt)}; pad or cut alt, so that bins agree")
        return self.true_rate(alt, bin_bp=bin_bp) - self.true_rate(ref, bin_bp=bin_bp)


def load_truth(folder: Path | str) -> Truth:
    """The truth of a simulated genome from the folder that `simulate` wrote.

    Raises: RunError where the folder is no such folder; ConfigError where its settings are not whole.
    """
    path = Path(folder) / CONFIG_FILE
    if not path.is_file():
        raise RunError(folder, f"holds no {CONFIG_FILE}", "a folder that `regact simulate` wrote")
    return Truth(read_settings(path, SimulationConfig))
