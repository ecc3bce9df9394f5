"""Drawings of finished numbers: plain arrays in, matplotlib axes out, nothing computed, shown or saved.

May import nothing of regact but `errors` and `shapes`. Every `plot_<what>(result, *, ax=None)` draws into `ax`, or into
a figure of its own, which is `ax.figure`; matplotlib's global state (pyplot, rcParams) is never touched.
"""

from regact.plot.architecture import LayerBox, plot_architecture, plot_dilation
from regact.plot.axes import FULL_WIDTH, title_panel
from regact.plot.calibration import plot_calibration
from regact.plot.cost import CostPoint, plot_cost
from regact.plot.curves import LearningCurve, plot_learning_curves
from regact.plot.density import plot_density
from regact.plot.differences import plot_differences
from regact.plot.distance import DistanceCurve, plot_distance
from regact.plot.histogram import plot_share_histogram
from regact.plot.importance import plot_importance
from regact.plot.palette import ASSAY_COLORS, COLORS, assay_color, color
from regact.plot.parallel import ParallelAxis, plot_parallel_coordinates
from regact.plot.reads import (
    plot_convergence,
    plot_coverage_histogram,
    plot_fragment_lengths,
    plot_gc_bias,
    plot_place_counts,
    plot_read_fates,
    plot_saturation,
)
from regact.plot.scores import Score, plot_scores, score_height
from regact.plot.split_map import SPLIT_COLORS, plot_split_map
from regact.plot.tracks import TrackPanel, plot_tracks
from regact.plot.value_distribution import plot_value_distribution
from regact.plot.violins import plot_violins

__all__ = [
    "ASSAY_COLORS",
    "COLORS",
    "FULL_WIDTH",
    "SPLIT_COLORS",
    "CostPoint",
    "DistanceCurve",
    "LayerBox",
    "LearningCurve",
    "ParallelAxis",
    "Score",
    "TrackPanel",
    "assay_color",
    "color",
    "plot_architecture",
    "plot_calibration",
    "plot_convergence",
    "plot_cost",
    "plot_coverage_histogram",
    "plot_density",
    "plot_differences",
    "plot_dilation",
    "plot_distance",
    "plot_fragment_lengths",
    "plot_gc_bias",
    "plot_importance",
    "plot_learning_curves",
    "plot_parallel_coordinates",
    "plot_place_counts",
    "plot_read_fates",
    "plot_saturation",
    "plot_scores",
    "plot_share_histogram",
    "plot_split_map",
    "plot_tracks",
    "plot_value_distribution",
    "plot_violins",
    "score_height",
    "title_panel",
]
