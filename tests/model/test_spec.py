import pytest
from pydantic import ValidationError

from regact.model import ModelSpec

TOWER = {"filters": [4, 8], "widths": [3, 3], "pools": [2, 4]}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"tower": {**TOWER, "pools": [2]}}, "2, 2, 1 entries"),
        ({"window_bp": 100}, "no multiple of 8"),
        ({"crop_bins": 4}, "leave no bin"),
        ({"context": [{"kind": "dilated", "layers": 2, "width": 4}]}, "dilated width 4 is even"),
        ({"context": [{"kind": "attention", "heads": 2, "distance": {"kind": "variable", "alphas": [1]}}]}, "1 alphas"),
        ({"context": [{"kind": "pooling", "heads": 1, "distance": {"kind": "two_sided"}}]}, "0 peaks, 0 heights"),
        (
            {"context": [{"kind": "pooling", "heads": 1, "distance": {"half_window_bins": 3}}]},
            "half_window_bins belongs to the two_sided",
        ),
        ({"context": [{"kind": "attention", "heads": 1, "renormalise": True}]}, "renormalise belongs to"),
        ({"context": [{"kind": "recurrent"}]}, "'recurrent'"),
        ({"tracks": 0}, "greater than 0"),
        ({"bins": 8}, "Extra inputs"),
    ],
)
def test_what_cannot_be_built_is_refused(values: dict, message: str):
    with pytest.raises(ValidationError, match=message):
        ModelSpec.model_validate({"tracks": 1, "window_bp": 64, "tower": TOWER, **values})


def test_sizes_follow_from_the_tower():
    spec = ModelSpec.model_validate({"tracks": 1, "window_bp": 64, "tower": TOWER, "crop_bins": 1})
    assert (spec.bin_bp, spec.bins) == (8, 6)
