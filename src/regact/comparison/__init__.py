"""The models of an experiment side by side: each trained once under one budget, judged, and put on one page.

May import everything but `cli`.
"""

from regact.comparison.compare import compare
from regact.comparison.trial import Trial, list_trials

__all__ = ["Trial", "compare", "list_trials"]
