import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.integrate import quad

from regact.model import preset_spec
from regact.model.receptive_field import reach_bp
from regact.simulation.config import ContactConfig, SimulationConfig, basenji_reach_bp
from regact.simulation.contact import build_contact

REACH = 10_000


@given(st.floats(0, 1), st.floats(0.5, 0.95), st.floats(0.1, 1.0), st.floats(0.05, 0.4))
def test_areas_are_the_stated_shares(distal, upstream, near_end, halfwidth):
    contact = build_contact(
        ContactConfig(distal_share=distal, upstream_share=upstream, near_end=near_end, far_halfwidth=halfwidth), REACH
    )

    def area(start, end):
        return quad(lambda x: float(contact(np.array(x * REACH))), start, end, limit=200)[0]

    near = area(-near_end, 0), area(0, near_end)
    far = area(-1.45 - halfwidth, -1.45 + halfwidth), area(1.45 - halfwidth, 1.45 + halfwidth)
    whole = sum(near) + sum(far)
    assert sum(far) / whole == pytest.approx(distal, abs=1e-4)
    assert (near[0] + far[0]) / whole == pytest.approx(upstream, abs=1e-4)


def test_near_part_ends_within_reach_and_far_part_begins_beyond_it():
    contact = build_contact(ContactConfig(), REACH)
    grid = np.arange(-3 * REACH, 3 * REACH)
    touched = grid[contact(grid) > 0]
    assert not ((np.abs(touched) > 0.5 * REACH) & (np.abs(touched) < 1.15 * REACH)).any()
    assert np.abs(touched).max() <= contact.farthest == 1.75 * REACH
    assert contact(grid).max() <= 1
    assert contact(np.array([-1.45 * REACH, 1.45 * REACH])).tolist() == pytest.approx([1.0, 0.25])


def test_reach_is_the_papers_at_its_window_and_scales_with_the_window():
    assert basenji_reach_bp(131_072, 128) == 254 * 128 == 32_512
    assert basenji_reach_bp(65_536, 128) == 126 * 128
    assert basenji_reach_bp(32_768, 128) == 62 * 128


def test_refuses_a_far_part_within_reach_or_beyond_half_a_window():
    with pytest.raises(ValidationError, match=r"far_centre - far_halfwidth is 0\.95 reaches"):
        ContactConfig(far_halfwidth=0.5)
    with pytest.raises(ValidationError, match="less than half of window_bp"):
        SimulationConfig(contact={"far_centre": 1.8})


@pytest.mark.parametrize(("window_bp", "layers"), [(131_072, 7), (65_536, 6), (32_768, 5)])
def test_reach_is_that_of_the_model(window_bp, layers):
    spec = preset_spec("basenji", tracks=1, window_bp=window_bp, dilated_layers=layers)
    assert basenji_reach_bp(window_bp, 128) == reach_bp(spec)
