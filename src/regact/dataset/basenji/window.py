"""One window as it comes from a source: its bases as codes, its targets, and which of its bins are unmappable."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float16, UInt8

from regact.genome import N_CODE


@dataclass(frozen=True)
class SourceWindow:
    """A window of imported data.

    Attributes:
        where: Names it in errors: file and record or row.
        codes: Its bases.
        targets: Its values; they may be inf or NaN.
        unmappable: Bins without data; None where the source does not say.
        rounded: How many of the values the source has in more digits than float16 keeps.
    """

    where: str
    codes: UInt8[np.ndarray, " position"]
    targets: Float16[np.ndarray, "bin track"]
    unmappable: Bool[np.ndarray, " bin"] | None
    rounded: int = 0


def codes_of_one_hot(one_hot: np.ndarray) -> UInt8[np.ndarray, "... position"]:
    """Codes of bases coded as four numbers each in the order ACGT, shape (..., position, 4); all 0 is N.

    Raises: ValueError where a base is not 0 but for one 1.
    """
    bits = np.ascontiguousarray(one_hot).astype(np.uint8, copy=False)
    total = bits.sum(axis=-1, dtype=np.uint8)
    if bits.size and (int(bits.max()) > 1 or int(total.max()) > 1):
        raise ValueError("bases that are not coded as one 1 among four numbers")
    codes = bits[..., 1] + 2 * bits[..., 2] + 3 * bits[..., 3]
    codes[total == 0] = N_CODE
    return codes


def as_float16(values: Float[np.ndarray, "..."]) -> tuple[Float16[np.ndarray, "..."], Bool[np.ndarray, "..."]]:
    """Values as the store keeps them, and which of them are others by that; what is too large becomes inf."""
    if values.dtype == np.float16:
        return values, np.broadcast_to(np.False_, values.shape)
    with np.errstate(over="ignore"):  # inf is looked for
        kept = values.astype(np.float16)
    return kept, np.isfinite(kept) & (kept != values)
