import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regact.genome import decode, encode, reverse_complement

bases = st.text("ACGTN", max_size=200)


def test_every_iupac_letter_has_its_code_in_both_cases() -> None:
    np.testing.assert_array_equal(encode("ACGTUacgtu"), [0, 1, 2, 3, 3] * 2)
    np.testing.assert_array_equal(encode("NRYSWKMBDHVnryswkmbdhv"), [4] * 22)
    assert encode(b"").dtype == np.uint8


@given(bases)
def test_decode_undoes_encode(text: str) -> None:
    assert decode(encode(text)) == text == decode(encode(text.lower().encode()))


@given(bases)
def test_reverse_complement_is_that_of_the_letters_and_undoes_itself(text: str) -> None:
    codes = encode(text)
    expected = text.translate(str.maketrans("ACGT", "TGCA"))[::-1]
    assert decode(reverse_complement(codes)) == expected
    np.testing.assert_array_equal(reverse_complement(reverse_complement(codes)), codes)


def test_reverse_complement_takes_batches_along_the_last_axis() -> None:
    batch = np.stack([encode("AACG"), encode("TTTN")])
    np.testing.assert_array_equal(reverse_complement(batch), np.stack([encode("CGTT"), encode("NAAA")]))


@pytest.mark.parametrize(("text", "place"), [("ACGE", 3), ("AC GT", 2), ("A-C", 1), (">AC", 0), ("ACé", 2)])
def test_what_is_no_base_is_named_with_its_place(text: str, place: int) -> None:
    with pytest.raises(ValueError, match=f"position {place} is no base"):
        encode(text)


def test_codes_above_4_are_refused() -> None:
    with pytest.raises(ValueError, match="code 5"):
        decode(np.array([0, 5], np.uint8))
    with pytest.raises(ValueError, match="code 255"):
        reverse_complement(np.array([255], np.uint8))
