"""How good a trained run is on one split of its dataset, and beside what floor.

May import `train`, `dataset`, `model` and what those may; knows nothing of experiments and pages.
"""

from regact.evaluate.accuracy import MEASURES, Accuracy, evaluate

__all__ = ["MEASURES", "Accuracy", "evaluate"]
