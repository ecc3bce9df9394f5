"""Depth scaling: one factor per track brings its coverage to a common total; the store keeps it, to be undone by it."""

import json
from pathlib import Path

from regact.dataset.plan import BuildPlan
from regact.dataset.schema import StoreHeader
from regact.engine import run_tasks, write_json
from regact.genome import Interval
from regact.tracks import Track, depth_factors, open_signal, track_total


def measure_depth(plan: BuildPlan, work: Path, workers: int) -> StoreHeader:
    """The plan's header with the depth factor of each track: 1 where no `depth_total` is asked for.

    Totals are taken over the contigs that hold windows, without the blacklist. They are kept in `work`, so that a build
    which continues does not measure again.

    Raises: DataError naming tracks without any coverage.
    """
    wanted = plan.config.depth_total
    if wanted is None:
        return plan.header
    note = work / "totals.json"
    if not note.is_file():
        write_json(note, _totals(plan, workers))
    totals = json.loads(note.read_text())
    factors = depth_factors(totals, plan.sheet.strand_pair, wanted, names=plan.sheet.identifiers)
    records = tuple(
        record.model_copy(update={"depth_factor": float(factor)})
        for record, factor in zip(plan.header.tracks, factors, strict=True)
    )
    return plan.header.model_copy(update={"tracks": records})


def _totals(plan: BuildPlan, workers: int) -> list[float]:
    tasks = [(track, names, plan.covered) for track, names in zip(plan.sheet.tracks, plan.contig_names, strict=True)]
    totals = [0.0] * len(tasks)
    for index, total in run_tasks(
        _total, tasks, workers=workers, label="Measuring depth", describe=lambda task: task[0].identifier
    ):
        totals[index] = total
    return totals


def _total(task: tuple[Track, tuple[dict[str, str], ...], tuple[Interval, ...]]) -> float:
    track, contig_names, intervals = task
    return track_total(track, [open_signal(file) for file in track.files], contig_names, intervals)
