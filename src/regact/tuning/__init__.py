"""A search for better settings of an experiment: trials that train it, the bad ones ended early, by several workers.

May import everything but `comparison` and `cli`. Only `study.py` names optuna, which is the extra `regact[tune]`.
"""

from regact.tuning.space import Dimension, SearchSpace, search_space, with_space
from regact.tuning.tune import tune

__all__ = ["Dimension", "SearchSpace", "search_space", "tune", "with_space"]
