"""A genome whose answer is known: sequence, tracks, elements, what every edit truly does; and reads of known origin.

May import `genome`, `engine`, `settings`, `tracks` and `errors`; knows nothing of datasets or models.
"""

from regact.simulation.config import SimulationConfig
from regact.simulation.elements import promoters_in_windows
from regact.simulation.landscape import LandscapeConfig, write_landscape
from regact.simulation.reads import simulate_reads
from regact.simulation.reads_config import ReadsConfig
from regact.simulation.simulation import simulate
from regact.simulation.truth import Truth, load_truth

__all__ = [
    "LandscapeConfig",
    "ReadsConfig",
    "SimulationConfig",
    "Truth",
    "load_truth",
    "promoters_in_windows",
    "simulate",
    "simulate_reads",
    "write_landscape",
]
