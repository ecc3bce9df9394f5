"""A genome whose answer is known: sequence, tracks, elements, and what every edit of the sequence truly does.

May import `genome`, `engine`, `settings`, `tracks` and `errors`; knows nothing of datasets or models.
"""

from regact.simulation.config import SimulationConfig
from regact.simulation.elements import promoters_in_windows
from regact.simulation.simulation import simulate
from regact.simulation.truth import Truth, load_truth

__all__ = ["SimulationConfig", "Truth", "load_truth", "promoters_in_windows", "simulate"]
