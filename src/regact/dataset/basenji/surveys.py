"""What a source holds and in which parts it is read, found out before its windows are."""

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import pandas as pd

from regact.dataset.basenji.config import BasenjiH5Source, BasenjiSource
from regact.dataset.basenji.directory import BasenjiDirectory, read_directory, read_shard
from regact.dataset.basenji.hdf5 import Hdf5Layout, read_layout, read_rows
from regact.dataset.basenji.paper import describe_differences
from regact.dataset.basenji.plan import Part, Survey
from regact.dataset.basenji.samples import read_samples
from regact.dataset.basenji.tfrecord import read_records
from regact.dataset.config import SPLITS
from regact.dataset.window_bed import read_window_bed
from regact.engine import progress
from regact.errors import ConfigError
from regact.genome import natural_order

_WINDOWS_PER_PART = 64
_LEAKS = (
    "the split of 2018 was drawn window by window, not by contig: training windows lie beside test windows, and scores "
    "on valid and test are higher than on unseen contigs"
)


def survey_directory(source: BasenjiSource) -> Survey:
    """Of a data directory.

    Raises: as `read_directory`; ConfigError where files of TFRecords do not hold as many records as there are rows.
    """
    directory = read_directory(source.directory)
    labels = natural_order(directory.shards)
    windows = directory.windows
    places = pd.concat([windows[windows["label"] == label] for label in labels], ignore_index=True)
    statistics = directory.statistics
    return Survey(
        where=source.directory,
        sheet=directory.sheet,
        window_bp=statistics.seq_length,
        bin_bp=statistics.pool_width,
        crop_bins=statistics.crop_bp // statistics.pool_width,
        places=places,
        parts=tuple(_shard_parts(directory, labels)),
        files=(
            *(source.directory / name for name in ("statistics.json", "targets.txt", "sequences.bed")),
            *(shard for label in labels for shard in directory.shards[label]),
        ),
        remarks=directory.remarks,
    )


def survey_h5(source: BasenjiH5Source) -> Survey:
    """Of the HDF5 of 2018. Without a BED each sequence is taken for a contig of its own, `SET_NUMBER`.

    Raises: as `read_layout` and `read_samples`; ConfigError where the BED has other numbers of sequences.
    """
    layout = read_layout(source.file)
    remarks = [_LEAKS]
    if source.bed is None:
        remarks.append("no BED: sequences have no coordinates, each is a contig of its own")
    sheet = read_samples(layout, source.samples, tell=remarks.append)
    given = [file for file in (source.bed, source.samples) if file is not None]
    return Survey(
        where=source.file,
        sheet=sheet,
        window_bp=layout.window_bp,
        bin_bp=layout.bin_bp,
        crop_bins=0,
        places=_own_contigs(layout) if source.bed is None else _read_places(source.bed, layout),
        parts=tuple(_row_parts(layout)),
        files=(source.file, *given),
        remarks=(*remarks, *describe_differences(layout, sheet.assays)),
        located=source.bed is not None,
    )


def _shard_parts(directory: BasenjiDirectory, labels: list[str]) -> Iterator[Part]:
    """One part for each TFRecord file; all of a label but its last hold as many records as its first."""
    first, problems = 0, []
    rows = Counter(directory.windows["label"].tolist())
    common = _records_a_file(directory, rows)
    for label in labels:
        shards, n = directory.shards[label], rows[label]
        size = n if len(shards) == 1 else common or _count_records(shards[0])
        # One file more than needed, without records, is what Basenji writes where they come out even.
        if not size or len(shards) not in (-(-n // size), n // size + 1):
            problems.append(
                f"sequences.bed has {n:,} rows of {label}, but its {len(shards)} TFRecord files cannot hold as many: "
                f"{shards[0].name} has {size:,} records"
            )
            continue
        for number, shard in enumerate(shards):
            count = min(size, n - number * size)
            yield Part(str(shard), partial(read_shard, shard, directory.statistics.shape), first + number * size, count)
        first += n
    if problems:
        raise ConfigError(directory.path, problems)


def _records_a_file(directory: BasenjiDirectory, rows: Mapping[str, int]) -> int | None:
    """How many records a whole file has, the same for all labels; None where no number fits them all.

    Rows and files of each label leave few numbers, often one. Only where they leave several are the records of a file
    counted, the shortest: its gigabytes have to be unpacked for that.
    """
    several = {label: len(shards) for label, shards in directory.shards.items() if len(shards) > 1}
    if not several:
        return None
    # n rows fit into f files, the last of which may be empty: n / f <= records <= n / (f - 1).
    least = max(-(-rows[label] // files) for label, files in several.items())
    most = min(rows[label] // (files - 1) for label, files in several.items())
    if least == most:
        return least
    if least > most:
        return None
    return _count_records(
        min((directory.shards[label][0] for label in several), key=lambda shard: shard.stat().st_size)
    )


def _count_records(shard: Path) -> int:
    with progress(f"Counting records of {shard.name}", 0) as bar:
        count = 0
        for _ in read_records(shard):
            count += 1
            bar.advance()
        return count


def _row_parts(layout: Hdf5Layout) -> Iterator[Part]:
    """Whole chunks of the file, so that no two parts unpack the same one."""
    first = 0
    for split in SPLITS:
        chunk, block = layout.chunk_rows[split], layout.block_rows[split]
        size = chunk * max(1, _WINDOWS_PER_PART // chunk)
        for start in range(0, layout.counts[split], size):
            rows = range(start, min(start + size, layout.counts[split]))
            read = partial(read_rows, layout.path, split, rows, chunk, block)
            yield Part(
                f"{layout.path}, {split}, sequences {rows.start} to {rows.stop - 1}", read, first + start, len(rows)
            )
        first += layout.counts[split]


def _own_contigs(layout: Hdf5Layout) -> pd.DataFrame:
    rows = [
        (f"{split}_{number}", 0, layout.window_bp, split) for split in SPLITS for number in range(layout.counts[split])
    ]
    return pd.DataFrame(rows, columns=["chrom", "start", "end", "label"])


def _read_places(bed: Path, layout: Hdf5Layout) -> pd.DataFrame:
    """The rows of the BED in the order of the file's sets."""
    rows = read_window_bed(bed)
    counts = Counter(rows["label"].tolist())
    problems = [
        f"{counts[split]:,} rows of {split}; needed {layout.counts.get(split, 0):,}, as {layout.path.name} has"
        for split in dict.fromkeys([*SPLITS, *counts])
        if counts[split] != layout.counts.get(split, 0)
    ]
    odd = (rows["end"] - rows["start"] != layout.window_bp).to_numpy()
    if odd.any():
        problems.append(
            f"{int(odd.sum()):,} rows are not {layout.window_bp:,} bp long, the first in line {odd.argmax() + 1}"
        )
    if problems:
        raise ConfigError(bed, problems)
    return pd.concat([rows[rows["label"] == split] for split in SPLITS], ignore_index=True)
