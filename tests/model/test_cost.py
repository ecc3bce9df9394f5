import re
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from regact.model import PRESETS, build_model, count, preset_spec, reach_bins, receptive_field_bp

PAPER_MD = Path(__file__).parents[2] / "docs" / "paper.md"


@pytest.mark.parametrize("name", PRESETS)
def test_parameters_are_those_of_the_built_model(name: str, small_spec):
    spec = small_spec(name)
    model = build_model(spec, seed=0)
    assert count(spec).parameters == sum(p.numel() for p in model.parameters())
    assert count(spec).layers[-1].channels == spec.tracks


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("crop_bins", [0, 3])
def test_macs_are_those_that_torch_counts(name: str, crop_bins: int, small_spec):
    spec = small_spec(name, crop_bins=crop_bins)
    model = build_model(spec, seed=0).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(torch.zeros(1, 4, spec.window_bp))
    assert 2 * count(spec).macs == counter.get_total_flops()


@pytest.mark.parametrize(
    ("name", "million", "gmac"),
    [
        ("standard", 12.4, 120),
        ("basenji", 15.8, 123),
        ("attention_two_sided", 19.9, 134.7),
        ("attention_variable_16", 36.3, 168),
        ("attention_stacked", 141.8, 305),
    ],
)
def test_paper_scale(name: str, million: float, gmac: float):
    cost = count(preset_spec(name, tracks=4229))
    assert cost.parameters / 1e6 == pytest.approx(million, abs=0.05)
    assert cost.gmac == pytest.approx(gmac, abs=0.6)


def test_published_parameters_are_those_of_the_2018_checkpoint():
    # 9,403,890 convolution weights, 5,776,814 of the head and batch norm's gamma and beta (half of 19,864 values).
    assert count(preset_spec("basenji_published", tracks=4229)).parameters == 9_403_890 + 5_776_814 + 19_864 // 2


def test_table_in_the_documentation():
    rows = {}
    for line in PAPER_MD.read_text().splitlines():
        if match := re.match(r"\| `(\w+)` \| [^|]+ \| ([\d,]+) \| ([\d.]+) \| ([^|]+) \|", line):
            rows[match[1]] = match.groups()[1:]
    assert set(rows) == set(PRESETS)
    for name, (parameters, gmac, field) in rows.items():
        spec = preset_spec(name, tracks=4229)
        assert parameters == f"{count(spec).parameters:,}"
        assert gmac == f"{count(spec).gmac:.1f}"
        reach = reach_bins(spec)
        assert field.strip() == (f"{receptive_field_bp(spec):,}" if reach is not None else "131,072 (window)")
