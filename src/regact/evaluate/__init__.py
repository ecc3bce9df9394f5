"""How good a trained run is on one split of its dataset, and beside what floor.

May import `train`, `dataset`, `model` and what those may; knows nothing of experiments and pages.
"""

from regact.evaluate.accuracy import MEASURES, Accuracy, evaluate, open_store_of
from regact.evaluate.baselines import KmerRidge, evaluate_kmer_ridge, fit_kmer_ridge

__all__ = ["MEASURES", "Accuracy", "KmerRidge", "evaluate", "evaluate_kmer_ridge", "fit_kmer_ridge", "open_store_of"]
