"""Drawings of finished numbers: plain arrays in, matplotlib axes out, nothing computed, shown or saved.

May import nothing of regact but `errors` and `shapes`. Every `plot_<what>(result, *, ax=None)` draws into `ax`, or into
a figure of its own, which is `ax.figure`; matplotlib's global state (pyplot, rcParams) is never touched.
"""

from regact.plot.accuracy import plot_accuracy
from regact.plot.architecture import LayerBox, plot_architecture, plot_dilation
from regact.plot.curves import LearningCurve, plot_learning_curves
from regact.plot.distance import DistanceCurve, plot_distance
from regact.plot.histogram import plot_share_histogram
from regact.plot.importance import plot_importance
from regact.plot.limits import plot_limits
from regact.plot.palette import ASSAY_COLORS, COLORS, assay_color, color
from regact.plot.parallel import ParallelAxis, plot_parallel_coordinates
from regact.plot.split_map import SPLIT_COLORS, plot_split_map
from regact.plot.tracks import TrackPanel, plot_tracks
from regact.plot.value_distribution import plot_value_distribution

__all__ = [
    "ASSAY_COLORS",
    "COLORS",
    "SPLIT_COLORS",
    "DistanceCurve",
    "LayerBox",
    "LearningCurve",
    "ParallelAxis",
    "TrackPanel",
    "assay_color",
    "color",
    "plot_accuracy",
    "plot_architecture",
    "plot_dilation",
    "plot_distance",
    "plot_importance",
    "plot_learning_curves",
    "plot_limits",
    "plot_parallel_coordinates",
    "plot_share_histogram",
    "plot_split_map",
    "plot_tracks",
    "plot_value_distribution",
]
