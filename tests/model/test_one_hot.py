import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from regact.errors import ShapeError
from regact.model import one_hot


def test_rows_are_bases_and_n_is_zero():
    x = one_hot(torch.tensor([[0, 1, 2, 3, 4, 255]], dtype=torch.uint8))
    assert x.shape == (1, 4, 6)
    assert torch.equal(x[0, :, :4], torch.eye(4))
    assert torch.equal(x[0, :, 4:], torch.zeros(4, 2))


def test_n_may_be_a_quarter_everywhere():
    x = one_hot(torch.tensor([[4, 2]], dtype=torch.uint8), n_value=0.25, dtype=torch.float64)
    assert torch.equal(x[0, :, 0], torch.full((4,), 0.25, dtype=torch.float64))
    assert x[0, :, 1].tolist() == [0, 0, 1, 0]


@given(st.lists(st.integers(0, 255), min_size=1, max_size=50))
def test_each_known_base_has_exactly_one_channel(values: list[int]):
    codes = torch.tensor([values], dtype=torch.uint8)
    x = one_hot(codes)
    assert torch.equal(x.sum(1), (codes < 4).float())
    known = codes < 4
    assert torch.equal(x.argmax(1)[known], codes[known].long())


def test_codes_without_batch_are_refused():
    with pytest.raises(ShapeError, match="codes has shape"):
        one_hot(torch.zeros(5, dtype=torch.uint8))
