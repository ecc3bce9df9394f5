"""Carrying out an import: its parts side by side, then what only all of them together show, then the header."""

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import zarr
from jaxtyping import Int64

from regact.dataset.basenji.part import PartResult, PartTask, import_part, limits_of
from regact.dataset.basenji.plan import ImportPlan
from regact.dataset.basenji.values import ValueCheck, describe_counts
from regact.dataset.build import COMPRESSION, DISK_BLOCK_BYTES
from regact.dataset.schema import SEQUENCES, STORE_MARK, GenomeRecord, StoreHeader
from regact.dataset.store import Store, open_store
from regact.dataset.store_writer import create_store, finish_store, write_array
from regact.dataset.track_sums import merge_sums, track_statistics
from regact.dataset.unfinished import unfinished_store
from regact.engine import available_cores, check_space, masked_crc32c, refuse_existing, run_tasks
from regact.errors import DataError
from regact.genome import Genome, Interval, KnownParts

BYTES_PER_WORKER = 2**27  # of targets, written in about the time that a process takes to start


def run_import(
    plan: ImportPlan,
    out: Path,
    *,
    workers: int | None = None,
    overwrite: bool = False,
    resume: bool = True,
    tell: Callable[[str], object] = lambda remark: None,
) -> Store:
    """Import what `plan` says into a store, and open it; arguments as in `import_dataset`."""
    refuse_existing(out, overwrite, mark=STORE_MARK)
    for remark in plan.header.remarks:
        tell(remark)
    check_space(out, _needed_bytes(plan), f"{len(plan.windows):,} windows of {len(plan.header.tracks):,} tracks")
    with unfinished_store(out, plan.identity(), overwrite=overwrite, resume=resume) as (folder, work):
        sequences = KnownParts(folder / SEQUENCES, plan.header.genome.lengths)
        if plan.genome is None:
            sequences.lay_out()
        mask = np.zeros((len(plan.windows), plan.config.n_bins), bool)
        create_store(folder, plan.header, plan.windows, mask)
        tasks = list(_tasks(plan, sequences, folder, work))
        missing = [task for task in tasks if not task.is_done()]
        label = f"Importing {len(plan.windows):,} windows"
        for _ in run_tasks(import_part, missing, workers=useful_workers(plan, workers), label=label):
            pass
        _finish(plan, sequences, folder, tasks, tell)
    return open_store(out)


def useful_workers(plan: ImportPlan, workers: int | None) -> int:
    """As many as asked for or as there are cores, but no more than have enough to do."""
    return max(1, min(available_cores() if workers is None else workers, plan.target_bytes // BYTES_PER_WORKER))


def _tasks(plan: ImportPlan, sequences: KnownParts, folder: Path, work: Path) -> Iterator[PartTask]:
    identifiers = tuple(track.identifier for track in plan.header.tracks)
    limits = limits_of(track.clip for track in plan.header.tracks)
    check = ValueCheck(plan.not_finite == "clip", limits, identifiers, plan.config.bin_bp, plan.config.crop_bp)
    for number, part in enumerate(plan.parts):
        rows = plan.rows[part.first : part.first + part.n_windows]
        yield PartTask(
            name=part.name,
            read=part.read,
            rows=rows,
            places=tuple(_places(plan, rows)),
            genome=plan.genome,
            sequences=sequences,
            check=check,
            limits=limits,
            store=folder,
            config=plan.config,
            path=work / f"part_{number}.npz",
        )


def _places(plan: ImportPlan, rows: Int64[np.ndarray, " window"]) -> Iterator[Interval]:
    windows = plan.windows.iloc[rows]
    for place in zip(windows["chrom"], windows["start"].tolist(), windows["end"].tolist(), strict=True):
        yield Interval(*place)


def _finish(
    plan: ImportPlan, sequences: KnownParts, folder: Path, tasks: Sequence[PartTask], tell: Callable[[str], object]
) -> None:
    """Join what the parts left, and write the header."""
    n, n_tracks = len(plan.windows), len(plan.header.tracks)
    mask = np.zeros((n, plan.config.n_bins), bool)
    digests, checksums = np.empty(n, "U64"), np.empty(n, np.uint32)
    sums, not_finite, rounded = None, np.zeros(n_tracks, np.int64), 0
    for task in tasks:
        part = PartResult.read(task.path)
        mask[part.rows], digests[part.rows], checksums[part.rows] = part.mask, part.digests, part.checksums
        sums = part.sums if sums is None else merge_sums(sums, part.sums)
        not_finite += part.not_finite
        rounded += int(part.rounded)
    header = plan.header
    if plan.genome is None:
        kept = sequences.finish()
        _check_overlaps(plan, kept, checksums, tasks)
        record: GenomeRecord = header.genome.model_copy(update={"checksum": kept.checksum})
        header = header.model_copy(update={"genome": record})
    remarks = list(_describe_values(header, not_finite, rounded))
    for remark in remarks:
        tell(remark)
    header = header.model_copy(update={"remarks": (*header.remarks, *remarks)})
    write_array(zarr.open_group(folder, mode="r+"), "mask", mask)
    values_sha256 = sha256("".join(f"{one}\n" for one in digests.tolist()).encode()).hexdigest()
    statistics = track_statistics(sums if sums is not None else np.zeros((n_tracks, 4)), int(mask.sum()))
    finish_store(folder, header, plan.windows, mask, values_sha256=values_sha256, statistics=statistics)


def _describe_values(header: StoreHeader, not_finite: Int64[np.ndarray, " track"], rounded: int) -> Iterator[str]:
    """In which values the store is not the source."""
    if not_finite.any():
        found = describe_counts(not_finite, tuple(track.identifier for track in header.tracks))
        yield f"{found}: inf was taken as the clip, NaN as 0"
    if rounded:
        yield f"{rounded:,} values had more digits than float16 keeps: rounded, by 0.05 % at most (3e-8 below 6e-5)"


def _check_overlaps(plan: ImportPlan, kept: Genome, checksums: np.ndarray, tasks: Sequence[PartTask]) -> None:
    """Raise DataError where windows that overlap hold different bases: coordinates and records are out of step."""
    wrong = [
        row
        for row, place in enumerate(_places(plan, np.arange(len(plan.windows))))
        if masked_crc32c(kept.fetch(place).tobytes()) != checksums[row]
    ]
    if not wrong:
        return
    task, number = next((t, t.rows.tolist().index(wrong[0])) for t in tasks if wrong[0] in t.rows)
    raise DataError(
        f"{task.name}, window {number} ({task.places[number]})",
        f"other bases than a window that overlaps it has; so have {len(wrong) - 1:,} more windows",
        "records in the order of their coordinates",
        "compare them with the genome: say where its FASTA is with --genome",
    )


def _needed_bytes(plan: ImportPlan) -> int:
    sequences = sum(plan.header.genome.lengths.values()) if plan.genome is None else 0
    return plan.target_bytes // COMPRESSION + len(plan.windows) * DISK_BLOCK_BYTES + sequences
