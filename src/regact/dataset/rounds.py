"""The order of a build's work: rounds of reading spans of windows track by track, then assembling the windows.

A round takes as many windows as `TEMPORARY_BYTES` hold for all tracks, so that the disk needs room for the store and
little more. A finished task leaves a file and is never done again; a finished round leaves a record of what the store
must know of it, and its parts are removed.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from shutil import rmtree
from typing import TypeVar

import numpy as np

from regact.dataset.mask import target_intervals
from regact.dataset.parts import (
    AssemblyTask,
    PartTask,
    assemble_windows,
    part_path,
    read_part,
    read_statistics,
)
from regact.dataset.plan import BuildPlan
from regact.dataset.schema import StoreHeader
from regact.dataset.track_sums import STATISTICS, merge_sums, track_statistics
from regact.engine import run_tasks, whole_file
from regact.genome import Interval, Regions
from regact.tracks import track_transform

TEMPORARY_BYTES = 2 * 10**9  # values of one round, waiting for their windows to be assembled
ASSEMBLY_BYTES = 32 * 2**20  # targets that one process assembles at a time
SPAN_BP = 2**23  # bases of one track that one process reads at a time: opening the file does not count beside it

_Task = TypeVar("_Task", PartTask, AssemblyTask)


@dataclass(frozen=True)
class Layout:
    """How many windows a build takes at a time, for assembly (`group`), reading (`span`) and a round.

    A span is a whole number of groups, a round one of spans. Sizes follow from the plan alone, never from the machine
    or the number of workers, so that a build may continue with others.
    """

    n_windows: int
    group: int
    span: int
    round: int

    @classmethod
    def of(cls, plan: BuildPlan) -> "Layout":
        """The layout of a plan."""
        n_windows, n_bins = plan.mask.shape
        window_bytes = n_bins * len(plan.sheet) * 2
        span = _power_of_two(SPAN_BP // plan.config.target_bp)
        group = min(span, _power_of_two(ASSEMBLY_BYTES // window_bytes))
        return cls(n_windows, group, span, max(1, TEMPORARY_BYTES // (window_bytes * span)) * span)

    def rounds(self) -> list[range]:
        """The rows of each round."""
        return _cut(range(self.n_windows), self.round)

    def spans(self, rows: range) -> list[range]:
        """The rows of each part of a round."""
        return _cut(rows, self.span)

    def groups(self, span: range) -> list[range]:
        """The rows of each assembly of a span."""
        return _cut(span, self.group)


@dataclass(frozen=True)
class Round:
    """One round of a build, with what all its tasks need.

    Attributes:
        plan: The plan.
        header: The store's header, with depth factors.
        layout: The sizes.
        rows: The round's rows of the window table.
        store: Folder of the unfinished store.
        work: Folder of parts and records.
        label: What the progress bar says after the name of the work.
    """

    plan: BuildPlan
    header: StoreHeader
    layout: Layout
    rows: range
    store: Path
    work: Path
    label: str = ""

    @property
    def parts(self) -> Path:
        """Folder of this round's parts."""
        return self.work / f"parts_{self.rows.start}"

    @property
    def record(self) -> Path:
        """The file that says that this round is done."""
        return self.work / f"round_{self.rows.start}.npz"

    def run(self, workers: int) -> None:
        """Do what is not yet done of this round."""
        if not self.record.is_file():
            self.parts.mkdir(parents=True, exist_ok=True)
            reading, assembling = list(self._part_tasks()), list(self._assembly_tasks())
            _run_missing(read_part, reading, workers, f"Reading {len(self.plan.sheet):,} tracks{self.label}")
            _run_missing(assemble_windows, assembling, workers, f"Writing {len(self.rows):,} windows{self.label}")
            self._write_record([task.path for task in assembling])
        rmtree(self.parts, ignore_errors=True)

    def _part_tasks(self) -> Iterator[PartTask]:
        """Track by track, so that a worker rarely changes the file that it has open."""
        config = self.plan.config
        first = self.rows.start
        targets = target_intervals(self.plan.windows.iloc[first : self.rows.stop], config)
        spans = [
            (span, tuple(targets[span.start - first : span.stop - first])) for span in self.layout.spans(self.rows)
        ]
        blacklists = [_blacklist_on(self.plan.blacklist, on_span) for _, on_span in spans]
        for number, (track, record) in enumerate(zip(self.plan.sheet.tracks, self.header.tracks, strict=True)):
            transform = track_transform(track, config.bin_bp, record.depth_factor)
            for (span, on_span), blacklist in zip(spans, blacklists, strict=True):
                yield PartTask(
                    track=track,
                    contig_names=self.plan.contig_names[number],
                    transform=transform,
                    targets=on_span,
                    mask=self.plan.mask[span.start : span.stop],
                    blacklist=blacklist,
                    bin_bp=config.bin_bp,
                    path=part_path(self.parts, number, span),
                )

    def _assembly_tasks(self) -> Iterator[AssemblyTask]:
        for span in self.layout.spans(self.rows):
            for rows in self.layout.groups(span):
                yield AssemblyTask(
                    store=self.store,
                    rows=rows,
                    span=span,
                    config=self.plan.config,
                    n_tracks=len(self.plan.sheet),
                    parts=self.parts,
                    path=self.parts / f"windows_{rows.start}.sha256",
                )

    def _write_record(self, digests: Sequence[Path]) -> None:
        n_tracks = len(self.plan.sheet)
        statistics = np.zeros((n_tracks, len(STATISTICS)))
        for span in self.layout.spans(self.rows):
            parts = [read_statistics(part_path(self.parts, track, span)) for track in range(n_tracks)]
            statistics = merge_sums(statistics, np.stack(parts))
        with whole_file(self.record) as temporary, temporary.open("wb") as record:
            np.savez(record, statistics=statistics, digests=np.array("".join(path.read_text() for path in digests)))


def collect_rounds(rounds: Sequence[Round]) -> tuple[str, dict[str, np.ndarray]]:
    """What the store must know of all rounds: the digest of all values, and the statistics of each track."""
    sha = sha256()
    total = np.zeros((len(rounds[0].plan.sheet), len(STATISTICS)))
    for one in rounds:
        with np.load(one.record) as record:
            sha.update(str(record["digests"]).encode())
            total = merge_sums(total, record["statistics"])
    return sha.hexdigest(), track_statistics(total, int(rounds[0].plan.mask.sum()))


def _blacklist_on(blacklist: Regions, targets: Sequence[Interval]) -> Regions | None:
    """The part of the blacklist that a task needs: it travels with every task."""
    touched = [part for target in targets for part in blacklist.intersection(target)]
    return Regions.from_intervals(touched) if touched else None


def _run_missing(function: Callable[[_Task], None], tasks: Sequence[_Task], workers: int, label: str) -> None:
    missing = [task for task in tasks if not task.is_done()]
    for _ in run_tasks(function, missing, workers=workers, label=label):
        pass


def _cut(rows: range, size: int) -> list[range]:
    return [rows[first : first + size] for first in range(0, len(rows), size)]


def _power_of_two(number: int) -> int:
    """The largest power of two that is not above `number`; 1 for less than 1."""
    return 1 << max(0, number.bit_length() - 1) if number > 0 else 1
