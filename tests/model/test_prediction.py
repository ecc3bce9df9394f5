import numpy as np
import pytest
import torch

from regact.errors import ShapeError
from regact.genome import encode
from regact.model import one_hot, predict_codes


@pytest.mark.parametrize("link", ["exp", "elu1", "softplus"])
def test_prediction_is_the_rate_of_the_forward_pass(link: str, small_model, codes):
    model = small_model(link=link, crop_bins=2)
    rates = predict_codes(model, codes)
    assert rates.shape == (3, 3, 12)
    expected = model.eval().rate(model(one_hot(codes)))
    torch.testing.assert_close(rates, expected.detach())


def test_micro_batches_change_nothing(small_model, codes):
    model = small_model("basenji")
    many = codes.repeat(3, 1)
    torch.testing.assert_close(
        predict_codes(model, many, batch_size=2), predict_codes(model, many, batch_size=9), rtol=1e-4, atol=1e-5
    )


def test_numpy_codes_are_welcome(small_model, codes):
    model = small_model()
    assert torch.equal(predict_codes(model, codes.numpy()), predict_codes(model, codes))


def test_read_only_codes_give_no_warning(small_model, codes):
    array = codes.numpy().copy()
    array.setflags(write=False)
    predict_codes(small_model(), array)


def test_model_is_left_as_found(small_model, codes):
    model = small_model("standard")
    model.head.eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    predict_codes(model, codes)
    assert model.training
    assert model.tower.blocks[0].norm.training
    assert not model.head.training
    assert not model.head.block.norm.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    model(one_hot(codes)).sum().backward()  # gradients are on again


def test_no_sequences_give_no_rates(small_model):
    assert predict_codes(small_model(), np.zeros((0, 2048), np.uint8)).shape == (0, 3, 16)


@pytest.mark.parametrize("shape", [(2048,), (2, 1920), (2, 4, 2048)])
def test_codes_of_another_shape_are_refused(shape: tuple[int, ...], small_model):
    with pytest.raises(ShapeError, match="position=2048"):
        predict_codes(small_model(), np.zeros(shape, np.uint8))


@pytest.mark.parametrize(
    ("codes", "found"),
    [
        ("ACGT", "a str"),
        (["ACGT"], "a list"),
        (np.zeros((1, 2048)), "float64 of shape (1, 2048)"),
        (np.array([["A", "C"]]), "<U1 of shape (1, 2)"),
        (torch.zeros(1, 4, 2048), "float32 of shape (1, 4, 2048)"),
    ],
)
def test_what_are_no_codes_is_explained(codes, found: str, small_model):
    with pytest.raises(TypeError) as error:
        predict_codes(small_model(), codes)
    assert str(error.value).startswith(f"codes are {found}; needed uint8 codes (batch, position=2048), A0 C1 G2 T3; ")
    assert "regact.genome.encode(bases)[None]" in str(error.value)
    assert "\n" not in str(error.value)


def test_what_the_error_says_to_do_works(small_model):
    assert predict_codes(small_model(), encode("ACGT" * 512)[None]).shape == (1, 3, 16)
