"""Which windows a model has been trained on: kept in its run folder, and held against those that it is tried on next.

`windows.bed` in a run folder has chrom, start, end (the model's input) and split of every window of its dataset, and
behind them, labelled `before`, what the run that it started from was trained on besides. Beside weights from elsewhere
it is what the importer was given; a `sequences.bed` of Basenji's data that somebody put there does as well. Its labels
are splits, or folds, of which all count as trained on; its rows are targets, and widened by the crop to what was read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from regact.dataset import SPLITS, Store, open_store
from regact.dataset.window_bed import intervals_of, read_window_bed, write_window_bed
from regact.errors import RegactError
from regact.genome import Regions
from regact.model import ModelSpec
from regact.training.run_folder import CARD, read_card

WINDOWS = "windows.bed"
_BASENJIS = "sequences.bed"
_UNSEEN = ("valid", "test")
_BEFORE, _BEFORE_ELSEWHERE = "before", "before_on_unknown_genome"


@dataclass(frozen=True)
class SeenWindows:
    """The bases that a model was trained on.

    Attributes:
        run: Its run folder.
        regions: Bases of all its training windows.
        genome: Checksum of their genome, where it is known.
        imported: Whether its weights came from elsewhere.
        unknown_start: The run that it started from, where nobody knows what that one was trained on.
    """

    run: Path
    regions: Regions
    genome: str | None
    imported: bool
    unknown_start: str | None = None


@dataclass(frozen=True)
class Overlap:
    """How many windows of each split of a dataset share bases with windows that a model was trained on.

    Attributes:
        seen: What the model was trained on.
        counts: By split, windows that do, and all.
        same_genome: Whether both genomes are known to be the same.
    """

    seen: SeenWindows
    counts: dict[str, tuple[int, int]]
    same_genome: bool

    @property
    def remark(self) -> str:
        """The warning; empty where there is nothing to warn of.

        Training windows that were trained on before are worth a word where the weights came from elsewhere: for then
        somebody else has drawn the split.
        """
        touched = {split: pair for split, pair in self.counts.items() if pair[0]}
        judged = [split for split in touched if split in _UNSEEN]
        if not judged and not (touched and self.seen.imported):
            return ""
        listed = ", ".join(f"{n:,} of {of:,} {split} windows" for split, (n, of) in touched.items())
        consequence = (
            f"scores on {' and '.join(judged)} will be higher than on bases never seen; test on others"
            if judged
            else "none of those that it will be judged on does"
        )
        return f"{listed} share bases with windows that {self.seen.run} was trained on{self.caveat}: {consequence}"

    @property
    def caveat(self) -> str:
        """What to add where coordinates are all that is known."""
        return "" if self.same_genome else " (by coordinates; whether the genomes are the same is not known)"


def write_windows(
    run: Path, windows: pd.DataFrame, *, before: SeenWindows | None = None, genome: str | None = None
) -> None:
    """Write into a run folder who was trained on what: a dataset's window table, and what was trained on before.

    Args:
        run: The run folder.
        windows: Of the dataset: chrom, start, end, split.
        before: What the model was trained on that this run starts from; what the dataset trains on is left out of it.
        genome: Checksum of the dataset's genome.
    """
    rows = windows[["chrom", "start", "end"]].assign(label=windows["split"])
    if before is not None:
        ours = Regions.from_intervals(intervals_of(rows[~rows["label"].isin(_UNSEEN)]))
        label = _BEFORE if before.genome == genome else _BEFORE_ELSEWHERE
        others = [part for region in before.regions for part in ours.subtract_from(region)]
        more = [(part.chrom, part.start, part.end, label) for part in others]
        rows = pd.concat([rows, pd.DataFrame(more, columns=list(rows.columns)).astype(rows.dtypes)])
    write_window_bed(run / WINDOWS, rows)


def keep_windows(run: Path, bed: Path, spec: ModelSpec) -> None:
    """Keep a BED of the windows that imported weights of `spec` were trained on beside them, as the model's inputs.

    Raises: FormatError where it is none, or its fourth column has no label.
    """
    write_window_bed(run / WINDOWS, _read_inputs(bed, spec))


def find_seen(run: Path) -> SeenWindows | None:
    """What the model of a run folder (or of a weights file in one) was trained on; None where nobody knows."""
    folder = run if run.is_dir() else run.parent
    card = read_card(folder) if (folder / CARD).is_file() else {}
    genome = (card.get("genome") or {}).get("checksum")
    windows = _read_kept(folder, card)
    if windows is None:
        return None
    trained_on = windows[~windows["label"].isin(_UNSEEN)]
    unknown = card.get("transfer") and card.get("overlap", "not looked for") is None
    return SeenWindows(
        run,
        Regions.from_intervals(intervals_of(trained_on)),
        None if _BEFORE_ELSEWHERE in trained_on["label"].to_numpy() else genome,
        imported=card.get("state") == "imported",
        unknown_start=card["transfer"]["run"] if unknown else None,
    )


def find_overlap(run: Path, store: Store) -> Overlap | None:
    """How much of a dataset the model of a run was trained on; None where nobody knows."""
    seen = find_seen(run)
    if seen is None:
        return None
    counts = {}
    for split in SPLITS:
        windows = list(intervals_of(store.windows[store.windows["split"] == split]))
        if windows:
            counts[split] = sum(seen.regions.overlaps(window) for window in windows), len(windows)
    return Overlap(seen, counts, seen.genome == store.genome_checksum)


def describe_overlap(run: Path, store: Store) -> tuple[dict[str, Any] | None, str]:
    """What a card says of the overlap, and the warning, empty where there is none."""
    overlap = find_overlap(run, store)
    if overlap is None:
        unknown = f"{run} does not say which windows it was trained on: whether they are among those of {store.path}"
        return None, f"{unknown} is not known (docs/fine-tuning.md)"
    if strange := _strange_contigs(overlap, store):
        return None, strange
    entry = {split: {"seen": seen, "windows": windows} for split, (seen, windows) in overlap.counts.items()}
    remarks = [overlap.remark]
    if start := overlap.seen.unknown_start:
        remarks.append(f"{run} started from {start}, of which it is not known what it was trained on")
    return {**entry, "same_genome": overlap.same_genome}, "; ".join(filter(None, remarks))


def _strange_contigs(overlap: Overlap, store: Store) -> str:
    """That both know no contig of the same name, so that coordinates tell nothing; empty where they do."""
    theirs, ours = overlap.seen.regions.chroms, tuple(store.windows["chrom"].unique())
    if overlap.same_genome or not theirs or not ours or set(theirs) & set(ours):
        return ""
    return (
        f"{overlap.seen.run} was trained on contigs of other names ({theirs[0]}, ..) than those of {store.path} "
        f"({ours[0]}, ..): whether windows were seen in training is not known (docs/fine-tuning.md)"
    )


def warn_of_overlap(run: Path, store: Store, split: str) -> str:
    """The warning for who judges a run on windows that it, or what it started from, was trained on; empty if not.

    Where nobody knows what it was trained on, importing or training has said so.
    """
    card, overlap = read_card(run), find_overlap(run, store)
    own = (card.get("store") or {}).get("fingerprint") == store.fingerprint
    if overlap is None or (own and split not in _UNSEEN):  # who asks for the training windows knows
        return ""
    seen, windows = overlap.counts.get(split, (0, 0))
    if not seen:
        return _strange_contigs(overlap, store)
    started = " or what it started from" if card.get("transfer") else ""
    return (
        f"{seen:,} of {windows:,} {split} windows share bases with windows that {run}{started} was trained on"
        f"{overlap.caveat}: scores are higher than on bases never seen"
    )


def _read_kept(folder: Path, card: Mapping[str, Any]) -> pd.DataFrame | None:
    """The windows (chrom, start, end, label) that a run folder tells of; None where it does not."""
    if (folder / WINDOWS).is_file():
        return read_window_bed(folder / WINDOWS)
    if (folder / _BASENJIS).is_file():
        return _read_inputs(folder / _BASENJIS, ModelSpec.model_validate(card["model"]) if "model" in card else None)
    return _windows_of_store(card.get("store"))


def _read_inputs(bed: Path, spec: ModelSpec | None) -> pd.DataFrame:
    """The rows of a `sequences.bed` as the model's inputs: all but whole windows are targets, with the crop beside."""
    rows = read_window_bed(bed)
    if spec is None:
        return rows
    crop_bp = np.where(rows["end"] - rows["start"] == spec.window_bp, 0, spec.crop_bins * spec.bin_bp)
    return rows.assign(start=(rows["start"] - crop_bp).clip(lower=0), end=rows["end"] + crop_bp)


def _windows_of_store(store: Mapping[str, str] | None) -> pd.DataFrame | None:
    """Of the dataset that a card names, where it still is there: runs of before had no BED."""
    if store is None or "path" not in store:  # a card that travels has none
        return None
    try:
        opened = open_store(store["path"])
    except RegactError:
        return None
    return opened.windows.assign(label=opened.windows["split"]) if opened.fingerprint == store["fingerprint"] else None
