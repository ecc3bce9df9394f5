"""Distal accuracy: how much a model knows of what acts on a promoter from beyond R, on simulated data.

The formula stands in docs/evaluation.md. A promoter is looked at where most of its activation comes from beyond R (the
reach of the `basenji` preset that fits the window) and a window of the split holds all that drives it. What a model
could know without seeing far, the promoter's own strength, is regressed out of prediction and truth.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float, Float64, Int64

from regact.dataset import Store
from regact.errors import FormatError
from regact.genome import Genome
from regact.simulation import Truth, load_truth, promoters_in_windows
from regact.simulation.truth import CONFIG_FILE

LEAST_SHARE_BEYOND = 0.8
LEAST_PROMOTERS = 20

# Rows of the store's window table -> expected counts, one (track, bin) array a row, in that order.
RatesOf = Callable[[Int64[np.ndarray, "row"]], Float[np.ndarray, "row track bin"]]


@dataclass(frozen=True)
class DistalAccuracy:
    """What `measure_distal_accuracy` found.

    Attributes:
        split: train, valid or test.
        reach_bp: R, beyond which activation counts as distal.
        n_promoters: Promoters driven from beyond R that a window of the split holds with all that drives them.
        n_pairs: Pairs of such a promoter and a CAGE track of its own strand.
        value: Correlation of predicted and true log rate; NaN where the promoters are too few. The truth itself has 1.
        within_reach: The same for the true rate without the elements beyond R: the most that `basenji` could know.
    """

    split: str
    reach_bp: int
    n_promoters: int
    n_pairs: int
    value: float
    within_reach: float

    @property
    def is_computed(self) -> bool:
        """Whether there were promoters enough."""
        return not math.isnan(self.within_reach)

    def __str__(self) -> str:
        if not self.is_computed:
            return (
                f"distal accuracy, split {self.split}: not computed: {self.n_promoters} promoters driven from beyond "
                f"{self.reach_bp:,} bp, needed {LEAST_PROMOTERS}"
            )
        return (
            f"distal accuracy, split {self.split}: {self.value:.3f} (with all within {self.reach_bp:,} bp known "
            f"{self.within_reach:.3f}, the truth 1; {self.n_promoters} promoters, {self.n_pairs} pairs)"
        )


def simulation_of(genome: Genome) -> Path | None:
    """The folder of `regact simulate` that the genome lies in; None where it is no simulated one."""
    folder = genome.path.parent
    return folder if (folder / CONFIG_FILE).is_file() else None


def distal_pairs(simulation: Path | str, store: Store, split: str) -> pd.DataFrame:
    """Every pair of a distally driven promoter and a CAGE track of its own strand, as `split` shows them.

    A promoter that several windows hold whole is looked at in the one whose middle is nearest; one whose signal
    lies across two bins, or shares its bin with another promoter of its strand, in none.

    Columns: promoter, row (of the store's window table), track (position in the store's sheet), bin (of the target, the
    one that holds the start of transcription), background (expected count of a bin without a promoter), log_intrinsic,
    log_rate, log_rate_within_reach (true, of the expected count in this bin).

    Raises: RunError, FormatError where the folder lacks what `regact simulate` writes; DataError for an empty split.
    """
    truth = load_truth(simulation)
    promoters = _read_promoters(Path(simulation))
    rows = store.rows(split)
    seen = promoters_in_windows(promoters, store.windows.iloc[rows], bin_bp=store.bin_bp)
    share = promoters["share_beyond_reach"].to_numpy()[seen["promoter_row"]]
    seen = seen[seen["sees_elements"] & (share >= LEAST_SHARE_BEYOND)]
    places = _most_central(_places(seen, promoters, rows, store, truth))
    return _with_tracks(places, promoters, store, truth)


def measure_distal_accuracy(pairs: pd.DataFrame, rates_of: RatesOf, *, split: str, reach_bp: int) -> DistalAccuracy:
    """Hold predictions against the truth of `pairs`, as `distal_pairs` gives them; only their windows are predicted."""
    return distal_accuracy_of(pairs, predict_pairs(pairs, rates_of), split=split, reach_bp=reach_bp)


def predict_pairs(pairs: pd.DataFrame, rates_of: RatesOf) -> Float64[np.ndarray, "pair"]:
    """Log of the predicted rate, background at least, of each pair; NaN where the promoters are too few."""
    if pairs["promoter"].nunique() < LEAST_PROMOTERS:
        return np.full(len(pairs), math.nan)
    rows, place = np.unique(pairs["row"].to_numpy(), return_inverse=True)
    rates = rates_of(rows)[place, pairs["track"].to_numpy(), pairs["bin"].to_numpy()]
    return np.log(np.maximum(rates.astype(np.float64), pairs["background"].to_numpy()))


def distal_accuracy_of(
    pairs: pd.DataFrame, predicted: Float64[np.ndarray, "pair"], *, split: str, reach_bp: int
) -> DistalAccuracy:
    """The same for log rates that are predicted already, as `predict_pairs` gives them."""
    n_promoters = pairs["promoter"].nunique()
    if n_promoters < LEAST_PROMOTERS:
        return DistalAccuracy(split, reach_bp, n_promoters, len(pairs), math.nan, math.nan)
    track, strength = pairs["track"].to_numpy(), pairs["log_intrinsic"].to_numpy()
    truth, predicted, near = (
        regress_out(values, strength, track)
        for values in (pairs["log_rate"].to_numpy(), predicted, pairs["log_rate_within_reach"].to_numpy())
    )
    return DistalAccuracy(
        split, reach_bp, n_promoters, len(pairs), _correlation(predicted, truth), _correlation(near, truth)
    )


def regress_out(
    values: Float64[np.ndarray, "pair"], known: Float64[np.ndarray, "pair"], track: Int64[np.ndarray, "pair"]
) -> Float64[np.ndarray, "pair"]:
    """What is left of `values` after least squares on `known`, each track with a slope and a mean of its own."""
    left = np.empty_like(values)
    for one in np.unique(track):
        ours = track == one
        x, y = known[ours] - known[ours].mean(), values[ours] - values[ours].mean()
        spread = float(x @ x)
        left[ours] = y - x * (float(x @ y) / spread if spread > 0 else 0.0)
    return left


def _correlation(left: Float64[np.ndarray, "pair"], right: Float64[np.ndarray, "pair"]) -> float:
    """Pearson of two sets of residuals (their means are 0); 0 where one of them has nothing left but rounding."""
    spread = float(np.sqrt((left @ left) * (right @ right)))
    return float(left @ right) / spread if spread > 1e-12 * len(left) else 0.0


def _read_promoters(simulation: Path) -> pd.DataFrame:
    path = simulation / "promoters.tsv"
    try:
        return pd.read_csv(path, sep="\t")
    except (OSError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise FormatError(
            path, f"cannot be read ({error})", "the table of `regact simulate`", "simulate again"
        ) from error


def _places(
    seen: pd.DataFrame, promoters: pd.DataFrame, rows: Int64[np.ndarray, "row"], store: Store, truth: Truth
) -> pd.DataFrame:
    """The bin of the targets that holds each promoter's signal, whole and alone; other places are left out."""
    row = rows[seen["window_row"].to_numpy()]
    start = store.windows["start"].to_numpy()[row]
    tss = promoters["tss"].to_numpy()[seen["promoter_row"]] - start
    target_bin = tss // store.bin_bp - store.crop_bins
    half = truth.config.assays.cage.width_bp // 2
    is_whole = (tss - half) // store.bin_bp == (tss + half) // store.bin_bp
    bin_start = start + tss // store.bin_bp * store.bin_bp
    strand = (promoters["chrom"] + promoters["strand"]).to_numpy()
    is_alone = np.zeros(len(seen), dtype=bool)
    for one in np.unique(strand):  # what another promoter of the strand adds to the bin cannot be told apart
        others = np.sort(promoters["tss"].to_numpy()[strand == one])
        touching = np.searchsorted(others, bin_start + store.bin_bp + half)
        touching -= np.searchsorted(others, bin_start - half)
        is_alone |= (strand[seen["promoter_row"]] == one) & (touching == 1)
    places = pd.DataFrame({
        "promoter_row": seen["promoter_row"].to_numpy(),
        "row": row,
        "bin": target_bin,
        "off_centre_bp": np.abs(tss - store.window_bp // 2),
    })  # fmt: skip
    return places[is_whole & is_alone & (target_bin >= 0) & (target_bin < store.n_bins)]


def _most_central(places: pd.DataFrame) -> pd.DataFrame:
    ordered = places.sort_values(["promoter_row", "off_centre_bp", "row"], kind="stable")
    return ordered.drop_duplicates("promoter_row")


def _with_tracks(places: pd.DataFrame, promoters: pd.DataFrame, store: Store, truth: Truth) -> pd.DataFrame:
    """Each place with every CAGE track of the promoter's strand that the store has, and what is true there."""
    background = _background(truth, store)
    ours = promoters.iloc[places["promoter_row"].to_numpy()]
    position = {identifier: track for track, identifier in enumerate(store.sheet.identifiers)}
    parts = [pd.DataFrame(columns=["promoter", "row", "track"])]
    for simulated in truth.tracks:
        if simulated.assay != "CAGE" or simulated.identifier not in position:
            continue
        cell = simulated.cell_type
        part = pd.DataFrame({
            "promoter": ours["promoter"].to_numpy(),
            "row": places["row"].to_numpy(),
            "track": position[simulated.identifier],
            "bin": places["bin"].to_numpy(),
            "background": background,
            "log_intrinsic": np.log(ours["intrinsic"].to_numpy()),
            "log_rate": np.log(ours[f"rate_{cell}"].to_numpy() + background),
            "log_rate_within_reach": np.log(ours[f"rate_within_reach_{cell}"].to_numpy() + background),
        })  # fmt: skip
        parts.append(part[(ours["strand"] == simulated.strand).to_numpy()])
    return pd.concat(parts[1:] or parts, ignore_index=True)


def _background(truth: Truth, store: Store) -> float:
    """Expected CAGE count of a bin without a promoter."""
    return truth.config.assays.cage.background_per_kb * store.bin_bp / 1_000
