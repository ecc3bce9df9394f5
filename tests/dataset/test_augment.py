import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from regact.dataset.augment import reverse_complement_codes, to_device
from regact.dataset.batch import Batch
from regact.errors import ShapeError


@st.composite
def batches(draw):
    n, bins, tracks = draw(st.integers(1, 4)), draw(st.integers(1, 5)), draw(st.integers(1, 6))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    batch = Batch(
        codes=torch.randint(0, 5, (n, bins * 4), dtype=torch.uint8, generator=generator),
        targets=torch.rand((n, bins, tracks), generator=generator).half(),
        mask=torch.rand((n, bins), generator=generator) < 0.7,
        reverse=torch.rand(n, generator=generator) < 0.5,
        rows=torch.arange(n),
    )
    order = torch.randperm(tracks, generator=generator).tolist()
    pairs = torch.arange(tracks)
    for one, other in zip(order[::2], order[1::2], strict=False):  # an odd track out is its own pair
        pairs[one], pairs[other] = other, one
    return batch, pairs


@given(batches())
def test_every_value_is_where_the_definition_puts_it(drawn):
    batch, pairs = drawn
    example = to_device(batch, "cpu", pairs)
    n, n_bins, n_tracks = batch.targets.shape
    assert example.targets.dtype == torch.float32
    assert example.targets.shape == (n, n_tracks, n_bins)
    complement = [3, 2, 1, 0, 4]
    for k in range(n):
        turned = bool(batch.reverse[k])
        codes = batch.codes[k].tolist()
        assert example.codes[k].tolist() == ([complement[code] for code in reversed(codes)] if turned else codes)
        for b in range(n_bins):
            source = n_bins - 1 - b if turned else b
            assert example.mask[k, b] == batch.mask[k, source]
            for t in range(n_tracks):
                assert example.targets[k, t, b] == batch.targets[k, source, pairs[t] if turned else t].float()


@given(batches())
def test_reversing_twice_changes_nothing(drawn):
    batch, pairs = drawn
    straight = to_device(batch, "cpu", pairs)
    again = Batch(straight.codes, straight.targets.transpose(1, 2), straight.mask, batch.reverse, batch.rows)
    twice = to_device(again, "cpu", pairs)
    original = to_device(Batch(batch.codes, batch.targets, batch.mask, batch.reverse & False, batch.rows), "cpu", pairs)
    for one, other in zip(twice, original, strict=True):
        assert torch.equal(one, other)


def test_codes_of_the_other_strand():
    codes = torch.tensor([[0, 1, 2, 3, 4, 0]], dtype=torch.uint8)  # ACGTNA
    assert reverse_complement_codes(codes).tolist() == [[3, 4, 0, 1, 2, 3]]  # TNACGT


def test_the_batch_is_left_as_it_was():
    batch = Batch(
        torch.tensor([[0, 1]], dtype=torch.uint8),
        torch.tensor([[[1.0, 2.0], [3.0, 4.0]]]).half(),
        torch.tensor([[True, False]]),
        torch.tensor([True]),
        torch.tensor([5]),
    )
    example = to_device(batch, "cpu", torch.tensor([1, 0]))
    assert example.targets.tolist() == [[[4, 2], [3, 1]]]
    assert batch.targets.tolist() == [[[1, 2], [3, 4]]]
    assert batch.codes.tolist() == [[0, 1]]


def test_strand_pairs_of_another_sheet_are_refused():
    batch = Batch(
        torch.zeros((1, 4), dtype=torch.uint8),
        torch.zeros((1, 2, 3)).half(),
        torch.ones((1, 2), dtype=torch.bool),
        torch.tensor([False]),
        torch.tensor([0]),
    )
    with pytest.raises(ShapeError, match=r"strand_pair has shape \(2,\); needed \(track=3\)"):
        to_device(batch, "cpu", torch.tensor([0, 1]))


@pytest.mark.gpu
def test_the_gpu_gives_the_same():
    generator = torch.Generator().manual_seed(1)
    batch = Batch(
        codes=torch.randint(0, 5, (3, 640), dtype=torch.uint8, generator=generator),
        targets=torch.rand((3, 5, 4), generator=generator).half(),
        mask=torch.rand((3, 5), generator=generator) < 0.7,
        reverse=torch.tensor([True, False, True]),
        rows=torch.arange(3),
    )
    pairs = torch.tensor([1, 0, 2, 3])
    for one, other in zip(to_device(batch, "cuda", pairs), to_device(batch, "cpu", pairs), strict=True):
        assert torch.equal(one.cpu(), other)
