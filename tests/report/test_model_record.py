"""What a report says of a model."""

import math
from pathlib import Path

import pandas as pd
import pytest

from regact.model import preset_spec
from regact.report.model_record import ModelRecord
from regact.report.run_record import RunRecord


def record(preset: str = "standard", window_bp: int = 16_384, seconds=(60.0,)) -> ModelRecord:
    spec = preset_spec(preset, tracks=1, window_bp=window_bp, width=0.01)
    runs = tuple(
        RunRecord(Path("run"), {"training": {"seed": seed}}, pd.DataFrame({"seconds": [1.0, total]}), spec)
        for seed, total in enumerate(seconds)
    )
    return ModelRecord("m", (), runs=runs)


@pytest.mark.parametrize(
    ("preset", "window_bp", "reach"),
    [
        ("standard", 131_072, "0 kb"),
        ("basenji", 131_072, "32.5 kb"),
        ("basenji", 16_384, "whole window"),
        ("attention_two_sided", 131_072, "whole window"),
    ],
)
def test_reach_ends_with_the_window(preset, window_bp, reach):
    assert record(preset, window_bp).reach == reach


def test_time_is_that_of_one_training():
    both = record(seconds=(60.0, 120.0))
    assert both.seconds == 90
    assert both.seeds == "0, 1"


def test_a_score_is_the_mean_of_its_seeds_with_the_interval_of_its_measure():
    values = iter((0.2, 0.4))
    judged = ModelRecord("m", (None, None), {"pearson": (0.1, 0.5)})
    score = judged._score("pearson", lambda _: next(values))
    assert (score.value, score.low, score.high, score.seeds) == (pytest.approx(0.3), 0.1, 0.5, (0.2, 0.4))
    assert math.isnan(judged._score("r2", lambda _: 0.0).low)
