"""Distance functions read from a model's weights."""

import numpy as np
import pytest

from regact.model import build_model, preset_spec
from regact.report.distance import distance_curves

WINDOW_BP = 16_384  # 128 bins


@pytest.mark.parametrize("preset", ["basenji", "standard", "attention_none"])
def test_models_without_a_distance_function_have_no_curve(preset: str):
    assert distance_curves(build_model(preset_spec(preset, tracks=2, window_bp=WINDOW_BP, width=0.05), seed=0)) == []


def test_half_life_is_where_the_curve_is_one_half():
    model = build_model(preset_spec("exp_constant", tracks=2, window_bp=WINDOW_BP, width=0.05), seed=0)
    for curve in distance_curves(model):
        half_life_bp = 1000 * float(curve.label.split("half-life ")[1].removesuffix(" kb"))
        if half_life_bp > curve.offset_bp.max():
            continue
        # f is convex: between bins, log f is what is linear.
        log_value = np.interp(half_life_bp, curve.offset_bp, np.log(curve.value))
        assert np.exp(log_value) == pytest.approx(0.5, rel=0.02)


def test_peak_in_the_label_is_the_curve_s_maximum():
    model = build_model(preset_spec("attention_two_sided", tracks=2, window_bp=WINDOW_BP, width=0.05), seed=0)
    curves = distance_curves(model)
    assert len(curves) == 5
    for curve in curves:
        peak, height = curve.label.replace("−", "-").split("peak ")[1].split(" kb, height ")
        assert 1000 * float(peak) == pytest.approx(curve.offset_bp[curve.value.argmax()], abs=model.spec.bin_bp)
        assert float(height) == pytest.approx(curve.value.max(), rel=0.1)
        assert curve.offset_bp[0] == -WINDOW_BP / 2 == -curve.offset_bp[-1]


def test_layers_are_told_apart():
    model = build_model(preset_spec("attention_stacked", tracks=2, window_bp=WINDOW_BP, width=0.05), seed=0)
    labels = [curve.label for curve in distance_curves(model)]
    assert len({label.split(":")[0] for label in labels}) == len(labels) == 10
