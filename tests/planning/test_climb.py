"""How far a probe goes: to the full size where time and memory allow, never beyond."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regact.errors import MemoryFullError
from regact.model import ModelSpec, count, preset_spec
from regact.model.spec import HeadSpec
from regact.model.stack import (
    ConvSpec,
    DenseSpec,
    MaxPoolSpec,
    RelativeAttentionSpec,
    ResidualSpec,
    StackBlockSpec,
    StackSpec,
)
from regact.planning.climb import Reading, Size, climb

BASE = 300_000_000


def make_size(window_bp, windows):
    return Size(windows, window_bp, windows * window_bp * 1e6, windows * window_bp * 1e3)


def run(*, full, rate=1e9, bytes_per_value=4.0, seconds=1e9, free=10**15, smallest=True):
    """Climb on a machine that does `rate` MAC/s and takes `bytes_per_value`; returns the sizes that were tried."""
    tried = []

    def attempt(size, _):
        tried.append((size.windows, size.window_bp))
        ram = int(BASE + size.values * bytes_per_value)
        if ram > free:
            return None
        wall = size.macs / rate
        return Reading(size, wall, wall, (wall, wall), ram, None)

    smaller = make_size if smallest else lambda window_bp, windows: None
    readings = climb(
        attempt,
        full=make_size(full[1], full[0]),
        smaller=smaller,
        granule_bp=16 * 128,
        seconds=seconds,
        free_bytes=free,
        fixed_bytes=BASE,
    )
    assert [(one.size.windows, one.size.window_bp) for one in readings] == tried[: len(readings)]
    return readings, tried


def test_a_small_model_is_tried_as_it_is():
    readings, tried = run(full=(4, 128))
    assert tried == [(4, 128)]
    assert len(readings) == 1


def test_with_time_enough_the_full_size_comes_second():
    _, tried = run(full=(4, 131_072))
    assert tried == [(1, 4096), (4, 131_072)]  # windows are no shorter than two granules


def test_without_time_two_small_ones_make_a_line():
    _, tried = run(full=(4, 131_072), seconds=0.001)
    assert tried == [(1, 4096), (1, 8192)]


def test_what_would_not_fit_is_not_tried():
    free = BASE + 3 * 131_072 * 1000 * 4
    readings, tried = run(full=(4, 131_072), free=free)
    assert tried == [(1, 4096), (2, 131_072)]
    assert readings[-1].ram_bytes <= free


def test_a_network_that_takes_no_shorter_windows_is_tried_at_once():
    _, tried = run(full=(1, 131_072), smallest=False)
    assert tried == [(1, 131_072)]


def test_no_room_at_all_is_an_error():
    with pytest.raises(MemoryFullError, match=r"no room for 1 window of 4,096 bp"):
        run(full=(4, 131_072), free=BASE)


@given(st.integers(1, 32), st.integers(11, 17), st.floats(1e-3, 1e4), st.integers(BASE + 2**26, 2**40))
def test_it_ends_in_rising_sizes_within_the_memory(windows, log_bp, seconds, free):
    readings, tried = run(full=(windows, 2**log_bp), seconds=seconds, free=free)
    sizes = [one.size.macs for one in readings]
    assert sizes == sorted(set(sizes))
    assert all(one.ram_bytes <= free for one in readings)
    assert len(tried) == len(readings)


def test_sizes_count_what_layers_do():
    spec = preset_spec("attention_two_sided", tracks=3, window_bp=16_384, width=0.1)
    one, four = Size.of(spec, 1), Size.of(spec, 4)
    cost = count(spec)
    assert one.macs == cost.macs
    attention = 5 * (16_384 // 128) ** 2
    assert one.values == sum(layer.channels * layer.positions for layer in cost.layers) + attention
    assert (four.macs, four.values) == (4 * one.macs, 4 * one.values)
    assert str(four) == "4 windows of 16,384 bp"


def test_attention_in_a_stack_counts_as_well():
    """Memory of Borzoi's attention grows with the square of the window, like that of our own."""
    tower = StackSpec(blocks=(StackBlockSpec(name="a", layers=(ConvSpec(filters=6, width=3), MaxPoolSpec(size=128))),))
    attention = RelativeAttentionSpec(heads=8, key_size=2, value_size=2, position_features=2)
    context = StackSpec(
        blocks=(StackBlockSpec(name="b", layers=(ResidualSpec(layers=(attention, DenseSpec(units=6))),)),)
    )
    values = {}
    for bins in (128, 256):
        spec = ModelSpec(tracks=1, window_bp=128 * bins, tower=tower, context=(context,), head=HeadSpec(filters=2))
        outputs = sum(layer.channels * layer.positions for layer in count(spec).layers)
        values[bins] = Size.of(spec, 1).values - outputs
    assert values == {128: 8 * 128**2, 256: 8 * 256**2}
