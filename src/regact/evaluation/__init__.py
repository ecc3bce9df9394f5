"""How good a trained run is on one split of its dataset, and beside what floor.

May import `train`, `dataset`, `model`, `simulate` and what those may; knows nothing of experiments and pages.
"""

from regact.evaluation.accuracy import MEASURES, Accuracy, evaluate, open_store_of
from regact.evaluation.baselines import KmerRidge, evaluate_kmer_ridge, fit_kmer_ridge
from regact.evaluation.distal_accuracy import DistalAccuracy, distal_pairs, measure_distal_accuracy, simulation_of
from regact.evaluation.judgement import Judgement, judge, judge_baseline

__all__ = [
    "MEASURES",
    "Accuracy",
    "DistalAccuracy",
    "Judgement",
    "KmerRidge",
    "distal_pairs",
    "evaluate",
    "evaluate_kmer_ridge",
    "fit_kmer_ridge",
    "judge",
    "judge_baseline",
    "measure_distal_accuracy",
    "open_store_of",
    "simulation_of",
]
