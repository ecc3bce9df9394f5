"""Which windows a model has been trained on: kept in its run folder, and held against those that it is tried on next.

`windows.bed` in a run folder has chrom, start, end (the model's input) and split of every window of its dataset. Beside
weights from elsewhere it is a copy of what the importer was given, or the `sequences.bed` of Basenji's data that
somebody put there: their labels are splits, or folds, of which all count as trained on.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from regact.dataset import SPLITS, Store, open_store
from regact.dataset.basenji.directory import read_window_bed
from regact.engine import whole_file
from regact.errors import RegactError
from regact.genome import Interval, Regions
from regact.training.run_folder import CARD, read_card

WINDOWS = "windows.bed"
_NAMES = (WINDOWS, "sequences.bed")
_UNSEEN = ("valid", "test")


@dataclass(frozen=True)
class SeenWindows:
    """The bases that a model was trained on.

    Attributes:
        run: Its run folder.
        regions: Bases of all its training windows.
        genome: Checksum of their genome, where it is known.
        imported: Whether its weights came from elsewhere.
    """

    run: Path
    regions: Regions
    genome: str | None
    imported: bool


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
        by = "" if self.same_genome else " (by coordinates; whether the genomes are the same is not known)"
        return f"{listed} share bases with windows that {self.seen.run} was trained on{by}: {consequence}"


def write_windows(run: Path, windows: pd.DataFrame) -> None:
    """Write the window table of a dataset, as far as it says who was trained on what, into a run folder."""
    with whole_file(run / WINDOWS) as path:
        columns = ["chrom", "start", "end", "split"]
        windows[columns].to_csv(path, sep="\t", header=False, index=False, lineterminator="\n")


def keep_windows(run: Path, bed: Path) -> None:
    """Keep a BED of the windows that imported weights were trained on beside them: a copy, as it is.

    Raises: FormatError where it is none, or its fourth column has no label.
    """
    read_window_bed(bed)
    shutil.copyfile(bed, run / WINDOWS)


def find_seen(run: Path) -> SeenWindows | None:
    """What the model of a run folder (or of a weights file in one) was trained on; None where nobody knows."""
    folder = run if run.is_dir() else run.parent
    card = read_card(folder) if (folder / CARD).is_file() else {}
    regions = next((_read_bed(folder / name) for name in _NAMES if (folder / name).is_file()), None)
    if regions is None:
        regions = _training_regions(card.get("store"))
    if regions is None:
        return None
    genome = (card.get("genome") or {}).get("checksum")
    return SeenWindows(run, regions, genome, imported=card.get("state") == "imported")


def find_overlap(run: Path, store: Store) -> Overlap | None:
    """How much of a dataset the model of a run was trained on; None where nobody knows."""
    seen = find_seen(run)
    if seen is None:
        return None
    counts = {}
    for split in SPLITS:
        windows = list(_intervals(store.windows[store.windows["split"] == split]))
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
    return {**entry, "same_genome": overlap.same_genome}, overlap.remark


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
    """The warning for who judges a run on windows that it, or the run it started from, was trained on; empty if not.

    Of a run that started from another its card holds the counts of `describe_overlap`. Imported weights are held
    against the dataset here; where nobody knows what they were trained on, importing has said so.
    """
    card = read_card(run)
    if card.get("state") == "imported":
        overlap = find_overlap(run, store)
        if overlap is None:
            return ""
        seen, windows = overlap.counts.get(split, (0, 0))
        if not seen:
            return _strange_contigs(overlap, store)
        return (
            f"{seen:,} of {windows:,} {split} windows share bases with windows that these weights were trained on: "
            "scores are higher than on bases never seen"
        )
    counts = (card.get("overlap") or {}).get(split)
    if not counts or not counts["seen"]:
        return ""
    start = card["transfer"]["run"]
    return (
        f"{counts['seen']:,} of {counts['windows']:,} {split} windows share bases with windows that {start}, "
        "which this run started from, was trained on: scores are higher than on bases never seen"
    )


def _read_bed(bed: Path) -> Regions:
    rows = read_window_bed(bed)
    return Regions.from_intervals(_intervals(rows[~rows["label"].isin(_UNSEEN)]))


def _training_regions(store: dict[str, str] | None) -> Regions | None:
    """Of the dataset that a card names, where it still is there: runs of before had no BED."""
    if store is None or "path" not in store:  # a card that travels has none
        return None
    try:
        opened = open_store(store["path"])
    except RegactError:
        return None
    if opened.fingerprint != store["fingerprint"]:
        return None
    return Regions.from_intervals(_intervals(opened.windows[opened.windows["split"] == "train"]))


def _intervals(windows: pd.DataFrame) -> Iterator[Interval]:
    columns = (windows[name].tolist() for name in ("chrom", "start", "end"))
    return (Interval(*place) for place in zip(*columns, strict=True))
