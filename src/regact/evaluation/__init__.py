"""How good a trained run is on one split of its dataset, and beside what floor.

May import `train`, `dataset`, `model`, `simulate` and what those may; knows nothing of experiments and pages.
"""

from regact.evaluation.accuracy import MEASURES, Accuracy, evaluate, open_store_of
from regact.evaluation.baselines import KmerRidge, evaluate_kmer_ridge, fit_kmer_ridge
from regact.evaluation.blocks import Blocks, divide_into_blocks, why_no_interval
from regact.evaluation.bootstrap import draw_blocks, resample_accuracy
from regact.evaluation.distal_accuracy import DistalAccuracy, distal_pairs, measure_distal_accuracy, simulation_of
from regact.evaluation.distal_bootstrap import resample_distal_accuracy
from regact.evaluation.estimate import Estimate, Resamples, holm
from regact.evaluation.evidence import Evidence, read_evidence
from regact.evaluation.judgement import Judgement, judge, judge_baseline
from regact.evaluation.measure_result import MeasureResult
from regact.evaluation.measures import Measure, measure, measure_baseline, parse_measures, write_measures

__all__ = [
    "MEASURES",
    "Accuracy",
    "Blocks",
    "DistalAccuracy",
    "Estimate",
    "Evidence",
    "Judgement",
    "KmerRidge",
    "Measure",
    "MeasureResult",
    "Resamples",
    "distal_pairs",
    "divide_into_blocks",
    "draw_blocks",
    "evaluate",
    "evaluate_kmer_ridge",
    "fit_kmer_ridge",
    "holm",
    "judge",
    "judge_baseline",
    "measure",
    "measure_baseline",
    "measure_distal_accuracy",
    "open_store_of",
    "parse_measures",
    "read_evidence",
    "resample_accuracy",
    "resample_distal_accuracy",
    "simulation_of",
    "why_no_interval",
    "write_measures",
]
