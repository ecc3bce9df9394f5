import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from regact.errors import ShapeError
from regact.model.head import Head
from regact.model.link import apply_link, inverse_link

LINKS = ["exp", "elu1", "softplus"]


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("exp", [0.1353352832366127, 1.0, 7.38905609893065]),
        ("elu1", [0.1353352832366127, 1.0, 3.0]),
        ("softplus", [0.12692801104297249, 0.6931471805599453, 2.1269280110429727]),
    ],
)
def test_rate_of_minus_two_zero_and_two(link: str, expected: list[float]):
    z = torch.tensor([-2.0, 0.0, 2.0], dtype=torch.float64)
    assert apply_link(z, link).tolist() == pytest.approx(expected, rel=1e-12)


@given(z=st.floats(-15, 15), link=st.sampled_from(LINKS))
def test_inverse_undoes_the_link(z: float, link: str):
    value = torch.tensor(z, dtype=torch.float64)
    assert inverse_link(apply_link(value, link), link).item() == pytest.approx(z, abs=1e-6)


def test_small_rates_of_elu1_keep_their_digits():
    z = torch.tensor([-16.0, -49.0, -1000.0])
    expected = [1.1253517471925912e-07, 5.242885663363464e-22, 1.9287498479639178e-22]  # e^-16, e^-49, e^-50
    assert apply_link(z, "elu1").tolist() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("link", LINKS)
def test_inverse_of_a_large_rate_is_finite(link: str):
    assert inverse_link(torch.tensor(1e6), link).isfinite()


@pytest.mark.parametrize("function", [apply_link, inverse_link])
def test_unknown_link_is_refused(function):
    with pytest.raises(ValueError, match="unknown link 'log'; use exp, elu1 or softplus"):
        function(torch.zeros(1), "log")


@pytest.mark.parametrize("link", LINKS)
def test_start_at_rates(link: str):
    head = Head(6, 8, 3).eval()
    head.start_at([0.5, 20.0, 0.0], link)
    torch.nn.init.zeros_(head.affine.weight)
    rates = apply_link(head(torch.randn(2, 6, 5)), link)
    torch.testing.assert_close(rates[0, :, 0], torch.tensor([0.5, 20.0, 1e-4]), rtol=1e-4, atol=1e-6)


def test_start_at_another_number_of_rates_is_refused():
    with pytest.raises(ShapeError, match="track=3"):
        Head(6, 8, 3).start_at([1.0, 2.0])


def test_each_bin_is_read_for_itself():
    head = Head(6, 8, 3).eval()
    bins = torch.randn(1, 6, 7)
    torch.testing.assert_close(head(bins)[..., 2:3], head(bins[..., 2:3]))
