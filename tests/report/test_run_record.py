"""What a report says of a run."""

import pandas as pd
import pytest

from regact.model import build_model, preset_spec
from regact.report.run_record import RunRecord


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
    model = build_model(preset_spec(preset, tracks=1, window_bp=window_bp, width=0.01), seed=0)
    assert RunRecord("run", {}, pd.DataFrame(), model, judgement=None).reach == reach
