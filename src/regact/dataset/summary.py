"""What a store holds and what it was made from, as a few tables for people."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from regact.dataset.config import SPLITS
from regact.dataset.store import Store
from regact.genome import Interval, Regions


@dataclass(frozen=True)
class SplitSummary:
    """One split of a store.

    Attributes:
        split: Its name.
        windows: Windows in it.
        chroms: Chromosomes that they lie on.
        contigs: Stretches that they lie in.
        covered_bp: Bases that at least one window reads.
        counted_fraction: Share of its bins that count (are not masked).
    """

    split: str
    windows: int
    chroms: int
    contigs: int
    covered_bp: int
    counted_fraction: float


@dataclass(frozen=True)
class StoreSummary:
    """A store at a glance.

    Attributes:
        facts: (what, value) about its making and shape.
        splits: The splits that have windows.
        assays: (assay, its tracks) in the order of the sheet.
        transforms: (sum_stat, soft clip, hard clip, scale, depth factor, as text; tracks with them), frequent first.
        remarks: What was left out or taken as 0 when it was built.
    """

    facts: tuple[tuple[str, str], ...]
    splits: tuple[SplitSummary, ...]
    assays: tuple[tuple[str, int], ...]
    transforms: tuple[tuple[str, str, str, str, str, int], ...]
    remarks: tuple[str, ...]


def summarize_store(store: Store) -> StoreSummary:
    """The summary of a store; reads its window table and mask, not its targets."""
    mask = store.read_mask(np.arange(store.n_windows))
    present = [split for split in SPLITS if (store.windows["split"] == split).any()]
    return StoreSummary(
        facts=_facts(store),
        splits=tuple(_summarize_split(store, split, mask) for split in present),
        assays=tuple(Counter(store.sheet.assays).items()),
        transforms=_transforms(store),
        remarks=store.header.remarks,
    )


def _facts(store: Store) -> tuple[tuple[str, str], ...]:
    header, config = store.header, store.header.config
    size = sum(file.stat().st_size for file in store.path.rglob("*") if file.is_file())
    raw = store.n_windows * store.n_bins * store.n_tracks * 2
    crop = f", {config.crop_bins} cropped at each end" if config.crop_bins else ""
    lengths = sum(header.genome.lengths.values())
    kept = " (only the windows' bases, kept in the store)" if header.genome.kept else ""
    imported = (("imported", f"{header.source.format}, {header.source.path}"),) if header.source else ()
    return (
        *imported,
        ("genome", f"{store.genome_name} ({lengths:,} bp), {header.genome.path}{kept}"),
        ("genome checksum", store.genome_checksum[:16]),
        ("windows", f"{store.n_windows:,} of {store.window_bp:,} bp"),
        ("bins", f"{store.n_bins:,} of {store.bin_bp} bp{crop}"),
        ("tracks", f"{store.n_tracks:,}, {header.track_sheet}"),
        ("split", _describe_split(store)),
        ("shifts", f"up to {store.max_shift_bp} bp keep the splits apart"),
        ("transforms", f"version {header.transform_version}" if header.source is None else "the source's own"),
        ("contig alias", header.contig_alias or "none"),
        ("size", f"{size / 1e6:,.1f} MB, {raw / max(size, 1):.1f} times smaller than its values"),
        ("built", f"{header.created} by regact {header.regact_version}, schema {header.schema_version}"),
        ("fingerprint", store.fingerprint[:16]),
    )


def _describe_split(store: Store) -> str:
    split = store.header.config.split
    if split.by == "imported" and set(store.header.folds) <= set(SPLITS):
        return "as imported"  # without folds, whose roles could be others
    settings = ", ".join(f"{name} {_text(value)}" for name, value in split.model_dump(exclude={"by"}).items())
    return f"by {split.by}: {settings}"


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return " ".join(str(part) for part in value) or "none"
    return str(value) if not isinstance(value, Path) else value.name


def _summarize_split(store: Store, split: str, mask: np.ndarray) -> SplitSummary:
    rows = store.rows(split)
    windows = store.windows.iloc[rows]
    covered = Regions.from_intervals(
        Interval(chrom, start, end)
        for chrom, start, end in zip(windows["chrom"], windows["start"], windows["end"], strict=True)
    )
    return SplitSummary(
        split=split,
        windows=len(rows),
        chroms=windows["chrom"].nunique(),
        contigs=windows["contig"].nunique(),
        covered_bp=covered.total_bp,
        counted_fraction=float(mask[rows].mean()),
    )


def _transforms(store: Store) -> tuple[tuple[str, str, str, str, str, int], ...]:
    def limit(value: float | None) -> str:
        return "none" if value is None else f"{value:g}"

    counts = Counter(
        (record.sum_stat, limit(record.clip_soft), limit(record.clip), f"{record.scale:g}", f"{record.depth_factor:g}")
        for record in store.header.tracks
    )
    return tuple((*transform, count) for transform, count in counts.most_common())
