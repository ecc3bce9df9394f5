"""Bases as uint8 codes: A 0, C 1, G 2, T 3, anything else that IUPAC knows 4 (N)."""

import numpy as np
from jaxtyping import UInt8

N_CODE = 4
INVALID_CODE = 255  # stands in CODE_OF_BYTE only, never in a sequence
BASES = "ACGTN"
AMBIGUOUS = "RYSWKMBDHVN"  # IUPAC: more than one base possible, so the model sees N


def _code_table() -> bytes:
    table = np.full(256, INVALID_CODE, np.uint8)
    for letters, code in (("A", 0), ("C", 1), ("G", 2), ("TU", 3), (AMBIGUOUS, N_CODE)):
        for letter in letters:
            table[[ord(letter), ord(letter.lower())]] = code
    return table.tobytes()


# Code of each byte, for bytes.translate (the fastest way by far). U (RNA) is T; lower case means nothing.
CODE_OF_BYTE = _code_table()
_LETTER_OF_CODE = BASES.encode() + b"?" * (256 - len(BASES))
_COMPLEMENT = np.array([3, 2, 1, 0, N_CODE], np.uint8)


def encode(text: bytes | str) -> UInt8[np.ndarray, " position"]:
    """Codes of the bases in `text`, either case; IUPAC's ambiguity letters become 4.

    Raises: ValueError naming the first character that is no IUPAC base, and its place.
    """
    letters = text.encode() if isinstance(text, str) else text
    codes = np.frombuffer(bytearray(letters.translate(CODE_OF_BYTE)), np.uint8)
    invalid = np.flatnonzero(codes == INVALID_CODE)
    if invalid.size:
        place = int(invalid[0])
        raise ValueError(f"{chr(letters[place])!r} at position {place} is no base; needed one of ACGTU{AMBIGUOUS}")
    return codes


def decode(codes: UInt8[np.ndarray, " position"]) -> str:
    """The letters ACGTN of `codes`.

    Raises: ValueError where a code is above 4.
    """
    _check_codes(codes)
    return np.ascontiguousarray(codes, np.uint8).tobytes().translate(_LETTER_OF_CODE).decode()


def reverse_complement(codes: UInt8[np.ndarray, "... position"]) -> UInt8[np.ndarray, "... position"]:
    """Codes of the other strand, read in its own direction; N stays N. A new array.

    Raises: ValueError where a code is above 4.
    """
    _check_codes(codes)
    return _COMPLEMENT[codes[..., ::-1]]


def _check_codes(codes: UInt8[np.ndarray, "..."]) -> None:
    if codes.size and int(codes.max()) > N_CODE:
        raise ValueError(f"code {int(codes.max())} is no base; codes are 0 to {N_CODE}")
