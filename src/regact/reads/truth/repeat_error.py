"""How far coverage inside repeats is from the rate that its reads were drawn from, family by family.

Copies of a family share their reads and families do not, so a family is what chance draws: intervals come from families
drawn anew, with replacement.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from jaxtyping import Float, Float64, Int64

RESAMPLES = 2_000
_NOT_ESTIMATES = ("genome", "family", "bins", "truth")


def family_errors(
    estimates: Mapping[str, Float64[np.ndarray, " bin"]],
    truth: Float64[np.ndarray, " bin"],
    families: Int64[np.ndarray, " bin"],
) -> pd.DataFrame:
    """For each family: the sum of the true counts, and of |estimate - truth| for each estimate, over its bins.

    Args:
        estimates: Counts of each bin, by the name of the way they were made.
        truth: Expected counts.
        families: Number of the family that a bin belongs to, -1 for none (`families_of_bins`).

    Returns: columns family, bins, truth, then one for each estimate; families without a bin are left out.
    """
    inside = families >= 0
    number = families[inside]
    bins = np.bincount(number)
    columns = {"family": np.arange(len(bins)), "bins": bins, "truth": np.bincount(number, weights=truth[inside])}
    for name, estimate in estimates.items():
        columns[name] = np.bincount(number, weights=np.abs(estimate - truth)[inside])
    return pd.DataFrame(columns)[bins > 0].reset_index(drop=True)


def compare_errors(
    families: pd.DataFrame, reference: str, *, resamples: int = RESAMPLES, seed: int = 0
) -> pd.DataFrame:
    """Error of every estimate and its margin over `reference`, with 95 % intervals over families.

    The error is the sum of |estimate - truth| over the sum of the truth; the margin is an estimate's error less the
    reference's in the same draw of families, so that an interval above 0 means that the reference is nearer.

    Args:
        families: As `family_errors` gives it; tables of several genomes may stand below each other.
        reference: The estimate that the others are held against.

    Returns: columns estimate, error, low, high, margin, margin_low, margin_high; a row an estimate.

    Raises: ValueError without families, or where `reference` is no estimate.
    """
    names = [name for name in families.columns if name not in _NOT_ESTIMATES]
    if reference not in names or not len(families):
        raise ValueError(f"{len(families)} families with estimates {names}; needed one at least, and {reference!r}")
    errors = _errors(families, names, np.ones((1, len(families))))[0]
    draws = np.random.default_rng(seed).multinomial(len(families), np.full(len(families), 1 / len(families)), resamples)
    drawn = _errors(families, names, draws.astype(np.float64))
    at = names.index(reference)
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    margin_low, margin_high = np.quantile(drawn - drawn[:, [at]], [0.025, 0.975], axis=0)
    return pd.DataFrame(
        {
            "estimate": names,
            "error": errors,
            "low": low,
            "high": high,
            "margin": errors - errors[at],
            "margin_low": margin_low,
            "margin_high": margin_high,
        }
    )


def _errors(
    families: pd.DataFrame, names: list[str], draws: Float[np.ndarray, "draw family"]
) -> Float64[np.ndarray, "draw estimate"]:
    return draws @ families[names].to_numpy() / (draws @ families["truth"].to_numpy())[:, None]
